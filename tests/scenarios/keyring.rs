//! The keyring lacks a key that was in use, and then has it again.

use std::ffi::OsString;

use cassius_calendar::clock::Entropy;
use cassius_calendar::config::Config;
use cassius_calendar::crypto::{Cell, Keyring};
use cassius_calendar::grpc::pb::{
    DisconnectRequest, ErrorReason, IntegrationState, ListCalendarsRequest, ListIntegrationsRequest, ProblemAction,
    RemoteEvents, SyncStatus,
};
use cassius_calendar::model::{AppointmentId, OrganisationId};
use cassius_calendar::resealing::census;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::reason;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::logs;
use crate::harness::samples::{appointment, of_patient};

/// Starts the service again with other keys; answers those that it had.
async fn with_keys(app: &mut TestApp, keys: String) -> String {
    let before = app.settings.insert("ENCRYPTION_KEYS".into(), keys).unwrap();
    app.restart().await;
    before
}

#[apply(both_backends)]
async fn a_token_that_does_not_open_is_told_to_the_operator_and_waited_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    let new = Keyring::generate(&Entropy::system());
    let lost = with_keys(app, new.clone()).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Error, Some(ErrorReason::KeyringIncomplete)));
    let problem = status.problem.unwrap();
    assert_eq!(problem.action(), ProblemAction::ContactOperator);
    assert!(problem.retry_time.is_some(), "the service goes on by itself");
    // The integration is told first.
    let link = app.until_link("cabinet", "rdv", |link| link.last_error.is_some()).await;
    assert_eq!(link.sync_status(), SyncStatus::Pending);
    assert_eq!(link.last_error.unwrap().reason(), ErrorReason::KeyringIncomplete);

    let list = ListCalendarsRequest { organisation_id: "cabinet".into() };
    let refused = app.integrations.list_calendars(list).await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal);
    assert!(refused.get_details_error_info().unwrap().metadata.contains_key("incident"));
    let (key, _) = lost.split_once(':').unwrap();
    assert!(logs::contain(&format!("sealed with the key \"{key}\"")), "the log names the key");

    with_keys(app, format!("{new},{lost}")).await;
    app.advance(60);
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await[0]["summary"], "[Cassius] Implant — Dominique Essai");
}

#[apply(both_backends)]
async fn a_snapshot_that_does_not_open_waits_for_its_key_and_the_others_flow(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("sealed", 1)).await;
    app.accept("cabinet", appointment("sealed-too", 1)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    let new = Keyring::generate(&Entropy::system());
    let lost = with_keys(app, new.clone()).await;
    app.connect("cabinet").await;
    assert_eq!(app.sync("cabinet", appointment("open", 1)).await.sync_status(), SyncStatus::Synced);
    let link = app.until_link("cabinet", "sealed", |link| link.last_error.is_some()).await;
    let error = link.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::KeyringIncomplete, true));
    assert_eq!(link.sync_status, i32::from(SyncStatus::Pending), "it is not refused");
    // The others flow, and yet not all is well.
    let status = app.status("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, Some(ErrorReason::KeyringIncomplete)));
    let problem = status.problem.unwrap();
    assert_eq!((problem.action(), problem.retry_time.is_some()), (ProblemAction::ContactOperator, true));
    let filter = ListIntegrationsRequest { reason: ErrorReason::KeyringIncomplete.into(), ..Default::default() };
    let listed = app.integrations.list_integrations(filter).await.unwrap().into_inner().integrations;
    assert_eq!(listed.iter().map(|it| &*it.organisation_id).collect::<Vec<_>>(), ["cabinet"]);
    // Told once, however many wait.
    app.until_link("cabinet", "sealed-too", |link| link.last_error.is_some()).await;
    let key = lost.split_once(':').unwrap().0;
    let told = logs::lines_with("a snapshot does not open").into_iter().filter(|line| line.contains(key)).count();
    assert_eq!(told, 1);

    with_keys(app, format!("{new},{lost}")).await;
    app.advance(900);
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 3);
}

#[apply(both_backends)]
async fn a_snapshot_that_opens_and_does_not_read_is_a_fault_of_ours_and_no_key_is_asked_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("newer", 1)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    let keyring = Keyring::parse(&app.settings["ENCRYPTION_KEYS"]).unwrap();
    let (organisation, id) = (OrganisationId::parse("cabinet").unwrap(), AppointmentId::parse("newer").unwrap());
    let sealed =
        keyring.seal(&Cell::snapshot(&organisation, &id), br#"{"form":"of a later version"}"#, &Entropy::system());
    let hex = data_encoding::HEXLOWER.encode(sealed.as_bytes());
    let value = if app.database.is_postgres() { format!("'\\x{hex}'") } else { format!("X'{hex}'") };
    app.database.run(&format!("UPDATE appointment_external_links SET snapshot = {value}")).await;
    app.connect("cabinet").await;
    let link = app.until_link("cabinet", "newer", |link| link.last_error.is_some()).await;
    let error = link.last_error.clone().unwrap();
    assert_eq!(
        (link.sync_status(), error.reason(), error.retryable),
        (SyncStatus::Error, ErrorReason::Internal, false)
    );
    assert!(logs::contain("appointment.id=newer error=it opens, but holds what this version cannot read"));
    let link = app.sync("cabinet", appointment("newer", 2)).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
}

