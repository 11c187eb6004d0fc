//! A Google account that is exchanged at one replica while another holds the access token of the one before.

use cassius_calendar::grpc::pb::ListCalendarsRequest;
use jiff::SignedDuration;

use super::Replica;
use crate::harness::app::{Integrations, TestApp};
use crate::harness::database::Database;
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};

/// The address of the account whose calendars are listed.
async fn listed(integrations: &mut Integrations) -> String {
    let request = ListCalendarsRequest { organisation_id: "cabinet".into() };
    let calendars = integrations.list_calendars(request).await.unwrap().into_inner().calendars;
    calendars.into_iter().find(|calendar| calendar.is_primary).unwrap().id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_the_account_before_is_not_used_by_a_replica_that_did_not_exchange_it() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    let mut other = Replica::start(&app, &app.clock).await;
    app.connect("cabinet").await;
    assert_eq!(listed(&mut other.integrations).await, ACCOUNT);
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    // A list is kept for some seconds.
    app.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(listed(&mut other.integrations).await, OTHER_ACCOUNT);
    other.app.stop().await;
    app.end().await;
}
