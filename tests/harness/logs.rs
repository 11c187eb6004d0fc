//! Everything that is logged during the tests, so that they can look for what must not be there.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

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
    logged.windows(text.len()).any(|window| window == text.as_bytes())
}
