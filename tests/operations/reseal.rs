//! `reseal`, and what `check-config` says of the keys.

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::{Cell, Keyring};
use cassius_calendar::model::{AppointmentId, OrganisationId, Revision};
use cassius_calendar::store::Acceptance;

use super::process::{run, settings, with};
use crate::harness::backends::{apply, both_backends};
use crate::harness::database::Database;

fn acceptance(
    keyring: &Keyring,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
    entropy: &Entropy,
) -> Acceptance {
    Acceptance {
        organisation: organisation.clone(),
        appointment: appointment.clone(),
        revision: Revision::new(1).unwrap(),
        snapshot: keyring.seal(&Cell::snapshot(organisation, appointment), b"{}", entropy),
        wants_event: true,
        starts_at: None,
        ends_at: None,
        traceparent: None,
    }
}

/// An appointment as it is stored by whoever has this keyring.
pub(super) fn sealed_by(keyring: &str, appointment: &str) -> Acceptance {
    let (organisation, appointment) =
        (OrganisationId::parse("cabinet").unwrap(), AppointmentId::parse(appointment).unwrap());
    acceptance(&Keyring::parse(keyring).unwrap(), &organisation, &appointment, &Entropy::system())
}

#[apply(both_backends)]
async fn a_key_with_other_bytes_under_an_id_that_was_used_seals_nothing(database: &Database) {
    // One value is enough: what would be sealed beside it would be lost.
    let entropy = Entropy::system();
    let (right, other) = (Keyring::generate(&entropy), Keyring::generate(&entropy));
    let (id, other_bytes) = (right.split_once(':').unwrap().0, other.split_once(':').unwrap().1);
    let (keyring, organisation) = (Keyring::parse(&right).unwrap(), OrganisationId::parse("cabinet").unwrap());
    let accepted = |number: usize, keyring: &Keyring| {
        let appointment = AppointmentId::parse(&format!("rdv-{number}")).unwrap();
        vec![acceptance(keyring, &organisation, &appointment, &entropy)]
    };
    database.store.accept(accepted(0, &keyring), Clock::system().now()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let by = |keys: &str| with(&settings(), &[("DATABASE_URL", &*database.url), ("ENCRYPTION_KEYS", keys)]);
    let mistaken = by(&format!("{id}:{other_bytes}"));
    for command in [&["serve"][..], &["reseal"], &["check-config", "--connect"]] {
        let ended = run(command, &mistaken, folder.path());
        assert_eq!(ended.code, Some(1), "{command:?}");
        let told = format!("the key {id} of ENCRYPTION_KEYS does not open what was sealed under its id");
        assert!(ended.errors.contains(&told) && !ended.errors.contains(other_bytes), "{}", ended.errors);
    }
    // What is wrong with another setting hides it from nobody.
    let both = run(&["check-config", "--connect"], &with(&mistaken, &[("WRITE_SPACING", "canary")]), folder.path());
    let told = ["WRITE_SPACING is not a number", "does not open what was sealed under its id"];
    assert!(both.code == Some(1) && told.iter().all(|told| both.errors.contains(told)), "{}", both.errors);
    assert_eq!(run(&["check-config", "--connect"], &by(&right), folder.path()).code, Some(0));

    // What an earlier version sealed with it all the same is told, and hides no other.
    let mistaken = Keyring::parse(&format!("{id}:{other_bytes}")).unwrap();
    database.store.accept(accepted(1, &mistaken), Clock::system().now()).await.unwrap();
    for keys in [right.clone(), format!("{id}:{other_bytes}")] {
        let ended = run(&["check-config", "--connect"], &by(&keys), folder.path());
        let told = format!("1 values of a sample do not open with the key {id} that they name");
        assert!(ended.code == Some(1) && ended.output.contains(&told), "{}{}", ended.output, ended.errors);
    }

    // The one that opens less than half of them is the mistaken one.
    database.store.accept(accepted(2, &keyring), Clock::system().now()).await.unwrap();
    for command in [&["check-config", "--connect"][..], &["reseal"], &["serve"]] {
        let ended = run(command, &by(&format!("{id}:{other_bytes}")), folder.path());
        let told = format!("the key {id} of ENCRYPTION_KEYS does not open what was sealed under its id");
        assert!(ended.code == Some(1) && ended.errors.contains(&told), "{command:?}: {}", ended.errors);
    }
    assert_eq!(
        run(&["reseal"], &by(&right), folder.path()).code,
        Some(0),
        "one that does not open keeps nobody waiting"
    );
}

#[apply(both_backends)]
async fn a_key_with_other_bytes_is_seen_however_many_values_of_others_stand_before_its_own(database: &Database) {
    let entropy = Entropy::system();
    let [old, right, other] = [(); 3].map(|()| Keyring::generate(&entropy));
    let (id, other_bytes) = (right.split_once(':').unwrap().0, other.split_once(':').unwrap().1);
    let mistaken = format!("{id}:{other_bytes}");
    let accepted = |number: usize| sealed_by(if number < 120 { &old } else { &right }, &format!("rdv-{number:03}"));
    database.store.accept((0..121).map(accepted).collect(), Clock::system().now()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let run = |command: &[&str], keys: &str| {
        let by = with(&settings(), &[("DATABASE_URL", &*database.url), ("ENCRYPTION_KEYS", keys)]);
        run(command, &by, folder.path())
    };
    let told = format!("the key {id} of ENCRYPTION_KEYS does not open what was sealed under its id");
    for command in [&["serve"][..], &["reseal"], &["check-config", "--connect"]] {
        let ended = run(command, &format!("{mistaken},{old}"));
        assert!(ended.code == Some(1) && ended.errors.contains(&told), "{command:?}: {}{}", ended.output, ended.errors);
    }
    let ended = run(&["check-config", "--connect"], &format!("{old},{mistaken}"));
    assert!(ended.code == Some(1) && ended.errors.contains(&told), "{}{}", ended.output, ended.errors);
    let lacking = run(&["check-config", "--connect"], &old);
    let told = format!("1 values were sealed with the key {id}, which");
    assert!(lacking.code == Some(1) && lacking.output.contains(&told), "{}", lacking.output);
    assert_eq!(run(&["check-config", "--connect"], &format!("{right},{old}")).code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_key_is_needed_until_everything_is_sealed_with_the_first() {
    let database = Database::on_sqlite().await;
    let entropy = Entropy::system();
    let (old, new) = (Keyring::generate(&entropy), Keyring::generate(&entropy));
    let [old_id, new_id] = [&old, &new].map(|entry| entry.split_once(':').unwrap().0.to_owned());
    let (organisation, appointment) = (OrganisationId::parse("cabinet").unwrap(), AppointmentId::parse("rdv").unwrap());
    let acceptance = acceptance(&Keyring::parse(&old).unwrap(), &organisation, &appointment, &entropy);
    database.store.accept(vec![acceptance], Clock::system().now()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mut settings = with(&settings(), &[("DATABASE_URL", &*database.url)]);
    settings.remove("ENCRYPTION_KEYS");
    // Printed by a command, as a vault would.
    let by = |keys: &str| with(&settings, &[("ENCRYPTION_KEYS_COMMAND", &*format!("printf '%s' '{keys}'"))]);
    let ends = |command: &[&str], keys: &str, code: i32| {
        let ended = run(command, &by(keys), folder.path());
        assert_eq!(ended.code, Some(code), "{}", ended.errors);
        ended.output
    };
    let said = |command: &[&str], keys: &str| ends(command, keys, 0);
    let check = ["check-config", "--connect"];
    let both = format!("{new},{old}");
    let lacking = ends(&check, &new, 1);
    assert!(lacking.contains(&format!("1 values were sealed with the key {old_id}, which")), "{lacking}");
    assert!(!lacking.contains("in order"), "{lacking}");
    assert!(said(&check, &both).contains(&format!("Keys in use: {new_id} (0 values), {old_id} (1 values).")));
    assert!(said(&["reseal"], &both).contains("Sealed 1 values anew; 0 could not be opened."));
    for command in [&check[..], &["reseal"]] {
        assert!(said(command, &both).contains(&format!("No value needs these keys any more: {old_id}.")));
    }
    assert!(said(&check, &new).contains(&format!("Keys in use: {new_id} (1 values).")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_session_holds_for_long_is_sealed_once_it_is_free_on_postgres() {
    let database = Database::on_postgres().await;
    let entropy = Entropy::system();
    let (old, new) = (Keyring::generate(&entropy), Keyring::generate(&entropy));
    database.store.accept(vec![sealed_by(&old, "rdv")], Clock::system().now()).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("BEGIN; SELECT 1 FROM link_queues FOR UPDATE").await.unwrap();

    let settings = with(&settings(), &[("DATABASE_URL", &*database.url), ("ENCRYPTION_KEYS", &format!("{new},{old}"))]);
    let resealing =
        tokio::task::spawn_blocking(move || run(&["reseal"], &settings, tempfile::tempdir().unwrap().path()));
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    // It waits, gives up, and waits again.
    for wanted in [1, 0, 1] {
        while database.number(waiting).await != wanted {
            assert!(!resealing.is_finished(), "{:?}", resealing.await);
        }
    }
    client.batch_execute("COMMIT").await.unwrap();
    let ended = resealing.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    assert!(ended.output.contains("Sealed 1 values anew; 0 could not be opened."), "{}", ended.output);
    drop(client);
    connection.await.unwrap().unwrap();
    database.drop().await;
}
