//! The program as a process of its own: what it is told, what it says, and how it ends.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cassius_calendar::clock::Entropy;
use cassius_calendar::crypto::Keyring;
use cassius_calendar::emulator;

/// A bound for a test that would hang; none that a passing one comes near.
const PATIENCE: Duration = Duration::from_secs(60);

/// The settings of a process: it inherits none.
pub(crate) type Settings = BTreeMap<String, String>;

/// What `serve` cannot start without, on free ports of loopback.
pub(crate) fn settings() -> Settings {
    let nobody = "http://127.0.0.1:9";
    let pairs = [
        ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
        ("HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ("GOOGLE_CLIENT_ID", "client".to_owned()),
        ("GOOGLE_CLIENT_SECRET", "canary-client-secret".to_owned()),
        ("ENCRYPTION_KEYS", Keyring::generate(&Entropy::system())),
    ];
    let pairs = pairs.into_iter().chain(emulator::addresses(nobody));
    pairs.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// These settings with others over them.
pub(crate) fn with(settings: &Settings, others: &[(&str, &str)]) -> Settings {
    let mut settings = settings.clone();
    settings.extend(others.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    settings
}

/// The program as it is started.
fn command(arguments: &[&str], settings: &Settings, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cassius-calendar"));
    command.args(arguments).env_clear().envs(settings).current_dir(folder).stdin(Stdio::null());
    command
}

/// How a process that ended by itself ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs a command that ends by itself.
pub(crate) fn run(arguments: &[&str], settings: &Settings, folder: &Path) -> Ended {
    let output = command(arguments, settings, folder).output().unwrap();
    Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command whose output nobody reads: the reader has gone before it began.
pub(crate) fn run_unheard(arguments: &[&str], settings: &Settings, folder: &Path) -> Ended {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = command(arguments, settings, folder).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    Ended { code: output.status.code(), output: String::new(), errors }
}

/// One of the two streams of a process, line by line.
pub(crate) struct Lines {
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn read(from: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { lines, seen: Vec::new() }
    }

    /// The first line that holds this text, said already or still to come.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{text:?} was never said, but:\n{}", self.seen.join("\n")));
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The lines that were waited for, and those before them.
    pub(crate) fn so_far(&self) -> &[String] {
        &self.seen
    }

    /// All lines up to the end of the process.
    pub(crate) fn all(&mut self) -> &[String] {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        &self.seen
    }
}

/// A process that serves until it is told to stop; it does not outlive the test.
pub(crate) struct Process {
    child: Child,
    pub(crate) output: Lines,
    pub(crate) errors: Lines,
}

impl Process {
    pub(crate) fn start(arguments: &[&str], settings: &Settings, folder: &Path) -> Self {
        Self::spawn(command(arguments, settings, folder))
    }

    /// The same where the process may have no more than so many files open, whatever it asks for.
    pub(crate) fn start_with_few_descriptors(most: u32, settings: &Settings, folder: &Path) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most} && exec \"$0\" serve");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_cassius-calendar")]);
        command.env_clear().envs(settings).current_dir(folder).stdin(Stdio::null());
        Self::spawn(command)
    }

    /// The same where a file that may not grow is a fault of the write, as a full disk is, and no signal.
    pub(crate) fn start_where_files_are_bounded(settings: &Settings, folder: &Path) -> Self {
        let mut command = Command::new("sh");
        let script = "trap '' XFSZ && exec \"$0\" serve";
        command.args(["-c", script, env!("CARGO_BIN_EXE_cassius-calendar")]);
        command.env_clear().envs(settings).current_dir(folder).stdin(Stdio::null());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, output: Lines::read(output), errors: Lines::read(errors) }
    }

    /// Where it serves, as its log says: gRPC, and the sidecar.
    pub(crate) fn addresses(&mut self) -> (SocketAddr, SocketAddr) {
        let line = self.errors.wait_for("grpc.address");
        let address = |name: &str| {
            let after = line.split(name).nth(1).unwrap();
            let rest = after.trim_start_matches(['=', '"', ':']);
            rest.split([' ', '"', ',']).next().unwrap().parse().unwrap()
        };
        (address("grpc.address"), address("http.address"))
    }

    /// What the system says of the process, such as its `limits`.
    pub(crate) fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(self.proc_path(file)).unwrap()
    }

    /// Where the system says it.
    pub(crate) fn proc_path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }

    /// Leaves it so many descriptors beyond those that it has open, and no more.
    pub(crate) fn leave_descriptors(&self, count: usize) {
        let open = std::fs::read_dir(self.proc_path("fd")).unwrap().count();
        let limit = format!("--nofile={}", open + count);
        let status = Command::new("prlimit").args(["--pid", &self.child.id().to_string(), &limit]).status();
        assert!(status.unwrap().success());
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end: how it ended, and how long that took from now on.
    pub(crate) fn ended(&mut self) -> (ExitStatus, Duration) {
        #[expect(clippy::disallowed_methods, reason = "another process is timed, whose clock is the system's")]
        let from = Instant::now();
        let status = self.child.wait().unwrap();
        (status, from.elapsed())
    }

    /// Tells it to stop as an orchestrator does, and waits until it has.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.ended().0.code(), Some(0));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where the test came to its own end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
