//! `reseal`, and what `check-config` says of the keys.

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::{Cell, Keyring};
use cassius_calendar::model::{AppointmentId, OrganisationId, Revision};
use cassius_calendar::store::Acceptance;

use super::process::{run, settings, with};
use crate::harness::database::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_key_is_needed_until_everything_is_sealed_with_the_first() {
    let database = Database::on_sqlite().await;
    let entropy = Entropy::system();
    let (old, new) = (Keyring::generate(&entropy), Keyring::generate(&entropy));
    let [old_id, new_id] = [&old, &new].map(|entry| entry.split_once(':').unwrap().0.to_owned());
    let (organisation, appointment) = (OrganisationId::parse("cabinet").unwrap(), AppointmentId::parse("rdv").unwrap());
    let snapshot = Keyring::parse(&old).unwrap().seal(&Cell::snapshot(&organisation, &appointment), b"{}", &entropy);
    let (revision, wants_event) = (Revision::new(1).unwrap(), true);
    let (starts_at, ends_at) = (None, None);
    let acceptance = Acceptance {
        organisation,
        appointment,
        revision,
        snapshot,
        wants_event,
        starts_at,
        ends_at,
        traceparent: None,
    };
    database.store.accept(vec![acceptance], Clock::system().now()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mut settings = with(&settings(), &[("DATABASE_URL", &*database.url)]);
    settings.remove("ENCRYPTION_KEYS");
    // Printed by a command, as a vault would.
    let by = |keys: &str| with(&settings, &[("ENCRYPTION_KEYS_COMMAND", &*format!("printf '%s' '{keys}'"))]);
    let said = |command: &[&str], keys: &str| {
        let ended = run(command, &by(keys), folder.path());
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        ended.output
    };
    let check = ["check-config", "--connect"];
    let both = format!("{new},{old}");
    assert!(said(&check, &new).contains(&format!("1 values were sealed with the key {old_id}, which")));
    assert!(said(&check, &both).contains(&format!("Keys in use: {new_id} (0 values), {old_id} (1 values).")));
    assert!(said(&["reseal"], &both).contains("Sealed 1 values anew; 0 could not be opened."));
    for command in [&check[..], &["reseal"]] {
        assert!(said(command, &both).contains(&format!("No value needs these keys any more: {old_id}.")));
    }
    assert!(said(&check, &new).contains(&format!("Keys in use: {new_id} (1 values).")));
}
