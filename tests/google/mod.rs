//! The room `google` against a Google on a real socket: the emulator for what Google does, a server of a few lines for
//! what no Google should do.

mod calendars;
mod consent;
mod events;
mod network;
mod stage;
