//! What stands in the database, asked beside the service.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::harness::database::Database;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many rows of a table meet a condition.
pub(crate) async fn rows(database: &Database, table: &str, condition: &str) -> i64 {
    let query = format!("SELECT COUNT(*) AS count FROM {table} WHERE {condition}");
    if database.is_postgres() {
        let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let count = client.query_one(&query, &[]).await.unwrap().get(0);
        drop(client);
        connection.await.unwrap().unwrap();
        count
    } else {
        let mut conn = SqliteConnection::establish(&database.path()).unwrap();
        diesel::sql_query(query).get_result::<Count>(&mut conn).unwrap().count
    }
}
