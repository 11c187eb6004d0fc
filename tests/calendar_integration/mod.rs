//! `CalendarIntegration`, a file per RPC, and the consent over HTTP.

mod begin_connect;
mod consent;
mod disconnect;
mod get_status;
mod list_audit_events;
mod list_calendars;
mod list_integrations;
mod planted;
mod preview_event;
mod rows;
mod sync_now;
mod tabs;
mod units;
mod update_settings;
mod watch_problems;
mod watch_status;
