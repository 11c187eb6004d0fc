//! What other processes change, as PostgreSQL tells it.
//!
//! Owns how a notification is read. Each commit that changes what somebody may wait for is notified by the database
//! itself, by triggers. What this process wrote is left out: it is told of at once, without the database. Never tells
//! what a row says, only whose it is: whoever hears of it looks again. Invariant: a notification that this version does
//! not know is passed over.

use std::pin::pin;

use futures_util::StreamExt as _;

use super::{Backend, Error, Store, postgres};
use crate::model::{AppointmentId, Change, OrganisationId};

/// A connection that hears what is committed. It is closed when it is dropped.
pub struct Changes {
    listening: postgres::Listening,
    /// What this process is called by those who hear it.
    own_name: String,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Another process has changed something.
    Change(Change),
    /// What [`Store::echo`] sent has come back: nothing is lost on the way.
    Echo,
    /// What another process sent by it: there is another one.
    Neighbour,
}

impl Store {
    /// Begins to listen. `None` where nothing is to be heard: on SQLite, which one process serves alone, and behind a
    /// pooler that gives each transaction whichever session is free.
    pub async fn listen(&self) -> Result<Option<Changes>, Error> {
        match &self.backend {
            Backend::Postgres { config, .. } => {
                let Some(listening) = postgres::listen(config).await? else { return Ok(None) };
                let own_name = query!(self, read, changes::own_name())?;
                Ok(Some(Changes { listening, own_name }))
            }
            Backend::Sqlite { .. } => Ok(None),
        }
    }

    /// Sends a word, by a connection of the pool, that [`Changes::next`] hears as [`Heard::Echo`].
    pub async fn echo(&self) -> Result<(), Error> {
        query!(self, write, changes::echo())
    }
}

impl Changes {
    /// Waits for the next word; `None`: the connection is lost.
    pub async fn next(&mut self) -> Option<Heard> {
        let mut notifications = pin!(self.listening.notifications_stream());
        loop {
            let notification = notifications.next().await?.ok()?;
            if let Some(heard) = read(&notification.payload, &self.own_name) {
                return Some(heard);
            }
        }
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

/// Reads a notification; `None`: it is this process's own, or of a kind that this version does not know.
fn read(payload: &str, own_name: &str) -> Option<Heard> {
    let mut lines = payload.split('\n');
    let (writer, kind) = (lines.next()?, lines.next()?);
    if kind == "echo" {
        return Some(if writer == own_name { Heard::Echo } else { Heard::Neighbour });
    }
    if writer == own_name {
        return None;
    }
    let organisation = OrganisationId::parse(lines.next()?).ok()?;
    let change = match kind {
        "integration" => Change::Integration(organisation),
        "links" => Change::Links(organisation),
        "settled" => Change::Settled(organisation, AppointmentId::parse(lines.next()?).ok()?),
        _ => return None,
    };
    Some(Heard::Change(change))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_change_is_heard_and_what_this_process_wrote_is_not() {
        let organisation = OrganisationId::parse("cabinet").unwrap();
        let heard = |payload: &str| read(payload, "cassius-calendar 1");
        let change = |change| Some(Heard::Change(change));
        assert_eq!(
            heard("cassius-calendar 2\nintegration\ncabinet"),
            change(Change::Integration(organisation.clone()))
        );
        assert_eq!(heard("psql\nlinks\ncabinet"), change(Change::Links(organisation.clone())));
        let appointment = AppointmentId::parse("rdv 1").unwrap();
        assert_eq!(heard("\nsettled\ncabinet\nrdv 1"), change(Change::Settled(organisation, appointment)));
        assert_eq!(heard("cassius-calendar 1\nlinks\ncabinet"), None);
        assert_eq!(heard("cassius-calendar 1\necho"), Some(Heard::Echo));
        assert_eq!(heard("cassius-calendar 2\necho"), Some(Heard::Neighbour));
        for unknown in ["", "x", "x\nnews\ncabinet", "x\nsettled\ncabinet", "x\nlinks\n"] {
            assert_eq!(heard(unknown), None, "{unknown:?}");
        }
    }
}
