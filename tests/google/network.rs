//! What no Google should do: silence, cut connections, endless and broken answers.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use cassius_calendar::clock::Clock;
use cassius_calendar::google::{CalendarError, Google, RefreshError, RevokeError};
use cassius_calendar::model::CalendarId;
use cassius_calendar::sync::{Answer, Call};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::stage::{client, place};
use crate::harness::logs;

const MIB: usize = 1024 * 1024;
const UNAVAILABLE: Answer = Answer::Unavailable { retry_after: None };

/// What a server says to whoever connects.
#[derive(Clone)]
enum Says {
    /// These bytes, then the connection ends.
    Bytes(String),
    /// A head, then a body as long as anybody reads it; counts its bytes, and gives up after 64 MiB.
    EndlessBody(Arc<AtomicUsize>),
    /// A head without end.
    EndlessHead,
    /// Nothing.
    Nothing,
}

/// A client of a server that says one thing to everybody.
async fn facing(says: Says) -> Google {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, says.clone()));
        }
    });
    client(&base, "client", "canary-secret", Clock::system()).with_deadline(Duration::from_secs(5))
}

async fn serve(mut stream: TcpStream, says: Says) {
    let mut request = vec![0; 16 * 1024];
    let _ = stream.read(&mut request).await;
    let chunk = "a".repeat(64 * 1024);
    match says {
        Says::Bytes(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
            // What is left unread when a socket closes resets the connection, and the answer might be lost with it.
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
        }
        Says::EndlessBody(sent) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n\"").await;
            while sent.load(SeqCst) < 64 * MIB && stream.write_all(chunk.as_bytes()).await.is_ok() {
                sent.fetch_add(chunk.len(), SeqCst);
            }
        }
        Says::EndlessHead => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
        Says::Nothing => std::future::pending().await,
    }
}

/// An answer whose length is right.
fn answer(status: &str, body: &str) -> String {
    let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn probe() -> Call {
    Call::Probe { calendar: CalendarId::new("cabinet@example.fr") }
}

/// Asks everything that can be asked, and gets no usable answer to any of it.
async fn is_away(google: &Google) {
    assert_eq!(google.call(&"token".into(), &probe()).await, UNAVAILABLE);
    let away = Some(CalendarError::Unavailable { retry_after: None });
    assert_eq!(google.calendars(&"token".into(), false, None).await.err(), away);
    assert_eq!(google.calendar(&"token".into(), "primary").await.err(), away);
    assert_eq!(google.calendar_by_events(&"token".into(), "primary", "a@example.fr").await.err(), away);
    let away = Some(RefreshError::Unavailable { retry_after: None });
    assert_eq!(google.refresh(&"canary-token".into()).await.err(), away);
}

#[tokio::test]
async fn nobody_listening_is_away() {
    logs::start();
    let google = client("http://127.0.0.1:1", "client", "secret", Clock::system());
    is_away(&google).await;
    assert_eq!(google.revoke(&"token".into()).await, Err(RevokeError::Unavailable));
    let told = logs::lines_with("fault=the connection is refused");
    assert!(told.iter().any(|line| line.contains("WARN") && line.contains("Google cannot be reached")), "{told:?}");
}

#[tokio::test]
async fn silence_ends_by_the_deadline() {
    let google = facing(Says::Nothing).await.with_deadline(Duration::from_millis(100));
    is_away(&google).await;
    assert_eq!(google.revoke(&"token".into()).await, Err(RevokeError::Unavailable));
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let sent = Arc::new(AtomicUsize::new(0));
    let google = facing(Says::EndlessBody(Arc::clone(&sent))).await;
    assert_eq!(google.call(&"token".into(), &probe()).await, UNAVAILABLE);
    // 4 MiB are read; the rest is what the sockets between hold.
    assert!(sent.load(SeqCst) < 32 * MIB);
    is_away(&google).await;
    is_away(&facing(Says::EndlessHead).await).await;
}

#[tokio::test]
async fn a_cut_or_senseless_answer_is_away() {
    for answer in [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"accessRole\":\"owner\"}".to_owned(),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        answer("200 OK", ""),
        answer("200 OK", "[]"),
        answer("200 OK", "null"),
        answer("200 OK", "{}"),
        answer("200 OK", "{\"accessRole\":\""),
        answer("200 OK", "<html>Sign in to the guest network</html>"),
        answer("404 Not Found", "<h1>?</h1>"),
        answer("403 Forbidden", ""),
        answer("502 Bad Gateway", "<h1>502</h1>"),
    ] {
        let google = facing(Says::Bytes(answer.clone())).await;
        assert_eq!(google.call(&"token".into(), &probe()).await, UNAVAILABLE, "{answer:?}");
        let refreshed = google.refresh(&"token".into()).await.err();
        assert_eq!(refreshed, Some(RefreshError::Unavailable { retry_after: None }), "{answer:?}");
    }
}

#[tokio::test]
async fn an_event_is_deleted_where_google_says_that_there_is_no_content_and_nowhere_else() {
    let delete = Call::Delete { place: place("cabinet@example.fr", "event"), etag: None };
    for (answer, meaning) in [
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), Answer::Deleted),
        (answer("200 OK", ""), UNAVAILABLE),
        (answer("200 OK", "<html>Sign in to the guest network</html>"), UNAVAILABLE),
        (answer("202 Accepted", ""), UNAVAILABLE),
    ] {
        let google = facing(Says::Bytes(answer.clone())).await;
        assert_eq!(google.call(&"token".into(), &delete).await, meaning, "{answer:?}");
    }
}

