//! What was measured, beside what is wanted.

use std::fmt;

use crate::database::BackEnd;

/// The rows, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<[String; 5]>);

impl Table {
    /// Adds a row, and shows it at once.
    pub(crate) fn row(&mut self, figure: &str, back_end: BackEnd, measured: &str, target: &str, is_met: bool) {
        let verdict = if is_met { "met" } else { "**missed**" };
        let row = [figure, back_end.name(), measured, target, verdict].map(str::to_owned);
        println!("{}", row.join(" · "));
        self.0.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["figure", "on", "measured", "target", ""].map(str::to_owned);
        let line = |row: &[String; 5]| format!("| {} |", row.join(" | "));
        writeln!(f, "{}\n|---|---|---|---|---|", line(&heads))?;
        self.0.iter().try_for_each(|row| writeln!(f, "{}", line(row)))
    }
}
