//! The latest calls of Google that were made for an appointment.
//!
//! Owns the form in which a link keeps them: a line each, the newest first, cut after [`MAX_HISTORY_CHARS`] characters, so
//! that they grow no row without end and need no sweep of their own. Never keeps anything of the appointment. Invariant:
//! what is cut is the oldest, and a line that was cut is not read.

use jiff::{SignedDuration, Timestamp};

use super::{Error, Store};
use crate::model::{AppointmentId, OrganisationId};

/// How many characters of them a link keeps: some twenty calls.
pub(super) const MAX_HISTORY_CHARS: i32 = 1_024;

/// A call of Google that was made for a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallMade {
    /// When it was begun.
    pub at: Timestamp,
    /// The revision that the attempt was made for.
    pub revision: i64,
    /// Google's name of the method.
    pub method: String,
    /// What the answer means, in one word.
    pub answer: String,
    /// How long it took, to the millisecond.
    pub took: SignedDuration,
}

impl CallMade {
    /// These calls, as a link keeps them; the newest comes last here.
    pub(super) fn lines(calls: &[Self]) -> String {
        let line = |call: &Self| {
            let Self { at, revision, method, answer, took } = call;
            format!("{} {revision} {method} {answer} {}\n", at.as_microsecond(), took.as_millis())
        };
        calls.iter().rev().map(line).collect()
    }

    /// The calls that a link keeps, the newest first. A line that was cut, or does not read, is left out.
    pub(super) fn parse(lines: &str) -> Vec<Self> {
        let whole = lines.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        whole.filter_map(Self::of_line).collect()
    }

    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut word = || words.next();
        Some(Self {
            at: Timestamp::from_microsecond(word()?.parse().ok()?).ok()?,
            revision: word()?.parse().ok()?,
            method: word()?.to_owned(),
            answer: word()?.to_owned(),
            took: SignedDuration::from_millis(word()?.parse().ok()?),
        })
    }
}

impl Store {
    /// The latest calls that were made for an appointment, the newest first; `None`: it was never accepted, or was erased.
    pub async fn recent_calls(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Vec<CallMade>>, Error> {
        let (organisation, appointment) = (organisation.clone(), appointment.clone());
        let lines = query!(self, read, links::recent_calls(&organisation, &appointment))?;
        Ok(lines.map(|lines| CallMade::parse(&lines.unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(second: i64) -> CallMade {
        CallMade {
            at: Timestamp::from_second(second).expect("a valid second"),
            revision: 7,
            method: "events.patch".to_owned(),
            answer: "stored".to_owned(),
            took: SignedDuration::from_millis(83),
        }
    }

    #[test]
    fn calls_read_as_they_were_written_the_newest_first_and_a_cut_one_is_left_out() {
        let lines = CallMade::lines(&[call(1), call(2), call(3)]);
        assert_eq!(CallMade::parse(&lines), [call(3), call(2), call(1)]);
        assert_eq!(CallMade::parse(&lines[..lines.len() - 2]), [call(3), call(2)]);
        assert_eq!(CallMade::parse("nonsense\n\n1 2 3\n"), []);
        assert_eq!(CallMade::parse(""), []);
    }
}
