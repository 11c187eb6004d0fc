//! From the text of a setting to its value.
//!
//! Owns the rules of form of single settings. Never looks at another setting.
//!
//! Invariant: what is refused is refused with a word on what to write instead, and without the text itself.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use jiff::SignedDuration;
use url::{Host, Url};

use super::reader::{TextFault, text_fault};
use super::{ApiKey, LogFormat, Organisations};
use crate::model::{ANYBODY, BROWSER, OrganisationId};

pub(super) fn address(text: &str) -> Result<SocketAddr, TextFault> {
    text.parse().map_err(|_| text_fault("is not an address", "write an IP address and a port, such as 127.0.0.1:50051"))
}

pub(super) fn switch(text: &str) -> Result<bool, TextFault> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(text_fault("is neither on nor off", "write true or false")),
    }
}

/// Of fewer units a minute nothing would be left beside the burst that a single call may need.
const LEAST_QUOTA: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

pub(super) fn quota(text: &str) -> Result<NonZeroU32, TextFault> {
    let units = text.parse().ok().filter(|units: &NonZeroU32| *units >= LEAST_QUOTA);
    units.ok_or_else(|| text_fault("is not a number of units", "write a whole number from 10 up"))
}

pub(super) fn spacing(text: &str) -> Result<SignedDuration, TextFault> {
    let seconds = text.parse().ok().filter(|seconds| (0..=60).contains(seconds));
    seconds
        .map(SignedDuration::from_secs)
        .ok_or_else(|| text_fault("is not a number of seconds", "write a whole number from 0 to 60"))
}

pub(super) fn days(text: &str) -> Result<SignedDuration, TextFault> {
    let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
    days.map(|days: i64| SignedDuration::from_hours(24 * days))
        .ok_or_else(|| text_fault("is not a number of days", "write a whole number from 1 to 3650"))
}

pub(super) fn log(text: &str) -> Result<String, TextFault> {
    // What parses directives takes bytes for characters, and panics at some that have several.
    let is_filter = text.is_ascii() && tracing_subscriber::EnvFilter::builder().parse(text).is_ok();
    is_filter.then(|| text.to_owned()).ok_or_else(|| {
        text_fault("is not a log filter", "write a level such as info, or directives such as info,hyper=warn")
    })
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, TextFault> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(text_fault("is not a log format", "write text or json")),
    }
}

pub(super) fn file(text: &str) -> Result<PathBuf, TextFault> {
    let path = PathBuf::from(text);
    let remedy = "name a readable file";
    // What is no file, such as a pipe, is not opened: that may take for ever.
    let is_file = std::fs::metadata(&path).map(|found| found.is_file());
    match is_file.and_then(|is_file| if is_file { std::fs::File::open(&path).map(|_| true) } else { Ok(false) }) {
        Ok(true) => Ok(path),
        Ok(false) => Err(text_fault("names no file", remedy)),
        Err(fault) => Err(text_fault(&format!("names a file that cannot be read ({})", fault.kind()), remedy)),
    }
}

pub(super) fn database(text: &str) -> Result<secrecy::SecretString, TextFault> {
    let is_known = match text.split_once(':') {
        // SQLite itself would read the one as an address of its own, and make no lasting file where the other is empty.
        Some(("sqlite", path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            !path.is_empty() && !path.starts_with("file:")
        }
        Some(("postgres" | "postgresql", rest)) => rest.starts_with("//"),
        _ => false,
    };
    match is_known {
        true => Ok(text.into()),
        false => Err(text_fault("names no database", "write sqlite:<file> or postgres://<user>@<host>/<name>")),
    }
}

/// The address of a proxy, with its user and password if it wants them.
pub(super) fn proxy(text: &str) -> Result<secrecy::SecretString, TextFault> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.has_host());
    match url.is_some_and(|url| matches!(url.path(), "" | "/") && url.query().is_none()) {
        true => Ok(text.into()),
        false => Err(text_fault(
            "is no proxy's address",
            "write http://<host>:<port>, with <user>:<password>@ if it wants them",
        )),
    }
}

/// An address of http(s) that paths can be put behind; plain http only on loopback.
pub(super) fn url(text: &str) -> Result<Url, TextFault> {
    let url = url_in_clear(text)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(text_fault("is not https", "write an https address; plain http is for loopback alone"));
    }
    Ok(url)
}

