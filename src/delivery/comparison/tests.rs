use super::findings::{Finding, Listed, RemoteState, compare};
use super::*;
use crate::crypto::Sealed;
use crate::model::{AppointmentId, Etag, EventId, Generation, Place, Placement, Revision, SyncStatus};
use crate::store::{ChangeWindow, ComparedLink, Silence};
use crate::sync::{Event, Shown};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn appointment() -> AppointmentId {
    AppointmentId::parse("rdv").unwrap()
}

fn place(calendar: &str, event: &str) -> Place {
    Place { calendar: CalendarId::new(calendar), event: EventId::new(event), generation: Generation::FIRST }
}

fn written(event: &str, etag: &str) -> Placement {
    Placement::Written { place: place("target", event), etag: Etag::new(etag), fingerprint: None }
}

/// In step since a minute before the lists, of an appointment in an hour.
fn link(placement: Placement) -> ComparedLink {
    ComparedLink {
        appointment: appointment(),
        revision: Revision::new(1),
        sync_status: SyncStatus::Synced,
        placement,
        snapshot: Some(Sealed::from_bytes(Vec::new())),
        ends_at: Some(at(3_600)),
        updated_at: at(-60),
        lease_until: None,
    }
}

fn event() -> Event {
    Event {
        summary: "[Cassius] Implant".into(),
        description: "Ouvrir".into(),
        location: "Salle 2".into(),
        start_at: at(1_800),
        end_at: at(3_600),
        time_zone: "Europe/Paris".into(),
        source_url: Some("https://cassius.example/rdv".into()),
        organisation: OrganisationId::parse("cabinet").unwrap(),
        appointment: appointment(),
        revision: Revision::new(1).unwrap(),
    }
}

fn shown() -> Shown {
    let event = event();
    Shown {
        summary: event.summary,
        description: event.description,
        location: event.location,
        start_at: Some(event.start_at),
        end_at: Some(event.end_at),
        source_url: event.source_url,
        is_source_told: true,
        is_private: true,
    }
}

fn listed(calendar: &str, event: &str, etag: &str, shown: Shown) -> Listed {
    let (calendar, event) = (CalendarId::new(calendar), EventId::new(event));
    Listed { calendar, event, etag: Etag::new(etag), created_at: Some(at(-5)), revision: Revision::new(1), shown }
}

fn scope() -> Scope {
    let owed = (CalendarId::new("target"), EventId::new("owed"));
    Scope { since: at(0), listed: [CalendarId::new("target")].into(), owed: [owed].into(), silences: Vec::new() }
}

fn within() -> ChangeWindow {
    ChangeWindow { since: at(0), until: at(10) }
}

fn find(link: Option<ComparedLink>, events: Vec<Listed>) -> Finding {
    compare(link.as_ref(), events, &scope(), within(), || Some(event()))
}

#[test]
fn what_is_missing_altered_touched_or_surplus_is_told_apart() {
    let own = |etag: &str, shown| listed("target", "own", etag, shown);
    let perdu = Shown { summary: "Perdu".into(), ..shown() };
    let (altered, touched) = (RemoteState::Altered(Etag::new("new")), RemoteState::Touched(Etag::new("new")));
    let own_link = || link(written("own", "old"));
    for (what, link, events, state, surplus) in [
        ("as confirmed", own_link(), vec![own("old", perdu.clone())], RemoteState::AsKnown, vec![]),
        ("our field", own_link(), vec![own("new", perdu.clone())], altered, vec![]),
        ("the user's field", own_link(), vec![own("new", shown())], touched, vec![]),
        ("vanished", own_link(), vec![], RemoteState::Missing, vec![]),
        (
            "vanished, and an older one out of the bin",
            own_link(),
            vec![listed("target", "older", "e", shown())],
            RemoteState::Missing,
            vec![place("target", "older")],
        ),
        (
            "the same id in another calendar",
            own_link(),
            vec![own("old", shown()), listed("elsewhere", "own", "e", shown())],
            RemoteState::AsKnown,
            vec![place("elsewhere", "own")],
        ),
        (
            "owed already",
            own_link(),
            vec![own("old", shown()), listed("target", "owed", "e", shown())],
            RemoteState::AsKnown,
            vec![],
        ),
        (
            "called off, and out of the bin",
            link(Placement::NEVER),
            vec![own("new", shown())],
            RemoteState::AsKnown,
            vec![place("target", "own")],
        ),
        (
            "in a calendar that was not listed",
            link(Placement::Written { place: place("elsewhere", "own"), etag: Etag::new("old"), fingerprint: None }),
            vec![],
            RemoteState::AsKnown,
            vec![],
        ),
    ] {
        assert_eq!(find(Some(link), events), Finding { state, surplus }, "{what}");
    }
    let mut without_revision = own("new", shown());
    without_revision.revision = None;
    let found = find(Some(own_link()), vec![without_revision]);
    assert_eq!(found.state, RemoteState::Altered(Etag::new("new")), "our property is a field of ours");
    let unknown = find(None, vec![listed("target", "own", "e", shown())]);
    assert_eq!(unknown, Finding { state: RemoteState::AsKnown, surplus: vec![place("target", "own")] });
}

#[test]
fn what_shows_a_higher_revision_than_is_held_is_not_written_over() {
    let newer = |etag: &str| Listed { revision: Revision::new(2), ..listed("target", "own", etag, shown()) };
    for etag in ["old", "new"] {
        let finding = find(Some(link(written("own", "old"))), vec![newer(etag)]);
        assert_eq!(finding.state, RemoteState::Newer, "{etag}");
        assert_eq!(finding.mend(&appointment()), None);
    }
}

