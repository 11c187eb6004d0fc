//! A test that runs once on each back end. `#[apply(both_backends)]` stands above an `async fn` that takes the service
//! (`&mut TestApp`) or the store alone (`&Database`).

pub(crate) use macro_rules_attribute::apply;

/// Keeps the function and adds a test of it on SQLite and one on PostgreSQL.
macro_rules! both_backends {
    ($(#[$doc:meta])* async fn $name:ident($app:ident: &mut TestApp) $body:block) => {
        $(#[$doc])*
        async fn $name($app: &mut TestApp) $body

        mod $name {
            use crate::harness::{app::TestApp, database::Database};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let mut app = TestApp::start(Database::on_sqlite().await).await;
                super::$name(&mut app).await;
                app.end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                let mut app = TestApp::start(Database::on_postgres().await).await;
                super::$name(&mut app).await;
                app.end().await;
            }
        }
    };
    ($(#[$doc:meta])* async fn $name:ident($database:ident: &Database) $body:block) => {
        $(#[$doc])*
        async fn $name($database: &Database) $body

        mod $name {
            use crate::harness::database::Database;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let database = Database::on_sqlite().await;
                super::$name(&database).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                let database = Database::on_postgres().await;
                super::$name(&database).await;
                database.drop().await;
            }
        }
    };
}
pub(crate) use both_backends;
