//! TLS and its protocols, against a server with a certificate of its own, and the rule for plain HTTP.

use std::convert::Infallible;

use http::Version;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server on loopback that speaks the given protocols over TLS, and the roots that its certificate is among.
async fn serve_tls(protocols: &[&str]) -> (Uri, RootCertStore) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).expect("a root");
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the protocol versions that rustls defaults to")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("key and certificate fit");
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate leaves here.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let answer = service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello")))));
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
        }
    });
    let uri = format!("https://localhost:{port}/").parse().expect("an address");
    (uri, roots)
}

fn request(uri: &Uri) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).expect("a request")
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered_and_http_1_elsewhere() {
    for (protocols, version) in
        [(&["h2", "http/1.1"][..], Version::HTTP_2), (&["http/1.1"][..], Version::HTTP_11), (&[][..], Version::HTTP_11)]
    {
        let (uri, roots) = serve_tls(protocols).await;
        let answer = Transport::trusting(roots, Clock::system()).send(request(&uri)).await.expect("an answer");
        assert_eq!((answer.version(), answer.body().as_ref()), (version, &b"hello"[..]), "{protocols:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_not_trusted() {
    let (uri, _) = serve_tls(&["h2"]).await;
    assert_eq!(Transport::new(Clock::system()).send(request(&uri)).await.err(), Some(TransportError::Unreachable));
}

#[test]
fn plain_http_goes_to_loopback_or_nowhere() {
    for uri in [
        "https://oauth2.googleapis.com/token",
        "http://127.0.0.1:8080/token",
        "http://127.8.8.8/",
        "http://[::1]:99/",
        "http://localhost:5/",
    ] {
        assert!(may_carry(&Uri::from_static(uri)), "{uri}");
    }
    for uri in
        ["http://oauth2.googleapis.com/", "http://127.0.0.1.example/", "http://10.0.0.1/", "/token", "ftp://127.0.0.1/"]
    {
        assert!(!may_carry(&Uri::from_static(uri)), "{uri}");
    }
}
