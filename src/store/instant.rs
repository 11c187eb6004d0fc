//! Instants in columns.
//!
//! Owns how a [`Timestamp`] is written and read: `TIMESTAMPTZ` in PostgreSQL, whole microseconds since the epoch in
//! SQLite, where text dates would not compare safely. Never rounds in silence: the service's clock ticks in microseconds.
//! Invariant: what is read is what was written, or says that it does not read: no row is lost for an instant in it.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::data_types::PgTimestamp;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::sqlite::Sqlite;
use jiff::Timestamp;

/// From 1970, where Unix counts from, to 2000, where PostgreSQL does.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// An instant in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
#[diesel(sql_type = BigInt)]
pub(in crate::store) struct Instant(pub(in crate::store) Timestamp);

/// Stands for an instant beyond what a [`Timestamp`] can say. No version writes it: it lies before every appointment, and
/// far enough from either end that a span can be added to it.
const UNREADABLE_US: i64 = -188_395_027_200_000_000;

impl Instant {
    /// The instant; `None`: what stands in the column does not read.
    pub(in crate::store) fn read(self) -> Option<Timestamp> {
        (self.0.as_microsecond() != UNREADABLE_US).then_some(self.0)
    }

    fn from_microsecond(microsecond: i64) -> Self {
        let unreadable = || Timestamp::from_microsecond(UNREADABLE_US).expect("it lies within what can be said");
        Self(Timestamp::from_microsecond(microsecond).unwrap_or_else(|_| unreadable()))
    }
}

impl ToSql<Timestamptz, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let stamp = PgTimestamp(self.0.as_microsecond() - POSTGRES_EPOCH_US);
        ToSql::<Timestamptz, Pg>::to_sql(&stamp, &mut out.reborrow())
    }
}

impl FromSql<Timestamptz, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(microseconds) = FromSql::<Timestamptz, Pg>::from_sql(value)?;
        // An infinite one overflows, and is like any other that is out of range.
        Ok(Self::from_microsecond(microseconds.saturating_add(POSTGRES_EPOCH_US)))
    }
}

impl ToSql<BigInt, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_microsecond());
        Ok(IsNull::No)
    }
}

impl FromSql<BigInt, Sqlite> for Instant {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_microsecond(FromSql::<BigInt, Sqlite>::from_sql(value)?))
    }
}
