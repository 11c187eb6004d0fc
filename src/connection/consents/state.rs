//! The state: something random that only comes back to its own browser.
//!
//! Owns how a state is made and recognised. Never stores one. Invariant: without the browser's cookie, nobody can make
//! a state that is taken for its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{ExposeSecret as _, Secret, digest};

/// A state that only comes back to its own browser: the handle of its consent, something random, and the digest of both
/// together with the browser's cookie.
pub(super) fn state_for(handle: &str, browser: &Secret, random: &str) -> String {
    proven(&format!("{handle}.{random}"), browser)
}

/// Whether a state was made for this browser.
pub(super) fn is_state_of(state: &str, browser: &Secret) -> bool {
    let Some((claim, _)) = state.rsplit_once('.') else { return false };
    // Time tells nothing worth knowing: without the cookie, which nobody else has, there is no guess to improve.
    state == proven(claim, browser)
}

/// The handle that a state names, whoever made it; `None`: it is of an earlier version, or no state.
pub fn handle_in(state: &str) -> Option<&str> {
    let (claim, _) = state.rsplit_once('.')?;
    claim.split_once('.').map(|(handle, _)| handle)
}

fn proven(claim: &str, browser: &Secret) -> String {
    let proof = digest(format!("{claim}.{}", browser.expose_secret()).as_bytes());
    format!("{claim}.{}", URL_SAFE_NO_PAD.encode(proof))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_names_its_consent_and_is_of_one_browser() {
        let (browser, other) = (Secret::from("one".to_owned()), Secret::from("other".to_owned()));
        let state = state_for("0123456789abcdef", &browser, "random");
        assert_eq!(handle_in(&state), Some("0123456789abcdef"));
        assert!(is_state_of(&state, &browser));
        assert!(!is_state_of(&state, &other));
        assert!(!is_state_of(&state.replace("0123", "3210"), &browser), "another consent's");
        for none in ["", "random", "random.proof"] {
            assert_eq!((handle_in(none), is_state_of(none, &browser)), (None, false), "{none}");
        }
    }

    #[test]
    fn a_state_of_an_earlier_version_names_no_consent_and_is_of_its_browser() {
        let browser = Secret::from("one".to_owned());
        let state = proven("random", &browser);
        assert_eq!((handle_in(&state), is_state_of(&state, &browser)), (None, true));
    }
}
