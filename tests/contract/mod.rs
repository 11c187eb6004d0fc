//! What the emulator claims about Google, as plain HTTP.
//!
//! `cases` hold for Google and the emulator alike: `suite` runs them against the emulator in every test run, and
//! against Google itself when it is asked to (`google_keeps_the_contract`, ignored unless called by name). `emulator`
//! tests what only an emulator has: its journal, its faults, a clock to move, a consent without a person.

mod cases;
mod emulator;
mod subject;
mod suite;
