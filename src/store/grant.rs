//! A grant: what a finished consent brings.
//!
//! Owns what belongs to it. Never holds a token that is open. Invariant: a grant is of one organisation, and of one
//! account.

use jiff::Timestamp;

use super::OpenedCalendar;
use crate::crypto::Sealed;
use crate::model::{Calendar, GoogleUserId, OrganisationId};

/// What a finished consent brings.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The organisation that is connected by it.
    pub organisation: OrganisationId,
    /// The Google account.
    pub google_user_id: GoogleUserId,
    /// Its e-mail address.
    pub google_email: String,
    /// The access token, sealed.
    pub access_token: Sealed,
    /// The refresh token, sealed.
    pub refresh_token: Sealed,
    /// When the access token expires.
    pub token_expires_at: Timestamp,
    /// The scopes that were granted.
    pub granted_scopes: Vec<String>,
    /// The target calendar, if none of the same account is kept.
    pub calendar: Calendar,
    /// The calendars that were sealed since the latest disconnect.
    pub opened: Vec<OpenedCalendar>,
}
