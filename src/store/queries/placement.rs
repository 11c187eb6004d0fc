//! Placements in columns.
//!
//! Owns how a [`Placement`] is spread over seven columns and read back: no other place reads or writes one whole.
//! Statements that look for events, owe their deletion, seal their calendars or forget what Google is known to show
//! name the columns that they are about. Never fills a gap: an event without a
//! calendar, or a calendar without an event, is corrupt. Invariant: what
//! is read is what was written.

use diesel::prelude::*;

use super::schema::appointment_external_links;
use super::statement::{Fragment, joined};
use crate::model::{CalendarId, Etag, EventId, Fingerprint, Generation, Origin, Place, Placement};
use crate::store::fault::Corrupt;

/// The columns of a placement, each once: a field that is added to the row does not compile until it stands here too.
macro_rules! columns {
    ($first:ident, $($other:ident),+) => {
        /// The columns, by name.
        pub(super) const PLACEMENT: &str = concat!(stringify!($first), $(", ", stringify!($other)),+);

        fn binds(placement: &Placement) -> [(&'static str, Fragment); 1 + [$(stringify!($other)),+].len()] {
            let PlacementRow { $first, $($other),+ } = PlacementRow::from(placement);
            [(stringify!($first), Fragment::default().bind($first)), $((stringify!($other), Fragment::default().bind($other))),+]
        }
    };
}

/// The one column that an absent event has.
const GENERATION: &str = "generation";

columns!(
    external_calendar_id,
    external_event_id,
    generation,
    moving_from_calendar_id,
    moving_from_event_id,
    etag,
    content_hash
);

/// The columns as they are read.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = appointment_external_links)]
pub(super) struct PlacementRow {
    external_calendar_id: Option<String>,
    external_event_id: Option<String>,
    generation: i32,
    moving_from_calendar_id: Option<String>,
    moving_from_event_id: Option<String>,
    etag: Option<String>,
    content_hash: Option<Vec<u8>>,
}

impl PlacementRow {
    /// The generation, which always reads.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.generation)
    }
}

/// The values of the columns, in the order of [`PLACEMENT`].
pub(super) fn values_of(placement: &Placement) -> Fragment {
    joined(binds(placement).map(|(_, value)| value), ", ", Fragment::default())
}

/// Sets the columns.
pub(super) fn set(placement: &Placement) -> Fragment {
    let assign = |(column, value)| Fragment::default().sql(column).sql(" = ").with(value);
    joined(binds(placement).map(assign), ", ", Fragment::default())
}

/// Sets the columns to those of an absent event, of the generation that stands there.
pub(super) fn set_absent() -> String {
    let forgotten = PLACEMENT.split(", ").filter(|column| *column != GENERATION);
    forgotten.map(|column| format!("{column} = NULL")).collect::<Vec<_>>().join(", ")
}

/// Sets the columns to those of another table.
pub(super) fn set_from(table: &str) -> String {
    let assign = |column| format!("{column} = {table}.{column}");
    PLACEMENT.split(", ").map(assign).collect::<Vec<_>>().join(", ")
}

impl From<&Placement> for PlacementRow {
    fn from(placement: &Placement) -> Self {
        let mut row = Self {
            external_calendar_id: None,
            external_event_id: None,
            generation: Generation::FIRST.0,
            moving_from_calendar_id: None,
            moving_from_event_id: None,
            etag: None,
            content_hash: None,
        };
        if let Some(Place { calendar, event, generation }) = placement.place() {
            row.external_calendar_id = Some(calendar.as_str().to_owned());
            row.external_event_id = Some(event.as_str().to_owned());
            row.generation = generation.0;
        }
        match placement {
            Placement::Absent { generation } => row.generation = generation.0,
            Placement::Reserved(_) => {}
            Placement::Written { place: _, etag, fingerprint } => {
                row.etag = Some(etag.as_str().to_owned());
                row.content_hash = fingerprint.as_ref().map(|Fingerprint(digest)| digest.clone());
            }
            Placement::Moving { place, from: Origin { calendar, event } } => {
                row.moving_from_calendar_id = Some(calendar.as_str().to_owned());
                row.moving_from_event_id = (*event != place.event).then(|| event.as_str().to_owned());
            }
        }
        row
    }
}

impl TryFrom<PlacementRow> for Placement {
    type Error = Corrupt;

    fn try_from(row: PlacementRow) -> Result<Self, Corrupt> {
        let PlacementRow {
            external_calendar_id,
            external_event_id,
            generation,
            moving_from_calendar_id,
            moving_from_event_id,
            etag,
            content_hash,
        } = row;
        let generation = Generation(generation);
        let place = match (external_calendar_id, external_event_id) {
            (None, None) => return Ok(Self::Absent { generation }),
            (Some(calendar), Some(event)) => {
                Place { calendar: CalendarId::new(calendar), event: EventId::new(event), generation }
            }
            (None, Some(_)) => return Err(Corrupt("external_calendar_id")),
            (Some(_), None) => return Err(Corrupt("external_event_id")),
        };
        let fingerprint = content_hash.map(Fingerprint);
        Ok(match (moving_from_calendar_id, etag) {
            (Some(calendar), _) => {
                let event = moving_from_event_id.map_or_else(|| place.event.clone(), EventId::new);
                Self::Moving { place, from: Origin { calendar: CalendarId::new(calendar), event } }
            }
            (None, Some(etag)) => Self::Written { place, etag: Etag::new(etag), fingerprint },
            (None, None) => Self::Reserved(place),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_event_has_its_generation_and_nothing_else() {
        let absent = binds(&Placement::NEVER).map(|(column, _)| column).into_iter().collect::<Vec<_>>();
        let forgotten = set_absent().replace(" = NULL", "");
        let left: Vec<_> = absent.iter().filter(|column| !forgotten.split(", ").any(|it| it == **column)).collect();
        assert_eq!(left, [&GENERATION]);
        let row = PlacementRow::from(&Placement::NEVER);
        let PlacementRow {
            external_calendar_id: None,
            external_event_id: None,
            generation: 1,
            moving_from_calendar_id: None,
            moving_from_event_id: None,
            etag: None,
            content_hash: None,
        } = row
        else {
            panic!("a column of an absent event says more than its generation");
        };
    }
}
