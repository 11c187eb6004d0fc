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
mod tests;
