//! Consents: stored, begun, and taken once.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::schema::oauth_consents::dsl;
use super::statement::named;
use super::{Conn, Fault, rows};
use crate::crypto::Sealed;
use crate::model::OrganisationId;
use crate::store::instant::Instant;
use crate::store::{Consent, NewConsent};

pub(in crate::store) async fn create(conn: &mut Conn, consent: NewConsent, now: Timestamp) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        let lapsed = diesel::delete(dsl::oauth_consents.filter(dsl::expires_at.le(Instant(now))));
        named("consents.drop_lapsed", lapsed).execute(conn).await?;
        let NewConsent { ticket_hash, organisation, return_url, expires_at } = consent;
        let insert = diesel::insert_into(dsl::oauth_consents).values((
            dsl::organisation_id.eq(organisation.as_str()),
            dsl::ticket_hash.eq(ticket_hash),
            dsl::return_url.eq(return_url),
            dsl::expires_at.eq(Instant(expires_at)),
            dsl::created_at.eq(Instant(now)),
        ));
        named("consents.create", insert).execute(conn).await?;
        Ok(())
    })
}

pub(in crate::store) async fn start(
    conn: &mut Conn,
    ticket_hash: &[u8],
    state_hash: Vec<u8>,
    verifier: &Sealed,
    nonce: String,
    now: Timestamp,
) -> Result<bool, Fault> {
    let row = dsl::oauth_consents.find(ticket_hash).filter(dsl::expires_at.gt(Instant(now)));
    let start = diesel::update(row).set((
        dsl::state_hash.eq(state_hash),
        dsl::pkce_verifier.eq(verifier.as_bytes()),
        dsl::nonce.eq(nonce),
    ));
    Ok(named("consents.start", start).execute(conn).await? > 0)
}

type Taken = (String, Option<String>, Option<Vec<u8>>, Option<String>, Vec<u8>);

pub(in crate::store) async fn take(
    conn: &mut Conn,
    state_hash: &[u8],
    ticket_hash: &[u8],
    now: Timestamp,
) -> Result<Option<Consent>, Fault> {
    let row = dsl::oauth_consents
        .find(ticket_hash)
        .filter(dsl::state_hash.eq(state_hash))
        .filter(dsl::expires_at.gt(Instant(now)));
    let take = diesel::delete(row).returning((
        dsl::organisation_id,
        dsl::return_url,
        dsl::pkce_verifier,
        dsl::nonce,
        dsl::ticket_hash,
    ));
    let taken: Option<Taken> = named("consents.take", take).get_result(conn).await.optional()?;
    let Some((organisation, return_url, verifier, nonce, ticket_hash)) = taken else {
        return Ok(None);
    };
    Ok(Some(Consent {
        organisation: rows::organisation(&organisation)?,
        return_url,
        verifier: Sealed::from_bytes(verifier.ok_or(Fault::Corrupt("pkce_verifier"))?),
        nonce: nonce.ok_or(Fault::Corrupt("nonce"))?,
        ticket_hash,
    }))
}

pub(in crate::store) async fn cancel(conn: &mut Conn, organisation: &OrganisationId) -> Result<(), Fault> {
    let all = diesel::delete(dsl::oauth_consents.filter(dsl::organisation_id.eq(organisation.as_str())));
    named("consents.cancel", all).execute(conn).await?;
    Ok(())
}
