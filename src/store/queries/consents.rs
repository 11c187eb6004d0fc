//! Consents: stored, begun, and taken once.
//!
//! Owns how a consent is stored, and how many of an organisation there are at a time. Never deletes a grant with the
//! consent that ends: it is queued to be revoked first. Invariant: a consent is read and deleted by one statement, so
//! that it is taken once; what ends them waits for none but of an organisation whose queue it holds.

use diesel::prelude::*;
use diesel::sql_types::Binary;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::integrations::{insert_if_absent, integration};
use super::schema::oauth_consents::dsl;
use super::statement::{Fragment, list_of, named, padded, sql};
use super::{Conn, FOR_UPDATE, Fault, SKIP_LOCKED, rows, unkept_grants};
use crate::crypto::Sealed;
use crate::model::{Epoch, OrganisationId};
use crate::store::instant::Instant;
use crate::store::{Consent, NewConsent, UnconfirmedConsent};

pub(in crate::store) async fn create(conn: &mut Conn, consent: NewConsent, now: Timestamp) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        let NewConsent { ticket_hash, organisation, practice, return_url, expires_at } = consent;
        insert_if_absent(conn, &organisation, false, now).await?;
        let begin = sql("UPDATE calendar_integrations SET never_began = FALSE WHERE never_began AND ");
        named("consents.begin", begin.with(of_organisation(&organisation))).execute(conn).await?;
        let integration = integration(conn, &organisation).await?.ok_or(Fault::Corrupt("organisation_id"))?;
        let insert = diesel::insert_into(dsl::oauth_consents).values((
            dsl::organisation_id.eq(organisation.as_str()),
            dsl::ticket_hash.eq(ticket_hash),
            dsl::practice.eq(practice),
            dsl::return_url.eq(return_url),
            dsl::expires_at.eq(Instant(expires_at)),
            dsl::created_at.eq(Instant(now)),
            dsl::epoch.eq(integration.epoch.0),
        ));
        named("consents.create", insert).execute(conn).await?;
        // The oldest give way, so that whoever begins again and again takes up bounded room.
        let surplus = sql("DELETE FROM oauth_consents WHERE ticket_hash IN (SELECT ticket_hash FROM oauth_consents WHERE organisation_id = ")
            .bind(&organisation)
            .sql(format!(" AND refresh_token IS NULL ORDER BY created_at DESC, ticket_hash LIMIT {SURPLUS} OFFSET {MAX_CONSENTS})"));
        named("consents.drop_surplus", surplus).execute(conn).await?;
        end(conn, sql("expires_at <= ").bind(now), SKIP_LOCKED, now).await
    })
}

#[derive(QueryableByName)]
struct TicketRow {
    #[diesel(sql_type = Binary)]
    ticket_hash: Vec<u8>,
}

/// Ends the consents that `which` is true of, held in this way: what was granted in one is kept by nobody.
async fn end(conn: &mut Conn, which: Fragment, held: &str, now: Timestamp) -> Result<(), Fault> {
    let select = sql("SELECT ticket_hash FROM oauth_consents WHERE ").with(which);
    let select = select.sql(format!(" ORDER BY ticket_hash LIMIT {ENDED_TOGETHER} {held}"));
    let ended: Vec<TicketRow> = named("consents.hold", select).load(conn).await?;
    if ended.is_empty() {
        return Ok(());
    }
    let ended = padded(ended.into_iter().map(|row| row.ticket_hash).collect(), Vec::new);
    let these = || sql("ticket_hash IN ").with(list_of(ended.iter().cloned()));
    unkept_grants::queue_from(conn, "oauth_consents", these(), now, now).await?;
    named("consents.end", sql("DELETE FROM oauth_consents WHERE ").with(these())).execute(conn).await?;
    Ok(())
}

/// Ends the consents of an organisation whose queue is held.
pub(super) async fn end_all_of(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    end(conn, sql("organisation_id = ").bind(organisation), FOR_UPDATE, now).await
}

