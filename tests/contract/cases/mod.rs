//! The claims, by subject.

mod batches;
mod calendars;
mod identity;
mod listing;
mod oauth;
mod times;
mod writes;

use super::suite::Case;

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    [
        identity::cases(),
        times::cases(),
        writes::cases(),
        listing::cases(),
        calendars::cases(),
        oauth::cases(),
        batches::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
