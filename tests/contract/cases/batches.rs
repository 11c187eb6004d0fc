//! Several calls in one request.

use serde_json::Value;

use super::super::subject::{Subject, event, send};
use super::super::suite::{Case, Findings, claims};

pub(crate) fn cases() -> Vec<Case> {
    claims![
        a_batch_answers_each_call_under_its_own_id: "guide, batch requests",
        a_batch_of_nothing_is_refused: "guide, batch requests: a multipart body",
    ]
}

async fn a_batch_answers_each_call_under_its_own_id(subject: &Subject, found: &mut Findings) {
    let (id, nobody) = (subject.new_id(), subject.new_id());
    let events = format!("/calendar/v3/calendars/{}/events", subject.calendar.replace('@', "%40"));
    let calls = [
        ("made", format!("POST {events}\r\nContent-Type: application/json\r\n\r\n{}", event(&id))),
        ("missing", format!("GET {events}/{nobody}\r\n\r\n")),
        ("seen", format!("GET {events}/{id}?fields=id\r\n\r\n")),
    ];
    let body: String = calls
        .iter()
        .map(|(name, call)| {
            format!("--cut\r\nContent-Type: application/http\r\nContent-ID: <{name}>\r\n\r\n{call}\r\n")
        })
        .chain(["--cut--\r\n".to_owned()])
        .collect();
    let answered = subject.http.post(subject.beside("/batch/calendar/v3")).bearer_auth(&subject.access_token);
    let answered = answered.header("content-type", "multipart/mixed; boundary=cut").body(body);
    let response = answered.send().await.expect("an answer comes back");
    found.equal("status", response.status().as_u16(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap_or_default().to_owned();
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap_or("none").to_owned();
    let text = response.text().await.expect("the answer is text");
    let parts: Vec<&str> =
        text.split(&format!("--{boundary}")).skip(1).take_while(|part| !part.starts_with("--")).collect();
    // A call does not wait for the one before: that which reads may come before that which makes.
    let expected: [(&str, &[&str]); 3] = [("made", &["200"]), ("missing", &["404"]), ("seen", &["200", "404"])];
    found.equal("parts", parts.len(), expected.len());
    for (part, (name, statuses)) in parts.iter().zip(expected) {
        found.equal(name, part.contains(&format!("Content-ID: <response-{name}>")), true);
        let status = part.split("HTTP/1.1 ").nth(1).and_then(|rest| rest.get(..3)).unwrap_or_default();
        found.among(name, status, statuses);
        let json = part.rsplit_once("\r\n\r\n").map_or("", |(_, json)| json.trim());
        found.equal(name, serde_json::from_str::<Value>(json).is_ok_and(|value| value.is_object()), true);
    }
}

async fn a_batch_of_nothing_is_refused(subject: &Subject, found: &mut Findings) {
    let empty = subject.http.post(subject.beside("/batch/calendar/v3")).bearer_auth(&subject.access_token);
    found.equal("status", send(empty.header("content-length", 0)).await.status, 400);
}
