//! All practices at a glance, in the terminal.
//!
//! Owns how a row reads. Never changes anything. Invariant: it reads the database itself, so that it helps where
//! nothing serves.

use anyhow::Context as _;
use cassius_calendar::app;
use cassius_calendar::clock::Clock;
use cassius_calendar::connection::{Overview, OverviewFilter, State, list_integrations};
use cassius_calendar::model::Reason;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::{environment, load_database, say};

/// What `integrations` is told.
#[derive(Debug, Args)]
pub(crate) struct Integrations {
    /// Only those in this state.
    #[arg(long)]
    state: Option<ShownState>,
    /// Only those with this problem, such as RECONNECT_REQUIRED.
    #[arg(long, ignore_case = true, value_parser = reasons())]
    reason: Option<String>,
}

fn reasons() -> PossibleValuesParser {
    Reason::of_integrations().map(Reason::as_str).collect::<Vec<_>>().into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShownState {
    NotConnected,
    Connected,
    Error,
    Disconnecting,
}

impl From<State> for ShownState {
    fn from(state: State) -> Self {
        match state {
            State::NotConnected => Self::NotConnected,
            State::Connected => Self::Connected,
            State::Error => Self::Error,
            State::Disconnecting => Self::Disconnecting,
        }
    }
}

const HEAD: [&str; 7] = ["organisation", "state", "problem", "since", "waiting", "due", "refused"];

impl Integrations {
    /// Prints a row an integration.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let store = app::open_beside(&load_database(&environment)?).await?;
        let now = Clock::system().now();
        let listed = list_integrations(&store, &OverviewFilter::default(), None, usize::MAX, now).await;
        let listed = listed.context("the database at DATABASE_URL is not usable")?;
        let rows: Vec<_> = listed.iter().filter(|it| self.shows(it)).map(|it| row(it, now)).collect();
        let rows = std::iter::once(HEAD.map(str::to_owned)).chain(rows).collect::<Vec<_>>();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; HEAD.len()] = std::array::from_fn(width);
        for row in &rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            say(cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        say(format_args!("\n{} of {} integrations.", rows.len() - 1, listed.len()))?;
        Ok(())
    }

    fn shows(&self, overview: &Overview) -> bool {
        let reason = overview.problem.as_ref().map_or("", |problem| problem.reason.as_str());
        self.state.is_none_or(|state| state == overview.state.into())
            && self.reason.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(reason))
    }
}

fn row(overview: &Overview, now: Timestamp) -> [String; HEAD.len()] {
    let state = match (overview.state, overview.is_enabled) {
        (State::NotConnected, _) => "not connected",
        (State::Connected, true) => "connected",
        (State::Connected, false) => "paused",
        (State::Error, _) => "error",
        (State::Disconnecting, _) => "disconnecting",
    };
    let problem = overview.problem.as_ref();
    [
        overview.organisation.to_string(),
        state.to_owned(),
        problem.map(|it| it.reason.as_str().to_owned()).unwrap_or_default(),
        problem.map(|it| span(now.duration_since(it.since_at))).unwrap_or_default(),
        overview.pending.to_string(),
        overview.oldest_due_at.map(|at| due(now.duration_since(at))).unwrap_or_default(),
        overview.error.to_string(),
    ]
}

fn due(since: SignedDuration) -> String {
    if since.is_negative() { format!("in {}", span(-since)) } else { format!("for {}", span(since)) }
}

/// A span in its greatest unit: nobody reads seconds of a week.
fn span(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_greatest_unit() {
        let told = [0, 59, 60, 3_599, 3_600, 172_799, 172_800, 864_000].map(|it| span(SignedDuration::from_secs(it)));
        assert_eq!(told, ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days", "10 days"]);
        assert_eq!(due(SignedDuration::from_secs(-90)), "in 1 min");
    }
}