#[tokio::test]
async fn the_token_endpoints_refusal_is_told_from_that_of_something_between() {
    let kind = "content-type: application/json";
    let refused = |status: &str, body: &str| answer(status, body);
    let as_page = |status: &str, body: &str| refused(status, body).replace(kind, "content-type: text/html");
    let away = RefreshError::Unavailable { retry_after: None };
    let revoked = r#"{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}"#;
    let something_new = r#"{"error": "something_new", "error_description": "Bad Request"}"#;
    let bearer = r#"{"error": "invalid_token", "error_description": "The access token expired"}"#;
    for (answer, error) in [
        (refused("400 Bad Request", revoked), RefreshError::GrantDead),
        (refused("400 Bad Request", something_new), RefreshError::GrantDead),
        (refused("400 Bad Request", r#"{"error": "invalid_grant"}"#), RefreshError::GrantDead),
        (refused("401 Unauthorized", r#"{"error": "invalid_client"}"#), RefreshError::Misconfigured),
        (refused("400 Bad Request", r#"{"error": "bad_request", "message": "x"}"#), away.clone()),
        (refused("401 Unauthorized", r#"{"error": "invalid_token"}"#), away.clone()),
        (refused("401 Unauthorized", bearer), away.clone()),
        (refused("403 Forbidden", something_new), RefreshError::GrantDead),
        (refused("403 Forbidden", r#"{"error": "something_new"}"#), away.clone()),
        (refused("407 Proxy Authentication Required", something_new), away.clone()),
        (refused("202 Accepted", revoked), away.clone()),
        (as_page("400 Bad Request", revoked), away.clone()),
        (as_page("401 Unauthorized", r#"{"error": "invalid_client"}"#), away),
    ] {
        let google = facing(Says::Bytes(answer.clone())).await;
        assert_eq!(google.refresh(&"canary-token".into()).await.err(), Some(error), "{answer}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = elsewhere.local_addr().expect("an address");
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{address}/\r\ncontent-length: 0\r\n\r\n");
    let google = facing(Says::Bytes(answer)).await;
    tokio::select! {
        biased;
        _ = elsewhere.accept() => panic!("the token went elsewhere"),
        () = is_away(&google) => {}
    }
}

#[tokio::test]
async fn a_token_never_travels_in_plain_beyond_this_machine() {
    // It reaches this machine here, but is no loopback address: the refusal comes before any connection.
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let google = client(&format!("http://0.0.0.0:{port}"), "client", "secret", Clock::system());
    tokio::select! {
        biased;
        _ = listener.accept() => panic!("the token went out in plain"),
        () = is_away(&google) => {}
    }
}

#[tokio::test]
async fn a_token_answer_without_a_token_that_fits_is_no_answer() {
    let long = format!("{{\"access_token\":\"{}\",\"token_type\":\"Bearer\"}}", "a".repeat(2049));
    for body in [
        "{\"access_token\":\"\",\"token_type\":\"Bearer\"}",
        "{\"access_token\":\"a\\nb\",\"token_type\":\"Bearer\"}",
        "{\"token_type\":\"Bearer\"}",
        &long,
    ] {
        let google = facing(Says::Bytes(answer("200 OK", body))).await;
        let refreshed = google.refresh(&"token".into()).await.err();
        assert_eq!(refreshed, Some(RefreshError::Unavailable { retry_after: None }), "{body:?}");
    }
}

#[tokio::test]
async fn an_access_token_that_lives_oddly_long_or_does_not_say_is_asked_for_again_soon() {
    for (life, least, most) in [("", 0, 300), (",\"expires_in\":18446744073709551615", 86_000, 86_400)] {
        let body = format!("{{\"access_token\":\"a\",\"token_type\":\"Bearer\"{life}}}");
        let google = facing(Says::Bytes(answer("200 OK", &body))).await;
        let refreshed = google.refresh(&"token".into()).await.expect("a token");
        let life = refreshed.expires_at.duration_since(Clock::system().now()).as_secs();
        assert!((least..=most).contains(&life), "{life}");
    }
}

#[tokio::test]
async fn what_revoking_is_answered_is_told_apart() {
    let cases = [
        ("200 OK", Ok(())),
        ("400 Bad Request", Ok(())),
        ("403 Forbidden", Err(RevokeError::Rejected { status: 403 })),
        ("429 Too Many Requests", Err(RevokeError::Unavailable)),
        ("500 Internal Server Error", Err(RevokeError::Unavailable)),
    ];
    for (status, expected) in cases {
        let google = facing(Says::Bytes(answer(status, "{}"))).await;
        assert_eq!(google.revoke(&"token".into()).await, expected, "{status}");
    }
    let said = "{\"error\":\"invalid_token\",\"error_description\":\"Token expired or revoked\"}";
    let cases = [
        ("400 Bad Request", said, Ok(())),
        ("400 Bad Request", "{\"message\":\"blocked by policy\"}", Err(RevokeError::Unavailable)),
        ("403 Forbidden", said, Err(RevokeError::Rejected { status: 403 })),
        ("403 Forbidden", "", Err(RevokeError::Unavailable)),
        ("302 Found", "", Err(RevokeError::Unavailable)),
        ("407 Proxy Authentication Required", "{\"status\":\"login\"}", Err(RevokeError::Unavailable)),
    ];
    for (status, body, expected) in cases {
        let google = facing(Says::Bytes(answer(status, body))).await;
        assert_eq!(google.revoke(&"token".into()).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_page_of_something_between_deletes_and_revokes_nothing() {
    for status in ["200 OK", "400 Bad Request", "403 Forbidden"] {
        let google = facing(Says::Bytes(answer(status, "<html>Sign in to the guest network</html>"))).await;
        let call = Call::Delete { place: place("cabinet@example.fr", "cassius1a"), etag: None };
        assert_eq!(google.call(&"token".into(), &call).await, UNAVAILABLE, "{status}");
        assert_eq!(google.revoke(&"token".into()).await, Err(RevokeError::Unavailable), "{status}");
    }
}
