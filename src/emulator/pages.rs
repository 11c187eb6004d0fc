//! What a person looks at beside the demo: the accounts, and the week of a calendar.
//!
//! Owns these pages. It never changes anything: a button asks `control` to. Invariant: a page shows the state of the moment
//! and renews itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::Shared;
use super::world::{Calendar, Event, World};

const STYLE: &str = include_str!("pages.css");

/// Replaces the page's content when it changed, asked every second; without script the page reloads itself.
const RENEW: &str = "const main = document.querySelector('main');
let shown = main.innerHTML;
setInterval(async () => {
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
    const next = page.querySelector('main')?.innerHTML;
    if (next && next !== shown) main.innerHTML = shown = next;
  } catch {}
}, 1000)";

/// Does what a button says: a call of `control`, which the page then shows the effect of.
const PRESS: &str = "document.addEventListener('click', ({ target }) => {
  const { method, path, body } = target.dataset;
  if (path) fetch(path, { method, ...(body && { body, headers: { 'content-type': 'application/json' } }) });
})";

/// Troubles that are asked for by a button: their name, and the fault.
const FAULT_BUTTONS: [(&str, &str); 3] = [
    (
        "Refuser le prochain événement",
        // The service asks twice before it takes an event as refused.
        r#"{"operation":"events.insert","times":2,"fault":{"kind":"error","code":400,"reason":"invalid"}}"#,
    ),
    (
        "Demander de patienter",
        r#"{"operation":"events.insert","fault":{"kind":"error","code":403,"reason":"rateLimitExceeded","retry_after_seconds":60}}"#,
    ),
    (
        "Ne plus répondre",
        r#"{"operation":"events.insert","fault":{"kind":"error","code":503,"reason":"backendError"}}"#,
    ),
];

/// `/` and `/calendar`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/", get(home)).route("/calendar", get(week)).route("/calendar/event", get(event))
}

fn shell(title: &str, content: &Markup) -> Response {
    Html(
        html! {
            (DOCTYPE)
            html lang="fr" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                    noscript { meta http-equiv="refresh" content="2"; }
                }
                body { main { (content) } script { (PreEscaped(RENEW)) } script { (PreEscaped(PRESS)) } }
            }
        }
        .into_string(),
    )
    .into_response()
}

async fn home(State(shared): State<Arc<Shared>>) -> Response {
    let google = shared.lock();
    let world = &google.world;
    let content = html! {
        h1 { "Google, émulé" }
        p { "Les comptes de cette machine. Rien ne quitte celle-ci." }
        @for account in world.accounts.values() {
            section.account {
                h2 { (account.name) }
                p {
                    (account.email) " · "
                    @if world.grants.stands(&account.email) {
                        "Cassius y a accès "
                        (button("Retirer l’accès", "POST", &control(&["accounts", &account.email, "revoke"]), None))
                    } @else {
                        "Cassius n’y a pas accès"
                    }
                }
                ul {
                    @for entry in &account.list {
                        @if let Some(calendar) = world.calendars.get(&entry.calendar_id) {
                            li {
                                span.dot style=(format!("background:{}", entry.background_color)) {}
                                a href=(address(&account.email, &calendar.id, None)) { (entry.summary_override.as_ref().unwrap_or(&calendar.summary)) }
                                small { (entry.access_role.as_str()) " · " (calendar.events.values().filter(|event| !event.cancelled).count()) " év." }
                                @if calendar.id != account.email {
                                    (button("Supprimer", "DELETE", &control(&["calendars", &calendar.id]), None))
                                }
                            }
                        }
                    }
                }
            }
        }
        section.account {
            h2 { "Voir une panne" }
            p.troubles {
                @for (name, fault) in FAULT_BUTTONS { (button(name, "POST", "/emulator/faults", Some(fault))) }
                (button("Tout rétablir", "DELETE", "/emulator/faults", None))
            }
        }
        p { small { (google.journal.last().map_or(0, |last| last + 1)) " appels reçus" } }
    };
    shell("Google, émulé", &content)
}

fn button(name: &str, method: &str, path: &str, body: Option<&str>) -> Markup {
    html! { button type="button" data-method=(method) data-path=(path) data-body=[body] { (name) } }
}

/// The path of a control.
fn control(segments: &[&str]) -> String {
    let encoded = segments.iter().map(|segment| utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string());
    encoded.fold("/emulator".to_owned(), |path, segment| format!("{path}/{segment}"))
}

#[derive(Debug, Deserialize)]
struct WeekQuery {
    account: Option<String>,
    calendar: Option<String>,
    week: Option<Date>,
}

