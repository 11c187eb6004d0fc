//! What the tests of the store share beside a database.

use cassius_calendar::crypto::Sealed;
use cassius_calendar::model::{
    AppointmentId, Calendar, CalendarId, Epoch, Etag, EventId, Fingerprint, Generation, GoogleUserId, OrganisationId,
    Place, Placement, Revision,
};
use cassius_calendar::store::{
    Acceptance, AsOf, Claimed, Connect, DueOrganisation, Grant, Integration, Link, Settlement,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;

pub(crate) use crate::harness::backends::{apply, both_backends};
pub(crate) use crate::harness::database::Database;

impl Database {
    pub(crate) async fn is_connected(&self, name: &str) -> Integration {
        self.connect(grant(name), at(0)).await
    }

    /// What a consent of this moment is held against.
    pub(crate) async fn as_of(&self, organisation: &OrganisationId) -> AsOf {
        let integration = self.store.integration(organisation).await.unwrap();
        let epoch = integration.map_or(Epoch(0), |integration| integration.epoch);
        AsOf { epoch, revocation_seq: self.store.revocation_seq().await.unwrap() }
    }

    /// Stores a grant of this moment; another account than the connected one is confirmed at once.
    pub(crate) async fn connect(&self, grant: Grant, now: Timestamp) -> Integration {
        let organisation = grant.organisation.clone();
        let as_of = self.as_of(&organisation).await;
        match self.store.connect(grant, as_of, now + MINUTE, now).await.unwrap() {
            Connect::Stored => {}
            Connect::KeptAside => assert!(self.store.confirm_account(&organisation, now).await.unwrap()),
            refused @ (Connect::Fenced | Connect::AlreadyConnected | Connect::Revoked) => panic!("{refused:?}"),
        }
        self.the_integration(organisation.as_str()).await
    }

    pub(crate) async fn accept(&self, name: &str, id: &str, revision: i64, now: Timestamp) -> Link {
        self.store.accept(vec![acceptance(name, id, revision)], now).await.unwrap().remove(0)
    }

    pub(crate) async fn the_link(&self, name: &str, id: &str) -> Link {
        self.store.link(&organisation(name), &appointment(id)).await.unwrap().unwrap()
    }

    pub(crate) async fn the_integration(&self, name: &str) -> Integration {
        self.store.integration(&organisation(name)).await.unwrap().unwrap()
    }

    /// Who has something due that may be served.
    pub(crate) async fn due_organisations(&self, now: Timestamp) -> Vec<DueOrganisation> {
        let look = self.store.look(Timestamp::UNIX_EPOCH, 100, 1, now).await.unwrap();
        assert!(look.is_whole && !look.is_locked_out);
        look.due
    }

    /// When something is due next, once it was looked at what is due now.
    pub(crate) async fn next_due_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.store.look(Timestamp::UNIX_EPOCH, 100, 1, now).await.unwrap();
        self.store.next_due_at(now, Timestamp::MAX).await.unwrap()
    }

    /// Claims up to `count` links for a minute, and leaves their placements.
    pub(crate) async fn claim(&self, name: &str, count: usize, now: Timestamp) -> Vec<Claimed> {
        let wanted = vec![organisation(name); count];
        let claimed = self.store.claim(&wanted, token(), now + MINUTE, now, now, |_| (None, ())).await.unwrap();
        claimed.rows.into_iter().map(|(link, ())| link).collect()
    }

    /// Claims one link and settles it as synced.
    pub(crate) async fn bring_in_step(&self, name: &str, placement: &Placement, now: Timestamp) {
        let claimed = self.claim(name, 1, now).await.remove(0);
        let settlement = synced(&claimed, placement);
        assert!(self.store.settle(&claimed, &settlement, now).await.unwrap().is_done());
    }
}

pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A token that no other claim of this run has.
pub(crate) fn token() -> Uuid {
    static DRAWN: AtomicU32 = AtomicU32::new(1);
    Uuid::from_u128(u128::from(DRAWN.fetch_add(1, Ordering::Relaxed)) << 64)
}

/// `seconds` after the beginning of every test.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn organisation(name: &str) -> OrganisationId {
    OrganisationId::parse(name).unwrap()
}

pub(crate) fn appointment(id: &str) -> AppointmentId {
    AppointmentId::parse(id).unwrap()
}

pub(crate) fn revision(number: i64) -> Revision {
    Revision::new(number).unwrap()
}

pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

pub(crate) fn calendar(id: &str) -> Calendar {
    Calendar {
        id: CalendarId::new(id),
        name: format!("Agenda {id}"),
        time_zone: "Europe/Paris".into(),
        color: "#aabbcc".into(),
        is_primary: true,
    }
}

/// A grant of the account that belongs to `name`.
pub(crate) fn grant(name: &str) -> Grant {
    Grant {
        organisation: organisation(name),
        google_user_id: GoogleUserId::new(format!("account of {name}")),
        google_email: format!("{name}@example.com"),
        access_token: sealed("access"),
        refresh_token: sealed("refresh"),
        token_expires_at: at(3_600),
        granted_scopes: vec!["openid".into(), "email".into()],
        calendar: calendar("agenda"),
        opened: Vec::new(),
    }
}

/// An appointment that begins an hour after every test and takes half of one.
pub(crate) fn acceptance(name: &str, id: &str, number: i64) -> Acceptance {
    Acceptance {
        traceparent: None,
        organisation: organisation(name),
        appointment: appointment(id),
        revision: revision(number),
        snapshot: sealed(&format!("snapshot {number}")),
        wants_event: true,
        starts_at: Some(at(3_600)),
        ends_at: Some(at(5_400)),
    }
}

pub(crate) fn place(calendar: &str, event: &str, generation: i32) -> Place {
    Place { calendar: CalendarId::new(calendar), event: EventId::new(event), generation: Generation(generation) }
}

pub(crate) fn written(calendar: &str, event: &str, generation: i32) -> Placement {
    Placement::Written {
        place: place(calendar, event, generation),
        etag: Etag::new("\"1\""),
        fingerprint: Some(Fingerprint(vec![1, 2, 3])),
    }
}

pub(crate) fn absent(generation: i32) -> Placement {
    Placement::Absent { generation: Generation(generation) }
}

pub(crate) fn synced(claimed: &Claimed, placement: &Placement) -> Settlement {
    Settlement::Synced {
        placement: placement.clone(),
        html_link: Some("https://calendar.example/event".into()),
        revision: claimed.revision,
        was_called: true,
    }
}
