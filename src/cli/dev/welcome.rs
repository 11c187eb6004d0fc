//! What `dev` prints: where everything is, and the whole path as lines to paste.
//!
//! Owns these lines. Never prints an API key: a line that needs one says `$KEY`. Invariant: what is pasted again after
//! a second start is a later change.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use cassius_calendar::connection::Status;
use cassius_calendar::model::OrganisationId;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use url::Url;

/// The second calendar of the emulated Google's first account.
const CALENDAR: &str = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";

/// Everything that the lines are made of.
pub(super) struct Welcome<'a> {
    pub(super) organisation: &'a OrganisationId,
    pub(super) status: &'a Status,
    pub(super) connect_url: &'a str,
    pub(super) grpc: SocketAddr,
    /// Whether calls need no key.
    pub(super) is_open: bool,
    pub(super) public_url: &'a Url,
    pub(super) google: &'a str,
    pub(super) folder: &'a Path,
    pub(super) now: Timestamp,
}

impl fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organisation, connect_url, grpc, public_url, google, .. } = self;
        let whose = format!(r#"{{"organisation_id":"{organisation}"}}"#);
        let switch = |is_enabled: bool| {
            format!(
                r#"{{"organisation_id":"{organisation}","settings":{{"is_enabled":{is_enabled}}},"update_mask":{{"paths":["is_enabled"]}}}}"#
            )
        };
        // A second start, and a second paste, is a later change.
        let revision = self.now.as_second();
        let calendar = format!(
            r#"{{"organisation_id":"{organisation}","settings":{{"calendar_id":"{CALENDAR}"}},"update_mask":{{"paths":["calendar_id"]}}}}"#
        );
        let link = format!(r#"{{"organisation_id":"{organisation}","appointment_id":"rdv-1"}}"#);

        writeln!(f, "\ncassius-calendar is serving, with an emulated Google beside it.\n")?;
        writeln!(f, "  gRPC     {grpc}")?;
        writeln!(f, "  sidecar  {public_url} (for the consent's two routes alone)")?;
        writeln!(f, "  Google   {google} (open it to see the calendars)")?;
        writeln!(f, "  state    {} (remove this folder to begin anew)\n", self.folder.display())?;
        match &self.status.google_email {
            Some(email) => writeln!(f, "1. {organisation} is connected as {email}. To connect again, open this link:")?,
            None => writeln!(f, "1. Connect {organisation}: open this link (it serves once) and choose an account.")?,
        }
        writeln!(f, "\n{connect_url}\n")?;
        writeln!(f, "2. Paste these one after the other, and watch Google's page.\n")?;
        self.call(f, "how it stands", "CalendarIntegration/GetStatus", &whose)?;
        self.call(f, "the calendars, and the choice of one", "CalendarIntegration/ListCalendars", &whose)?;
        self.line(f, "CalendarIntegration/UpdateSettings", &calendar)?;
        let (nine, ten) = (self.appointment("rdv-1", revision, 9), self.appointment("rdv-1", revision + 1, 10));
        self.call(f, "an appointment tomorrow at nine, then at ten", "AppointmentSync/SyncAppointment", &nine)?;
        self.line(f, "AppointmentSync/SyncAppointment", &ten)?;
        self.call(f, "how it stands at Google", "AppointmentSync/GetAppointmentLink", &link)?;
        let cancelled = format!(
            r#"{{"organisation_id":"{organisation}","wait":"5s","appointment":{{"appointment_id":"rdv-1","revision":{},"state":"APPOINTMENT_STATE_CANCELLED"}}}}"#,
            revision + 2
        );
        self.call(f, "called off", "AppointmentSync/SyncAppointment", &cancelled)?;
        self.call(
            f,
            "switched off, one more, on again, caught up",
            "CalendarIntegration/UpdateSettings",
            &switch(false),
        )?;
        self.line(f, "AppointmentSync/SyncAppointment", &self.appointment("rdv-2", revision, 11))?;
        self.line(f, "CalendarIntegration/UpdateSettings", &switch(true))?;
        self.line(f, "CalendarIntegration/SyncNow", &whose)?;
        self.call(f, "all that stands in error, again", "AppointmentSync/RetryAppointments", &whose)?;
        self.call(f, "disconnected; and a new consent", "CalendarIntegration/Disconnect", &whose)?;
        self.line(f, "CalendarIntegration/BeginConnect", &whose)?;
        writeln!(f, "\nCtrl-C ends it; the next start finds everything as it was left.\n")
    }
}

impl Welcome<'_> {
    /// A line under a word on what it does.
    fn call(&self, f: &mut fmt::Formatter<'_>, what: &str, method: &str, body: &str) -> fmt::Result {
        writeln!(f, "# {what}")?;
        self.line(f, method, body)
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, method: &str, body: &str) -> fmt::Result {
        let key = if self.is_open { "" } else { "-H \"authorization: Bearer $KEY\" " };
        writeln!(f, "grpcurl -plaintext {key}-d '{body}' {} cassius.calendar.v1.{method}", self.grpc)
    }

    /// Half an hour of tomorrow, in Paris.
    fn appointment(&self, id: &str, revision: i64, hour: i8) -> String {
        let paris = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
        let today = self.now.to_zoned(paris.clone()).date();
        let starts_at = today.tomorrow().unwrap_or(today).at(hour, 0, 0, 0).to_zoned(paris);
        let starts_at = starts_at.map_or(self.now, |zoned| zoned.timestamp());
        let ends_at = starts_at + 30.minutes();
        format!(
            r#"{{"organisation_id":"{}","wait":"5s","appointment":{{"appointment_id":"{id}","revision":{revision},"state":"APPOINTMENT_STATE_SCHEDULED","type":"Implant","patient_name":"Camille Exemple","start_time":"{starts_at}","end_time":"{ends_at}","time_zone":"Europe/Paris"}}}}"#,
            self.organisation
        )
    }
}