/// The address of somebody who is told nothing of a person: in plain http, too.
pub(super) fn url_in_clear(text: &str) -> Result<Url, TextFault> {
    let remedy = "write an address such as https://cassius.example, without user, query or fragment";
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let url = url.ok_or_else(|| text_fault("is not an http address", remedy))?;
    let is_bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    // What the browser's rules for addresses let through, the client's may not.
    if !is_bare || url.as_str().parse::<http::Uri>().is_err() {
        return Err(text_fault("has more than an origin and a path", remedy));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn urls(text: &str) -> Result<Vec<Url>, TextFault> {
    let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    let entries = entries.enumerate().map(|(index, entry)| {
        url(entry).map_err(|(problem, remedy)| (format!("{problem} (entry {})", index + 1), remedy))
    });
    entries.collect()
}

pub(super) fn scopes(text: &str) -> Result<Vec<String>, TextFault> {
    let scopes: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let is_openid = scopes.iter().any(|scope| scope == "openid");
    let is_email = scopes.iter().any(|scope| scope == "email" || scope.ends_with("/auth/userinfo.email"));
    let may_write = scopes.iter().any(|scope| {
        let name = scope.strip_prefix("https://www.googleapis.com/auth/");
        matches!(name, Some("calendar" | "calendar.events" | "calendar.events.owned"))
    });
    match is_openid && is_email && may_write {
        true => Ok(scopes),
        false => Err(text_fault(
            "asks for too little",
            "name openid, email, and one of calendar.events, calendar.events.owned and calendar in full",
        )),
    }
}

/// The SHA-256 of nothing.
const EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

pub(super) fn api_keys(text: &str) -> Result<Vec<ApiKey>, TextFault> {
    let mut keys: Vec<ApiKey> = Vec::new();
    let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    for (index, entry) in entries.enumerate() {
        let at = |problem: &str, remedy: &str| text_fault(&format!("{problem} (entry {})", index + 1), remedy);
        let mut parts = entry.splitn(3, ':');
        let (Some(name), Some(hash), Some(organisations)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(at("is not a list of keys", "write entries of the form name:sha256:organisations"));
        };
        let (name, client_name) = match name.split_once('@') {
            Some((name, client)) => (name, Some(client)),
            None => (name, None),
        };
        if client_name.is_some_and(|client| client.is_empty() || client.contains(char::is_whitespace)) {
            return Err(at("has a bad client name", "write the name of the client's certificate behind the @"));
        }
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !is_name {
            return Err(at("has a bad name", "use 1 to 64 letters, digits and the signs - _ ."));
        }
        if [ANYBODY, BROWSER].contains(&name) {
            return Err(at("has a name that stands for calls without a key", "give the key another name"));
        }
        let hash: Option<[u8; 32]> =
            data_encoding::HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
        let Some(hash) = hash else {
            return Err(at("has a bad digest", "write the SHA-256 of the key as 64 hex digits, never the key itself"));
        };
        if hash == EMPTY {
            return Err(at("has the digest of an empty key", "make a key with `cassius-calendar generate-key api`"));
        }
        if keys.iter().any(|key| key.hash == hash) {
            return Err(at("has one digest twice", "give each entry a key of its own"));
        }
        let organisations = self::organisations(organisations)
            .ok_or_else(|| at("has bad organisations", "write * for all, or ids separated by |"))?;
        keys.push(ApiKey { name: name.to_owned(), hash, organisations, client_name: client_name.map(str::to_owned) });
    }
    match keys.is_empty() {
        true => Err(text_fault("holds no key", "write an entry of the form name:sha256:organisations")),
        false => Ok(keys),
    }
}

fn organisations(text: &str) -> Option<Organisations> {
    match text {
        "*" => Some(Organisations::All),
        ids => {
            let ids: Result<BTreeSet<_>, _> = ids.split('|').map(OrganisationId::parse).collect();
            // A star among ids is a slip that must not read as one organisation's name.
            ids.ok().filter(|ids| ids.iter().all(|id| id.as_str() != "*")).map(Organisations::Only)
        }
    }
}
