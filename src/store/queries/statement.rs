//! Statements: text and values in turn.
//!
//! Owns how a statement is put together, and when a connection keeps it prepared: always, unless it is long. A long one
//! holds many rows, there are hundreds of lengths, and each of them kept on each connection would cost more memory than its
//! parsing costs time; one whose rows are [`padded`], or that has one length alone, is kept all the same. Never numbers a
//! placeholder: diesel does, as each back end wants it. Invariant: a value stands where it is bound, whatever is put before
//! or behind it.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Bool, HasSqlType, Integer, Nullable, Text, Untyped};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::Db;
use super::InstantSql;
use crate::crypto::Sealed;
use crate::model::{AppointmentId, CalendarId, GoogleUserId, OrganisationId};
use crate::store::instant::Instant;

/// The longest text that is kept prepared.
const LONGEST_KEPT: usize = 2_048;

/// A piece of SQL with its values. Pieces compose; only a [`named`] one can be executed.
#[derive(Default)]
pub(super) struct Fragment {
    text: String,
    /// Each value, and how much of the text stands before it.
    binds: Vec<(usize, Bound)>,
    /// Whether it is kept prepared however long it is.
    is_kept: bool,
}

/// A piece that begins with this text.
pub(super) fn sql(text: impl AsRef<str>) -> Fragment {
    Fragment::default().sql(text)
}

impl Fragment {
    /// Goes on with text.
    pub(super) fn sql(mut self, text: impl AsRef<str>) -> Self {
        self.text.push_str(text.as_ref());
        self
    }

    /// Goes on with a placeholder for this value.
    pub(super) fn bind(mut self, value: impl Value) -> Self {
        self.binds.push((self.text.len(), value.bound()));
        self
    }

    /// Goes on with a limit of so many rows. It is written as a sum, since SQLite plans a statement with a bare `LIMIT ?`
    /// anew each time it is run.
    pub(super) fn limit(self, rows: i64) -> Self {
        self.sql(" LIMIT 0 + ").bind(rows)
    }

    /// Keeps the statement prepared, however long it is: there are few like it.
    pub(super) fn keep(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// Goes on with another piece.
    pub(super) fn with(mut self, piece: Self) -> Self {
        let before = self.text.len();
        self.text.push_str(&piece.text);
        self.binds.extend(piece.binds.into_iter().map(|(at, bind)| (before + at, bind)));
        self
    }
}

/// These items, filled up to the next power of two: statements of a few lengths are found prepared again.
pub(super) fn padded<T>(mut items: Vec<T>, filler: impl FnMut() -> T) -> Vec<T> {
    items.resize_with(items.len().next_power_of_two(), filler);
    items
}

/// `(a, b), (c, d)`: a row for each item; `row` fills it.
pub(super) fn rows_of<T>(items: impl IntoIterator<Item = T>, row: impl Fn(Fragment, T) -> Fragment) -> Fragment {
    let begin = |all: Fragment, n| all.sql(if n == 0 { "(" } else { ", (" });
    items.into_iter().enumerate().fold(Fragment::default(), |all, (n, item)| row(begin(all, n), item).sql(")"))
}

/// `(a, b, c)`: a list of these values.
pub(super) fn list_of(values: impl IntoIterator<Item = impl Value>) -> Fragment {
    joined(values.into_iter().map(|value| Fragment::default().bind(value)), ", ", sql("(")).sql(")")
}

/// These pieces behind `beginning`, with `between` between them.
pub(super) fn joined(pieces: impl IntoIterator<Item = Fragment>, between: &str, beginning: Fragment) -> Fragment {
    pieces
        .into_iter()
        .enumerate()
        .fold(beginning, |all, (n, piece)| all.sql(if n == 0 { "" } else { between }).with(piece))
}

impl QueryFragment<Db> for Fragment {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let mut from = 0;
        for (at, bind) in &self.binds {
            pass.push_sql(&self.text[from..*at]);
            bind.walk_ast(pass.reborrow())?;
            from = *at;
        }
        pass.push_sql(&self.text[from..]);
        Ok(())
    }

    // Diesel never keeps text prepared, since it cannot know whether the same text comes again. This one does.
    fn is_safe_to_cache_prepared(&self, _: &Db) -> QueryResult<bool> {
        Ok(self.is_kept || self.text.len() <= LONGEST_KEPT)
    }
}

impl Query for Fragment {
    type SqlType = Untyped;
}

/// A statement that begins with its name as a comment, by which the database's own statistics tell it.
pub(super) struct Named<Q> {
    name: &'static str,
    query: Q,
}

