//! What holds at rest, whatever happened before: one function for each promise.

use std::collections::{BTreeMap, BTreeSet};

use cassius_calendar::grpc::pb::{
    AppointmentLink, GetAppointmentLinkRequest, IntegrationState, IntegrationStatus, SyncStatus, TitlePrivacy,
};
use cassius_calendar::model::{AccountSearch, AppointmentId, OrganisationId};
use serde_json::Value;

use super::calls::place;
use super::google::Seen;
use super::model::{Version, Wish, appointment_id};
use super::operation::{ACCOUNTS, ORGANISATIONS};
use super::world::World;

/// The most calls for one event, and of one kind, at one instant.
const MOST_AT_ONCE: usize = 40;

impl World {
    /// Everything that does not hold.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let journal = self.google.journal();
        let owners = owners(&journal);
        for organisation in 0..ORGANISATIONS.len() {
            let status = self.status(organisation);
            self.is_well_or_says_why(organisation, &status, &mut found);
            self.every_appointment_is_right(organisation, &status, &mut found);
            self.what_was_to_be_deleted_is_gone(organisation, &mut found);
            self.what_was_erased_is_gone(organisation, &status, &mut found);
            self.nothing_is_written_after_a_disconnect(organisation, &journal, &owners, &mut found);
            self.no_foreign_account_is_used(organisation, &journal, &owners, &mut found);
        }
        self.no_two_calls_at_a_time(&mut found);
        self.foreign_events_are_untouched(&mut found);
        no_older_revision_lands_after_a_newer_one(&journal, &mut found);
        calls_are_bounded(&journal, &mut found);
        found
    }

    fn is_well_or_says_why(&self, organisation: usize, status: &IntegrationStatus, found: &mut Vec<String>) {
        let name = ORGANISATIONS[organisation];
        let stored = self.life().run(async {
            let name = OrganisationId::parse(name).unwrap();
            self.life().store.integration(&name).await.unwrap()
        });
        let has_tokens = stored.is_some_and(|stored| stored.refresh_token.is_some() || stored.access_token.is_some());
        if status.state() == IntegrationState::NotConnected && has_tokens {
            found.push(format!("{name} is not connected and holds tokens"));
        }
        if self.model.0[organisation].is_disconnected() && status.state() != IntegrationState::NotConnected {
            found.push(format!("{name} was disconnected and is {:?}", status.state()));
        }
        // A practice that is off is not served, and keeps its problem.
        if let Some(problem) = status.problem.as_ref().filter(|_| status.is_enabled) {
            found.push(format!("{name} has a problem though all is well: {:?}", problem.reason()));
        }
    }

    fn every_appointment_is_right(&self, organisation: usize, status: &IntegrationStatus, found: &mut Vec<String>) {
        let name = ORGANISATIONS[organisation];
        for (number, wish) in &self.model.0[organisation].appointments {
            let Some(link) = self.link(organisation, *number) else {
                if wish.accepted > 0 {
                    found.push(format!("{name} rdv-{number} was accepted and is unknown"));
                }
                continue;
            };
            if link.revision < wish.accepted {
                found.push(format!("{name} rdv-{number}: r{} was accepted, r{} is held", wish.accepted, link.revision));
            }
            if status.state() != IntegrationState::Connected {
                continue;
            }
            let mut live = self.live_events(&status.google_email, name, &appointment_id(*number));
            // What a person took out of the bin and is over by then is looked for by nobody.
            live.retain(|event| wish.touched_up_to == 0 || !event.is_over(self.clock.now()));
            // While nothing is sent, what a person moved or took out of the bin stays as it is.
            let is_left = !status.is_enabled && wish.touched_up_to > 0;
            if live.len() > 1 && !is_left {
                found.push(format!("{name} rdv-{number} has {} live events: {live:?}", live.len()));
            }
            if status.is_enabled {
                self.is_in_step(organisation, *number, wish, &link, &live, found);
            }
        }
    }

    fn is_in_step(
        &self,
        organisation: usize,
        number: u64,
        wish: &Wish,
        link: &AppointmentLink,
        live: &[Seen],
        found: &mut Vec<String>,
    ) {
        let what = format!("{} rdv-{number} r{}", ORGANISATIONS[organisation], link.revision);
        let version = wish.versions[&link.revision];
        let is_over = version.end_at <= self.clock.now();
        let is_touched = link.synced_revision <= wish.touched_up_to;
        match link.sync_status() {
            // An account took over, and what is over and swept is not written anew.
            SyncStatus::Synced if is_over && (is_touched || link.synced_revision == 0) => {}
            SyncStatus::Synced if link.synced_revision != link.revision => {
                found.push(format!("{what} is synced, and shows r{}", link.synced_revision));
            }
            SyncStatus::Synced => {
                shows(&what, version, &self.places(organisation, link, is_over), live, is_over, found)
            }
            SyncStatus::None if is_over => {}
            // Called off and nothing to show: whatever stood is gone, but for what a person took out of the bin.
            SyncStatus::None if !version.is_scheduled && (live.is_empty() || wish.touched_up_to > 0) => {}
            status => found.push(format!("{what} is {status:?} at rest: {:?}", link.last_error)),
        }
    }

    /// What the event may show as its place: nothing where all is masked. What is over is not written anew for a level that
    /// tells more, nor once its snapshot is swept.
    fn places(&self, organisation: usize, link: &AppointmentLink, is_over: bool) -> Vec<String> {
        let (shown, hidden) = (place(link.revision), String::new());
        match self.status(organisation).title_privacy() {
            _ if is_over => vec![shown, hidden],
            TitlePrivacy::Masked => vec![hidden],
            _ => vec![shown],
        }
    }

    /// A disconnect that deleted, told of no rest and searched the whole account has left no upcoming event, wherever a
    /// person moved it before. Accounts of before are another matter; so is a calendar that could not be written to.
    fn what_was_to_be_deleted_is_gone(&self, organisation: usize, found: &mut Vec<String>) {
        let practice = &self.model.0[organisation];
        let Some(account) = practice.accounts.first().filter(|_| practice.is_clean && practice.accounts.len() == 1)
        else {
            return;
        };
        for (number, wish) in &practice.appointments {
            // Nobody compares what is over: a person who gave its event a time to come has the last word.
            let mut known = wish.versions.range(..=wish.left_with);
            let is_theirs = wish.touched_up_to > 0
                && known.next_back().is_some_and(|(_, latest)| latest.end_at <= self.clock.now());
            for event in self.live_events(account, ORGANISATIONS[organisation], &appointment_id(*number)) {
                let is_upcoming = event.end.parse::<jiff::Timestamp>().is_ok_and(|end_at| end_at > self.clock.now());
                if is_upcoming && !is_theirs && !self.is_out_of_reach(&event) {
                    found.push(format!("{} was to be deleted, and stands: {event:?}", ORGANISATIONS[organisation]));
                }
            }
        }
    }

    /// What was erased is known no more, and no event of it stands anywhere unless that is told as unfinished, or that the
    /// account was searched in part. Where one account alone was ever connected, and still is, it is finished. What a person
    /// moved is found in that account alone.
    fn what_was_erased_is_gone(&self, organisation: usize, status: &IntegrationStatus, found: &mut Vec<String>) {
        let (name, practice) = (ORGANISATIONS[organisation], &self.model.0[organisation]);
        let is_served = status.state() == IntegrationState::Connected && status.is_enabled;
        let is_one = practice.accounts.len() == 1;
        for (number, wish) in practice.appointments.iter().filter(|(_, wish)| wish.is_erased) {
            let id = appointment_id(*number);
            if self.link(organisation, *number).is_some() {
                found.push(format!("{name} {id} was erased, and is known"));
            }
            let (is_finished, is_searched) = self.life().run(async {
                let (name, id) = (OrganisationId::parse(name).unwrap(), AppointmentId::parse(&id).unwrap());
                let left = self.life().store.erasure_left(&name, Some(&[id])).await.unwrap();
                let integration = self.life().store.integration(&name).await.unwrap();
                (left.is_none(), integration.is_some_and(|it| it.last_search == Some(AccountSearch::Whole)))
            });
            let mut live: Vec<_> =
                practice.accounts.iter().flat_map(|account| self.live_events(account, name, &id)).collect();
            let is_findable = is_one && is_searched && !wish.is_unfindable;
            live.retain(|event| wish.touched_up_to == 0 || (is_findable && !self.is_out_of_reach(event)));
            if is_finished && !live.is_empty() {
                found.push(format!("{name} {id} was erased, and stands: {live:?}"));
            }
            if !is_finished && is_served && is_one {
                found.push(format!("the erasure of {name} {id} never ends"));
            }
        }
    }

    /// Whether a person put it where it could not be found at one time or another.
    fn is_out_of_reach(&self, event: &Seen) -> bool {
        self.moved.contains(&event.id) && self.out_of_reach.contains(&*event.calendar)
    }

    /// The live events of an appointment in the calendars that an account may write to.
    fn live_events(&self, account: &str, organisation: &str, appointment: &str) -> Vec<Seen> {
        let writable = self.google.writable_calendars(account);
        let mut events = self.google.live_events(account);
        events.retain(|event| {
            writable.contains(&event.calendar)
                && event.organisation.as_deref() == Some(organisation)
                && event.appointment.as_deref() == Some(appointment)
        });
        events
    }

    fn link(&self, organisation: usize, number: u64) -> Option<AppointmentLink> {
        let request = GetAppointmentLinkRequest {
            organisation_id: ORGANISATIONS[organisation].into(),
            appointment_id: appointment_id(number),
        };
        let mut client = self.life().appointments.clone();
        self.life().run(client.get_appointment_link(request)).ok().and_then(|answer| answer.into_inner().link)
    }

    fn nothing_is_written_after_a_disconnect(
        &self,
        organisation: usize,
        journal: &[Value],
        owners: &BTreeMap<String, String>,
        found: &mut Vec<String>,
    ) {
        for (from, to) in &self.model.0[organisation].silences {
            for call in writes_of(ORGANISATIONS[organisation], journal, owners) {
                let sequence = call["sequence"].as_u64().unwrap();
                if sequence > *from && to.is_none_or(|to| sequence <= to) {
                    found.push(format!("{} was disconnected, then: {}", ORGANISATIONS[organisation], brief(call)));
                }
            }
        }
    }

    fn no_foreign_account_is_used(
        &self,
        organisation: usize,
        journal: &[Value],
        owners: &BTreeMap<String, String>,
        found: &mut Vec<String>,
    ) {
        for call in writes_of(ORGANISATIONS[organisation], journal, owners) {
            let Some(account) = call["account"].as_str() else { continue };
            if !self.model.0[organisation].accounts.contains(account) {
                found.push(format!("{} uses another's account: {}", ORGANISATIONS[organisation], brief(call)));
            }
        }
    }

    fn no_two_calls_at_a_time(&self, found: &mut Vec<String>) {
        let events: BTreeSet<_> = self.google.overlapping_calls().into_iter().collect();
        found.extend(events.iter().map(|event| format!("two calls at a time for {event}")));
    }

    fn foreign_events_are_untouched(&self, found: &mut Vec<String>) {
        let now = ACCOUNTS.map(|account| self.google.foreign_events(account));
        if now != self.foreign_events {
            found.push(format!("events of others were {:?} and are {now:?}", self.foreign_events));
        }
    }
}

