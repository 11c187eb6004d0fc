//! The brain: what should be, what is known and what Google answered, in; the next step, out.
//!
//! Owns the rendering of an appointment as an event, the choice of event ids, the plan of an attempt, and the delays
//! between attempts. Never waits, does I/O, asks the time or draws a number, so that every history can be tested in
//! microseconds.
//!
//! Invariant: whatever answers are lost and wherever an attempt breaks off, an appointment has at most one live event
//! over all calendars that the account may write to, or two while one that cannot be moved is copied, which the placement
//! names both; one that had to be left out of reach is answered as left behind; and once an attempt settles as synced,
//! Google shows the goal, once.

mod attempt;
mod backoff;
mod call;
mod event;
mod remote;
mod shown;
mod target;

pub use attempt::{Attempt, Goal, Outcome, Setback, Step, Stop};
pub use backoff::{RetryCause, backoff};
pub use call::{Answer, Call, Owner, ThrottleScope};
pub use event::{Event, EventContext, event_id, render, title};
pub use remote::RemoteEvent;
pub use shown::Shown;
pub use target::calendar_of;
