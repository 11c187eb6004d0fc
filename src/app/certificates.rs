//! What is wrong with the files of TLS, before anybody is greeted with them.
//!
//! Owns how their faults read. Never changes anything. Invariant: no fault shows what a file holds.

use jiff::Timestamp;

use crate::config::{Fault, Tls};
use crate::grpc::{self, TlsFault};

/// Why certificate and key would serve nobody at `now`: they cannot be read, do not belong together, or are not valid.
pub fn tls_fault(tls: &Tls, now: Timestamp) -> Option<Fault> {
    check(tls, now).err()
}

fn check(tls: &Tls, now: Timestamp) -> Result<(), Fault> {
    let fault = |variable: &str, problem: &str, remedy: &str| Fault {
        variable: variable.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    };
    // One that cannot be read holds nothing.
    let [cert, key] = [&tls.cert, &tls.key].map(|file| std::fs::read(file).unwrap_or_default());
    grpc::Tls::new(&cert, &key, None).map_err(|found| match found {
        TlsFault::NoCertificate(_) | TlsFault::ClientCa(_) => {
            fault("TLS_CERT", "names a file without a certificate", "name a chain in PEM, the server's own first")
        }
        TlsFault::NoKey(_) => fault("TLS_KEY", "names a file without a private key", "name its key in PEM"),
        TlsFault::EncryptedKey => {
            fault("TLS_KEY", "names a key that is encrypted", "decrypt it, with `openssl pkey` for instance")
        }
        TlsFault::Unusable(_) => {
            fault("TLS_KEY", "is not the key of TLS_CERT", "name the key that the certificate was made for")
        }
    })?;
    let unreadable = || fault("TLS_CERT", "names a certificate that cannot be read", "name one in PEM");
    let (from, until) = grpc::validity(&cert).ok_or_else(unreadable)?;
    if now >= until {
        return Err(fault("TLS_CERT", "names a certificate that has expired", "renew it"));
    }
    if now < from {
        return Err(fault("TLS_CERT", "names a certificate that is not valid yet", "see to the clock, or wait"));
    }
    Ok(())
}
