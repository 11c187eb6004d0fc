//! The switches that hold for all calls, read and set under `/emulator/settings`.
//!
//! Owns their names and defaults. It never acts on them. Invariant: an unknown name is refused, so that a typing error
//! in a test is seen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How Google behaves at present.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Added to every call in real time: half before it is carried out, half after.
    pub(crate) latency_ms: u64,
    /// Life of an access token.
    pub(crate) token_lifetime_seconds: i64,
    /// Life of an authorization code.
    pub(crate) code_lifetime_seconds: i64,
    /// Units all accounts may spend together in any 60 seconds.
    pub(crate) project_units_per_minute: u64,
    /// Units one account may spend in any 60 seconds.
    pub(crate) user_units_per_minute: u64,
    /// Status of a rate refusal: 403 or 429.
    pub(crate) rate_limit_status: u16,
    /// Gives no refresh token at the exchange of a code, whatever was asked.
    pub(crate) omit_refresh_token: bool,
    /// How a deleted event answers, unless the event has a rule of its own.
    pub(crate) deleted_answer: DeletedAnswer,
    /// Zones of IANA that Google does not know (yet): an event that names one is refused.
    pub(crate) unknown_zones: Vec<String>,
    /// Lets `status: confirmed` revive a deleted event; otherwise that is forbidden.
    pub(crate) allow_revive: bool,
    /// Lets `events.move` work at all.
    pub(crate) move_supported: bool,
    /// The consent screen stands in "Testing": refresh tokens die after 7 days.
    pub(crate) consent_screen_testing: bool,
    /// Makes codes and tokens as long as Google reserves the right to (256, 2048 and 512 bytes).
    pub(crate) longest_tokens: bool,
    /// Calls the journal keeps; the oldest go first.
    pub(crate) journal_capacity: usize,
}

/// What a deleted event answers to `get` and `patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeletedAnswer {
    /// 200 with `status: cancelled`.
    Cancelled,
    /// 404 `notFound`, to `delete` as well.
    NotFound,
    /// 410 `deleted`.
    Gone,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            token_lifetime_seconds: 3599,
            code_lifetime_seconds: 600,
            project_units_per_minute: 10_000,
            user_units_per_minute: 600,
            rate_limit_status: 403,
            omit_refresh_token: false,
            deleted_answer: DeletedAnswer::Cancelled,
            unknown_zones: Vec::new(),
            allow_revive: true,
            move_supported: true,
            consent_screen_testing: false,
            longest_tokens: false,
            journal_capacity: 100_000,
        }
    }
}

impl Settings {
    /// These settings with the ones of `changes` set.
    pub(crate) fn with(&self, changes: &Value) -> Result<Self, String> {
        let mut whole = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let (Some(whole_map), Some(changes)) = (whole.as_object_mut(), changes.as_object()) else {
            return Err("settings are a JSON object".to_owned());
        };
        whole_map.extend(changes.clone());
        let settings: Self = serde_json::from_value(whole).map_err(|error| error.to_string())?;
        if !matches!(settings.rate_limit_status, 403 | 429) {
            return Err("rate_limit_status is 403 or 429".to_owned());
        }
        Ok(settings)
    }
}
