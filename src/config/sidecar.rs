//! Where a browser finds the sidecar.
//!
//! Owns the paths of its two pages. Never serves them, which is `http`'s. Invariant: whoever needs one of them has it
//! from here, so that the redirect URI which Google knows, the cookie's way and the routes agree.

use url::Url;

/// Where a consent begins: the browser goes on from here to Google.
pub const CONNECT_PATH: &str = "/api/integrations/google/connect";
/// Where Google sends the browser back to.
pub const CALLBACK_PATH: &str = "/api/integrations/google/callback";

/// The address of one of the two paths for browsers: below `PUBLIC_URL`.
pub fn sidecar_url(public_url: &Url, path: &str) -> Url {
    let mut url = public_url.clone();
    url.set_path(&format!("{}{path}", public_url.path().trim_end_matches('/')));
    url
}