/// Ends the consents whose person has not answered in time. One that is late otherwise still says where it began.
pub(super) async fn end_unanswered(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    end(conn, sql("granted IS NOT NULL AND expires_at <= ").bind(now), SKIP_LOCKED, now).await
}

/// How many consents of an organisation are under way at a time, and how many surplus ones go at once.
const MAX_CONSENTS: i64 = 64;
const SURPLUS: i64 = 1_000;
/// How many end at a time: many more than an organisation has, with each of their starts.
const ENDED_TOGETHER: i64 = 4_096;
/// What a digest of a ticket or of a state has.
const DIGEST_BYTES: usize = 32;
/// How many times a browser may set out with one ticket: tabs, and pages that are loaded again.
const MAX_STARTS: i64 = 16;

pub(in crate::store) async fn start(
    conn: &mut Conn,
    ticket_hash: &[u8],
    state_hash: Vec<u8>,
    verifier: &Sealed,
    nonce: String,
    now: Timestamp,
) -> Result<Option<OrganisationId>, Fault> {
    transaction!(conn, async |conn| {
        // Of two starts in one instant the second sees the first.
        let hold = sql("SELECT ticket_hash FROM oauth_consents WHERE ticket_hash = ").bind(ticket_hash.to_vec());
        let _held: Vec<TicketRow> =
            named("consents.hold_ticket", hold.sql(format!(" {FOR_UPDATE}"))).load(conn).await?;
        let ticket = dsl::oauth_consents.find(ticket_hash).filter(dsl::expires_at.gt(Instant(now))).select((
            dsl::organisation_id,
            dsl::practice,
            dsl::return_url,
            dsl::expires_at,
            dsl::created_at,
            dsl::state_hash,
            dsl::epoch,
        ));
        let found: Option<Ticket> = named("consents.find", ticket).get_result(conn).await.optional()?;
        let Some((organisation, practice, return_url, expires_at, created_at, earlier, epoch)) = found else {
            return Ok(None);
        };
        let whose = rows::organisation(&organisation)?;
        let siblings = dsl::oauth_consents
            .filter(dsl::organisation_id.eq(&organisation))
            .filter(dsl::created_at.eq(created_at))
            .filter(dsl::expires_at.eq(expires_at))
            .count();
        let siblings: i64 = named("consents.siblings", siblings).get_result(conn).await?;
        let started =
            (dsl::state_hash.eq(&state_hash), dsl::pkce_verifier.eq(verifier.as_bytes()), dsl::nonce.eq(nonce));
        if earlier.is_none() || siblings >= MAX_STARTS {
            let first = diesel::update(dsl::oauth_consents.find(ticket_hash)).set(started);
            named("consents.start", first).execute(conn).await?;
            return Ok(Some(whose));
        }
        // No digest is as long as two, so that no ticket leads to this row.
        let key = [ticket_hash, &state_hash].concat();
        let again = diesel::insert_into(dsl::oauth_consents).values((
            started,
            dsl::ticket_hash.eq(key),
            dsl::organisation_id.eq(&organisation),
            dsl::practice.eq(practice),
            dsl::return_url.eq(return_url),
            dsl::expires_at.eq(expires_at),
            dsl::created_at.eq(created_at),
            dsl::epoch.eq(epoch),
        ));
        named("consents.start_again", again).execute(conn).await?;
        Ok(Some(whose))
    })
}

type Ticket = (String, Option<String>, Option<String>, Instant, Instant, Option<Vec<u8>>, i64);
type ConsentRow = (String, Option<String>, Option<String>, Option<Vec<u8>>, Option<String>, Instant, Vec<u8>, i64);

