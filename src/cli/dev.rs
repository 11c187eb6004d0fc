//! `dev`: the whole service on loopback with nothing to configure, and an emulated Google beside it.
//!
//! What it makes up (keys, the database, Google's accounts) stays in a folder of its own, so that a second start finds
//! the state of the first. What the environment says wins, but for Google's addresses.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cassius_calendar::app;
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::Mode;
use cassius_calendar::crypto::Keyring;
use cassius_calendar::emulator;
use cassius_calendar::model::OrganisationId;
use clap::Args;

use super::{asked_to_stop, environment, load, logs};

const SAMPLE: &str = "cabinet-exemple";

/// What `dev` is told.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where the state is kept.
    #[arg(long, value_name = "FOLDER", default_value = ".cassius-calendar-dev")]
    folder: PathBuf,
    /// Where the emulated Google listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    emulator_addr: SocketAddr,
}

impl Dev {
    /// Serves until Ctrl-C.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("the folder {} cannot be made", self.folder.display()))?;
        let (clock, entropy) = (Clock::system(), Entropy::system());
        let keys = keys(&self.folder, &entropy)?;
        let options = emulator::Options {
            listen: self.emulator_addr,
            state_file: Some(self.folder.join("google.json")),
            ..emulator::Options::loopback(clock.clone(), entropy.clone())
        };
        let (client_id, client_secret) = (options.client_id.clone(), options.client_secret.clone());
        let google = emulator::start(options).await?;
        let base = google.base_url();
        let database = format!("sqlite:{}", self.folder.join("cassius-calendar.db").display());
        let source = |name: &str| -> Option<OsString> {
            let made_up = match name {
                "GOOGLE_CLIENT_ID" => client_id.clone(),
                "GOOGLE_CLIENT_SECRET" => client_secret.clone(),
                "GOOGLE_AUTH_URL" => format!("{base}/o/oauth2/v2/auth"),
                "GOOGLE_TOKEN_URL" => format!("{base}/token"),
                "GOOGLE_REVOKE_URL" => format!("{base}/revoke"),
                "GOOGLE_CALENDAR_URL" => format!("{base}/calendar/v3"),
                "GOOGLE_ISSUER" => base.clone(),
                name => {
                    let given = environment(name);
                    let is_given_as_file = environment(&format!("{name}_FILE")).is_some();
                    return given.or_else(|| match name {
                        _ if is_given_as_file => None,
                        "DATABASE_URL" => Some(database.clone().into()),
                        "ENCRYPTION_KEYS" => Some(keys.clone().into()),
                        "CASSIUS_APP_URL" => Some("http://127.0.0.1:3000".into()),
                        _ => None,
                    });
                }
            };
            Some(made_up.into())
        };
        let config = load(&source, Mode::Dev)?;
        logs::start(&config.log)?;
        let (public_url, is_open) = (config.public_url.clone(), config.api_keys.is_empty());
        let app = app::start(config, clock, entropy).await?;
        let sample = OrganisationId::parse(SAMPLE).expect("the sample's id is well formed");
        let begun = app.connections.begin(&sample, None).await.context("the sample consent could not be begun")?;
        print!("{}", welcome(&base, &public_url, &app.grpc_address, &begun.connect_url, is_open, &self.folder));
        asked_to_stop().await?;
        app.stop().await;
        google.shutdown().await;
        Ok(())
    }
}

/// The keys of this folder; made at the first start.
fn keys(folder: &Path, entropy: &Entropy) -> anyhow::Result<String> {
    let file = folder.join("encryption-keys");
    if let Ok(keys) = std::fs::read_to_string(&file) {
        return Ok(keys.trim().to_owned());
    }
    let keys = Keyring::generate(entropy);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&file).with_context(|| format!("{} cannot be written", file.display()))?;
    std::io::Write::write_all(&mut open, keys.as_bytes())?;
    Ok(keys)
}

/// What a person needs for the whole path, ready to paste.
fn welcome(
    google: &str,
    public_url: &url::Url,
    grpc: &SocketAddr,
    connect_url: &str,
    is_open: bool,
    folder: &Path,
) -> String {
    let key = if is_open { "" } else { "-H \"authorization: Bearer $KEY\" " };
    let call = |method: &str, body: &str| {
        format!("  grpcurl -plaintext {key}-d '{body}' {grpc} cassius.calendar.v1.{method}\n")
    };
    let organisation = format!(r#""organisation_id":"{SAMPLE}""#);
    let appointment = |revision: u32, state: &str, start: &str, end: &str| {
        format!(
            r#"{{{organisation},"wait":"5s","appointment":{{"appointment_id":"rdv-1","revision":{revision},"state":"APPOINTMENT_STATE_{state}","type":"Implant","patient_name":"Camille Exemple","practitioner_name":"Dr Alex Modèle","location":"Cabinet, salle 2","start_time":"{start}","end_time":"{end}","time_zone":"Europe/Paris"}}}}"#
        )
    };
    let (nine, ten, eleven) = ("2030-03-04T08:00:00Z", "2030-03-04T09:00:00Z", "2030-03-04T10:00:00Z");
    let lines = [
        format!(
            "\n  gRPC      {grpc}\n  sidecar   {public_url}\n  Google    {google}  (emulated; its calendars are a page there)\n"
        ),
        format!("  state     {}  (remove the folder to begin anew)\n", folder.display()),
        format!("\n1. Connect the sample organisation: open this once, choose an account\n  {connect_url}\n"),
        "   or begin another consent\n".to_owned(),
        call("CalendarIntegration/BeginConnect", &format!("{{{organisation}}}")),
        "\n2. See how it stands, and choose a calendar\n".to_owned(),
        call("CalendarIntegration/GetStatus", &format!("{{{organisation}}}")),
        call("CalendarIntegration/ListCalendars", &format!("{{{organisation}}}")),
        call(
            "CalendarIntegration/UpdateSettings",
            &format!(
                r#"{{{organisation},"settings":{{"title_privacy":"TITLE_PRIVACY_INITIALS"}},"update_mask":"titlePrivacy"}}"#
            ),
        ),
        "\n3. Create, edit and cancel an appointment\n".to_owned(),
        call("AppointmentSync/SyncAppointment", &appointment(1, "SCHEDULED", nine, ten)),
        call("AppointmentSync/SyncAppointment", &appointment(2, "SCHEDULED", ten, eleven)),
        call("AppointmentSync/GetAppointmentLink", &format!(r#"{{{organisation},"appointment_id":"rdv-1"}}"#)),
        call("AppointmentSync/SyncAppointment", &appointment(3, "CANCELLED", ten, eleven)),
        "\n4. Catch up, retry, disconnect\n".to_owned(),
        call("CalendarIntegration/SyncNow", &format!("{{{organisation}}}")),
        call("AppointmentSync/RetryAppointments", &format!("{{{organisation}}}")),
        call("CalendarIntegration/Disconnect", &format!("{{{organisation}}}")),
        "\nCtrl-C ends it.\n\n".to_owned(),
    ];
    lines.concat()
}
