//! Placements in columns.
//!
//! Owns how a [`Placement`] is spread over six columns and read back. Never fills a gap: columns that make no placement
//! are corrupt. Invariant: what is read is what was written.

use super::fault::Fault;
use crate::model::{CalendarId, Etag, EventId, Fingerprint, Generation, Place, Placement};

/// The six columns.
#[derive(Debug, Clone)]
pub(super) struct PlacementColumns {
    pub(super) external_calendar_id: Option<String>,
    pub(super) external_event_id: Option<String>,
    pub(super) generation: i32,
    pub(super) moving_from_calendar_id: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) content_hash: Option<Vec<u8>>,
}

impl From<&Placement> for PlacementColumns {
    fn from(placement: &Placement) -> Self {
        let mut columns = Self {
            external_calendar_id: None,
            external_event_id: None,
            generation: 1,
            moving_from_calendar_id: None,
            etag: None,
            content_hash: None,
        };
        if let Some(place) = placement.place() {
            columns.external_calendar_id = Some(place.calendar.as_str().to_owned());
            columns.external_event_id = Some(place.event.as_str().to_owned());
            columns.generation = place.generation.0;
        }
        match placement {
            Placement::Absent { generation } => columns.generation = generation.0,
            Placement::Reserved(_) => {}
            Placement::Written { etag, fingerprint, .. } => {
                columns.etag = Some(etag.as_str().to_owned());
                columns.content_hash = fingerprint.as_ref().map(|Fingerprint(digest)| digest.clone());
            }
            Placement::Moving { from, fingerprint, .. } => {
                columns.moving_from_calendar_id = Some(from.as_str().to_owned());
                columns.content_hash = fingerprint.as_ref().map(|Fingerprint(digest)| digest.clone());
            }
        }
        columns
    }
}

impl TryFrom<PlacementColumns> for Placement {
    type Error = Fault;

    fn try_from(columns: PlacementColumns) -> Result<Self, Fault> {
        let generation = Generation(columns.generation);
        let place = match (columns.external_calendar_id, columns.external_event_id) {
            (None, None) => return Ok(Self::Absent { generation }),
            (Some(calendar), Some(event)) => {
                Place { calendar: CalendarId::new(calendar), event: EventId::new(event), generation }
            }
            (None, Some(_)) => return Err(Fault::Corrupt("external_calendar_id")),
            (Some(_), None) => return Err(Fault::Corrupt("external_event_id")),
        };
        let fingerprint = columns.content_hash.map(Fingerprint);
        Ok(match (columns.moving_from_calendar_id, columns.etag) {
            (Some(from), _) => Self::Moving { place, from: CalendarId::new(from), fingerprint },
            (None, Some(etag)) => Self::Written { place, etag: Etag::new(etag), fingerprint },
            (None, None) => Self::Reserved(place),
        })
    }
}
