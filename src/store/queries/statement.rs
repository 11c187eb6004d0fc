//! A statement written as text, with its binds.
//!
//! Owns when a connection keeps it prepared: always, unless it is long. A long one holds many rows, there are hundreds
//! of lengths, and each of them kept on each connection would cost more memory than its parsing costs time.

use diesel::QueryResult;
use diesel::query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

use super::super::Db;

/// The longest text that is kept prepared.
const LONGEST_KEPT: usize = 2_048;

/// A statement whose binds are added one by one.
pub(super) struct Statement {
    query: BoxedSqlQuery<'static, Db, SqlQuery>,
    is_kept: bool,
}

impl Statement {
    pub(super) fn new(sql: String) -> Self {
        Self { is_kept: sql.len() <= LONGEST_KEPT, query: diesel::sql_query(sql).into_boxed() }
    }

    /// Binds the next placeholder.
    pub(super) fn bind<Sql, Value>(self, value: Value) -> Self
    where
        Db: HasSqlType<Sql>,
        Value: ToSql<Sql, Db> + Send + 'static,
        Sql: Send + 'static,
    {
        Self { query: self.query.bind::<Sql, Value>(value), ..self }
    }
}

impl QueryFragment<Db> for Statement {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }

    // Diesel never keeps text prepared, since it cannot know whether the same text comes again. This one does.
    fn is_safe_to_cache_prepared(&self, _: &Db) -> QueryResult<bool> {
        Ok(self.is_kept)
    }
}

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}
