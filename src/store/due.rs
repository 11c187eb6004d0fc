//! What is due, and when the next is.
//!
//! Owns how the queues of links and of owed deletions make one line of organisations, and what is put off because it
//! was noted too early; also what becomes of instants and leases once a clock was corrected. Never leases anything.
//! Invariant: an organisation stands in a look once, with all that was counted of it.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::queue_kind::QueueKind;
use super::{Error, Store, Unreadable};
use crate::model::{GoogleUserId, OrganisationId};

/// An organisation that has due links, or owes deletions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueOrganisation {
    /// The organisation's id.
    pub organisation: OrganisationId,
    /// Whose quota its calls count against.
    pub google_user_id: GoogleUserId,
    /// How many can be attempted, links and owed deletions together, as far as they were counted.
    pub count: usize,
    /// Whether deletions are among them.
    pub owes: bool,
}

/// What a look at the queues found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLook {
    /// The organisations that have something to attempt, the longest due first.
    pub due: Vec<DueOrganisation>,
    /// The integrations among them that do not read. One with an unknown title privacy is served as far as it deletes.
    pub unreadable: Vec<Unreadable>,
    /// Whether there are no more than these.
    pub is_whole: bool,
    /// Whether another look is worth it soon: a queue was passed by that another transaction holds, or has more than was
    /// seen.
    pub is_locked_out: bool,
    /// Since when the first of them is due; `None` if none is.
    pub first_ready_at: Option<Timestamp>,
}

/// A queue that is ready, or becomes so.
pub(super) struct Ready {
    /// Whose it is, as it is stored.
    pub(super) organisation: OrganisationId,
    /// The same with its account, where these read.
    pub(super) served: Option<DueOrganisation>,
    /// The column of its integration that does not read.
    pub(super) unreadable: Option<&'static str>,
    /// What is in it.
    pub(super) queued: QueueKind,
    /// Since when, as it is noted.
    pub(super) ready_at: Timestamp,
    /// How many of it can be attempted then, as far as they were counted; where none can, it is noted too early.
    pub(super) due: usize,
}

/// How many queues that become ready are held against their links at a time.
const NEXT_TOGETHER: i64 = 4;

impl Store {
    /// Looks at up to `limit` queues that are ready, once of links and once of owed deletions: of the organisations that may
    /// be served, connected, enabled, without a problem or with one whose `retry_at` has come. One that is being
    /// disconnected is served as far as it deletes.
    ///
    /// What has been ready since before `not_before` is left out: a caller that has seen to it spares the database the rows
    /// that lie dead there. Of each organisation up to `each` links and as many deletions are counted.
    pub async fn look(
        &self,
        not_before: Timestamp,
        limit: usize,
        each: usize,
        now: Timestamp,
    ) -> Result<DueLook, Error> {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (limit, each) = (number(limit), number(each));
        let ready = query!(self, read, due::ready(not_before, limit, each, now))?;
        let count = |queued| ready.iter().filter(|ready| ready.queued == queued).count() as i64;
        let is_whole = count(QueueKind::Links) < limit && count(QueueKind::Owed) < limit;
        let is_locked_out = self.put_off(ready.iter().filter(|ready| ready.due == 0), now).await?;
        let due = || ready.iter().filter(|ready| ready.due > 0);
        let first_ready_at = due().map(|ready| ready.ready_at).min();
        let mut look = DueLook { due: Vec::new(), unreadable: Vec::new(), is_whole, is_locked_out, first_ready_at };
        // Where each stands in the line.
        let mut seen: HashMap<&OrganisationId, Option<usize>> = HashMap::new();
        for ready in due() {
            if let Some(place) = seen.get(&ready.organisation) {
                if let Some(its) = place.and_then(|place| look.due.get_mut(place)) {
                    its.count += ready.due;
                    its.owes |= ready.queued == QueueKind::Owed;
                }
                continue;
            }
            seen.insert(&ready.organisation, ready.served.as_ref().map(|_| look.due.len()));
            look.due.extend(ready.served.clone());
            look.unreadable.extend(ready.unreadable.map(|column| {
                let organisation = ready.organisation.as_str().to_owned();
                Unreadable { organisation, appointment: None, column }
            }));
        }
        Ok(look)
    }

    /// The earliest instant after `now` at which something can be attempted: what is due then, whose lease has lapsed by
    /// then, and whose integration is served again. It follows a look at `now`, which puts off what was noted too early.
    ///
    /// Who asks looks again at `by` at the latest: an instant after that may be too early, since only what is noted by then
    /// is held against its links. Most often it is the end of a lease that was given back since, and the next edit brings
    /// the queue up before.
    pub async fn next_due_at(&self, now: Timestamp, by: Timestamp) -> Result<Option<Timestamp>, Error> {
        loop {
            let noted = query!(self, read, due::next_noted(now))?;
            if noted.is_none_or(|noted| noted > by) {
                return Ok(noted);
            }
            let next = query!(self, read, due::next_ready(NEXT_TOGETHER, now))?;
            // One that does not read is told as an instant long ago, and lies further ahead than all.
            let first = next.first().map(|ready| ready.ready_at).filter(|first| *first > now);
            let early: Vec<_> = next.iter().take_while(|ready| ready.due == 0).collect();
            // What cannot be put off now is looked at when it is noted: too early harms nobody.
            if early.is_empty() || self.put_off(early, now).await? {
                return Ok(first);
            }
        }
    }

    /// Puts off what was noted too early; what is due already goes to the end of the line. Answers whether another look is
    /// worth it: others hold some of it, or there are links that have their turn only now.
    async fn put_off(&self, early: impl IntoIterator<Item = &Ready>, now: Timestamp) -> Result<bool, Error> {
        let (mut links, mut owed) = (Vec::new(), Vec::new());
        for ready in early {
            match ready.queued {
                QueueKind::Links => links.push(ready.organisation.clone()),
                QueueKind::Owed => owed.push(ready.organisation.clone()),
            }
        }
        if links.is_empty() && owed.is_empty() {
            return Ok(false);
        }
        Ok(query!(self, write, link_queues::put_off(&links, &owed, now))? > 0)
    }

    /// Brings what lies ahead of `now` nearer by `by`: it was computed by a clock that was set back since. Of the leases, of
    /// whatever kind, those alone that end later than `longest_lease` from now: the others were taken by the clock as it is.
    pub async fn bring_nearer(
        &self,
        by: SignedDuration,
        longest_lease: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Error> {
        query!(self, long, instant_columns::bring_nearer(by, longest_lease, now))
    }

    /// Ends the leases, of whatever kind, that end later than a day from now or do not read: no process took them.
    /// Answers how many they were. A queue that waits for one comes up at once.
    pub async fn end_far_leases(&self, now: Timestamp) -> Result<u64, Error> {
        // Most often there is none, and nobody is held up.
        if !query!(self, read, instant_columns::has_far_leases(now))? {
            return Ok(0);
        }
        query!(self, long, instant_columns::end_far_leases(now))
    }
}
