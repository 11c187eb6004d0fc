//! The sidecar against those who are no browsers: two addresses and nothing else, and bounds on what a stranger holds.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};

const CONNECT: &str = "/api/integrations/google/connect";
const CALLBACK: &str = "/api/integrations/google/callback";

/// What every answer carries, pages or not.
#[track_caller]
pub(crate) fn is_guarded(headers: &HeaderMap) {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert_eq!(value("cache-control"), "no-store", "{headers:?}");
    assert_eq!(value("referrer-policy"), "no-referrer");
    assert_eq!(value("x-frame-options"), "DENY");
    assert_eq!(value("x-content-type-options"), "nosniff");
    let policy = value("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
}

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.running().http_address).await.unwrap()
}

/// What is answered until the connection is closed.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A bound for a test that would hang; none that a passing test comes near.
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer));
    let _ = read.await.expect("the sidecar closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn asked(app: &TestApp, request: &[u8]) -> String {
    let mut stream = connect(app).await;
    // It may be refused before it was sent whole.
    let _ = stream.write_all(request).await;
    answer(&mut stream).await
}

async fn lives_on(app: &TestApp) {
    let page = asked(app, format!("GET {CONNECT} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
    assert!(page.starts_with("HTTP/1.1 400") && page.contains("Commencez dans Cassius"), "{page}");
}

#[apply(both_backends)]
async fn there_are_two_addresses_and_nothing_else(app: &mut TestApp) {
    let http = crate::harness::http::client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let at = |path: &str| format!("http://{}{path}", app.running().http_address);
    for path in [
        "/",
        "/favicon.ico",
        "/api",
        "/api/integrations/google",
        "/api/integrations/google/status",
        "/api/integrations/google/disconnect",
        "/api/integrations/google/connect/",
        "/api/integrations/google/callback/x",
        "/api/integrations/google/CONNECT",
        "/api//integrations/google/connect",
        "/api/integrations/google/connect%2f",
        "/metrics",
        "/..%2f..%2fetc%2fpasswd",
    ] {
        let answer = http.get(at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        is_guarded(answer.headers());
        let page = answer.text().await.unwrap();
        assert!(
            page.contains("n’existe pas") && page.contains("<a href=\"http://127.0.0.1:3000/\">"),
            "{path}: {page}"
        );
    }
    for path in [CONNECT, CALLBACK] {
        for method in
            [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::TRACE]
        {
            let answer = http.request(method.clone(), at(path)).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["allow"].to_str().unwrap()),
                (405, &"GET"),
                "{method} {path}"
            );
            is_guarded(answer.headers());
            let page = answer.text().await.unwrap();
            match method {
                Method::HEAD => assert_eq!(page, "", "{path}"),
                _ => assert!(
                    page.contains("<a href=\"http://127.0.0.1:3000/\">Revenir à Cassius</a>"),
                    "{method}: {page}"
                ),
            }
        }
        let answer = http.post(at(path)).header("accept-language", "en").send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("Back to Cassius</a>"), "{path}");
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn headers_too_large_or_too_many_are_refused(app: &mut TestApp) {
    let large = format!("GET {CONNECT} HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "a".repeat(64 * 1024));
    let many: String = (0..100).map(|i| format!("x-{i}: y\r\n")).collect();
    let many = format!("GET {CONNECT} HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    let long = format!("GET {CALLBACK}?state={} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(64 * 1024));
    for request in [large, many, long] {
        let answer = asked(app, request.as_bytes()).await;
        let refused = ["HTTP/1.1 431", "HTTP/1.1 414", "HTTP/1.1 400"];
        // A connection may also be closed before all was sent.
        assert!(answer.is_empty() || refused.iter().any(|line| answer.starts_with(line)), "{answer}");
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn a_browser_that_sends_too_many_cookies_is_told_so_and_led_back(app: &mut TestApp) {
    let request = format!("GET {CONNECT} HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "a".repeat(17 * 1024));
    let page = asked(app, request.as_bytes()).await;
    assert!(page.starts_with("HTTP/1.1 431") && page.contains("cookies"), "{page}");
    assert!(page.contains("<a href=\"http://127.0.0.1:3000/\">"), "{page}");
}

#[apply(both_backends)]
async fn what_is_no_request_or_two_in_one_is_refused(app: &mut TestApp) {
    let both = format!(
        "GET {CONNECT} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET {CALLBACK} HTTP/1.1\r\nhost: x\r\n\r\n"
    );
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nho\0st: x\r\n\r\n",
        both.as_bytes(),
    ] {
        let answer = asked(app, request).await;
        assert!(answer.matches("HTTP/1.").count() <= 1, "one connection serves one request: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 3"), "{answer}");
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn peers_that_send_their_headers_slowly_or_not_at_all_are_closed_and_keep_nobody_out(app: &mut TestApp) {
    // As many as are let in at once.
    let mut slow = Vec::new();
    for number in 0..256 {
        let mut stream = connect(app).await;
        if number % 2 == 0 {
            stream.write_all(b"GET /api/integrations/google/connect HTTP/1.1\r\nhost: x\r\nx: ").await.unwrap();
        }
        slow.push(stream);
    }
    lives_on(app).await;
    for stream in &mut slow {
        let answer = answer(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}
