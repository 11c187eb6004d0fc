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

/// How many calls a connection of HTTP/2 carries at a time, as Google's.
const STREAMS: u32 = 100;

/// A server on loopback that speaks the given protocols over TLS, and the roots that its certificate is among.
async fn serve_tls(protocols: &[&str]) -> (Uri, RootCertStore) {
    serve_tls_as("localhost", protocols).await
}

/// The same under another name, which no name server knows.
async fn serve_tls_as(name: &str, protocols: &[&str]) -> (Uri, RootCertStore) {
    serve_tls_in(2000..4000, name, protocols).await
}

/// The same with a certificate that is valid in these years.
async fn serve_tls_in(years: std::ops::Range<i32>, name: &str, protocols: &[&str]) -> (Uri, RootCertStore) {
    let mut parameters = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
    let new_year = |year| rcgen::date_time_ymd(year, 1, 1);
    (parameters.not_before, parameters.not_after) = (new_year(years.start), new_year(years.end));
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the protocol versions that rustls defaults to")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("key and certificate fit");
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate leaves here.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            tokio::spawn(async move {
                let answer = service_fn(async |request: Request<hyper::body::Incoming>| {
                    if request.uri().path() == "/hang" {
                        std::future::pending::<()>().await;
                    }
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello"))))
                });
                let mut server = Builder::new(TokioExecutor::new());
                server.http2().max_concurrent_streams(STREAMS);
                let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    let uri = format!("https://{name}:{port}/").parse().expect("an address");
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

/// More calls hang than one connection carries: as many as may be under way.
#[tokio::test]
async fn calls_that_hang_keep_no_other_one_from_google() {
    for protocols in [&["h2", "http/1.1"][..], &["http/1.1"][..]] {
        let (uri, roots) = serve_tls(protocols).await;
        let transport = Transport::trusting(roots, Clock::system());
        let hang: Uri = format!("{uri}hang").parse().expect("an address");
        let hanging: Vec<_> = (0..256)
            .map(|_| {
                let (transport, request) = (transport.clone(), request(&hang));
                tokio::spawn(async move { transport.send(request).await })
            })
            .collect();
        let Carrier::Network(pools) = &transport.carrier else { panic!("it goes over the network") };
        while pools.iter().map(Pool::calls).sum::<usize>() < hanging.len() {
            tokio::task::yield_now().await;
        }
        let answer = transport.send(request(&uri)).await.expect("an answer");
        assert_eq!(answer.body().as_ref(), b"hello", "{protocols:?}");
        assert!(hanging.iter().all(|call| !call.is_finished()));
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_not_trusted() {
    let (uri, _) = serve_tls(&["h2"]).await;
    assert_eq!(Transport::new(Clock::system()).send(request(&uri)).await.err(), Some(TransportError::Untrusted));
}

#[tokio::test]
async fn a_certificate_that_is_valid_at_another_time_is_told_from_one_of_nobody_known() {
    for years in [2000..2001, 3000..3001] {
        let (uri, roots) = serve_tls_in(years, "localhost", &["h2"]).await;
        let answer = Transport::trusting(roots, Clock::system()).send(request(&uri)).await;
        assert_eq!(answer.err(), Some(TransportError::Expired));
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_host_that_is_not_found_are_told_as_such() {
    for (uri, fault) in [
        ("https://127.0.0.1:1/", TransportError::Refused),
        ("http://127.0.0.1:1/", TransportError::Refused),
        ("https://nowhere.invalid/", TransportError::NoHost),
    ] {
        let answer = Transport::new(Clock::system()).send(request(&Uri::from_static(uri))).await;
        assert_eq!(answer.err(), Some(fault), "{uri}");
    }
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

/// A proxy that notes whom it is asked to reach and by what right, and carries everything to `server`.
async fn proxy(server: u16) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (sender, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.expect("a whole head"));
            }
            sender.send(String::from_utf8_lossy(&head).into_owned()).expect("somebody listens");
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.expect("it is written");
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", server)).await.expect("a server");
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    (format!("http://user:word@{address}"), asked)
}

#[tokio::test]
async fn a_proxy_is_asked_for_others_and_never_for_what_is_here_or_is_excepted() {
    let (uri, roots) = serve_tls_as("google.example", &["h2"]).await;
    let (proxy, mut asked) = proxy(uri.port_u16().expect("a port")).await;
    let transport = |no_proxy| Transport::new(Clock::system()).by(roots.clone(), Some(&proxy), no_proxy);
    let answer = transport(None).send(request(&uri)).await.expect("an answer");
    assert_eq!(answer.body().as_ref(), b"hello");
    let head = asked.recv().await.expect("it was asked");
    assert!(head.starts_with("CONNECT google.example:") && !head.contains("user"), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic dxnlcjp3b3jk"), "{head}");
    // Without the proxy the name leads nowhere.
    let excepted = transport(Some("google.example")).send(request(&uri)).await;
    assert_eq!(excepted.err(), Some(TransportError::NoHost));
    let (here, _) = serve_tls(&["h2"]).await;
    assert_eq!(transport(None).send(request(&here)).await.err(), Some(TransportError::Untrusted));
    assert!(asked.try_recv().is_err(), "it was asked once");
    let nobody = Transport::new(Clock::system()).by(roots, Some("http://127.0.0.1:1"), None);
    assert_eq!(nobody.send(request(&uri)).await.err(), Some(TransportError::NoTunnel));
}
