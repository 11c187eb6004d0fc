//! The world of a fresh emulator: two made-up practices.
//!
//! Owns the sample accounts and their calendars. It never adds an event. Invariant: every access role that matters to
//! a sync is there: an owned primary, an owned second, a shared one to write to, one to read.

use super::{AccessRole, NewCalendar, World};

const LILAS: &str = "accueil@cabinet-des-lilas.example";
const MONNIER: &str = "dr.monnier@gmail.com";

/// Two accounts with several calendars each.
pub(crate) fn samples() -> World {
    let mut world = World::default();
    world.add_account(LILAS, "Cabinet des Lilas", "104201733015822900001".to_owned(), "Europe/Paris");
    world.add_account(MONNIER, "Dr Odile Monnier", "104201733015822900002".to_owned(), "Europe/Paris");
    let salle = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";
    let implants = "c_81d0c7a2f0ce4b5b9d1f6a3e2b4c5d22@group.calendar.google.com";
    let holidays = "fr.french#holiday@group.v.calendar.google.com";
    for (email, id, summary, access_role, color) in [
        (LILAS, salle, "Fauteuils et salles", AccessRole::Owner, "#f83a22"),
        (LILAS, implants, "Implantologie", AccessRole::Writer, "#7bd148"),
        (LILAS, holidays, "Jours fériés en France", AccessRole::Reader, "#16a765"),
        (MONNIER, implants, "Implantologie", AccessRole::Owner, "#4986e7"),
        (MONNIER, salle, "Fauteuils et salles", AccessRole::Reader, "#fad165"),
        (MONNIER, holidays, "Jours fériés en France", AccessRole::Reader, "#16a765"),
    ] {
        world.add_calendar(
            email,
            NewCalendar {
                id: id.to_owned(),
                summary: summary.to_owned(),
                time_zone: "Europe/Paris".to_owned(),
                access_role,
                background_color: color.to_owned(),
                app_created: false,
            },
        );
    }
    if let Some(shared) = world
        .accounts
        .get_mut(LILAS)
        .and_then(|account| account.list.iter_mut().find(|entry| entry.calendar_id == implants))
    {
        shared.summary_override = Some("Implantologie (partagé)".to_owned());
    }
    world
}
