//! Where a browser may be sent back to.
//!
//! Owns the allow list of return URLs. Never repairs an address: what is not plainly under an allowed one is refused.
//!
//! Invariant: an address that is allowed leads every browser to the origin, and below the path, that the list names.

use percent_encoding::percent_decode;
use url::Url;

const MAX_CHARS: usize = 2048;

/// The origins and paths under which a return URL must lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnUrls(Vec<Url>);

impl ReturnUrls {
    /// Allows what lies under these addresses.
    pub fn new(bases: Vec<Url>) -> Self {
        Self(bases)
    }

    /// Whether a browser may be sent there: an absolute http(s) address under an allowed one, by origin and by whole
    /// path segments, without user, fragment, control character, backslash or a segment that climbs, whether plain or
    /// percent-encoded.
    pub fn allows(&self, text: &str) -> bool {
        parse(text).is_some_and(|url| self.0.iter().any(|base| lies_under(&url, base)))
    }
}

/// Reads an address only if no reader could take it for another one.
fn parse(text: &str) -> Option<Url> {
    let is_plain = text.len() <= MAX_CHARS && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#');
    // Browsers take `https:host` and `https:///host` for `https://host`; we take neither.
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?']).next()?;
    let path = rest[authority.len()..].split('?').next()?;
    if !is_plain || authority.is_empty() || authority.contains('@') || has_controls(text) || !stays_below(path) {
        return None;
    }
    Url::parse(text).ok()
}

/// Whether decoding, once or again, brings a control character to light.
fn has_controls(text: &str) -> bool {
    levels(text).any(|level| level.iter().any(u8::is_ascii_control))
}

/// Whether no reading of a path climbs, or grows segments that were not there.
fn stays_below(path: &str) -> bool {
    let slashes = |bytes: &[u8]| bytes.iter().filter(|b| **b == b'/').count();
    levels(path).all(|level| {
        slashes(&level) == slashes(path.as_bytes())
            && !level.contains(&b'\\')
            && !level.split(|b| *b == b'/').any(|segment| {
                // Some servers cut a segment at its semicolon before they resolve it.
                let name = segment.split(|b| *b == b';').next().unwrap_or_default();
                matches!(name, b"." | b"..")
            })
    })
}

/// A text, and what it becomes when it is percent-decoded until nothing changes any more.
fn levels(text: &str) -> impl Iterator<Item = Vec<u8>> {
    std::iter::successors(Some(text.as_bytes().to_vec()), |level| {
        let next: Vec<u8> = percent_decode(level).collect();
        (next != *level).then_some(next)
    })
}

fn lies_under(url: &Url, base: &Url) -> bool {
    let folder = base.path().trim_end_matches('/');
    url.origin() == base.origin()
        && url.path().strip_prefix(folder).is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

#[cfg(test)]
mod tests {
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
}