fn shows(what: &str, version: Version, places: &[String], live: &[Seen], is_over: bool, found: &mut Vec<String>) {
    match live {
        [] if !version.is_scheduled || is_over => {}
        [] => found.push(format!("{what} is synced, and no event stands")),
        [event, ..] if !version.is_scheduled && !is_over => {
            found.push(format!("{what} is cancelled, and stands: {event:?}"))
        }
        [event, ..] if version.is_scheduled => {
            if !places.contains(&event.place) {
                found.push(format!("{what} shows {:?}", event.place));
            }
            if event.start.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
                != Some(version.start_at.as_second())
            {
                found.push(format!("{what} begins at {} and shows {}", version.start_at, event.start));
            }
        }
        [..] => {}
    }
}

/// Whose each event is, by the inserts.
fn owners(journal: &[Value]) -> BTreeMap<String, String> {
    let inserts = journal.iter().filter(|call| call["operation"] == "events.insert");
    let owner = |call: &Value| {
        let organisation = call["body"]["extendedProperties"]["private"]["cassiusOrganisationId"].as_str()?;
        Some((call["event_id"].as_str()?.to_owned(), organisation.to_owned()))
    };
    inserts.filter_map(owner).collect()
}

fn writes_of<'a>(
    organisation: &'a str,
    journal: &'a [Value],
    owners: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a Value> {
    const WRITES: [&str; 4] = ["events.insert", "events.patch", "events.delete", "events.move"];
    journal.iter().filter(move |call| {
        let event = call["event_id"].as_str().unwrap_or_default();
        WRITES.contains(&call["operation"].as_str().unwrap())
            && owners.get(event).is_some_and(|owner| owner == organisation)
    })
}