/// Reads the settings as they are again, with other keys.
async fn reloaded_with(app: &TestApp, keys: &str) -> Result<(), String> {
    let source = |name: &str| match name {
        "ENCRYPTION_KEYS" => Some(OsString::from(keys)),
        _ => app.settings.get(name).map(OsString::from),
    };
    let faults = app.running().keys.reload(&Config::reread(&source, &[]), app.clock.now()).await;
    faults.first().map_or(Ok(()), |fault| Err(fault.to_string()))
}

#[apply(both_backends)]
async fn a_missing_key_is_named_at_the_start_and_what_waits_for_it_goes_on_when_it_is_read_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("sealed", 1)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    let new = Keyring::generate(&Entropy::system());
    let lost = with_keys(app, new.clone()).await;
    app.connect("cabinet").await;
    app.until_link("cabinet", "sealed", |link| link.last_error.is_some()).await;
    let key = lost.split_once(':').unwrap().0;
    let is_named = || logs::lines_with("ENCRYPTION_KEYS lacks a key").iter().any(|line| line.contains(key));
    let named = async {
        while !is_named() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, named).await.expect("the log names the key");

    // The clock stands still: nothing is due by itself.
    reloaded_with(app, &format!("{new},{lost}")).await.unwrap();
    app.until_link("cabinet", "sealed", |link| link.sync_status() == SyncStatus::Synced).await;
}

#[apply(both_backends)]
async fn everything_is_sealed_with_the_first_key_until_the_old_one_is_needed_no_more(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.connect_as("voisin", OTHER_ACCOUNT).await;
    app.sync("voisin", appointment("rdv", 1)).await;
    let keep = DisconnectRequest { organisation_id: "voisin".into(), remote_events: RemoteEvents::Keep.into() };
    app.integrations.disconnect(keep).await.unwrap();
    let new = Keyring::generate(&Entropy::system());
    let old = app.settings["ENCRYPTION_KEYS"].clone();
    with_keys(app, format!("{new},{old}")).await;
    let keyring = Keyring::parse(&format!("{new},{old}")).unwrap();
    let all = async {
        while census(&app.database.store, &keyring).await.unwrap().needless().next().is_none() {
            // It pauses between two handfuls.
            app.advance(1);
        }
    };
    tokio::time::timeout(BOUND, all).await.expect("every value is sealed anew");

    with_keys(app, new).await;
    assert_eq!(app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await.sync_status(), SyncStatus::Synced);
    app.connect_as("voisin", OTHER_ACCOUNT).await;
    assert_eq!(app.link("voisin", "rdv").await.external_calendar_id, OTHER_ACCOUNT);
}

#[apply(both_backends)]
async fn a_keyring_that_a_start_would_refuse_is_refused_when_it_is_read_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    let [new, other] = [Keyring::generate(&Entropy::system()), Keyring::generate(&Entropy::system())];
    let right = app.settings["ENCRYPTION_KEYS"].clone();
    let id = right.split_once(':').unwrap().0;
    let mistaken = format!("{id}:{}", other.split_once(':').unwrap().1);
    // One id, two keys.
    for keys in [mistaken.clone(), format!("{new},{mistaken}")] {
        let told = reloaded_with(app, &keys).await.unwrap_err();
        assert!(
            told.contains(&format!("the key {id} of ENCRYPTION_KEYS has other bytes than the one in use")),
            "{told}"
        );
    }
    // One that the keyring in use lacks.
    with_keys(app, new.clone()).await;
    let told = reloaded_with(app, &format!("{mistaken},{new}")).await.unwrap_err();
    assert!(told.contains(&format!("the key {id} of ENCRYPTION_KEYS does not open what was sealed")), "{told}");
    app.accept("cabinet", appointment("later", 1)).await;
    let all = Keyring::parse(&format!("{new},{right}")).unwrap();
    let census = census(&app.database.store, &all).await.unwrap();
    assert!(census.missing.is_empty() && census.mistaken.is_empty() && census.unopened.is_empty(), "{census:?}");
}

#[apply(both_backends)]
async fn a_key_that_opens_nothing_and_never_sealed_is_put_right_without_a_restart(app: &mut TestApp) {
    app.connect("cabinet").await;
    let [new, other] = [Keyring::generate(&Entropy::system()), Keyring::generate(&Entropy::system())];
    let right = app.settings["ENCRYPTION_KEYS"].clone();
    let id = right.split_once(':').unwrap().0;
    with_keys(app, format!("{new},{id}:{}", other.split_once(':').unwrap().1)).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.until_link("cabinet", "rdv", |link| link.last_error.is_some()).await;
    reloaded_with(app, &format!("{new},{right}")).await.unwrap();
    app.until_link("cabinet", "rdv", |link| link.sync_status() == SyncStatus::Synced).await;
}
