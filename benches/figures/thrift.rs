//! How many calls Google gets for how many changes.

use cassius_calendar::grpc::pb::{AppointmentState, SyncAppointmentRequest};
use futures_util::future::try_join_all;
use tonic::Status;

use crate::Stage;
use crate::edits::delivered;
use crate::samples::{appointment, request};
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "thrift";
const EDITS: i64 = 100;
/// How many calls of one organisation are in flight at most; a fourth appointment waits.
const IN_FLIGHT: usize = 3;

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(80).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    stage.google.forget_calls().await?;
    let mut count = |figure: &str, calls: usize, most: usize| {
        let (measured, target) = (calls.to_string(), if most == 0 { "0".to_owned() } else { format!("≤ {most}") });
        table.row(figure, service.back_end, &measured, &target, calls <= most);
    };

    try_join_all((1..=EDITS).map(|revision| {
        let edit = appointment("rdv-edited", revision, &format!("Camille Exemple {revision}"));
        send(service, request(ORGANISATION, edit))
    }))
    .await?;
    let last = appointment("rdv-edited", EDITS, &format!("Camille Exemple {EDITS}"));
    send(service, delivered(request(ORGANISATION, last))).await?;
    count("calls for 100 quick edits of one appointment", stage.google.calls().await?.len(), 2);

    stage.google.forget_calls().await?;
    let again = appointment("rdv-edited", EDITS + 1, &format!("Camille Exemple {EDITS}"));
    send(service, delivered(request(ORGANISATION, again))).await?;
    count("calls for an unchanged appointment", stage.google.calls().await?.len(), 0);

    stage.google.latency(1_000).await?;
    let others = (0..IN_FLIGHT).map(|number| format!("rdv-before-{number}"));
    let others: Vec<_> = others.map(|id| request(ORGANISATION, appointment(&id, 1, "Camille Exemple"))).collect();
    try_join_all(others.iter().cloned().map(|other| send(service, other))).await?;
    let mut fleeting = appointment("rdv-fleeting", 1, "Camille Exemple");
    send(service, request(ORGANISATION, fleeting.clone())).await?;
    (fleeting.revision, fleeting.state) = (2, AppointmentState::Cancelled.into());
    send(service, delivered(request(ORGANISATION, fleeting))).await?;
    try_join_all(others.into_iter().map(|other| send(service, delivered(other)))).await?;
    let calls = stage.google.calls().await?.len() - IN_FLIGHT;
    count("calls for an appointment cancelled before it was sent", calls, 0);
    Ok(())
}

async fn send(service: &Service, request: SyncAppointmentRequest) -> Result<(), Status> {
    service.appointments.clone().sync_appointment(request).await.map(drop)
}
