//! What the tests stand on: a real server on a database of its own, real clients, and the emulated Google on loopback.

pub(crate) mod app;
pub(crate) mod backends;
pub(crate) mod browser;
pub(crate) mod database;
pub(crate) mod google;
pub(crate) mod http;
pub(crate) mod logs;
pub(crate) mod samples;
