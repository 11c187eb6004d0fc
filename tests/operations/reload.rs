//! What changes without a restart: API keys, certificates, the keyring; and whose certificate a client has to show.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cassius_calendar::clock::Entropy;
use cassius_calendar::crypto::{Keyring, digest};
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{GetStatusRequest, WatchStatusRequest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::check_config::certificate;
use super::process::{Process, Settings, settings, with};

/// How long a change may take to be noticed, and as much again for a machine that does much else.
const NOTICED: Duration = Duration::from_secs(10);

pub(super) fn entry(name: &str, key: &str) -> String {
    format!("{name}:{}:*", data_encoding::HEXLOWER.encode(&digest(key.as_bytes())))
}

pub(super) fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    // As a secret is exchanged that others read meanwhile: whole, by its name.
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, &file).unwrap();
    file
}

fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request
}

pub(super) async fn status(channel: &Channel, key: &str) -> Result<(), Status> {
    let request = with_key(GetStatusRequest { organisation_id: "cabinet".into() }, key);
    CalendarIntegrationClient::new(channel.clone()).get_status(request).await.map(drop)
}

async fn plain(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// Asks until it is answered as is wanted, which has to be soon.
pub(super) async fn soon<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(NOTICED, asking).await.expect("the change is noticed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_withdrawn_is_refused_soon_and_its_streams_end_and_a_new_one_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "keys", &format!("{}\n{}", entry("old", "one"), entry("other", "two")));
    let settings = with(&settings(), &[("API_KEYS_FILE", file.to_str().unwrap())]);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let channel = plain(process.addresses().0).await;
    status(&channel, "one").await.unwrap();
    let watch = |key| {
        let request = with_key(WatchStatusRequest { organisation_id: "cabinet".into() }, key);
        let mut client = CalendarIntegrationClient::new(channel.clone());
        async move { client.watch_status(request).await.unwrap().into_inner() }
    };
    let (mut withdrawn, mut kept) = (watch("one").await, watch("two").await);
    withdrawn.message().await.unwrap().unwrap();
    kept.message().await.unwrap().unwrap();

    written(folder.path(), "keys", &format!("{}\n{}", entry("new", "three"), entry("other", "two")));
    let refused = soon(async || status(&channel, "one").await.err()).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    // A key is withdrawn before anything else is read; what is new is served once all is.
    soon(async || status(&channel, "three").await.ok()).await;
    let ended = tokio::time::timeout(NOTICED, withdrawn.message()).await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated);

    // A fault leaves everything as it was, and a hangup ends nothing.
    written(folder.path(), "keys", "canary");
    process.signal("HUP");
    let told = process.errors.wait_for("stays as it was");
    assert!(told.contains("API_KEYS is not a list of keys") && !told.contains("canary"), "{told}");
    status(&channel, "three").await.unwrap();
    assert_eq!(status(&channel, "one").await.unwrap_err().code(), Code::Unauthenticated);
    // Nothing has changed for the one who watches: the next word is the drain's.
    let drained = async { kept.message().await.unwrap_err() };
    process.signal("TERM");
    assert_eq!(tokio::time::timeout(NOTICED, drained).await.unwrap().code(), Code::Unavailable);
    assert_eq!(process.ended().0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_exchanged_whatever_else_is_at_fault_and_the_last_one_withdrawn_too() {
    let folder = tempfile::tempdir().unwrap();
    let keys = written(folder.path(), "keys", &format!("{}\n{}", entry("old", "one"), entry("other", "two")));
    let keyring = written(folder.path(), "keyring", &Keyring::generate(&Entropy::system()));
    let files = [("API_KEYS_FILE", keys.to_str().unwrap()), ("ENCRYPTION_KEYS_FILE", keyring.to_str().unwrap())];
    let mut settings = with(&settings(), &files);
    settings.remove("ENCRYPTION_KEYS");
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let channel = plain(process.addresses().0).await;
    status(&channel, "one").await.unwrap();

    written(folder.path(), "keyring", "canary");
    written(folder.path(), "keys", &format!("{}\n{}", entry("new", "three"), entry("other", "two")));
    let refused = soon(async || status(&channel, "one").await.err()).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    status(&channel, "two").await.unwrap();
    soon(async || status(&channel, "three").await.ok()).await;
    process.errors.wait_for("is not of the form");

    written(folder.path(), "keys", "");
    let refused = soon(async || status(&channel, "two").await.err()).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    process.stop();
}

/// An authority, and what it vouches for.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// The certificate of a name, and its key, in PEM.
    fn vouches_for(&self, name: &str) -> [String; 2] {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        [parameters.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem()]
    }

    /// A connection to a server that this authority vouches for, showing a certificate or none.
    pub(super) async fn channel(&self, address: SocketAddr, shown: Option<[String; 2]>) -> Option<Channel> {
        let ca = Certificate::from_pem(self.0.pem());
        let tls = ClientTlsConfig::new().ca_certificate(ca).domain_name("localhost");
        let tls = match shown {
            Some([cert, key]) => tls.identity(Identity::from_pem(cert, key)),
            None => tls,
        };
        let endpoint = Channel::from_shared(format!("https://{address}")).unwrap().tls_config(tls).unwrap();
        endpoint.connect().await.ok()
    }

    /// The settings of a service whose certificate it vouches for.
    pub(super) fn settings(&self, folder: &Path) -> Settings {
        let [cert, key] = self.vouches_for("localhost");
        let [cert, key] = [("cert.pem", cert), ("key.pem", key)].map(|(name, pem)| written(folder, name, &pem));
        with(&settings(), &[("TLS_CERT", cert.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = [Authority::new(), Authority::new()];
    let mut process = Process::start(&["serve"], &before.settings(folder.path()), folder.path());
    let (address, _) = process.addresses();
    let old = before.channel(address, None).await.expect("its authority is known");
    assert!(after.channel(address, None).await.is_none());
    after.settings(folder.path());
    let new = soon(async || after.channel(address, None).await).await;
    for channel in [old, new] {
        HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();
    }
    process.stop();
}

#[test]
fn a_certificate_that_no_caller_takes_is_told_at_the_start_and_when_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let put = |[cert, key]: [String; 2]| {
        [("cert.pem", cert), ("key.pem", key)].map(|(name, pem)| written(folder.path(), name, &pem))
    };
    let [cert, key] = put(certificate(0..1));
    let settings = with(&settings(), &[("TLS_CERT", cert.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())]);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    process.errors.wait_for("TLS_CERT names a certificate that has expired");
    process.addresses();
    put(certificate(36_500..36_501));
    process.signal("HUP");
    process.errors.wait_for("TLS_CERT names a certificate that is not valid yet");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nY2FuYXJ5\n-----END ENCRYPTED PRIVATE KEY-----\n";
    written(folder.path(), "key.pem", encrypted);
    process.signal("HUP");
    process.errors.wait_for("TLS_KEY names a key that is encrypted");
    process.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_for_whom_nobody_vouches_any_more_are_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let (server, before, after) = (Authority::new(), Authority::new(), Authority::new());
    let client_ca = written(folder.path(), "clients.pem", &before.0.pem());
    let (client_ca, keys) = (client_ca.to_str().unwrap(), entry("backend", "one"));
    let settings = with(&server.settings(folder.path()), &[("TLS_CLIENT_CA", client_ca), ("API_KEYS", &*keys)]);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (address, _) = process.addresses();
    let old = server.channel(address, Some(before.vouches_for("cassius.internal"))).await.unwrap();
    status(&old, "one").await.unwrap();
    let watch = with_key(WatchStatusRequest { organisation_id: "cabinet".into() }, "one");
    let mut watched = CalendarIntegrationClient::new(old.clone()).watch_status(watch).await.unwrap().into_inner();
    watched.message().await.unwrap().unwrap();
    written(folder.path(), "clients.pem", &after.0.pem());
    // Its stream is cut once it has had time to end by itself, and it does not come in again.
    tokio::time::timeout(3 * NOTICED, watched.message()).await.expect("it ends soon").unwrap_err();
    assert!(status(&old, "one").await.is_err());
    let new = server.channel(address, Some(after.vouches_for("cassius.internal"))).await.unwrap();
    status(&new, "one").await.unwrap();
    process.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_withdrawn_while_the_command_takes_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let keys = written(folder.path(), "keys", &entry("old", "one"));
    let slow = written(folder.path(), "slow", "");
    let keyring = Keyring::generate(&Entropy::system());
    let command = format!("while [ -s {0} ]; do sleep 0.1; done; printf '%s' '{keyring}'", slow.display());
    let own = [("API_KEYS_FILE", keys.to_str().unwrap()), ("ENCRYPTION_KEYS_COMMAND", &*command)];
    let mut settings = with(&settings(), &own);
    settings.remove("ENCRYPTION_KEYS");
    settings.insert("PATH".into(), std::env::var("PATH").unwrap());
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let channel = plain(process.addresses().0).await;
    status(&channel, "one").await.unwrap();
    written(folder.path(), "slow", "the command waits");
    process.signal("HUP");
    written(folder.path(), "keys", &entry("new", "two"));
    let refused = soon(async || status(&channel, "one").await.err()).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(status(&channel, "two").await.unwrap_err().code(), Code::Unauthenticated, "the reload is not over");
    written(folder.path(), "slow", "");
    soon(async || status(&channel, "two").await.ok()).await;
    process.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_is_read_again_and_an_operator_hears_of_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = || Keyring::generate(&Entropy::system());
    let mut settings = settings();
    let file = written(folder.path(), "keyring", &settings.remove("ENCRYPTION_KEYS").unwrap());
    let settings = with(&settings, &[("ENCRYPTION_KEYS_FILE", file.to_str().unwrap())]);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    process.addresses();
    written(folder.path(), "keyring", &format!("{},{}", keyring(), keyring()));
    process.signal("HUP");
    process.errors.wait_for("were read again");
    process.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_want_a_client_s_certificate_where_its_authority_is_set_and_a_bound_key_its_own_client() {
    let folder = tempfile::tempdir().unwrap();
    let (server, clients) = (Authority::new(), Authority::new());
    let client_ca = written(folder.path(), "clients.pem", &clients.0.pem());
    let bound = entry("backend@cassius.internal", "bound");
    let keys = format!("{bound},{}", entry("free", "free"));
    let tls = [("TLS_CLIENT_CA", client_ca.to_str().unwrap()), ("API_KEYS", &keys)];
    let settings = with(&server.settings(folder.path()), &tls);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (address, _) = process.addresses();

    let bare = server.channel(address, None).await.expect("probes come without a certificate");
    HealthClient::new(bare.clone()).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(status(&bare, "free").await.unwrap_err().code(), Code::Unauthenticated);
    let own = server.channel(address, Some(clients.vouches_for("cassius.internal"))).await.unwrap();
    status(&own, "bound").await.unwrap();
    status(&own, "free").await.unwrap();
    let other = server.channel(address, Some(clients.vouches_for("other.internal"))).await.unwrap();
    status(&other, "free").await.unwrap();
    assert_eq!(status(&other, "bound").await.unwrap_err().code(), Code::Unauthenticated);
    // A client of an authority that nobody has named does not come in.
    if let Some(stranger) = server.channel(address, Some(server.vouches_for("cassius.internal"))).await {
        assert!(status(&stranger, "bound").await.is_err());
    }
    process.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_changes_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "log", "info");
    let settings = with(&settings(), &[("LOG_FILE", file.to_str().unwrap())]);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (address, _) = process.addresses();
    plain(address).await;
    assert!(!process.errors.so_far().iter().any(|line| line.contains("DEBUG")));
    written(folder.path(), "log", "debug");
    process.signal("HUP");
    process.errors.wait_for("were read again");
    status(&plain(address).await, "none").await.unwrap();
    process.errors.wait_for("DEBUG");
    // What holds no directives changes nothing.
    written(folder.path(), "log", "=/=");
    process.signal("HUP");
    process.errors.wait_for("stays as it was");
    process.stop();
}
