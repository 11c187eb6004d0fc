//! The real program, as an operator runs it.

mod attacks;
mod backup;
mod check_config;
mod dev;
mod drain;
mod full_disk;
mod generate_key;
mod healthcheck;
mod logs;
mod metrics;
mod migrate;
pub(crate) mod process;
mod readme;
mod reload;
mod reload_faults;
mod reseal;
mod serve;
mod traces;
