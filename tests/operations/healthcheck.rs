//! `healthcheck`, against a service that is there and one that is not; and the API key over TLS.

use std::path::Path;

use cassius_calendar::grpc::pb::GetStatusRequest;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Code, Request};

use super::generate_key::api_key;
use super::process::{Process, Settings, run, settings, with};

/// A self-signed certificate for `localhost` and its key, as files.
fn certificate(folder: &Path) -> [String; 2] {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let files = [("cert.pem", made.cert.pem()), ("key.pem", made.signing_key.serialize_pem())];
    files.map(|(name, pem)| {
        let path = folder.join(name);
        std::fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

#[test]
fn a_service_that_serves_is_healthy_and_each_of_its_parts_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &settings(), folder.path());
    let (grpc, _) = process.addresses();
    let where_it_is = Settings::from([("GRPC_ADDR".to_owned(), grpc.to_string())]);
    for service in ["", "cassius.calendar.v1.AppointmentSync", "cassius.calendar.v1.CalendarIntegration"] {
        let ended = run(&["healthcheck", "--service", service], &where_it_is, folder.path());
        assert_eq!((ended.code, ended.output.as_str()), (Some(0), "SERVING\n"), "{}", ended.errors);
    }
    let ended = run(&["healthcheck", "--service", "nothing.of.ours"], &where_it_is, folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    process.stop();
    let ended = run(&["healthcheck"], &where_it_is, folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    assert!(ended.errors.contains("nothing serves gRPC at http://127.0.0.1:"), "{}", ended.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_service_asks_for_its_key_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = certificate(folder.path());
    let (api_key, entry) = api_key(&["backend", "practice-1"]);
    let open = [("GRPC_ADDR", "0.0.0.0:0"), ("TLS_CERT", &cert), ("TLS_KEY", &key), ("API_KEYS", &entry)];
    let mut process = Process::start(&["serve"], &with(&settings(), &open), folder.path());
    let port = process.addresses().0.port();
    let url = format!("https://localhost:{port}");

    let ended = run(&["healthcheck", "--url", &url, "--ca", &cert], &Settings::new(), folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), "SERVING\n"), "{}", ended.errors);
    // By its own settings it is found without a word.
    let own = with(&Settings::from([("GRPC_ADDR".to_owned(), format!("0.0.0.0:{port}"))]), &[("TLS_CERT", &cert)]);
    let ended = run(&["healthcheck"], &own, folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), "SERVING\n"), "{}", ended.errors);
    for stranger in [&["--url", &url][..], &["--url", &format!("http://localhost:{port}")]] {
        let ended = run(&[&["healthcheck"], stranger].concat(), &Settings::new(), folder.path());
        assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{stranger:?}");
    }

    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(std::fs::read(&cert).unwrap()));
    let channel = Channel::from_shared(url).unwrap().tls_config(tls).unwrap().connect().await.unwrap();
    let call = async |key: Option<&str>, organisation: &str| {
        let mut request = Request::new(GetStatusRequest { organisation_id: organisation.into() });
        if let Some(key) = key {
            request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        }
        CalendarIntegrationClient::new(channel.clone())
            .get_status(request)
            .await
            .map(drop)
            .map_err(|status| status.code())
    };
    assert_eq!(call(Some(&api_key), "practice-1").await, Ok(()));
    assert_eq!(call(Some(&api_key), "practice-2").await, Err(Code::PermissionDenied));
    assert_eq!(call(Some("another-key"), "practice-1").await, Err(Code::Unauthenticated));
    assert_eq!(call(None, "practice-1").await, Err(Code::Unauthenticated));
    drop(channel);
    process.signal("TERM");
    assert_eq!(process.ended().0.code(), Some(0));
    assert!(!process.errors.all().iter().any(|line| line.contains(&api_key)), "the log does not tell the key");
}
