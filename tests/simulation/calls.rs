//! The calls of Cassius and of browsers, each begun without waiting for its answer.

use axum::body::Body;
use cassius_calendar::grpc::pb::replace_appointments_request::Part;
use cassius_calendar::grpc::pb::{
    AccountSearch, Appointment, AppointmentState, BeginConnectRequest, ConfirmAccountRequest, DisconnectRequest,
    EraseAppointmentsRequest, GetStatusRequest, IntegrationSettings, IntegrationState, RemoteEvents,
    ReplaceAppointmentsRequest, ReplacementEnd, RetryAppointmentsRequest, SyncAppointmentRequest, SyncNowRequest,
    UpdateSettingsRequest,
};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tower::ServiceExt;

use super::google::last_call;
use super::life::Integrations;
use super::model::{Version, appointment_id};
use super::operation::{ORGANISATIONS, Operation, Then};
use super::world::{Answer, Consent, World};

impl World {
    pub(super) fn sync(
        &mut self,
        organisation: usize,
        appointment: u64,
        is_scheduled: bool,
        starts_in_hours: i64,
        age: i64,
    ) {
        let now = self.clock.now();
        let practice = &mut self.model.0[organisation];
        // Whoever sends all of it sends nothing beside.
        if practice.is_replaced {
            return;
        }
        practice.sending += 1;
        let wish = practice.appointments.entry(appointment).or_default();
        // Of what was erased an older revision is as good as a newer one, and would be written after it.
        let age = if wish.erasures > 0 { 0 } else { age };
        let erasures = wish.send();
        let revision = (wish.newest() + 1 - 2 * age).max(1);
        let start_at = now + SignedDuration::from_hours(starts_in_hours);
        let version = Version { is_scheduled, start_at, end_at: start_at + SignedDuration::from_mins(30) };
        // A revision names one state, however often it is sent.
        let version = *wish.versions.entry(revision).or_insert(version);
        let request = SyncAppointmentRequest {
            organisation_id: ORGANISATIONS[organisation].into(),
            appointment: Some(sent(appointment, revision, version)),
            wait: None,
        };
        let mut client = self.life().appointments.clone();
        let label = format!("{} rdv-{appointment} r{revision}", ORGANISATIONS[organisation]);
        self.call(label, async move {
            let outcome = client.sync_appointment(request).await.map(drop).map_err(|status| failure(&status));
            Answer::Sent { organisation, appointment, revision, erasures, outcome }
        });
    }

    /// Nothing is erased while something is being sent: nobody could say which of the two comes first.
    pub(super) fn erase(&mut self, organisation: usize, appointment: u64) {
        let practice = &mut self.model.0[organisation];
        if practice.sending > 0 || practice.is_replaced {
            return;
        }
        let is_connected = self.status(organisation).state() == IntegrationState::Connected;
        let practice = &mut self.model.0[organisation];
        let Some(wish) = practice.appointments.get_mut(&appointment) else { return };
        let sent = wish.erase(is_connected);
        let request = EraseAppointmentsRequest {
            organisation_id: ORGANISATIONS[organisation].into(),
            appointment_ids: vec![appointment_id(appointment)],
        };
        let mut client = self.life().appointments.clone();
        self.call(format!("erasure of {} rdv-{appointment}", ORGANISATIONS[organisation]), async move {
            let outcome = match client.erase_appointments(request).await.map(tonic::Response::into_inner) {
                Ok(answer) if answer.is_done => Ok("erased".to_owned()),
                Ok(answer) => Ok(format!("erased here, {} remain", answer.remaining_event_count)),
                Err(status) => Err(failure(&status)),
            };
            Answer::Erased { organisation, appointment, sent, outcome }
        });
    }

