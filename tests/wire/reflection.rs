//! Reflection, in the version of today and in the one that older clients speak.

use prost::Message as _;
use prost_types::FileDescriptorProto;
use tonic::Code;

use super::callers::bare;
use super::methods;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};

macro_rules! ask {
    ($version:ident, $channel:expr, $question:expr) => {{
        use tonic_reflection::pb::$version::ServerReflectionRequest;
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        let request = ServerReflectionRequest { host: String::new(), message_request: Some($question) };
        let mut client = ServerReflectionClient::new($channel);
        match client.server_reflection_info(tokio_stream::iter([request])).await {
            Ok(answers) => answers.into_inner().message().await.map(|answer| answer.unwrap().message_response.unwrap()),
            Err(status) => Err(status),
        }
    }};
}

macro_rules! describes_all {
    ($version:ident, $app:ident) => {{
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        let channel = bare($app).await.channel;
        let listed = ask!($version, channel.clone(), MessageRequest::ListServices(String::new())).unwrap();
        let MessageResponse::ListServicesResponse(listed) = listed else { panic!("{listed:?}") };
        let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
        for name in
            ["cassius.calendar.v1.CalendarIntegration", "cassius.calendar.v1.AppointmentSync", "grpc.health.v1.Health"]
        {
            assert!(names.iter().any(|listed| listed == name), "{names:?}");
        }
        for symbol in ["cassius.calendar.v1.CalendarIntegration", "cassius.calendar.v1.AppointmentSync"] {
            let question = MessageRequest::FileContainingSymbol(symbol.to_owned());
            let described = ask!($version, channel.clone(), question).unwrap();
            let MessageResponse::FileDescriptorResponse(files) = described else { panic!("{described:?}") };
            let services = files
                .file_descriptor_proto
                .iter()
                .flat_map(|file| FileDescriptorProto::decode(&**file).unwrap().service);
            let counts: Vec<_> = services.map(|service| (service.name().to_owned(), service.method.len())).collect();
            let service = symbol.rsplit('.').next().unwrap();
            let methods = methods::all().iter().filter(|method| method.path.starts_with(service)).count();
            let wanted = (service.to_owned(), methods);
            assert!(counts.contains(&wanted), "{symbol}: {counts:?}");
        }
    }};
}

#[apply(both_backends)]
async fn both_services_are_described_to_clients_of_today(app: &mut TestApp) {
    describes_all!(v1, app);
}

#[apply(both_backends)]
async fn both_services_are_described_to_older_clients(app: &mut TestApp) {
    describes_all!(v1alpha, app);
}

#[apply(both_backends)]
async fn nothing_is_described_where_reflection_is_off(app: &mut TestApp) {
    app.settings.remove("REFLECTION");
    app.restart().await;
    let channel = bare(app).await.channel;
    use tonic_reflection::pb::{v1, v1alpha};
    let question = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    assert_eq!(ask!(v1, channel.clone(), question).unwrap_err().code(), Code::Unimplemented);
    let question = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    assert_eq!(ask!(v1alpha, channel, question).unwrap_err().code(), Code::Unimplemented);
}
