//! Whom the service trusts when it connects to somebody else.
//!
//! Owns the authorities that vouch for a server: those of the system beside the built-in ones, or the ones of a file in
//! their place. Never connects. Invariant: nobody is trusted whom neither of them names.

use std::io;
use std::path::Path;
use std::sync::LazyLock;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

/// Says why a file names no authorities.
#[derive(Debug, thiserror::Error)]
pub enum RootsFault {
    /// It cannot be read.
    #[error("the file of authorities cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is no PEM.
    #[error("the file of authorities is no PEM")]
    NoPem(#[source] pem::Error),
    /// One of its certificates cannot be used.
    #[error("the file of authorities holds a certificate that cannot be used")]
    Unusable(#[source] rustls::Error),
    /// There is none in it.
    #[error("the file of authorities holds no certificate")]
    Empty,
}

/// The authorities of a file in PEM. `None`: the system's as they were when they were first asked for, and those that are
/// built in for a machine that has none.
pub fn roots(file: Option<&Path>) -> Result<RootCertStore, RootsFault> {
    let Some(file) = file else { return Ok(USUAL.clone()) };
    let mut roots = RootCertStore::empty();
    let unread = |fault| match fault {
        pem::Error::Io(fault) => RootsFault::Unreadable(fault),
        fault => RootsFault::NoPem(fault),
    };
    is_file(file).map_err(RootsFault::Unreadable)?;
    for certificate in CertificateDer::pem_file_iter(file).map_err(unread)? {
        roots.add(certificate.map_err(unread)?).map_err(RootsFault::Unusable)?;
    }
    match roots.is_empty() {
        true => Err(RootsFault::Empty),
        false => Ok(roots),
    }
}

/// What is no file, such as a pipe, is not opened: that may take for ever.
fn is_file(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
    }
}

/// The usual authorities: read once by a process.
static USUAL: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    // What the system has and rustls cannot use is left out: another root vouches, or nobody does.
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    roots
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_own_authorities_alone_and_says_what_is_wrong_with_it() {
        assert!(!USUAL.is_empty());
        let file = tempfile::NamedTempFile::new().expect("a file");
        let fault = |text: &str| {
            std::fs::write(file.path(), text).expect("it is written");
            roots(Some(file.path())).map(|roots| roots.len())
        };
        let pem = rcgen::generate_simple_self_signed(["db.internal".to_owned()]).expect("a certificate").cert.pem();
        assert_eq!(fault(&pem).ok(), Some(1));
        assert!(matches!(fault("canary"), Err(RootsFault::Empty)));
        let broken = "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n";
        assert!(matches!(fault(broken), Err(RootsFault::Unusable(_))));
        assert!(matches!(roots(Some(Path::new("/nowhere"))), Err(RootsFault::Unreadable(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_names_nobody_and_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        assert!(matches!(roots(Some(&pipe)), Err(RootsFault::Unreadable(_))));
    }
}
