//! What a ticket is known by: the handle that a connect URL names its consent by, its cookies' names, and what its browser
//! is recognised by afterwards.
//!
//! Owns how each is made of a ticket. Never stores any of them. Invariant: a handle is no secret and proves nothing; it only
//! says which ticket is meant, so that no tab is taken on with the ticket of another. What a browser is recognised by is a
//! secret, which only the ticket leads to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{ExposeSecret as _, Secret, digest};

/// The name of the cookie that carries the ticket, on loopback.
pub const COOKIE_NAME: &str = "cassius_calendar_connect";
/// Its name on https: no other site of the same domain can set a cookie of this prefix.
const HOST_COOKIE_NAME: &str = "__Host-cassius_calendar_connect";
/// The name of the cookie by which a browser is recognised when it comes back from Google, and its name on https.
const BROWSER_COOKIE_NAME: &str = "cassius_calendar_browser";
const HOST_BROWSER_COOKIE_NAME: &str = "__Host-cassius_calendar_browser";

/// The parameter by which a connect URL names its consent.
pub const HANDLE: &str = "consent";
/// Sets a handle apart from the digest that is stored of a ticket.
const HANDLE_DOMAIN: &[u8] = b"cassius-calendar consent handle\0";
/// Sets what a browser is recognised by apart from both.
const BROWSER_DOMAIN: &[u8] = b"cassius-calendar consent browser\0";

/// The name of the one cookie that the ticket of any consent may lie in, where browsers reach the sidecar by https or not.
pub fn cookie_name(is_https: bool) -> &'static str {
    if is_https { HOST_COOKIE_NAME } else { COOKIE_NAME }
}

/// The name of the cookie for the ticket of one consent alone: a later consent of the same browser does not overwrite it.
pub fn own_cookie_name(handle: &str, is_https: bool) -> String {
    format!("{}_{handle}", cookie_name(is_https))
}

/// The name of the cookie by which the browser of this consent is recognised; `None`: the consent was begun by an earlier
/// version, which had one such cookie for all.
pub fn browser_cookie_name(handle: Option<&str>, is_https: bool) -> String {
    let name = if is_https { HOST_BROWSER_COOKIE_NAME } else { BROWSER_COOKIE_NAME };
    handle.map_or_else(|| name.to_owned(), |handle| format!("{name}_{handle}"))
}

/// What the browser that brought this ticket is recognised by: the same however often it sets out, so that of two tabs in
/// one instant neither undoes the other.
pub(super) fn browser_of(ticket: &Secret) -> Secret {
    URL_SAFE_NO_PAD.encode(digest(&[BROWSER_DOMAIN, ticket.expose_secret().as_bytes()].concat())).into()
}

/// The handle of the consent that began with this ticket.
pub fn handle_of(ticket: &Secret) -> String {
    handle_of_hash(&digest(ticket.expose_secret().as_bytes()))
}

/// The same, from what is stored of the ticket.
pub(super) fn handle_of_hash(ticket_hash: &[u8]) -> String {
    let digest = digest(&[HANDLE_DOMAIN, ticket_hash].concat());
    let first = digest.first_chunk().expect("a digest has more than 8 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_of_one_ticket_and_tells_nothing_of_what_is_stored_of_it() {
        let (one, two) = (Secret::from("one".to_owned()), Secret::from("two".to_owned()));
        let stored: String = digest(b"one").iter().map(|byte| format!("{byte:02x}")).collect();
        let handle = handle_of(&one);
        assert_eq!((handle_of(&one), handle.len()), (handle.clone(), 16));
        assert_ne!(handle, handle_of(&two));
        assert!(!stored.contains(&handle));
        assert_eq!(own_cookie_name(&handle, true), format!("__Host-cassius_calendar_connect_{handle}"));
        assert_eq!(own_cookie_name(&handle, false), format!("cassius_calendar_connect_{handle}"));
        let browser = browser_of(&one);
        assert_eq!(browser_of(&one).expose_secret(), browser.expose_secret());
        assert_ne!(browser.expose_secret(), browser_of(&two).expose_secret());
        assert_eq!(browser_cookie_name(Some(&handle), true), format!("__Host-cassius_calendar_browser_{handle}"));
        assert_eq!(browser_cookie_name(None, false), "cassius_calendar_browser");
    }
}
