//! Whose calendars they are.
//!
//! Owns the word by which a provider is stored and told. Never abstracts from it: there is one provider so far, and the
//! code does not pretend otherwise. Invariant: the word never changes, since a stored value does not open under another
//! one.
//!
//! A second provider would touch: the store, whose statements take the provider from `store/words.rs` where they would
//! take it as a parameter (it stands in the keys of integrations, links, queues, owed deletions, wishes, counts of
//! upcoming links, and of what is kept sealed of a calendar or of a grant that waits; accounts, consents and budgets are
//! Google's own); [`crate::crypto`], whose cells are named after it; [`crate::google`], beside which a room of the same
//! shape would stand, answering [`crate::sync`] in the same words (`Call`, `Answer`: the methods, prices and refusals in
//! them are Google's, and another provider's would have to be told in these); `connection::Grants`, `connection::Consents`
//! and `delivery`, which hold a `google::Google` each, and `connection::Integrations`, which asks it for calendars, and
//! `connection/secrets.rs`, which seals its tokens; `quota`, whose budgets and prices are Google's; the wire
//! (`grpc/convert.rs`, `grpc/messages.rs`, the reasons that begin with `GOOGLE_`, `google_email`, the two addresses of the
//! sidecar); the settings that begin with `GOOGLE_` and what `app` makes of them; the sidecar, whose pages name Google and
//! whose return URLs tell the outcome by its word (`http`); the metrics of its calls; the emulator; and the clients, whose
//! pages, words and routes name it. The worker, the leases and the shape of the settings pages' RPCs stay.

/// A provider of calendars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Google Calendar.
    Google,
}

impl Provider {
    /// Its name in rows and cells, on the wire and in return URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
        }
    }
}