#[test]
fn what_a_lost_state_wrote_is_no_surplus() {
    let silences = vec![Silence { began_at: at(-9), ended_at: at(-3) }];
    let scope = || Scope { silences: silences.clone(), ..scope() };
    let find =
        |link: Option<ComparedLink>, events| compare(link.as_ref(), events, &scope(), within(), || Some(event()));
    let made = |second: i64| Listed { created_at: Some(at(second)), ..listed("target", "unknown", "e", shown()) };
    for (second, is_lost) in [(-9, false), (-8, true), (-4, true), (-3, false)] {
        let state = if is_lost { RemoteState::Newer } else { RemoteState::AsKnown };
        let surplus = if is_lost { vec![] } else { vec![place("target", "unknown")] };
        assert_eq!(find(None, vec![made(second)]), Finding { state, surplus }, "{second}");
    }
    let undated = Listed { created_at: None, ..made(0) };
    assert_eq!(find(None, vec![undated]).surplus.len(), 1, "Google does not say when it was made");
    // One that shows a later state of a known appointment elsewhere.
    let elsewhere = Listed { revision: Revision::new(2), ..listed("target", "later", "e", shown()) };
    let link = link(written("own", "old"));
    let found = find(Some(link), vec![listed("target", "own", "old", shown()), elsewhere]);
    assert_eq!(found, Finding { state: RemoteState::Newer, surplus: vec![] });
}

#[test]
fn what_is_being_deleted_speaks_of_no_lost_state() {
    let owed = || Listed { revision: Revision::new(9), ..listed("target", "owed", "e", shown()) };
    // An erasure holds its link at no revision until the event is gone.
    let erasing =
        ComparedLink { sync_status: SyncStatus::Pending, ..link(Placement::Absent { generation: Generation::FIRST }) };
    assert_eq!(find(Some(erasing), vec![owed()]).state, RemoteState::InMotion);
    let in_step = find(Some(link(written("own", "old"))), vec![listed("target", "own", "old", shown()), owed()]);
    assert_eq!(in_step, Finding { state: RemoteState::AsKnown, surplus: vec![] });
    let silences = vec![Silence { began_at: at(-9), ended_at: at(-3) }];
    let unknown = compare(None, vec![owed()], &Scope { silences, ..scope() }, within(), || Some(event()));
    assert_eq!(unknown, Finding { state: RemoteState::AsKnown, surplus: vec![] });
}

#[test]
fn of_what_is_not_at_rest_nothing_is_found() {
    let double = || vec![listed("target", "double", "e", shown())];
    let base = || link(written("own", "old"));
    let nothing = |state| Finding { state, surplus: vec![] };
    for link in [
        ComparedLink { sync_status: SyncStatus::Pending, ..base() },
        ComparedLink { updated_at: at(0), ..base() },
        ComparedLink { updated_at: at(10), ..base() },
        ComparedLink { lease_until: Some(at(1)), ..base() },
    ] {
        assert_eq!(
            find(Some(link.clone()), double()),
            nothing(RemoteState::InMotion),
            "another one may be found later"
        );
        assert_eq!(find(Some(link), vec![]), nothing(RemoteState::AsKnown));
    }
    for sync_status in [SyncStatus::Error, SyncStatus::None] {
        let link = ComparedLink { sync_status, ..base() };
        assert_eq!(find(Some(link), double()), nothing(RemoteState::AsKnown), "it waits for a person");
    }
    // What was changed before the clock was set back lies ahead.
    let ahead = ComparedLink { updated_at: at(3_000), ..base() };
    assert_eq!(find(Some(ahead), double()).state, RemoteState::Missing);
    let over = ComparedLink { ends_at: Some(at(0)), ..base() };
    assert_eq!(find(Some(over), vec![]).state, RemoteState::AsKnown);
    // An appointment that cannot be read, or that was erased, is not written again.
    assert_eq!(compare(Some(&base()), vec![], &scope(), within(), || None).state, RemoteState::AsKnown);
}

#[test]
fn each_of_our_fields_counts_and_the_zone_does_not() {
    let same = Event { time_zone: "Europe/Kyiv".into(), ..event() };
    assert!(shown().is_as(&same));
    let untold = Shown { source_url: None, is_source_told: false, ..shown() };
    assert!(untold.is_as(&event()), "it is shown to the creator alone");
    for other in [
        Shown { summary: String::new(), ..shown() },
        Shown { description: String::new(), ..shown() },
        Shown { location: String::new(), ..shown() },
        Shown { start_at: None, ..shown() },
        Shown { end_at: Some(at(0)), ..shown() },
        Shown { source_url: None, ..shown() },
        Shown { source_url: Some("https://elsewhere.example".into()), ..shown() },
        Shown { source_url: Some("https://elsewhere.example".into()), is_source_told: false, ..shown() },
        Shown { is_private: false, ..shown() },
    ] {
        assert!(!other.is_as(&event()));
    }
}

#[test]
fn once_a_day_each_organisation_has_a_second_of_its_own() {
    let seconds: std::collections::HashSet<_> = (0..1_000)
        .map(|number| {
            let organisation = OrganisationId::parse(&format!("cabinet-{number}")).unwrap();
            let first = next_daily(&organisation, at(0));
            assert!(first >= at(0) + REST && first <= at(DAY) + REST);
            // Whenever it has ended, it is made again at the same time of the day.
            let next = next_daily(&organisation, first + SignedDuration::from_mins(1));
            assert_eq!(next, first + SignedDuration::from_hours(24));
            first
        })
        .collect();
    assert!(seconds.len() > 950, "{}", seconds.len());
}
