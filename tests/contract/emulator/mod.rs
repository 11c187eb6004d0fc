//! What only an emulator has: a clock to move, a journal, faults, quotas to exhaust, a consent without a person.

mod consent;
mod controls;
mod faults;
mod journal;
mod quota;
mod scopes;
mod stage;
mod state;
