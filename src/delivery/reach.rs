//! Changes that concern every link of an organisation, carried to them in parts.
//!
//! Owns whose part comes next: one of each organisation in turn, so that none waits for another's many links. Never decides
//! what becomes of a link. Invariant: whatever waits for the database has its turn between two parts.

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{Delivery, Inner};
use crate::error_chain::error_chain;
use crate::model::{Change, OrganisationId};
use crate::store::{self, Reach};

/// How often the process looks for what another one has left.
const POLL: SignedDuration = SignedDuration::from_secs(5);

impl Delivery {
    /// Goes on with the changes that have not reached all links yet, until `stop`. Any number of processes may do so at a
    /// time.
    pub async fn reach_links(&self, stop: CancellationToken) {
        let mut is_failing = false;
        while !stop.is_cancelled() {
            let next = self.0.clock.after(POLL);
            match self.0.reach_a_part_of_each().await {
                Ok(true) => {
                    is_failing = false;
                    continue;
                }
                Ok(false) => is_failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(error = %error_chain(&error), "changes of many links cannot be gone on with");
                    }
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.0.store.wish_left() => {}
                () = self.0.clock.sleep_until(next) => {}
            }
        }
    }
}

impl Inner {
    /// Reaches one part of each organisation of which anything is wanted; answers whether there was any. One that fails, or
    /// that another transaction holds for seconds, ends no other's.
    async fn reach_a_part_of_each(&self) -> Result<bool, store::Error> {
        let (mut is_any_reached, mut failure) = (false, None);
        for organisation in self.store.organisations_with_wishes().await? {
            match self.store.reach(&organisation, self.clock.now()).await {
                Ok(Reach::Part { changed }) => {
                    is_any_reached = true;
                    self.tell_of_a_part(organisation, changed);
                }
                Ok(Reach::Nothing) => {}
                Err(error) => failure = Some(error),
            }
            tokio::task::yield_now().await;
        }
        match failure.filter(|_| !is_any_reached) {
            Some(error) => Err(error),
            None => Ok(is_any_reached),
        }
    }

    fn tell_of_a_part(&self, organisation: OrganisationId, changed: i32) {
        self.notifier.notify(&Change::Links(organisation));
        if changed > 0 {
            self.notifier.notify_due();
        }
    }
}
