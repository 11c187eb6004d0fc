//! The account's calendars.

use cassius_calendar::google::CalendarError;
use reqwest::Method;
use serde_json::json;

use super::stage::{ACCOUNT, EVENTS, HOLIDAYS, LIST, OTHER_ACCOUNT, ROOMS, Stage};

#[tokio::test]
async fn the_writable_calendars_come_primary_first_then_by_name() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS, LIST]).await;
    let calendars = stage.calendars(&token).await.expect("a list");
    let names: Vec<_> = calendars.iter().map(|access| access.calendar.name.as_str()).collect();
    assert_eq!(&names[1..], ["Fauteuils et salles", "Implantologie (partagé)"]);
    let primary = &calendars[0].calendar;
    assert_eq!((primary.id.as_str(), primary.is_primary), (ACCOUNT, true));
    let rooms = &calendars[1].calendar;
    assert_eq!((rooms.id.as_str(), rooms.time_zone.as_str(), rooms.color.as_str()), (ROOMS, "Europe/Paris", "#f83a22"));
    assert!(!rooms.is_primary);
    let owned: Vec<_> = calendars.iter().map(|access| access.is_owned).collect();
    assert_eq!(owned, [true, true, false]);
}

#[tokio::test]
async fn each_page_of_the_list_is_a_call_and_names_the_next_one() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS, LIST]).await;
    for number in 0..260 {
        let calendar = json!({"summary": format!("Salle {number:03}"), "access_role": "owner"});
        stage.control(Method::POST, &format!("accounts/{ACCOUNT}/calendars"), calendar).await;
    }
    let calendars = stage.calendars(&token).await.expect("a list");
    assert_eq!(calendars.len(), 263);
    assert_eq!(calendars[262].calendar.name, "Salle 259");
    assert_eq!(stage.journal("calendarList.list").await.len(), 2);
}

#[tokio::test]
async fn primary_is_resolved_to_the_calendars_own_id() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS, LIST]).await;
    let access = stage.calendar(&token, "primary").await.expect("a calendar");
    assert_eq!((access.calendar.id.as_str(), access.calendar.is_primary, access.may_write), (ACCOUNT, true, true));
    let holidays = stage.calendar(&token, HOLIDAYS).await.expect("a calendar");
    assert_eq!((holidays.calendar.id.as_str(), holidays.may_write), (HOLIDAYS, false));
}

#[tokio::test]
async fn without_the_list_scope_primary_is_the_accounts_e_mail() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    assert_eq!(stage.calendars(&token).await, Err(CalendarError::ScopeMissing));
    let access = stage.calendar(&token, "primary").await.expect("a calendar");
    assert_eq!((access.calendar.id.as_str(), access.calendar.is_primary, access.may_write), (ACCOUNT, true, true));
    assert_eq!(access.calendar.time_zone, "Europe/Paris");
    let rooms = stage.calendar(&token, ROOMS).await.expect("a calendar");
    assert_eq!((rooms.calendar.name.as_str(), rooms.calendar.is_primary), ("Fauteuils et salles", false));
}

#[tokio::test]
async fn a_calendar_that_is_not_the_accounts_is_not_found() {
    let stage = Stage::new().await;
    for scopes in [&[EVENTS, LIST][..], &[EVENTS][..]] {
        let token = stage.token(scopes).await;
        for id in [OTHER_ACCOUNT, "nobody@example.fr", "..", "a/../b", "\r\n"] {
            let access = stage.calendar(&token, id).await;
            assert_eq!(access, Err(CalendarError::NotFound), "{id:?}");
        }
    }
}

#[tokio::test]
async fn without_any_calendar_scope_the_scope_is_what_is_missing() {
    let stage = Stage::new().await;
    let token = stage.token(&["openid"]).await;
    let access = stage.calendar(&token, "primary").await;
    assert_eq!(access, Err(CalendarError::ScopeMissing));
}
