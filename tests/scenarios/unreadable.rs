//! A stored value of one practice, or of one link, does not read: it is told there, and everybody else goes on.

use cassius_calendar::grpc::pb::{
    DisconnectRequest, ErrorReason, GetAppointmentLinkRequest, IntegrationSettings, IntegrationState,
    ListAppointmentLinksRequest, ListCalendarsRequest, ListIntegrationsRequest, ProblemAction, RemoteEvents,
    SyncNowRequest, SyncStatus, TitlePrivacy, UpdateSettingsRequest,
};

use super::{reason, until_number};
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::database::Database;
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::logs;
use crate::harness::samples::{appointment, of_patient};

async fn set(app: &TestApp, table: &str, assignment: &str, condition: &str) {
    app.database.run(&format!("UPDATE {table} SET {assignment} WHERE {condition}")).await;
}

async fn sync_now(app: &mut TestApp) {
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
}

/// The integration of « cabinet » has this in a column; it is told, « voisin » goes on, and an hour later it is tried again.
async fn told_at_its_integration(app: &mut TestApp, column: &str, word: &str, is_mended: bool) {
    app.connect("cabinet").await;
    app.connect_as("voisin", OTHER_ACCOUNT).await;
    set(app, "calendar_integrations", &format!("{column} = '{word}'"), "organisation_id = 'cabinet'").await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.problem.as_ref().is_some_and(|it| it.retry_time.is_some())).await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Error, Some(ErrorReason::Internal)));
    assert_eq!(status.problem.unwrap().action(), ProblemAction::ContactOperator);
    assert!(logs::contain(&format!("organisation.id=\"cabinet\" column=\"{column}")), "the log names the column");
    assert_eq!(app.sync("voisin", appointment("theirs", 1)).await.sync_status(), SyncStatus::Synced);
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.last_error.unwrap().reason()), (SyncStatus::Pending, ErrorReason::Internal));
    assert!(app.google.events(ACCOUNT).await.is_empty());
    if is_mended {
        set(app, "calendar_integrations", &format!("{column} = 'initials'"), "organisation_id = 'cabinet'").await;
    }
    app.advance(3_600);
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn a_privacy_of_a_newer_version_is_told_at_its_integration_and_the_others_go_on(app: &mut TestApp) {
    told_at_its_integration(app, "title_privacy", "pseudonym", true).await;
}

#[apply(both_backends)]
async fn a_problem_of_a_newer_version_is_found_again_by_itself_or_is_over(app: &mut TestApp) {
    told_at_its_integration(app, "problem_reason", "billing", false).await;
}

#[apply(both_backends)]
async fn a_connected_integration_without_its_calendar_or_its_account_is_told_and_the_others_go_on(app: &mut TestApp) {
    // Nothing of such an integration is ever due: it is looked for, every minute.
    for (organisation, column) in [("sans-agenda", "calendar_id"), ("sans-compte", "google_user_id")] {
        app.connect(organisation).await;
        app.sync(organisation, appointment("rdv", 1)).await;
        let its = format!("organisation_id = '{organisation}'");
        set(app, "calendar_integrations", &format!("{column} = NULL"), &its).await;
        let status = app.status(organisation).await;
        assert_eq!((status.state(), reason(&status)), (IntegrationState::Error, Some(ErrorReason::Internal)));
        app.accept(organisation, of_patient("rdv", 2, "Dominique Essai")).await;
        app.advance(60);
        let told = |status: &cassius_calendar::grpc::pb::IntegrationStatus| {
            status.problem.as_ref().is_some_and(|problem| problem.retry_time.is_some())
        };
        let status = app.until(organisation, told).await;
        assert_eq!(status.problem.unwrap().action(), ProblemAction::ContactOperator);
        let line = format!("organisation.id=\"{organisation}\" column=\"{column}\"");
        assert!(logs::contain(&line), "{line}");
        let link = app.link(organisation, "rdv").await;
        assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Pending, 1));
    }
    app.connect_as("voisin", OTHER_ACCOUNT).await;
    assert_eq!(app.sync("voisin", appointment("theirs", 1)).await.sync_status(), SyncStatus::Synced);

    // A person chooses the calendar again, or connects again: all is sent, nothing twice.
    let calendars = ListCalendarsRequest { organisation_id: "sans-agenda".into() };
    let calendars = app.integrations.list_calendars(calendars).await.unwrap().into_inner().calendars;
    let primary = calendars.iter().find(|calendar| calendar.is_primary).unwrap().id.clone();
    let request = UpdateSettingsRequest {
        organisation_id: "sans-agenda".into(),
        settings: Some(IntegrationSettings { calendar_id: primary, ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["calendar_id".into()] }),
    };
    app.integrations.update_settings(request).await.unwrap();
    app.connect("sans-compte").await;
    for organisation in ["sans-agenda", "sans-compte"] {
        let status = app.at_rest(organisation).await;
        assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None), "{organisation}");
        assert_eq!(app.link(organisation, "rdv").await.synced_revision, 2, "{organisation}");
    }
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 2, "one of each");
}