pub(in crate::store) async fn take(conn: &mut Conn, state_hash: &[u8]) -> Result<Option<Consent>, Fault> {
    let row = dsl::oauth_consents.filter(dsl::state_hash.eq(state_hash)).filter(dsl::granted.is_null());
    let take = diesel::delete(row).returning((
        dsl::organisation_id,
        dsl::practice,
        dsl::return_url,
        dsl::pkce_verifier,
        dsl::nonce,
        dsl::expires_at,
        dsl::ticket_hash,
        dsl::epoch,
    ));
    let taken: Option<ConsentRow> = named("consents.take", take).get_result(conn).await.optional()?;
    let Some((organisation, practice, return_url, verifier, nonce, Instant(expires_at), mut ticket_hash, epoch)) =
        taken
    else {
        return Ok(None);
    };
    ticket_hash.truncate(DIGEST_BYTES);
    Ok(Some(Consent {
        organisation: rows::organisation(&organisation)?,
        practice,
        return_url,
        verifier: Sealed::from_bytes(verifier.ok_or(Fault::Corrupt("pkce_verifier"))?),
        nonce: nonce.ok_or(Fault::Corrupt("nonce"))?,
        expires_at,
        ticket_hash,
        epoch: Epoch(epoch),
    }))
}

pub(in crate::store) async fn keep_unconfirmed(
    conn: &mut Conn,
    held: UnconfirmedConsent,
    now: Timestamp,
) -> Result<(), Fault> {
    let insert = diesel::insert_into(dsl::oauth_consents).values((
        dsl::organisation_id.eq(held.organisation.as_str()),
        // As a further start with the same ticket: no ticket leads to this row.
        dsl::ticket_hash.eq([&*held.ticket_hash, &*held.state_hash].concat()),
        dsl::state_hash.eq(held.state_hash),
        dsl::return_url.eq(held.return_url),
        dsl::google_user_id.eq(held.google_user_id),
        dsl::refresh_token.eq(held.refresh_token.as_bytes()),
        dsl::granted.eq(held.granted.as_bytes()),
        dsl::expires_at.eq(Instant(held.expires_at)),
        dsl::created_at.eq(Instant(now)),
        dsl::epoch.eq(held.epoch.0),
    ));
    named("consents.keep_unconfirmed", insert).execute(conn).await?;
    Ok(())
}

type UnconfirmedConsentRow =
    (String, Option<String>, Option<String>, Option<Vec<u8>>, Option<Vec<u8>>, Instant, Vec<u8>, i64);

pub(in crate::store) async fn take_unconfirmed(
    conn: &mut Conn,
    state_hash: &[u8],
) -> Result<Option<UnconfirmedConsent>, Fault> {
    let row = dsl::oauth_consents.filter(dsl::state_hash.eq(state_hash)).filter(dsl::granted.is_not_null());
    let take = diesel::delete(row).returning((
        dsl::organisation_id,
        dsl::return_url,
        dsl::google_user_id,
        dsl::refresh_token,
        dsl::granted,
        dsl::expires_at,
        dsl::ticket_hash,
        dsl::epoch,
    ));
    let taken: Option<UnconfirmedConsentRow> =
        named("consents.take_unconfirmed", take).get_result(conn).await.optional()?;
    let Some((organisation, return_url, account, refresh_token, granted, Instant(expires_at), mut ticket_hash, epoch)) =
        taken
    else {
        return Ok(None);
    };
    ticket_hash.truncate(DIGEST_BYTES);
    Ok(Some(UnconfirmedConsent {
        state_hash: state_hash.to_vec(),
        ticket_hash,
        organisation: rows::organisation(&organisation)?,
        return_url,
        google_user_id: account.ok_or(Fault::Corrupt("google_user_id"))?,
        refresh_token: Sealed::from_bytes(refresh_token.ok_or(Fault::Corrupt("refresh_token"))?),
        granted: Sealed::from_bytes(granted.ok_or(Fault::Corrupt("granted"))?),
        epoch: Epoch(epoch),
        expires_at,
    }))
}
