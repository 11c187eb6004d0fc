//! Sealed values, whatever they hold: counted by the key that sealed them, and exchanged for others.
//!
//! Owns which columns are sealed for longer than a day. Never opens one. Invariant: a value is exchanged only where it is
//! still the one that was read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Error, Store};
use crate::crypto::Sealed;
use crate::model::OrganisationId;

/// A column of sealed values that last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedColumn {
    /// The appointment of a link.
    Snapshot,
    /// The access token of an integration.
    AccessToken,
    /// The refresh token of an integration.
    RefreshToken,
    /// A calendar of an organisation that is not connected.
    Calendar,
}

impl SealedColumn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Snapshot, Self::AccessToken, Self::RefreshToken, Self::Calendar];
}

/// The key of a row: its organisation, and what tells it from the others of that.
pub type SealedRow = (OrganisationId, String);

/// A sealed value in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The row. Beside the organisation: the appointment of a snapshot, the alias of a calendar, the provider of a token.
    pub row: SealedRow,
    /// The value as it is sealed now.
    pub sealed: Sealed,
}

impl Store {
    /// How many sealed values there are, by the id of the key that sealed them; the short-lived ones too. Reads every row.
    pub async fn key_counts(&self) -> Result<BTreeMap<String, i64>, Error> {
        query!(self, read_all, sealed_values::key_counts())
    }

    /// Up to `limit` values of a column that `key` has sealed. Reads every row where there are fewer.
    pub async fn sealed_by(&self, column: SealedColumn, key: &str, limit: i64) -> Result<Vec<SealedValue>, Error> {
        let key = key.to_owned();
        query!(self, read_all, sealed_values::sealed_by(column, key, limit))
    }

    /// Up to `limit` values of a column that another key than `key` has sealed, by their rows, those after `after`.
    pub async fn sealed_by_others(
        &self,
        column: SealedColumn,
        key: &str,
        after: Option<SealedRow>,
        limit: i64,
    ) -> Result<Vec<SealedValue>, Error> {
        let key = key.to_owned();
        query!(self, read, sealed_values::sealed_by_others(column, key, after, limit))
    }

    /// Exchanges values of one organisation (a few hundred), as far as they are still what was read; answers how many.
    pub async fn exchange_sealed(
        &self,
        column: SealedColumn,
        exchanges: Vec<(SealedValue, Sealed)>,
    ) -> Result<u64, Error> {
        query!(self, long, sealed_values::exchange(column, &exchanges))
    }

    /// Makes due what waits because its key was missing.
    pub async fn try_unopened_again(&self, now: Timestamp) -> Result<(), Error> {
        for organisation in query!(self, read, sealed_values::with_unopened())? {
            query!(self, long, sealed_values::try_again(&organisation, now))?;
        }
        Ok(())
    }
}
