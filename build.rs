//! Turns `proto/` into Rust and into the descriptor set that reflection serves, with protox: no `protoc` is needed.

use std::path::PathBuf;
use std::{env, error, fs};

use prost::Message as _;

const FILES: [&str; 3] = [
    "cassius/calendar/v1/appointment_sync.proto",
    "cassius/calendar/v1/calendar_integration.proto",
    "cassius/calendar/v1/error_reason.proto",
];

/// What a patient, an account or a browser's ticket could be known by: `src/grpc/pb.rs` writes their `Debug` by hand.
const WITHHELD: [&str; 5] = [
    ".cassius.calendar.v1.Appointment",
    ".cassius.calendar.v1.BeginConnectRequest",
    ".cassius.calendar.v1.ConnectCookie",
    ".cassius.calendar.v1.EventPreview",
    ".cassius.calendar.v1.IntegrationStatus",
];

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    // They are embedded by a macro, which does not notice an edit by itself.
    println!("cargo::rerun-if-changed=migrations");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let path = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(path, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().skip_debug(WITHHELD).emit_rerun_if_changed(false).compile_fds(descriptors)?;
    Ok(())
}
