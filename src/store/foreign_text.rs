//! Text that is none: what another program wrote into the file.
//!
//! Owns how such values are found and made readable, once a query has met one. Never changes a text that reads. Invariant:
//! afterwards every text of the file reads, so that a value which means nothing is told as that of its row, and stops
//! nobody else; what cannot be read of it is a replacement character.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use diesel::{SqliteConnection, sql_query};
use parking_lot::Mutex;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Whether these bytes are UTF-8.
    fn is_utf8(bytes: Binary) -> Bool;
    /// These bytes as text, with replacement characters where they are none.
    fn as_utf8(bytes: Binary) -> Text;
}

/// The columns of text, but for those that the file itself computes and what diesel and SQLite keep.
const COLUMNS: &str = "/* foreign_text.columns */
    SELECT t.name AS of_table, c.name AS name,
        EXISTS (SELECT 1 FROM pragma_table_xinfo(t.name) AS o WHERE o.name = 'organisation_id') AS has_organisation
    FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c
    WHERE t.type = 'table' AND c.type = 'TEXT' AND c.hidden = 0 AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'";

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    has_organisation: bool,
}

#[derive(QueryableByName)]
struct Mended {
    #[diesel(sql_type = Text)]
    organisation: String,
}

/// One looks at a time: many may have met the same value.
static LOOKING: Mutex<()> = Mutex::new(());

/// Makes every text of the file readable, and tells in the log whose did not read. Where somebody else does so already,
/// nothing.
pub(super) fn mend(conn: &mut SqliteConnection) -> QueryResult<()> {
    let Some(_looking) = LOOKING.try_lock() else { return Ok(()) };
    is_utf8_utils::register_impl(conn, |bytes: Vec<u8>| std::str::from_utf8(&bytes).is_ok())?;
    as_utf8_utils::register_impl(conn, |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned())?;
    for Column { of_table, name, has_organisation } in sql_query(COLUMNS).load::<Column>(conn)? {
        let is_foreign = format!("{name} IS NOT NULL AND NOT is_utf8(CAST({name} AS BLOB))");
        // Only what there is to change waits for the right to write.
        let any =
            format!("/* foreign_text.any */ SELECT '' AS organisation FROM {of_table} WHERE {is_foreign} LIMIT 1");
        if sql_query(any).load::<Mended>(conn)?.is_empty() {
            continue;
        }
        let organisation = if has_organisation { "as_utf8(CAST(organisation_id AS BLOB))" } else { "''" };
        let update = format!(
            "/* foreign_text.mend */ UPDATE {of_table} SET {name} = as_utf8(CAST({name} AS BLOB))
             WHERE {is_foreign} RETURNING {organisation} AS organisation"
        );
        match sql_query(update).load::<Mended>(conn) {
            Ok(mended) => mended.into_iter().for_each(|Mended { organisation }| {
                tracing::error!(
                    organisation.id = ?organisation, column = format!("{of_table}.{name}"),
                    "a stored text is no text: another program wrote it, and what does not read of it is replaced"
                );
            }),
            Err(error) => tracing::error!(
                column = format!("{of_table}.{name}"), error = %error,
                "a stored text is no text, and cannot be replaced"
            ),
        }
    }
    Ok(())
}