#[apply(both_backends)]
async fn an_unknown_privacy_is_the_strictest_until_a_person_chooses(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    set(app, "calendar_integrations", "title_privacy = 'pseudonym'", "organisation_id = 'cabinet'").await;
    let status = app.status("cabinet").await;
    assert_eq!((status.title_privacy(), reason(&status)), (TitlePrivacy::Masked, Some(ErrorReason::Internal)));
    // Nothing is due: the comparison finds it, and mends nothing by a setting that does not read.
    app.google.forget_journal().await;
    sync_now(app).await;
    app.until("cabinet", |status| status.problem.as_ref().is_some_and(|it| it.retry_time.is_some())).await;
    assert_eq!(app.google.event_calls().await, [""; 0]);
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(IntegrationSettings { title_privacy: TitlePrivacy::Masked.into(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["title_privacy".into()] }),
    };
    app.integrations.update_settings(request).await.unwrap();
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await[0]["summary"], "[Cassius] Rendez-vous");
}

#[apply(both_backends)]
async fn a_link_that_does_not_read_is_in_error_and_the_others_flow(app: &mut TestApp) {
    for id in ["bare", "half", "other", "zero"] {
        app.accept("cabinet", appointment(id, 7)).await;
    }
    let of = |id: &str| format!("appointment_id = '{id}'");
    set(app, "appointment_external_links", "external_calendar_id = 'agenda'", &of("half")).await;
    set(app, "appointment_external_links", "revision = 0", &of("zero")).await;
    set(app, "appointment_external_links", "appointment_id = ' bare'", &of("bare")).await;
    app.connect("cabinet").await;
    sync_now(app).await;
    let status = app.at_rest("cabinet").await;
    let counts = status.counts.unwrap();
    assert_eq!((counts.synced, counts.error, status.state()), (1, 3, IntegrationState::Connected));

    let request = ListAppointmentLinksRequest { organisation_id: "cabinet".into(), ..Default::default() };
    let links = app.appointments.list_appointment_links(request).await.unwrap().into_inner().links;
    let told: Vec<_> = links
        .iter()
        .map(|link| {
            let error = link.last_error.as_ref().map(|error| (error.reason(), error.retryable));
            (link.appointment_id.as_str(), link.sync_status(), error)
        })
        .collect();
    let internal = Some((ErrorReason::Internal, false));
    assert_eq!(
        told,
        [
            (" bare", SyncStatus::Error, internal),
            ("half", SyncStatus::Error, internal),
            ("other", SyncStatus::Synced, None),
            ("zero", SyncStatus::Error, internal),
        ]
    );
    for (id, column) in [(" bare", "appointment_id"), ("half", "external_event_id"), ("zero", "revision")] {
        assert!(logs::contain(&format!("appointment.id=Some(\"{id}\") column=\"{column}\"")), "{id}");
    }
    // Sent again, it is whole.
    assert_eq!(app.sync("cabinet", appointment("zero", 8)).await.sync_status(), SyncStatus::Synced);
    let link = app.accept("cabinet", of_patient("half", 8, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.revision), (SyncStatus::Error, 8), "it is told at once");
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
}