    pub(super) fn replace(&mut self, organisation: usize, without: u64) {
        let now = self.clock.now();
        let practice = &self.model.0[organisation];
        if practice.sending > 0 || practice.is_replaced || practice.appointments.is_empty() {
            return;
        }
        let is_connected = self.status(organisation).state() == IntegrationState::Connected;
        let practice = &mut self.model.0[organisation];
        practice.is_replaced = true;
        // What is accepted at this very moment counts as accepted since.
        let is_before = practice.is_accepted_before(now);
        let request =
            |part| ReplaceAppointmentsRequest { organisation_id: ORGANISATIONS[organisation].into(), part: Some(part) };
        let (mut rows, mut requests, mut erased) = (Vec::new(), Vec::new(), None);
        for (number, wish) in &mut practice.appointments {
            if *number == without {
                let sent = wish.erase(is_connected);
                erased = Some((without, is_before.then_some(sent)));
                continue;
            }
            let revision = wish.newest();
            rows.push((*number, revision, wish.send()));
            requests.push(request(Part::Appointment(sent(*number, revision, wish.versions[&revision]))));
        }
        let appointment_count = i32::try_from(rows.len()).unwrap();
        requests.push(request(Part::End(ReplacementEnd { appointment_count })));
        let mut client = self.life().appointments.clone();
        self.call(format!("replacement of {}", ORGANISATIONS[organisation]), async move {
            let answer = client.replace_appointments(tokio_stream::iter(requests)).await;
            let outcome = answer.map(drop).map_err(|status| failure(&status));
            Answer::Replaced { organisation, rows, without: erased, outcome }
        });
    }

    pub(super) fn begin_consent(&mut self, organisation: usize, account: &'static str) {
        let practice = &mut self.model.0[organisation];
        practice.accounts.insert(account);
        practice.consent_begins(self.google.last_call());
        let (client, sidecar) = (self.life().integrations.clone(), self.life().sidecar.clone());
        self.call(format!("consent of {}", ORGANISATIONS[organisation]), async move {
            match go_to_google(client, sidecar, organisation).await {
                Ok((cookies, page)) => Answer::Consent(Consent { organisation, account, cookies, page }),
                Err(told) => Answer::Told(told),
            }
        });
    }

    pub(super) fn finish_all_consents(&mut self) {
        while !self.consents.is_empty() {
            self.carry_out(&Operation::FinishConsent { confirms: true }, Then::Settle);
        }
    }

    pub(super) fn finish_consent(&mut self, confirms: bool) {
        if self.consents.is_empty() {
            return;
        }
        let Consent { organisation, account, cookies, page } = self.consents.remove(0);
        let callback = self.google.consent(&page, account);
        let (sidecar, mut client) = (self.life().sidecar.clone(), self.life().integrations.clone());
        self.call(format!("callback of {}", ORGANISATIONS[organisation]), async move {
            let mut told = come_back(sidecar, &cookies, &callback).await;
            if confirms && told.contains("other_account") {
                let organisation_id = ORGANISATIONS[organisation].into();
                let confirmed = client.confirm_account(ConfirmAccountRequest { organisation_id, accept: true }).await;
                told = format!("{told}, confirmed: {}", outcome(confirmed));
            }
            Answer::Told(told)
        });
    }

    pub(super) fn disconnect(&mut self, organisation: usize, remote_events: RemoteEvents) {
        let request = DisconnectRequest {
            organisation_id: ORGANISATIONS[organisation].into(),
            remote_events: remote_events.into(),
        };
        let (mut client, door) = (self.life().integrations.clone(), self.google.door());
        let practice = &self.model.0[organisation];
        let before = (practice.consents, practice.touches);
        let status = GetStatusRequest { organisation_id: ORGANISATIONS[organisation].into() };
        self.call(format!("disconnect of {}", ORGANISATIONS[organisation]), async move {
            let stood = client.get_status(status).await.ok().and_then(|answer| answer.into_inner().status);
            let deletes = stood.is_some_and(|status| status.state() != IntegrationState::NotConnected)
                && remote_events != RemoteEvents::Keep;
            match client.disconnect(request).await {
                Ok(answer) => {
                    let answer = answer.into_inner();
                    let is_searched = answer.search() == AccountSearch::Whole;
                    if answer.status.unwrap().state() != IntegrationState::NotConnected {
                        return Answer::Told("goes on".to_owned());
                    }
                    let remaining = answer.remaining_event_count;
                    let last_call = last_call(door).await;
                    Answer::Disconnected {
                        organisation,
                        before,
                        is_clean: deletes && is_searched && remaining == 0,
                        remaining,
                        last_call,
                    }
                }
                Err(status) => Answer::Told(failure(&status)),
            }
        });
    }

    pub(super) fn confirm(&mut self, organisation: usize, accept: bool) {
        self.model.0[organisation].consent_begins(self.google.last_call());
        let request = ConfirmAccountRequest { organisation_id: ORGANISATIONS[organisation].into(), accept };
        let mut client = self.life().integrations.clone();
        self.call(format!("answer of {}", ORGANISATIONS[organisation]), async move {
            Answer::Told(outcome(client.confirm_account(request).await))
        });
    }

