//! Clients with a key of one's own, or none.

use cassius_calendar::crypto::digest;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use tonic::Request;
use tonic::transport::Channel;

use crate::harness::app::{API_KEY, TestApp};

/// A key that stands for [`INVITED`] alone.
pub(crate) const GUEST_KEY: &str = "canary-guest-key-Qm42";
/// The one organisation that the guest's key stands for.
pub(crate) const INVITED: &str = "cabinet-invité";

/// Both services, called with nothing but what each request brings.
#[derive(Clone)]
pub(crate) struct Bare {
    pub(crate) integrations: CalendarIntegrationClient<Channel>,
    pub(crate) appointments: AppointmentSyncClient<Channel>,
    pub(crate) channel: Channel,
}

pub(crate) async fn bare(app: &TestApp) -> Bare {
    let address = format!("http://{}", app.running().grpc_address);
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    Bare {
        integrations: CalendarIntegrationClient::new(channel.clone()),
        appointments: AppointmentSyncClient::new(channel.clone()),
        channel,
    }
}

/// A request with a header.
pub(crate) fn with<T>(message: T, header: &'static str, value: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(header, value.parse().unwrap());
    request
}

/// A request of the guest.
pub(crate) fn as_guest<T>(message: T) -> Request<T> {
    with(message, "authorization", &format!("Bearer {GUEST_KEY}"))
}

/// Lets the guest in, beside the harness's own key.
pub(crate) async fn invite_guest(app: &mut TestApp) {
    let key = |name: &str, key: &str, organisations: &str| {
        format!("{name}:{}:{organisations}", data_encoding::HEXLOWER.encode(&digest(key.as_bytes())))
    };
    let keys = [key("tests", API_KEY, "*"), key("guest", GUEST_KEY, INVITED)].join(",");
    app.settings.insert("API_KEYS".to_owned(), keys);
    app.restart().await;
}