/// Names a statement: its room and what it does there.
pub(super) fn named<Q>(name: &'static str, query: Q) -> Named<Q> {
    Named { name, query }
}

impl<Q: QueryFragment<Db>> QueryFragment<Db> for Named<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        pass.push_sql("/* ");
        pass.push_sql(self.name);
        pass.push_sql(" */ ");
        self.query.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, backend: &Db) -> QueryResult<bool> {
        self.query.is_safe_to_cache_prepared(backend)
    }
}

// One type has many names: what is kept prepared is found by its text.
impl<Q> QueryId for Named<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Named<Q> {
    type SqlType = Q::SqlType;
}

type Bound = Box<dyn QueryFragment<Db> + Send>;

struct Bind<Sql, Stored> {
    value: Stored,
    sql: PhantomData<fn() -> Sql>,
}

impl<Sql, Stored> QueryFragment<Db> for Bind<Sql, Stored>
where
    Db: HasSqlType<Sql>,
    Stored: ToSql<Sql, Db>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        pass.push_bind_param::<Sql, Stored>(&self.value)
    }
}

/// What can be bound; each type has one SQL type.
pub(super) trait Value {
    fn bound(self) -> Bound;
}

macro_rules! values {
    ($($value:ty => $sql:ty as $stored:ty, |$it:ident| $convert:expr;)+) => {$(
        impl Value for $value {
            fn bound(self) -> Bound {
                let $it = self;
                Box::new(Bind::<$sql, $stored> { value: $convert, sql: PhantomData })
            }
        }

        impl Value for Option<$value> {
            fn bound(self) -> Bound {
                let value = self.map(|$it| $convert);
                Box::new(Bind::<Nullable<$sql>, Option<$stored>> { value, sql: PhantomData })
            }
        }
    )+};
}

values! {
    bool => Bool as bool, |truth| truth;
    i32 => Integer as i32, |number| number;
    i64 => BigInt as i64, |number| number;
    String => Text as String, |text| text;
    &String => Text as String, |text| text.clone();
    &'static str => Text as &'static str, |text| text;
    Vec<u8> => Binary as Vec<u8>, |bytes| bytes;
    Timestamp => InstantSql as Instant, |at| Instant(at);
    Uuid => Text as String, |token| token.to_string();
    &Sealed => Binary as Vec<u8>, |sealed| sealed.as_bytes().to_vec();
    &OrganisationId => Text as String, |id| id.as_str().to_owned();
    &AppointmentId => Text as String, |id| id.as_str().to_owned();
    &CalendarId => Text as String, |id| id.as_str().to_owned();
    &GoogleUserId => Text as String, |id| id.as_str().to_owned();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(query: &impl QueryFragment<Db>) -> String {
        diesel::debug_query::<Db, _>(query).to_string()
    }

    #[test]
    fn values_stand_where_they_are_bound_through_every_composition() {
        let places = rows_of([(1, "a"), (2, "b")], |row, (number, text)| row.bind(number).sql(", ").bind(text));
        let all =
            sql("SELECT ").bind(7_i64).sql(" FROM (VALUES ").with(places).sql(") WHERE x IN ").with(list_of(["c"]));
        let placeholder =
            |number: usize| if text_of(&sql("").bind(1)).starts_with('$') { format!("${number}") } else { "?".into() };
        let [seven, one, a, two, b, c] = [1, 2, 3, 4, 5, 6].map(placeholder);
        assert_eq!(
            text_of(&named("tests.compose", all)),
            format!(
                "/* tests.compose */ SELECT {seven} FROM (VALUES ({one}, {a}), ({two}, {b})) WHERE x IN ({c}) \
                 -- binds: [7, 1, \"a\", 2, \"b\", \"c\"]"
            ),
        );
    }

    #[test]
    fn lists_have_few_lengths() {
        let lengths: Vec<_> = [1, 2, 3, 5, 64, 65].map(|count| padded(vec![0; count], || 7).len()).into();
        assert_eq!(lengths, [1, 2, 4, 8, 64, 128]);
        assert_eq!(padded(vec![1, 2, 3], || 7), [1, 2, 3, 7]);
    }

    #[test]
    fn a_statement_is_kept_prepared_unless_it_is_long() {
        let is_kept = |text: &str| named("tests.keep", sql(text)).is_safe_to_cache_prepared(&Db::default());
        assert_eq!(is_kept(&"x".repeat(LONGEST_KEPT)).ok(), Some(true));
        assert_eq!(is_kept(&"x".repeat(LONGEST_KEPT + 1)).ok(), Some(false));
    }
}