/// A call in a line of the trace.
pub(super) fn brief(call: &Value) -> String {
    let text = |name: &str| call[name].as_str().unwrap_or("-").to_owned();
    let event = text("event_id");
    format!(
        "#{} {} {} {}…{} {} {} {}",
        call["sequence"],
        text("operation"),
        text("account"),
        event.get(..8).unwrap_or("-"),
        if call["carried_out"] == true { " carried out" } else { "" },
        call["status"],
        text("reason"),
        text("fault"),
    )
}

fn no_older_revision_lands_after_a_newer_one(journal: &[Value], found: &mut Vec<String>) {
    let mut newest: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for call in journal.iter().filter(|call| call["carried_out"] == true) {
        let private = &call["body"]["extendedProperties"]["private"];
        let text = |name: &str| private[name].as_str();
        let (Some(organisation), Some(appointment)) = (text("cassiusOrganisationId"), text("cassiusAppointmentId"))
        else {
            continue;
        };
        let revision = text("cassiusRevision").and_then(|revision| revision.parse().ok()).unwrap_or(0);
        let newest = newest.entry((organisation, appointment)).or_default();
        if revision < *newest {
            found.push(format!("r{revision} of {organisation} {appointment} lands after r{newest}: {}", brief(call)));
        }
        *newest = revision.max(*newest);
    }
}

/// Nothing is asked again and again without time passing.
fn calls_are_bounded(journal: &[Value], found: &mut Vec<String>) {
    let mut calls: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for call in journal.iter().filter(|call| !call["event_id"].is_null()) {
        let key = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        *calls.entry((key("event_id"), key("operation"), key("started_at"))).or_default() += 1;
    }
    let many = calls.into_iter().filter(|(_, count)| *count > MOST_AT_ONCE);
    found.extend(
        many.map(|((event, operation, at), count)| format!("{count} calls of {operation} for {event} at {at}")),
    );
}
