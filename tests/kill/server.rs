//! A PostgreSQL of its own, which a test may stop.

use std::process::{Command, Stdio};

pub(super) struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    /// Makes it and starts it, at a socket in a folder of its own.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // It refuses to run as root.
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
        }
        let server = Self { folder };
        server.run("initdb", &["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        server.go_on();
        server
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.folder.path().display().to_string().replace('/', "%2F"))
    }

    /// Ends every session, and then itself.
    pub(super) fn stop(&self) {
        self.run("pg_ctl", &["-m", "fast", "-w", "stop"]);
    }

    pub(super) fn go_on(&self) {
        let socket = format!("-k {} -c listen_addresses= -c fsync=off", self.folder.path().display());
        let log = self.folder.path().join("log").display().to_string();
        self.run("pg_ctl", &["-w", "-l", &log, "-o", &socket, "start"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program, arguments);
        assert!(command.status().unwrap().success(), "{command:?}");
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let binaries = std::env::var("TEST_POSTGRES_BINARIES").expect("tests/with-postgres says where they are");
        let program = std::path::Path::new(&binaries).join(program);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir(self.folder.path()).arg("-D").arg(self.folder.path().join("data")).args(arguments);
        command.stdout(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be stopped already.
        let _ = self.command("pg_ctl", &["-m", "immediate", "-w", "stop"]).stderr(Stdio::null()).status();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}
