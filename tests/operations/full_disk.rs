//! A disk that is full, and has room again.

use std::process::Command;

use cassius_calendar::grpc::pb::SyncAppointmentRequest;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::process::{Process, settings};
use crate::harness::app::clients_at;
use crate::harness::samples::appointment;
use crate::wire::refused::refused;

/// Lets no file of the process grow beyond so many bytes, as a full disk does not.
fn let_grow_to(process: &Process, bytes: &str) {
    let pid = process.proc_path("").split('/').nth(2).unwrap().to_owned();
    let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status().unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_put_off_probes_are_told_and_all_is_well_once_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start_where_files_are_bounded(&settings(), folder.path());
    let (grpc, _) = process.addresses();
    let (_, mut appointments) = clients_at(grpc).await;
    let request = |id: &str| SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment(id, 1)),
        wait: None,
    };
    appointments.sync_appointment(request("before")).await.unwrap();
    let channel = Channel::from_shared(format!("http://{grpc}")).unwrap().connect().await.unwrap();
    let service = "cassius.calendar.v1.AppointmentSync".to_owned();
    let mut health = HealthClient::new(channel).watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    let mut told = async || health.message().await.unwrap().unwrap().status();
    assert_eq!(told().await, ServingStatus::Serving);

    let_grow_to(&process, "4096");
    refused(appointments.sync_appointment(request("while full")).await, Code::Unavailable, "STORAGE_UNAVAILABLE");
    assert_eq!(told().await, ServingStatus::NotServing);

    let_grow_to(&process, "unlimited");
    assert_eq!(told().await, ServingStatus::Serving);
    appointments.sync_appointment(request("while full")).await.unwrap();
    appointments.sync_appointment(request("after")).await.unwrap();
    process.errors.wait_for("the database takes writes again");
    let away = process.errors.so_far().iter().filter(|line| line.contains("the database is away")).count();
    assert_eq!(away, 1, "one line says so");
    process.stop();
}
