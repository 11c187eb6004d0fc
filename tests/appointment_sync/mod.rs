//! `AppointmentSync`, a file per RPC.
