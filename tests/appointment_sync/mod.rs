//! `AppointmentSync`, a file per RPC.

mod batch_get_appointment_links;
mod get_appointment_history;
mod get_appointment_link;
mod list_appointment_links;
mod reconcile_appointments;
mod replace_appointments;
mod retry_appointments;
mod sync_appointment;
mod sync_appointments;
