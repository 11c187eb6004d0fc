//! What is allowed, and everything that only looks like it.

use super::*;

fn allowed() -> ReturnUrls {
    let bases = ["https://cassius.example/app", "http://127.0.0.1:5173/", "https://beta.cassius.example:8443"];
    ReturnUrls::new(bases.iter().map(|base| base.parse().expect("an address")).collect())
}

#[test]
fn what_lies_under_an_allowed_address_is_allowed() {
    for url in [
        "https://cassius.example/app",
        "https://cassius.example/app/",
        "https://cassius.example/app/settings/integrations/google-calendar?tab=options&x=%C3%A9",
        "https://cassius.example/app?next=https://elsewhere.example/../",
        "https://cassius.example:443/app/a..b/.well-known",
        "http://127.0.0.1:5173",
        "http://127.0.0.1:5173/settings",
        "https://beta.cassius.example:8443/anything",
    ] {
        assert!(allowed().allows(url), "{url}");
    }
}

#[test]
fn everything_else_is_refused() {
    for url in [
        "",
        "/app",
        "//evil.example/app",
        "/\\evil.example",
        "\\\\evil.example",
        "https:/evil.example",
        "https:cassius.example/app",
        "https:///cassius.example/app",
        "https:\\\\cassius.example/app",
        "HTTPS://cassius.example/app",
        "javascript:alert(1)",
        "javascript://cassius.example/app%0aalert(1)",
        "data:text/html,x",
        "http://cassius.example/app",
        "ftp://cassius.example/app",
        "https://cassius.example:8443/app",
        "https://beta.cassius.example/",
        "http://127.0.0.1/",
        "https://127.0.0.1:5173/",
        "https://evil.example/app",
        "https://cassius.example.evil.example/app",
        "https://cassius.example./app",
        "https://evilcassius.example/app",
        "https://user@cassius.example/app",
        "https://user:word@cassius.example/app",
        "https://@cassius.example/app",
        "https://cassius.example@evil.example/app",
        "https://cassius.example%40evil.example/app",
        "https://cassius.example\\@evil.example/app",
        "https://cassius.example/",
        "https://cassius.example/application",
        "https://cassius.example/app%2F..%2F",
        "https://cassius.example/App",
        "https://cassius.example/app/../admin",
        "https://cassius.example/app/..",
        "https://cassius.example/app/%2e%2e/admin",
        "https://cassius.example/app/.%2E/admin",
        "https://cassius.example/app/%252e%252e/admin",
        "https://cassius.example/app/%25252e./admin",
        "https://cassius.example/app/..%2fadmin",
        "https://cassius.example/app/..%5cadmin",
        "https://cassius.example/app/..;/admin",
        "https://cassius.example/app/./x",
        "https://cassius.example/app/a%2fb",
        "https://cassius.example/app/a\\b",
        "https://cassius.example/app#fragment",
        "https://cassius.example/app\r\nSet-Cookie: a=b",
        "https://cassius.example/app%0d%0aSet-Cookie:%20a=b",
        "https://cassius.example/app?a=%0d%0a",
        "https://cassius.example/app?a=%250a",
        "https://cassius.example/app\t",
        " https://cassius.example/app",
        "https://cassius.example/app x",
        "https://cassius.example/\u{202e}app",
        "https://cassius.example/app\0",
        "https://cassius.example/app%00",
        "https://caſſius.example/app",
        "https://[::1]/app",
        "https:// cassius.example/app",
        "https://",
        "https://?",
    ] {
        assert!(!allowed().allows(url), "{url}");
    }
    assert!(!allowed().allows(&format!("https://cassius.example/app/{}", "a".repeat(2048))));
    assert!(!ReturnUrls::default().allows("https://cassius.example/app"));
}
