//! An integration: the grant, the target calendar and the settings of an organisation, as they stand.
//!
//! Owns what is read of an integration, when it counts as connected, and when what it owes is deleted. Never opens a
//! token. Invariant: an integration that is being disconnected does not count as connected, though it still has its
//! grant.

use jiff::Timestamp;

use crate::crypto::Sealed;
use crate::model::{
    AccountSearch, Calendar, Epoch, GoogleUserId, GrantEnd, OrganisationId, Problem, RemoteEvents, TitlePrivacy,
};

/// A disconnect that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnecting {
    /// When it was begun.
    pub since_at: Timestamp,
    /// What becomes of the events; `None`: it does not read. What is owed already is deleted then, and nothing else.
    pub remote_events: Option<RemoteEvents>,
}

/// An integration, as it stands. Where a value does not read, the most careful one stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The Google account; kept after a disconnect, so that the same account finds its events again.
    pub google_user_id: Option<GoogleUserId>,
    /// The account's e-mail address; erased at the disconnect.
    pub google_email: Option<String>,
    /// The access token, sealed.
    pub access_token: Option<Sealed>,
    /// The refresh token, sealed.
    pub refresh_token: Option<Sealed>,
    /// When the access token expires.
    pub token_expires_at: Option<Timestamp>,
    /// The scopes that were granted.
    pub granted_scopes: Vec<String>,
    /// The target calendar; kept after a disconnect.
    pub calendar: Option<Calendar>,
    /// Whether appointments are sent.
    pub is_enabled: bool,
    /// How much of an appointment its event shows.
    pub title_privacy: TitlePrivacy,
    /// What is wrong.
    pub problem: Option<Problem>,
    /// When an appointment was last brought in step.
    pub last_sync_at: Option<Timestamp>,
    /// When the account was connected.
    pub connected_at: Option<Timestamp>,
    /// Of how many links the latest catch-up consists, and when it began.
    pub catch_up: Option<(i32, Timestamp)>,
    /// Counts connects and disconnects.
    pub epoch: Epoch,
    /// The disconnect that is under way.
    pub disconnecting: Option<Disconnecting>,
    /// How many events the latest disconnect had to delete.
    pub disconnect_total: i32,
    /// What became of the grant at the latest disconnect; `None`: there was none since the latest connect.
    pub grant_end: Option<GrantEnd>,
    /// When the access token was last refreshed; `None`: it is the one of the consent.
    pub refreshed_at: Option<Timestamp>,
    /// How many comparisons were made, from 0 again after a million.
    pub compare_round: i32,
    /// Above 0: events were not where they were written since all calendars of the account were looked through. It is
    /// counted on while a comparison is under way, which sees by that whether there are more than it looked for.
    pub vanished_count: i32,
    /// Of how many appointments an event at Google showed a higher revision than is held, or than any that is known, at the
    /// latest comparison.
    pub behind_count: i32,
    /// Since when the events of the target cannot be listed, and when that is tried again; `None`: they could be at the
    /// latest comparison.
    pub unlisted: Option<(Timestamp, Timestamp)>,
    /// Whether a search of the account is asked for, also where it was put off.
    pub is_search_asked: bool,
    /// How much of the account the latest search has seen; `None`: none was made since the latest connect, or since a
    /// disconnect that deletes began.
    pub last_search: Option<AccountSearch>,
    /// A column that does not read, or that is empty though an account is connected, so that nothing may be sent.
    pub unreadable: Option<&'static str>,
    /// A column that does not read and says nothing of what is sent: it is told, and sending goes on.
    pub misread: Option<&'static str>,
}

impl Integration {
    /// Whether a Google account is connected: there is a refresh token, and no disconnect is under way.
    pub fn is_connected(&self) -> bool {
        self.refresh_token.is_some() && self.disconnecting.is_none()
    }

    /// Whether what was erased is deleted, and what else is owed while the sync is on: an account is connected, and no
    /// disconnect keeps the events.
    pub fn is_erasure_served(&self) -> bool {
        let keeps = self.disconnecting.is_some_and(|it| it.remote_events == Some(RemoteEvents::Keep));
        self.refresh_token.is_some() && !keeps
    }
}
