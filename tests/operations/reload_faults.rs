//! What is at fault when it is read again: it is tried again, and keeps nothing else from being taken.

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::Keyring;

use super::process::{Process, with};
use super::reload::{Authority, entry, soon, status, written};
use super::reseal::sealed_by;
use crate::harness::backends::{apply, both_backends};
use crate::harness::database::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_fails_for_a_while_is_run_again_and_certificates_and_api_keys_are_taken_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = [Authority::new(), Authority::new()];
    let keys = written(folder.path(), "keys", &entry("old", "one"));
    let broken = written(folder.path(), "broken", "");
    let keyring = Keyring::generate(&Entropy::system());
    let command = format!("[ ! -s {} ] && printf '%s' '{keyring}'", broken.display());
    let own = [("API_KEYS_FILE", keys.to_str().unwrap()), ("ENCRYPTION_KEYS_COMMAND", &*command)];
    let mut settings = with(&before.settings(folder.path()), &own);
    settings.remove("ENCRYPTION_KEYS");
    settings.insert("PATH".into(), std::env::var("PATH").unwrap());
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (address, _) = process.addresses();

    written(folder.path(), "broken", "no vault answers");
    after.settings(folder.path());
    written(folder.path(), "keys", &entry("new", "two"));
    let channel = soon(async || after.channel(address, None).await).await;
    soon(async || status(&channel, "two").await.ok()).await;
    process.errors.wait_for("ENCRYPTION_KEYS_COMMAND names a command that failed");
    // Nobody tells the service that it prints again.
    written(folder.path(), "broken", "");
    process.errors.wait_for("were read again");
    process.stop();
}

#[apply(both_backends)]
async fn a_first_key_that_a_start_would_refuse_is_told_and_the_keyring_before_it_stays(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, other] = [(); 3].map(|()| Keyring::generate(&Entropy::system()));
    database.store.accept(vec![sealed_by(&old, "rdv")], Clock::system().now()).await.unwrap();
    let (id, bytes) = (old.split_once(':').unwrap().0, other.split_once(':').unwrap().1);
    let file = written(folder.path(), "keyring", &new);
    let own = [("DATABASE_URL", &*database.url), ("ENCRYPTION_KEYS_FILE", file.to_str().unwrap())];
    let mut settings = with(&super::process::settings(), &own);
    settings.remove("ENCRYPTION_KEYS");
    let mut process = Process::start(&["serve"], &settings, folder.path());
    process.addresses();
    written(folder.path(), "keyring", &format!("{id}:{bytes},{new}"));
    let told = process.errors.wait_for("stays as it was");
    let fault =
        format!("the key {id} of ENCRYPTION_KEYS does not open what was sealed under its id: put its right bytes back");
    assert!(told.contains("ERROR") && told.contains(&fault) && !told.contains(bytes), "{told}");
    written(folder.path(), "keyring", &format!("{old},{new}"));
    process.errors.wait_for("were read again");
    process.stop();
}
