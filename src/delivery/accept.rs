//! Accepting one appointment, and waiting until Google has it.
//!
//! Owns the order of an accept: listen, commit, wake the worker, wait. Never calls Google. Invariant: the answer is given
//! after the appointment is durable.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::waiters::Waiter;
use super::{Delivery, Error, Inner, Link, snapshot};
use crate::clock::Deadline;
use crate::metrics;
use crate::model::{Appointment, Change, Details, OrganisationId, SyncStatus};
use crate::notifier::Listener;
use crate::store::{self, Acceptance};
use crate::traces;

/// How long a look may be off while the other replicas are not heard.
const POLL: SignedDuration = SignedDuration::from_secs(1);

/// A caller that waits for Google: for what this process settles, what another one does, and for its time to be up.
struct Waiting<'a> {
    waiter: Waiter<'a>,
    listener: Listener,
    deadline: Deadline,
}

impl Delivery {
    /// Accepts an appointment durably, and answers its link; with `wait`, once Google has it or the time is up, or at once
    /// where as many wait already as may.
    pub async fn accept(
        &self,
        organisation: &OrganisationId,
        appointment: Appointment,
        wait: Option<SignedDuration>,
    ) -> Result<Link, Error> {
        let inner = &*self.0;
        // Listening begins before the accept, so that no settle falls between. One caller too many does not wait.
        let waiting = wait.and_then(|wait| {
            let waiter = inner.waiters.begin(organisation, &appointment.id)?;
            let listener = inner.notifier.listen_to_appointment(organisation, &appointment.id);
            Some(Waiting { waiter, listener, deadline: inner.clock.after(wait) })
        });
        let accepted = inner.accept_batcher.accept(inner.acceptance(organisation, &appointment)).await;
        metrics::accept(match &accepted {
            Ok(_) => "accepted",
            Err(store::Error::Unavailable(_)) => "put_off",
            Err(store::Error::Bug(_) | store::Error::Corrupt(_)) => "failed",
        });
        let mut link = accepted?;
        inner.notifier.notify(&Change::Links(organisation.clone()));
        if link.sync_status == SyncStatus::Pending {
            inner.notifier.notify_due();
        }
        if let Some(waiting) = waiting {
            link = inner.wait_for(link, organisation, waiting).await?;
        }
        if wait.is_some() {
            inner.explain(organisation, std::slice::from_mut(&mut link)).await?;
        }
        Ok(link)
    }
}

impl Inner {
    pub(super) fn acceptance(&self, organisation: &OrganisationId, appointment: &Appointment) -> Acceptance {
        // No event stands for what does not take place: nobody needs to know of whom it was.
        let kept = match appointment.scheduled() {
            Some(_) => Cow::Borrowed(appointment),
            None => Cow::Owned(Appointment { details: Details::default(), ..appointment.clone() }),
        };
        Acceptance {
            organisation: organisation.clone(),
            appointment: appointment.id.clone(),
            revision: appointment.revision,
            snapshot: snapshot::seal(&self.keyring, &self.entropy, organisation, &kept),
            wants_event: appointment.scheduled().is_some(),
            starts_at: appointment.slot.as_ref().map(|slot| slot.start_at),
            ends_at: appointment.slot.as_ref().map(|slot| slot.end_at),
            traceparent: traces::Span::current().traceparent(),
        }
    }

    /// Waits until `link` is no longer pending or `deadline` has come, and answers it as it is then.
    async fn wait_for(
        &self,
        mut link: Link,
        organisation: &OrganisationId,
        waiting: Waiting<'_>,
    ) -> Result<Link, Error> {
        let Waiting { mut waiter, mut listener, deadline } = waiting;
        let mut is_over = false;
        let time_out = self.clock.sleep_until(deadline);
        tokio::pin!(time_out);
        let mut standstill = self.standstill(organisation).await?;
        while link.sync_status == SyncStatus::Pending && !is_over {
            let reaches = |at: Option<Timestamp>| at.is_some_and(|at| self.clock.read().until(at) <= deadline);
            if standstill.as_ref().is_some_and(|standstill| !reaches(standstill.until)) {
                // Nothing is sent before the time is up: there is nothing to wait for.
                break;
            }
            tokio::select! {
                biased;
                settled = waiter.settled() => {
                    // One of an older revision was settled while this one was accepted.
                    if settled.revision >= link.revision {
                        link = settled;
                    }
                    continue;
                }
                () = listener.changed() => {}
                () = self.next_look(), if self.notifier.misses_remote_changes() => {}
                () = &mut time_out => is_over = true,
            }
            // At the end too: nobody is notified of what a claim has written since then.
            let look = self.link_reader.look(organisation, Some(&link.appointment)).await?;
            standstill = look.standstill;
            if let Some(now) = look.link {
                link = now;
            }
        }
        Ok(link)
    }

    /// When to look though nobody has told of a change: what another replica settles may not be heard of.
    async fn next_look(&self) {
        self.clock.sleep(POLL).await;
    }
}
