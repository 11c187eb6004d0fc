//! What is made once and copied for each run: a migrated database, and a file of authorities.

use std::path::Path;
use std::sync::OnceLock;

use cassius_calendar::store::{Options, Store};

/// Puts authorities of its own into a folder, that the system's are not read for each life: the file's path.
pub(super) fn authorities_in(folder: &Path) -> String {
    static PEM: OnceLock<String> = OnceLock::new();
    let pem =
        PEM.get_or_init(|| rcgen::generate_simple_self_signed(["google.internal".to_owned()]).unwrap().cert.pem());
    let path = folder.join("authorities.pem");
    std::fs::write(&path, pem).unwrap();
    path.display().to_string()
}

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
