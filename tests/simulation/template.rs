//! A migrated database, made once and copied for each run.

use std::path::Path;
use std::sync::OnceLock;

use cassius_calendar::store::{Options, Store};

/// Copies the database into a folder: its path there.
pub(super) fn copy_into(folder: &Path) -> String {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = TEMPLATE.get_or_init(|| {
        let folder = super::memory_folder();
        let path = folder.path().join("template.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(&format!("sqlite:{}", path.display()), &Options::default()).await.unwrap();
            store.migrate().await.unwrap();
        });
        // The last connection that closes writes the log back.
        drop(runtime);
        std::fs::read(&path).unwrap()
    });
    let path = folder.join("simulation.db");
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}
