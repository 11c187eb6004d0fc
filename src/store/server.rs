//! What kind of a server PostgreSQL is: asked before it is used.
//!
//! Owns what is to be known of it that its address does not say. Never touches a table.
//! Invariant: each question is asked on connections of its own, which end with it.

use diesel::prelude::*;
use diesel::result::Error as QueryError;
use diesel::sql_query;
use diesel::sql_types::{Integer, Text};
use diesel_async::{AsyncConnection, RunQueryDsl};

use super::Error;
use super::fault::Fault;
use super::postgres::{Config, Conn, UNANSWERED, solitary};

/// Whether a pooler gives each transaction whichever session is free, though the address does not say so. It may stay
/// unseen where many others take sessions just then.
pub(super) async fn is_pooled_unsaid(config: &Config) -> Result<bool, Error> {
    if config.is_pooled {
        return Ok(false);
    }
    // So that nothing is prepared in a session that is another's a moment later.
    let careful = Config { is_pooled: true, ..config.clone() };
    let (mut idle, mut busy) = tokio::try_join!(solitary(&careful), solitary(&careful))?;
    let compare = async {
        let first = idle.transaction(session).await?;
        busy.transaction(async |busy| {
            // One that is kept is nobody else's, and stays the same.
            let is_same = session(busy).await? == first;
            Ok::<_, diesel::result::Error>(is_same || idle.transaction(session).await? != first)
        })
        .await
    };
    match tokio::time::timeout(UNANSWERED, compare).await {
        Ok(found) => found.map_err(|error| Fault::Query(error).into_error(false)),
        Err(elapsed) => Err(Error::Unavailable(Box::new(elapsed))),
    }
}

#[derive(QueryableByName)]
struct SessionRow {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// By what number the server tells the session that a transaction is in.
async fn session(conn: &mut Conn) -> QueryResult<i32> {
    let row: SessionRow = sql_query("/* server.session */ SELECT pg_backend_pid() AS number").get_result(conn).await?;
    Ok(row.number)
}

#[derive(QueryableByName)]
struct LanguageRow {
    #[diesel(sql_type = Text)]
    locale: String,
}

/// In which language the server answers, if it is not English and the role may not choose, or a pooler is between.
pub(super) async fn foreign_language(config: &Config) -> Result<Option<String>, Error> {
    let mut conn = solitary(config).await?;
    // Behind a pooler, what is prepared is closed with the transaction, so that no session is left with it.
    let told = conn.transaction(async |conn| {
        sql_query("/* server.language */ SELECT current_setting('lc_messages') AS locale").get_result(conn).await
    });
    let LanguageRow { locale } = told.await.map_err(|error: QueryError| Fault::Query(error).into_error(false))?;
    Ok((!is_english(&locale)).then_some(locale))
}

/// Whether a locale, by its name, gives messages in English: those of none are as they were written.
fn is_english(locale: &str) -> bool {
    let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
    ["", "C", "POSIX", "en", "English"].contains(&language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_english_by_its_language() {
        assert!(["", "C", "C.UTF-8", "POSIX", "en_GB.utf8", "English_United States.1252"].into_iter().all(is_english));
        assert!(!["fr_FR.UTF-8", "de_DE@euro", "French_France.1252", "ca_ES"].into_iter().any(is_english));
    }
}
