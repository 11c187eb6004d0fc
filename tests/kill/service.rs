//! The real binary, in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::watch;

/// Where a serving process is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
}

/// Starts the process, again and again.
pub(super) struct Service {
    settings: Vec<(&'static str, String)>,
    process: Option<Child>,
    readers: Vec<JoinHandle<()>>,
    addresses: watch::Sender<Option<Addresses>>,
    /// What all of them have logged.
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(super) fn new(settings: Vec<(&'static str, String)>) -> Self {
        Self { settings, process: None, readers: Vec::new(), addresses: watch::Sender::new(None), log: Arc::default() }
    }

    /// Starts the process; it may not be serving yet.
    pub(super) fn start(&mut self) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cassius-calendar"))
            .arg("serve")
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
            .envs([("GRPC_ADDR", "127.0.0.1:0"), ("HTTP_ADDR", "127.0.0.1:0"), ("LOG_FORMAT", "json")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        self.readers = vec![self.read(stdout), self.read(stderr)];
        self.process = Some(process);
    }

    /// Keeps what the process logs, and tells its addresses once it serves.
    fn read(&self, output: impl std::io::Read + Send + 'static) -> JoinHandle<()> {
        let (log, addresses) = (self.log.clone(), self.addresses.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(serving) = serving(&line) {
                    addresses.send_replace(Some(serving));
                }
                log.lock().unwrap().push(line);
            }
        })
    }

    /// Waits until it serves.
    pub(super) async fn serving(&self) -> Addresses {
        let mut addresses = self.addresses.subscribe();
        let wait = addresses.wait_for(Option::is_some);
        match tokio::time::timeout(std::time::Duration::from_secs(60), wait).await {
            Ok(addresses) => addresses.unwrap().unwrap(),
            Err(_) => panic!("it does not start:\n{}", self.last_words()),
        }
    }

    /// Follows where it is reached; `None` while it is down.
    pub(super) fn addresses(&self) -> watch::Receiver<Option<Addresses>> {
        self.addresses.subscribe()
    }

    /// Kills it as a power cut would (SIGKILL).
    pub(super) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        // What it said last is read before anybody is told that it is down.
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        self.addresses.send_replace(None);
    }

    /// Stops it as an orchestrator does (SIGTERM), and waits until it has ended by itself.
    pub(super) fn stop(&mut self) {
        self.signal("-TERM");
        let mut process = self.process.take().unwrap();
        let ended = process.wait().unwrap();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        self.addresses.send_replace(None);
        assert!(ended.success(), "{ended}:\n{}", self.last_words());
    }

    /// Whether it has logged this.
    pub(super) fn has_said(&self, text: &str) -> bool {
        self.log.lock().unwrap().iter().any(|line| line.contains(text))
    }

    /// Lets it do nothing until it goes on (SIGSTOP).
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// It goes on, and takes it for the moment at which it was frozen (SIGCONT).
    pub(super) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }

    /// The lines that speak of a defect.
    pub(super) fn defects(&self) -> Vec<String> {
        let is_defect = |line: &String| line.contains("panicked") || line.contains("\"level\":\"ERROR\"");
        self.log.lock().unwrap().iter().filter(|line| is_defect(line)).cloned().collect()
    }

    /// The end of the log, for a test that fails.
    pub(super) fn last_words(&self) -> String {
        let log = self.log.lock().unwrap();
        log[log.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may be gone already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn serving(line: &str) -> Option<Addresses> {
    let line: Value = serde_json::from_str(line).ok()?;
    let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
    (line.get("message")? == "serving")
        .then(|| Some(Addresses { grpc: address("grpc.address")?, http: address("http.address")? }))?
}