    pub(super) fn change_settings(&mut self, organisation: usize, field: &str, settings: IntegrationSettings) {
        let request = UpdateSettingsRequest {
            organisation_id: ORGANISATIONS[organisation].into(),
            settings: Some(settings),
            update_mask: Some(prost_types::FieldMask { paths: vec![field.into()] }),
        };
        let mut client = self.life().integrations.clone();
        self.call(format!("settings of {}", ORGANISATIONS[organisation]), async move {
            Answer::Told(outcome(client.update_settings(request).await))
        });
    }

    pub(super) fn sync_now(&mut self, organisation: usize) {
        let request =
            SyncNowRequest { organisation_id: ORGANISATIONS[organisation].into(), ..SyncNowRequest::default() };
        let mut client = self.life().integrations.clone();
        self.call(format!("catch-up of {}", ORGANISATIONS[organisation]), async move {
            match client.sync_now(request).await {
                Ok(answer) => Answer::Told(format!("{} queued", answer.into_inner().queued_count)),
                Err(status) => Answer::Told(failure(&status)),
            }
        });
    }

    pub(super) fn retry(&mut self, organisation: usize) {
        let request =
            RetryAppointmentsRequest { organisation_id: ORGANISATIONS[organisation].into(), ..Default::default() };
        let mut client = self.life().appointments.clone();
        self.call(format!("retry of {}", ORGANISATIONS[organisation]), async move {
            Answer::Told(outcome(client.retry_appointments(request).await))
        });
    }
}

/// The appointment as it is sent. Its place tells the revision, whatever a title may show.
fn sent(appointment: u64, revision: i64, version: Version) -> Appointment {
    let state = if version.is_scheduled { AppointmentState::Scheduled } else { AppointmentState::Cancelled };
    Appointment {
        appointment_id: appointment_id(appointment),
        revision,
        state: state.into(),
        r#type: "Implant".into(),
        patient_name: "Camille Exemple".into(),
        practitioner_name: "Dr Alex Modèle".into(),
        location: place(revision),
        start_time: Some(instant(version.start_at)),
        end_time: Some(instant(version.end_at)),
        time_zone: "Europe/Paris".into(),
        url: String::new(),
    }
}

/// What the event of a revision shows as its place.
pub(super) fn place(revision: i64) -> String {
    format!("salle {revision}")
}

fn instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: 0 }
}

fn failure(status: &tonic::Status) -> String {
    let reason = tonic_types::StatusExt::get_details_error_info(status).map(|error| error.reason).unwrap_or_default();
    format!("{:?} {reason}", status.code())
}

fn outcome<T>(answer: Result<T, tonic::Status>) -> String {
    answer.map_or_else(|status| failure(&status), |_| "done".to_owned())
}

async fn go_to_google(
    mut client: Integrations,
    sidecar: axum::Router,
    organisation: usize,
) -> Result<(String, String), String> {
    let request = BeginConnectRequest {
        organisation_id: ORGANISATIONS[organisation].into(),
        return_url: "http://127.0.0.1:3000/settings".into(),
        ..Default::default()
    };
    let begun = client.begin_connect(request).await.map_err(|status| failure(&status))?.into_inner();
    let cookie = begun.connect_cookie.unwrap();
    let ticket = format!("{}={}", cookie.name, cookie.value);
    let answer = visit(sidecar, &ticket, &begun.connect_url).await;
    let page = location(&answer)?;
    // A browser keeps what it is known by.
    let set = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let kept = set.map(|cookie| cookie.split(';').next().unwrap_or_default());
    Ok((std::iter::once(ticket.as_str()).chain(kept).collect::<Vec<_>>().join("; "), page))
}

/// The word that the browser brings back to Cassius.
async fn come_back(sidecar: axum::Router, cookies: &str, callback: &str) -> String {
    match location(&visit(sidecar, cookies, callback).await) {
        Ok(back) => back.rsplit("google=").next().unwrap_or_default().to_owned(),
        Err(told) => told,
    }
}

/// What the sidecar answers to a browser.
async fn visit(sidecar: axum::Router, cookies: &str, url: &str) -> Response<Body> {
    let path = url::Url::parse(url).unwrap();
    let request = Request::get(&path[url::Position::BeforePath..]).header("cookie", cookies).body(Body::empty());
    let Ok(answer) = sidecar.oneshot(request.unwrap()).await;
    answer
}

/// Where a page of the sidecar sends the browser.
fn location(answer: &Response<Body>) -> Result<String, String> {
    let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    location.ok_or_else(|| format!("a page with {}", answer.status()))
}
