//! That the README is true.

use cassius_calendar::config::settings_table;

/// The README.
pub(crate) const README: &str = include_str!("../../README.md");

#[test]
fn the_table_of_settings_is_the_one_that_is_read() {
    assert!(README.contains(&settings_table()), "put this into the README:\n\n{}", settings_table());
}
