//! Lists of calendars that Google answered just now.
//!
//! Owns how long one is kept. Never asks Google itself. Invariant: a list is shared in the epoch that it was asked for
//! in, with those who ask within [`CACHE_TTL`] of that.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::CalendarList;
use crate::connection::Error;
use crate::model::{Epoch, OrganisationId};

/// How long a list is kept: a settings page that is opened again and again costs no quota.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(3);

/// What an organisation asked for, and until when it is kept.
#[derive(Debug)]
struct CachedCalendarList {
    epoch: Epoch,
    until: SignedDuration,
    list: Arc<OnceCell<CalendarList>>,
}

/// The lists of this process. A clone is another handle.
#[derive(Debug, Clone, Default)]
pub(super) struct CalendarLists(Arc<Mutex<HashMap<OrganisationId, CachedCalendarList>>>);

impl CalendarLists {
    /// The list of this epoch; `ask` asks Google for one that is not kept, once for all who wait. `elapsed` is what the
    /// clock says.
    pub(super) async fn kept_or(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        elapsed: SignedDuration,
        ask: impl Future<Output = Result<CalendarList, Error>> + Send,
    ) -> Result<CalendarList, Error> {
        let list = self.asked(organisation, epoch, elapsed);
        let kept = list.get_or_try_init(|| ask).await?;
        Ok(kept.clone())
    }

    fn asked(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        elapsed: SignedDuration,
    ) -> Arc<OnceCell<CalendarList>> {
        let mut all = self.0.lock();
        all.retain(|_, asked| asked.until > elapsed);
        let asked = || CachedCalendarList { epoch, until: elapsed + CACHE_TTL, list: Arc::default() };
        let its = all.entry(organisation.clone()).or_insert_with(asked);
        if its.epoch != epoch {
            *its = asked();
        }
        its.list.clone()
    }
}