#[apply(both_backends)]
async fn a_status_of_a_newer_version_is_left_out_and_a_priority_is_served_like_any_other(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["deferred", "edited", "urgent"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    let set_link = |assignment: &'static str, id: &str| {
        let update = format!(
            "UPDATE appointment_external_links SET {assignment}, next_attempt_at = updated_at, content_hash = NULL WHERE appointment_id = '{id}'"
        );
        let database = &app.database;
        async move { database.run(&update).await }
    };
    set_link("sync_status = 'deferred'", "deferred").await;
    set_link("sync_status = 'pending', priority = 7", "urgent").await;
    assert_eq!(app.sync("cabinet", of_patient("edited", 2, "Dominique Essai")).await.sync_status(), SyncStatus::Synced);
    // The longest that what was claimed beside it keeps it waiting.
    app.advance(60);
    app.until_link("cabinet", "urgent", |link| link.sync_status() == SyncStatus::Synced).await;
    let parked = "SELECT COUNT(*) FROM appointment_external_links WHERE appointment_id = 'deferred'
        AND sync_status = 'error' AND last_error_detail = 'sync_status' AND next_attempt_at IS NULL";
    until_number(app, parked, 1).await;
    let error = app.link("cabinet", "deferred").await.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::Internal, false));
    assert!(logs::contain("appointment.id=Some(\"deferred\") column=\"sync_status\""));
    assert_eq!(app.sync("cabinet", appointment("deferred", 2)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn an_instant_that_does_not_read_is_told_at_its_row_and_the_lists_go_on(app: &mut TestApp) {
    let never = if app.database.is_postgres() { "'200000-01-01'" } else { "9223372036854775807" };
    app.connect("cabinet").await;
    app.connect_as("voisin", OTHER_ACCOUNT).await;
    for id in ["half", "other"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    let columns =
        ["token_expiry", "problem_since", "last_sync_at", "connected_at", "catch_up_started_at", "refreshed_at"];
    for column in columns {
        set(app, "calendar_integrations", &format!("{column} = {never}"), "organisation_id = 'cabinet'").await;
    }
    for column in ["starts_at", "ends_at", "last_synced_at"] {
        set(app, "appointment_external_links", &format!("{column} = {never}"), "appointment_id = 'half'").await;
    }
    let listed = app.integrations.list_integrations(ListIntegrationsRequest::default()).await.unwrap().into_inner();
    let told: Vec<_> = listed.integrations.iter().map(|it| (it.organisation_id.as_str(), it.state())).collect();
    assert_eq!(told, [("cabinet", IntegrationState::Error), ("voisin", IntegrationState::Connected)]);
    assert_eq!(reason(&app.status("cabinet").await), Some(ErrorReason::Internal));
    assert!(logs::contain("organisation.id=cabinet column=\"token_expiry\""));

    let request = ListAppointmentLinksRequest { organisation_id: "cabinet".into(), ..Default::default() };
    let links = app.appointments.list_appointment_links(request).await.unwrap().into_inner().links;
    let told: Vec<_> = links.iter().map(|link| (link.appointment_id.as_str(), link.sync_status())).collect();
    assert_eq!(told, [("half", SyncStatus::Error), ("other", SyncStatus::Synced)]);

    // All goes on, and what is sent anew reads.
    for id in ["half", "other"] {
        app.accept("cabinet", of_patient(id, 2, "Dominique Essai")).await;
        // What is answered as an error is found by the next look.
        app.advance(5);
        app.until_link("cabinet", id, |link| link.sync_status() == SyncStatus::Synced && link.synced_revision == 2)
            .await;
    }
}

#[apply(both_backends)]
async fn a_lease_that_does_not_read_is_none(app: &mut TestApp) {
    // The columns of PostgreSQL take nothing but instants.
    let never: &[&str] =
        if app.database.is_postgres() { &["'infinity'", "'200000-01-01'"] } else { &["9223372036854775807", "'soon'"] };
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    for (revision, until) in (2..).zip(never) {
        set(app, "appointment_external_links", &format!("lease_token = 'whose', lease_until = {until}"), "TRUE").await;
        app.accept("cabinet", of_patient("rdv", revision, &format!("Dominique {revision}"))).await;
        app.advance(60);
        app.until_link("cabinet", "rdv", |link| link.synced_revision == revision).await;
    }
    // The account cannot be called without another token, and what stands in the way of a disconnect's end is gone too.
    for (revision, until) in (4..).zip(never) {
        app.google.expire_tokens(ACCOUNT).await;
        let lease = format!("refresh_lease_token = 'whose', refresh_lease_until = {until}");
        set(app, "calendar_integrations", &lease, "TRUE").await;
        app.accept("cabinet", of_patient("rdv", revision, &format!("Dominique {revision}"))).await;
        app.advance(60);
        app.until_link("cabinet", "rdv", |link| link.synced_revision == revision).await;
    }
    set(app, "calendar_integrations", &format!("finishing_until = {}", never[0]), "TRUE").await;
    let request =
        DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::DeleteUpcoming.into() };
    let mut integrations = app.integrations.clone();
    let disconnecting = tokio::spawn(async move { integrations.disconnect(request).await });
    app.until("cabinet", |status| status.state() == IntegrationState::Disconnecting).await;
    app.advance(60);
    disconnecting.await.unwrap().unwrap();
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
}

#[apply(both_backends)]
async fn the_event_of_a_link_that_does_not_read_is_not_taken_for_a_surplus(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["half", "other"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    set(app, "appointment_external_links", "external_calendar_id = NULL", "appointment_id = 'half'").await;
    let other = app.link("cabinet", "other").await.external_event_id;
    app.google.delete_event(ACCOUNT, &other, "gone").await;
    app.advance(1);
    sync_now(app).await;
    // The comparison has ended once it has found what was deleted.
    app.google.until_called("events.insert", 3).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
}

#[apply(both_backends)]
async fn an_owed_deletion_that_does_not_read_is_parked_and_the_others_go_on(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["a", "b", "c"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    app.stop().await;
    // As a disconnect of a newer version would leave it that was under way.
    set(
        app,
        "calendar_integrations",
        "disconnecting_at = updated_at, disconnect_remote_events = 'someday', disconnect_total = 3, epoch = epoch + 1",
        "organisation_id = 'cabinet'",
    )
    .await;
    let owed = "INSERT INTO owed_deletions (organisation_id, provider, google_user_id, calendar_id, event_id,
            appointment_id, generation, cause, next_attempt_at, created_at, updated_at)
        SELECT l.organisation_id, l.provider, i.google_user_id, l.external_calendar_id, l.external_event_id,
            CASE WHEN l.appointment_id = 'a' THEN '' ELSE l.appointment_id END, l.generation, 'disconnect',
            l.updated_at, l.updated_at, l.updated_at
        FROM appointment_external_links AS l
            JOIN calendar_integrations AS i ON i.organisation_id = l.organisation_id
        WHERE l.appointment_id <> 'c'";
    app.database.run(owed).await;
    set(
        app,
        "appointment_external_links",
        "external_calendar_id = NULL, external_event_id = NULL",
        "appointment_id <> 'c'",
    )
    .await;
    app.restart().await;
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    let left =
        "SELECT COUNT(*) FROM owed_deletions WHERE last_error = 'internal' AND last_error_detail = 'appointment_id'";
    until_number(app, left, 1).await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 2, "the readable one is gone, and what was not owed stays");
    let request =
        DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::DeleteUpcoming.into() };
    let response = app.integrations.disconnect(request).await.unwrap().into_inner();
    assert_eq!(response.remaining_event_count, 1);
}

/// SQLite keeps what it is given: bytes that are no text, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_is_none_is_told_and_stops_nobody_else() {
    let (integrations, links) = ("calendar_integrations", "appointment_external_links");
    for (table, column, value) in [
        (integrations, "calendar_id", "x'fffe'"),
        (integrations, "google_user_id", "CAST(x'61fffe' AS TEXT)"),
        (integrations, "title_privacy", "x'fffe'"),
        (integrations, "problem_reason", "CAST(x'61fffe' AS TEXT)"),
        (integrations, "google_email", "x'fffe'"),
        (links, "external_calendar_id", "CAST(x'61fffe' AS TEXT)"),
        (links, "external_event_id", "x'fffe'"),
        (links, "sync_status", "x'fffe'"),
        (links, "etag", "CAST(x'61fffe' AS TEXT)"),
    ] {
        let mut app = TestApp::start(Database::on_sqlite().await).await;
        app.connect("cabinet").await;
        app.connect_as("voisin", OTHER_ACCOUNT).await;
        app.sync("cabinet", appointment("rdv", 1)).await;
        set(&app, table, &format!("{column} = {value}"), "organisation_id = 'cabinet'").await;

        // Whoever meets it first may be refused; nobody is for long.
        let theirs = app.sync("voisin", appointment("theirs", 1)).await;
        assert_eq!(theirs.sync_status(), SyncStatus::Synced, "{table}.{column}");
        let all_read = async {
            let link = GetAppointmentLinkRequest { organisation_id: "cabinet".into(), appointment_id: "rdv".into() };
            while app.appointments.get_appointment_link(link.clone()).await.is_err() {}
            let request = ListIntegrationsRequest::default();
            while app.integrations.list_integrations(request.clone()).await.is_err() {}
        };
        tokio::time::timeout(BOUND, all_read).await.expect("it reads soon");
        app.status("cabinet").await;
        let told = format!("organisation.id=\"cabinet\" column=\"{table}.{column}\"");
        assert!(logs::contain(&told), "{told}");
        app.end().await;
    }
}
