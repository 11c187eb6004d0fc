//! Everything that is logged during the tests, so that they can look for what must not be there.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use memchr::memmem;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Recorder;

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Records from now on, at the finest level of our own code and of the HTTP stack.
pub(crate) fn start() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_env_filter("trace,h2=info,hyper=debug,tokio_postgres=info")
            .with_ansi(false)
            .with_writer(|| Recorder)
            .init();
    });
}

/// Whether a text was logged by any test so far.
pub(crate) fn contain(text: &str) -> bool {
    let logged = LOGGED.lock().unwrap();
    memmem::find(&logged, text.as_bytes()).is_some()
}

/// The lines that hold a text, logged by any test so far.
pub(crate) fn lines_with(text: &str) -> Vec<String> {
    let logged = LOGGED.lock().unwrap();
    String::from_utf8_lossy(&logged).lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

/// Parts of what must never be logged, by any test: tokens as Google shapes them, keys, people.
const SECRETS: [&str; 9] = [
    "ya29.",
    "1//0",
    "emulated-secret",
    super::app::API_KEY,
    "Camille Exemple",
    "Dominique Essai",
    "Dr Alex Modèle",
    super::google::ACCOUNT,
    super::google::OTHER_ACCOUNT,
];

/// Nothing secret was logged so far. What was looked through once is not looked through again.
pub(crate) fn hold_nothing_secret() {
    static LOOKED_UP_TO: Mutex<usize> = Mutex::new(0);
    let found = {
        let logged = LOGGED.lock().unwrap();
        let mut looked_up_to = LOOKED_UP_TO.lock().unwrap();
        // Half a line stays to be seen whole.
        let end = logged.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let unseen = String::from_utf8_lossy(&logged[*looked_up_to..end]);
        *looked_up_to = end;
        unseen.lines().find(|line| SECRETS.iter().any(|secret| line.contains(secret))).map(str::to_owned)
    };
    // Not before the locks are free: the other tests go on logging.
    assert_eq!(found, None, "something secret was logged");
}
