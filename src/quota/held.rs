//! Units that were taken from the ledger for calls that are about to be made.
//!
//! Owns how long they are held, and how many are asked for ahead of the calls. Never takes any from a budget. Invariant: no
//! unit is given out that was taken longer ago than [`PREPAID_UNITS_TTL`]: the paces leave room for calls that come so late.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::{DEAREST_CALL, micros};
use crate::model::GoogleUserId;

/// How long units may be held, and how long a permit may wait for its call.
pub(super) const PREPAID_UNITS_TTL: SignedDuration = SignedDuration::from_secs(2);

/// What is held for each account: how many units, and until when. One that used all of them is still known until then.
#[derive(Debug, Default)]
pub(super) struct HeldUnits(HashMap<GoogleUserId, (u32, i64)>);

impl HeldUnits {
    /// Holds units that were taken at `now`, for as long as the oldest of those that are held with them.
    pub(super) fn hold(&mut self, account: GoogleUserId, units: u32, now: i64) {
        let fresh = (0, now + micros(PREPAID_UNITS_TTL));
        let held = self.0.entry(account).or_insert(fresh);
        if held.0 == 0 || held.1 <= now {
            *held = fresh;
        }
        held.0 += units;
    }

    /// Takes units for a call, and answers until when they may be spent; `None`: there are not so many.
    pub(super) fn take(&mut self, account: &GoogleUserId, units: u32, now: i64) -> Option<i64> {
        let (held, until) = self.0.get_mut(account).filter(|(held, until)| *held >= units && *until > now)?;
        *held -= units;
        Some(*until)
    }

    /// Those of these accounts for which no unit is held; one that is named twice needs two.
    pub(super) fn lacking(&mut self, mut accounts: Vec<GoogleUserId>, now: i64) -> Vec<GoogleUserId> {
        self.0.retain(|_, (_, until)| *until > now);
        let mut held: HashMap<_, _> = self.0.iter().map(|(account, (units, _))| (account, *units)).collect();
        accounts.retain(|account| match held.get_mut(account) {
            Some(units) if *units > 0 => {
                *units -= 1;
                false
            }
            _ => true,
        });
        accounts
    }

    /// How many units more are worth to be taken with those for a call: what a change lacks beside the first, or as many as
    /// grow in a second for an account that was called just now.
    pub(super) fn ahead(&self, account: &GoogleUserId, of_a_second: u32, now: i64) -> u32 {
        let is_busy = self.0.get(account).is_some_and(|(_, until)| *until > now);
        if is_busy { of_a_second } else { DEAREST_CALL - 1 }
    }
}
