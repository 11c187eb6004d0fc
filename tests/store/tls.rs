//! TLS to PostgreSQL, before a server with certificates of the test's own.

use std::sync::Arc;

use cassius_calendar::store::{Credentials, Error, Options, Store};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::harness::Database;

/// A server that answers the wish for TLS with a certificate made out to `name`, and hands what it is told on to
/// `database`; the authority that vouches for it.
async fn served(database: &Database, name: &str) -> (u16, tempfile::NamedTempFile) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(tls)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    let behind = url::Url::parse(&database.url).unwrap().socket_addrs(|| None).unwrap()[0];
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut wish = [0; 8];
                client.read_exact(&mut wish).await.unwrap();
                assert_eq!(wish[4..], 80_877_103_u32.to_be_bytes(), "TLS is asked for before anything is told");
                client.write_all(b"S").await.unwrap();
                // A client that does not trust the certificate leaves here.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    (port, file)
}

/// Asks the database behind `host` and `port`, with an option of the address or none.
async fn asked(
    database: &Database,
    host: &str,
    port: u16,
    option: &str,
    ca: Option<&std::path::Path>,
) -> Result<(), Error> {
    let name = database.name();
    // As a service begins: what is asked is whom it trusts, not how fast the machine is.
    let url = format!("postgres://postgres@{host}:{port}/{name}?{option}&connect_timeout=60");
    let credentials = Credentials { ca: ca.map(Into::into), ..Credentials::default() };
    Store::open(&url, &Options { credentials, pool_size: 1, ..Options::default() }).await?.connect_patiently().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_verified_by_its_authority_and_its_name() {
    let database = Database::on_postgres().await;
    let (port, authority) = served(&database, "localhost").await;
    let ca = Some(authority.path());
    for option in ["sslmode=verify-full", "sslmode=require", "sslmode=verify-ca"] {
        asked(&database, "localhost", port, option, ca).await.unwrap();
    }
    let by_address = format!("sslmode=verify-full&sslrootcert={}", authority.path().display());
    asked(&database, "localhost", port, &by_address, None).await.unwrap();
    // The name that it is called by is not its own; and an authority that nobody has heard of.
    asked(&database, "127.0.0.1", port, "sslmode=verify-ca", ca).await.unwrap();
    for (host, option, ca) in [("127.0.0.1", "sslmode=verify-full", ca), ("localhost", "sslmode=verify-full", None)] {
        let refused = asked(&database, host, port, option, ca).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{host} {option}: {refused:?}");
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_keeps_nobody_from_the_next_one() {
    let database = Database::on_postgres().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (silent_port, name) = (silent.local_addr().unwrap().port(), database.name());
    let port = url::Url::parse(&database.url).unwrap().port().unwrap();
    let open = async |seconds: u64, options: &str| {
        let hosts = format!("127.0.0.1:{silent_port},127.0.0.1:{port}");
        let url = format!("postgres://postgres@{hosts}/{name}?connect_timeout={seconds}{options}");
        Store::open(&url, &Options { pool_size: 2, ..Options::default() }).await.unwrap()
    };
    // At the start, and where whoever waits gives up sooner than the address does.
    open(2, "").await.connect_patiently().await.unwrap();
    let store = open(60, "").await;
    assert!(matches!(store.ping().await, Err(Error::Unavailable(_))));
    store.ping().await.unwrap();
    // A standby is not what is meant, unless that is what is said.
    let only_reads = "&options=-c%20default_transaction_read_only%3Don";
    assert!(matches!(open(2, only_reads).await.connect_patiently().await, Err(Error::Unavailable(_))));
    open(2, &format!("{only_reads}&target_session_attrs=read-only")).await.connect_patiently().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn a_server_without_tls_is_told_no_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 8];
        client.read_exact(&mut heard).await.unwrap();
        client.write_all(b"N").await.unwrap();
        // What is told all the same would be read here, until the client leaves.
        let _ = client.read_to_end(&mut heard).await;
        heard
    });
    let url = format!("postgres://someone:canary@localhost:{port}/x?sslmode=require");
    let store = Store::open(&url, &Options { pool_size: 1, ..Options::default() }).await.unwrap();
    assert!(matches!(store.ping().await, Err(Error::Unavailable(_))));
    assert_eq!(heard.await.unwrap().len(), 8, "nothing but the wish for TLS");
}
