//! The state: something random that only comes back to its own browser.
//!
//! Owns how a state is made and recognised. Never stores one. Invariant: without the browser's cookie, nobody can make
//! a state that is taken for its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{ExposeSecret as _, Secret, digest};

/// A state that only comes back to its own browser: something random, and its digest together with the browser's cookie.
pub(super) fn state_for(browser: &Secret, random: &str) -> String {
    let proof = digest(format!("{random}.{}", browser.expose_secret()).as_bytes());
    format!("{random}.{}", URL_SAFE_NO_PAD.encode(proof))
}

/// Whether a state was made for this browser.
pub(super) fn is_state_of(state: &str, browser: &Secret) -> bool {
    let Some((random, _)) = state.split_once('.') else { return false };
    // Time tells nothing worth knowing: without the cookie, which nobody else has, there is no guess to improve.
    state == state_for(browser, random)
}