async fn week(State(shared): State<Arc<Shared>>, Query(wanted): Query<WeekQuery>) -> Response {
    let google = shared.lock();
    let world = &google.world;
    let account =
        wanted.account.as_ref().and_then(|email| world.accounts.get(email)).or(world.accounts.values().next());
    let Some(account) = account else { return StatusCode::NOT_FOUND.into_response() };
    let id = World::resolve(&account.email, wanted.calendar.as_deref().unwrap_or("primary"));
    let entry = account.list.iter().find(|entry| entry.calendar_id == id);
    let Some((calendar, entry)) = world.calendars.get(id).zip(entry) else {
        return (StatusCode::NOT_FOUND, "calendar not found").into_response();
    };
    let zone = calendar.zone();
    let now = shared.now().to_zoned(zone.clone());
    let shown = wanted.week.unwrap_or_else(|| now.date());
    let monday = shift(shown, -i64::from(shown.weekday().to_monday_zero_offset()));
    let days: Vec<Date> = (0..7).map(|day| shift(monday, day)).collect();
    let content = html! {
        header {
            h1 { (calendar.summary) }
            p { a href="/" { (account.name) } " · " (account.email) }
            nav aria-label="Semaines" {
                a href=(address(&account.email, id, Some(shift(monday, -7)))) { "‹ Semaine précédente" }
                a href=(address(&account.email, id, None)) { "Aujourd’hui" }
                a href=(address(&account.email, id, Some(shift(monday, 7)))) { "Semaine suivante ›" }
            }
            nav aria-label="Calendriers" {
                @for other in &account.list {
                    @if let Some(named) = world.calendars.get(&other.calendar_id) {
                        a.chosen[named.id == id] href=(address(&account.email, &named.id, wanted.week)) {
                            span.dot style=(format!("background:{}", other.background_color)) {} (named.summary)
                        }
                    }
                }
            }
        }
        div.week {
            @for date in &days {
                section.day.today[*date == now.date()] {
                    h2 { (day_name(*date)) " " strong { (date.day()) } }
                    @for (id, event, start, end) in of_day(calendar, *date, &zone) {
                        article style=(format!("--color:{}", color(event).unwrap_or(&entry.background_color))) id=(id) {
                            @if event.start.whole_day {
                                small { "Toute la journée" }
                            } @else {
                                small { (start.strftime("%H:%M")) "–" (end.strftime("%H:%M")) }
                            }
                            b { (text(event, "summary").unwrap_or("(Sans titre)")) }
                            @if let Some(location) = text(event, "location") { span { (location) } }
                            @if let Some(description) = text(event, "description") { details { summary { "Détails" } (description) } }
                        }
                    }
                }
            }
        }
    };
    shell(&calendar.summary, &content)
}

#[derive(Debug, Deserialize)]
struct Named {
    eid: String,
}

/// Where `htmlLink` leads: the week of that event.
async fn event(State(shared): State<Arc<Shared>>, Query(named): Query<Named>) -> Response {
    let google = shared.lock();
    for account in google.world.accounts.values() {
        for entry in &account.list {
            let Some(calendar) = google.world.calendars.get(&entry.calendar_id) else { continue };
            if let Some(event) = calendar.events.get(&named.eid).filter(|event| !event.cancelled) {
                let date = event.start.at.to_zoned(calendar.zone()).date();
                let address = address(&account.email, &calendar.id, Some(date));
                return axum::response::Redirect::to(&format!("{address}#{}", named.eid)).into_response();
            }
        }
    }
    (StatusCode::NOT_FOUND, "event not found").into_response()
}

/// The events that touch `date`, in order, with their local times.
fn of_day<'a>(calendar: &'a Calendar, date: Date, zone: &TimeZone) -> Vec<(&'a str, &'a Event, Zoned, Zoned)> {
    let mut events: Vec<_> = calendar
        .events
        .iter()
        .filter(|(_, event)| !event.cancelled)
        .map(|(id, event)| {
            let zone = if event.start.whole_day { TimeZone::UTC } else { zone.clone() };
            (id.as_str(), event, event.start.at.to_zoned(zone.clone()), event.end.at.to_zoned(zone))
        })
        .filter(|(_, _, start, end)| {
            let next = end.date() > date && start.date() < date;
            start.date() == date || next || (end.date() == date && end.time() != jiff::civil::Time::midnight())
        })
        .collect();
    events.sort_by(|(_, _, one, _), (_, _, other, _)| one.cmp(other));
    events
}

fn text<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event.body.get(name)?.as_str()
}

/// Google's colours of events.
fn color(event: &Event) -> Option<&'static str> {
    const COLORS: [&str; 11] = [
        "#7986cb", "#33b679", "#8e24aa", "#e67c73", "#f6bf26", "#f4511e", "#039be5", "#616161", "#3f51b5", "#0b8043",
        "#d50000",
    ];
    COLORS.get(text(event, "colorId")?.parse::<usize>().ok()?.checked_sub(1)?).copied()
}

fn shift(date: Date, days: i64) -> Date {
    date.saturating_add(Span::new().days(days))
}

fn day_name(date: Date) -> &'static str {
    const NAMES: [&str; 7] = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];
    usize::try_from(date.weekday().to_monday_zero_offset()).ok().and_then(|day| NAMES.get(day)).copied().unwrap_or("")
}

fn address(account: &str, calendar: &str, week: Option<Date>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("account", account).append_pair("calendar", calendar);
    if let Some(week) = week {
        query.append_pair("week", &week.to_string());
    }
    format!("/calendar?{}", query.finish())
}
