//! What only an emulator has.
