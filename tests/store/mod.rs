//! The store, on both back ends.

mod accepting;
mod asking_again;
mod claiming;
mod connecting;
mod consents;
mod faults;
mod harness;
mod holding;
mod owing;
mod queues;
mod refreshing;
mod revoking;
mod schema;
mod settling;
mod statements;
mod statuses;
mod sweeping;
mod ten_thousand;
mod tls;
mod wishing;
