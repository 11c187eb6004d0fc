//! `CalendarIntegration`, a file per RPC.
