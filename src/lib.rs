//! Keeps Google Calendar in step with the appointments of Cassius.
//!
//! Cassius is the only source of truth. Its backend says over gRPC what an appointment is; what should be is stored, and
//! a worker makes Google follow. Invariant: nothing that Google answers changes an appointment.
//!
//! # The map
//!
//! | room | owns |
//! |---|---|
//! | [`model`] | the vocabulary: organisations, appointments, revisions, the status of a link |
//! | [`error_chain`] | an error with its causes, in one line of the log |
//! | [`clock`] | time and randomness: the only caller of the system's |
//! | [`language`] | French or English |
//! | [`config`] | every setting, and all faults at once |
//! | [`notifier`] | "look again", within the process and from its replicas |
//! | [`sync`] | the brain, pure: what to do next, the event as rendered, how long to wait |
//! | [`crypto`] | the keyring: seals tokens and snapshots to the cell that they stand in |
//! | [`quota`] | what may be spent of Google's quota, over all replicas |
//! | [`metrics`] | what is counted and measured, for Prometheus |
//! | [`traces`] | spans: from the call that asked for it to the call of Google, for OTLP |
//! | [`listener`] | takes connections, whatever the system has to say |
//! | [`roots`] | whom the service trusts when it connects to somebody else |
//! | [`google`] | Google's wire: OAuth, calendars, events, errors by their meaning |
//! | [`store`] | the database: one set of queries, on SQLite and on PostgreSQL |
//! | [`resealing`] | the keys that are in use: counted, and exchanged for the first |
//! | [`connection`] | an integration: consent, tokens, settings, status, disconnect |
//! | [`delivery`] | appointments: accepts, the worker, one attempt, fair turns, the preview, the comparison with Google |
//! | [`grpc`] | the wire: who calls, what a request must look like, what an error looks like |
//! | [`http`] | the sidecar: the two addresses that a browser comes to |
//! | [`app`] | the composition root: start, serve, drain |
//! | `emulator` | Google on loopback, for `dev` and the tests (feature `dev`) |
//! | `cli` | the subcommands, in the program and not in this library |
//!
//! # The way of an appointment
//!
//! 1. `grpc` checks the call; [`delivery`] stores the snapshot in one guarded upsert and answers. It never waits for
//!    Google unless it is asked to, and never fails because of it.
//! 2. The worker is notified, claims what is due with a lease, and asks `sync` for the next step: a call to make, or an
//!    outcome. What another replica accepts is notified by the database; where that is not heard, it is found by looking
//!    now and then. The id of an event is stored before the call that creates it, so that a lost answer doubles nothing.
//! 3. What Google answered goes back into `sync`, until there is an outcome; it is settled only under the same lease. A
//!    revision that arrived meanwhile stays due.
//!
//! A lease is renewed before each call but the first of a claim, and before that where little of it is left
//! (`delivery/attempt/mod.rs`), and fences whoever has lost it:
//! before a call, nothing is reserved or renewed under a lease that has passed to another, or in another epoch (of links in
//! `store/queries/leases.rs`, of owed deletions in `store/queries/owed_claims.rs`), but to delete one of the two events that a
//! copy makes: a disconnect waits for it. Where the clock was set forward, the
//! worker renews what is under way in whichever epoch, so that nobody takes it over meanwhile (`leases::renew_all`). Nothing
//! is settled under a lease that has passed to another, while another epoch alone fences no result: what may stand at Google
//! is recorded all the same (`store/queries/settlements.rs`).
//!
//! What switching an integration off does is said at `Integrations::change_settings`
//! (`connection/integrations/settings.rs`), and to callers at `UpdateSettings` in `proto/`; what it means for a claim and
//! for an accept, in the migrations `link_queues` (`served_from`) and `erasures_while_off` (`owed_served_from` of what is
//! owed), and in `store/queries/accepts.rs`.
//!
//! # How to add
//!
//! What the compiler and the tests ask for by themselves is not repeated here: this is where to begin.
//!
//! - **A field of the event.** `sync::Event` and its `render` (`sync/event/mod.rs`), then wherever the compiler stops: the
//!   digest of the content, the body of a write (`google/event/mod.rs`), the comparison (`sync/shown.rs`), the preview
//!   (`grpc/convert.rs`). What Google is asked to bring of an event the compiler does not know: `FIELDS` in
//!   `google/listing.rs` and `MOVED_EVENT_FIELDS` in `google/calendar.rs`; what the emulated Google keeps: `WRITABLE` in
//!   `emulator/calendar/body.rs`. If Cassius has to send it too: the message in `proto/`, `grpc/validate/appointment.rs`,
//!   and [`model::Details`] with a default. The README's table of what is sent. Events that stand at Google get it when their
//!   appointment is sent next.
//! - **A setting of the environment.** Its row in `config/settings.rs`, its field and its reading in `config/mod.rs` (in
//!   `config/access.rs` for who may call and where), and in `config/parse.rs` how its text is read, if no other setting is
//!   read that way; it is handed on where `app` puts together what needs it: the rooms (`app/rooms.rs`), the database
//!   (`app/database.rs`), keys and certificates (`app/keys.rs`), what listens (`app/mod.rs`). The README's table is made of
//!   the rows.
//! - **An RPC.** The method in `proto/`, its handler in `grpc/calendar_integration.rs` or `grpc/appointment_sync/mod.rs`
//!   (each opens with `answer(..)`, or with `split(..)` where it streams), its check in `grpc/validate/`, which begins
//!   with `Check::organisation`: that is what authorises. One that is about all organisations answers what the caller may
//!   see of them (`RequestContext::visible`). The work stands in [`connection`] or [`delivery`]. The audit notes it, unless
//!   `grpc/audit_layer.rs` says that it does not. `tests/wire` takes every method from the descriptors and tries it with a
//!   foreign key.
//! - **A migration.** `migrations/README.md`.
//! - **A second provider.** The head of `model/provider.rs` says what it touches.
//!
//! # The import rule
//!
//! Each room has a rank, and imports from rooms of a lower rank alone; of rank 0, `tests/house/imports.rs` says who may
//! import `model`; `main` calls `cli`.
//!
//! | rank | rooms |
//! |---|---|
//! | 0 | `model`, `error_chain`, `clock`, `language`, `metrics`, `traces`, `config`, `notifier` |
//! | 1 | `sync`, `crypto`, `quota`, `listener`, `roots` |
//! | 2 | `google`, `store` |
//! | 3 | `connection`, `resealing` |
//! | 4 | `delivery` |
//! | 5 | `grpc`, `http` |
//! | 6 | `app`, `emulator` |
//! | 7 | `cli`, `main` |
//!
//! `tests/house` holds this, and for each room the list of those that it may import: fewer than its rank allows. No files
//! import each other in a circle. Two things are none: what a file takes of its own door (the `mod.rs` above it, or the back
//! end that mounts it), and, in `store`, a file and the queries of its own name, which it has a macro run on either back end,
//! and which answer in its types. Generated types of the wire stop at `grpc`, diesel's at `store`, Google's at `google`.

pub mod app;
pub mod clock;
pub mod config;
pub mod connection;
pub mod crypto;
pub mod delivery;
#[cfg(feature = "dev")]
pub mod emulator;
pub mod error_chain;
pub mod google;
pub mod grpc;
pub mod http;
pub mod language;
pub mod listener;
pub mod metrics;
pub mod model;
pub mod notifier;
pub mod quota;
pub mod resealing;
pub mod roots;
pub mod store;
pub mod sync;
pub mod traces;
