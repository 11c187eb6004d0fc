//! The tables, as diesel sees them.
//!
//! Owns the list of columns in Rust. Never differs from `migrations/`: a test compares the two. Invariant: an instant
//! has the mount's own SQL type and one Rust type.

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    calendar_integrations (organisation_id, provider) {
        organisation_id -> Text,
        provider -> Text,
        id -> Text,
        google_user_id -> Nullable<Text>,
        google_email -> Nullable<Text>,
        access_token -> Nullable<Binary>,
        refresh_token -> Nullable<Binary>,
        token_expiry -> Nullable<InstantSql>,
        granted_scopes -> Text,
        calendar_id -> Nullable<Text>,
        calendar_name -> Text,
        calendar_time_zone -> Text,
        calendar_color -> Text,
        calendar_is_primary -> Bool,
        is_enabled -> Bool,
        title_privacy -> Text,
        problem_reason -> Nullable<Text>,
        problem_since -> Nullable<InstantSql>,
        problem_retry_at -> Nullable<InstantSql>,
        last_sync_at -> Nullable<InstantSql>,
        connected_at -> Nullable<InstantSql>,
        catch_up_total -> Nullable<Integer>,
        catch_up_started_at -> Nullable<InstantSql>,
        disconnecting_at -> Nullable<InstantSql>,
        disconnect_remote_events -> Nullable<Text>,
        disconnect_total -> Integer,
        finishing_until -> Nullable<InstantSql>,
        grant_end -> Nullable<Text>,
        disconnected_at -> Nullable<InstantSql>,
        erasing_at -> Nullable<InstantSql>,
        compare_due_at -> Nullable<InstantSql>,
        compare_attempts -> Integer,
        compare_lease_token -> Nullable<Text>,
        compare_lease_until -> Nullable<InstantSql>,
        compare_round -> Integer,
        vanished_count -> Integer,
        behind_count -> Integer,
        unlisted_since -> Nullable<InstantSql>,
        search_due_at -> Nullable<InstantSql>,
        search_asked_at -> Nullable<InstantSql>,
        search_attempts -> Integer,
        last_search -> Nullable<Text>,
        served_from -> Nullable<InstantSql>,
        owed_served_from -> Nullable<InstantSql>,
        never_began -> Bool,
        epoch -> BigInt,
        refreshed_at -> Nullable<InstantSql>,
        refresh_lease_token -> Nullable<Text>,
        refresh_lease_until -> Nullable<InstantSql>,
        replaced_at -> Nullable<InstantSql>,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    appointment_external_links (organisation_id, appointment_id, provider) {
        organisation_id -> Text,
        appointment_id -> Text,
        provider -> Text,
        revision -> BigInt,
        snapshot -> Nullable<Binary>,
        starts_at -> Nullable<InstantSql>,
        ends_at -> Nullable<InstantSql>,
        shown_ends_at -> Nullable<InstantSql>,
        sync_status -> Text,
        synced_revision -> BigInt,
        external_calendar_id -> Nullable<Text>,
        external_event_id -> Nullable<Text>,
        generation -> Integer,
        moving_from_calendar_id -> Nullable<Text>,
        moving_from_event_id -> Nullable<Text>,
        etag -> Nullable<Text>,
        content_hash -> Nullable<Binary>,
        html_link -> Nullable<Text>,
        last_synced_at -> Nullable<InstantSql>,
        next_attempt_at -> Nullable<InstantSql>,
        attempts -> Integer,
        priority -> SmallInt,
        request_seq -> BigInt,
        lease_token -> Nullable<Text>,
        fenced_lease_token -> Nullable<Text>,
        lease_until -> Nullable<InstantSql>,
        last_error -> Nullable<Text>,
        last_error_detail -> Nullable<Text>,
        wants_event -> Bool,
        write_not_before -> Nullable<InstantSql>,
        recent_calls -> Nullable<Text>,
        accepted_at -> Nullable<InstantSql>,
        erasing_at -> Nullable<InstantSql>,
        is_unsearched -> Bool,
        traceparent -> Nullable<Text>,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    owed_deletions (organisation_id, provider, google_user_id, calendar_id, event_id) {
        organisation_id -> Text,
        provider -> Text,
        google_user_id -> Text,
        calendar_id -> Text,
        event_id -> Text,
        appointment_id -> Text,
        generation -> Integer,
        cause -> Text,
        next_attempt_at -> Nullable<InstantSql>,
        attempts -> Integer,
        lease_token -> Nullable<Text>,
        lease_until -> Nullable<InstantSql>,
        last_error -> Nullable<Text>,
        last_error_detail -> Nullable<Text>,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    oauth_consents (ticket_hash) {
        organisation_id -> Text,
        ticket_hash -> Binary,
        state_hash -> Nullable<Binary>,
        pkce_verifier -> Nullable<Binary>,
        nonce -> Nullable<Text>,
        return_url -> Nullable<Text>,
        expires_at -> InstantSql,
        created_at -> InstantSql,
        epoch -> BigInt,
        practice -> Nullable<Text>,
        google_user_id -> Nullable<Text>,
        refresh_token -> Nullable<Binary>,
        granted -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    google_accounts (google_user_id) {
        google_user_id -> Text,
        revocation_seq -> BigInt,
        revoking_token -> Nullable<Text>,
        revoking_until -> Nullable<InstantSql>,
        updated_at -> InstantSql,
    }
}

diesel::table! {
    revocation_counter (id) {
        id -> Integer,
        last_seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    pending_grants (organisation_id, provider) {
        organisation_id -> Text,
        provider -> Text,
        google_user_id -> Text,
        google_email -> Text,
        access_token -> Binary,
        refresh_token -> Binary,
        token_expiry -> InstantSql,
        granted_scopes -> Text,
        calendar_id -> Text,
        calendar_name -> Text,
        calendar_time_zone -> Text,
        calendar_color -> Text,
        calendar_is_primary -> Bool,
        expires_at -> InstantSql,
        created_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    quota_budgets (budget) {
        budget -> Text,
        spent_until -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    link_queues (organisation_id, provider) {
        organisation_id -> Text,
        provider -> Text,
        pending -> BigInt,
        synced -> BigInt,
        error -> BigInt,
        catching_up -> BigInt,
        catch_up_failed -> BigInt,
        due_at -> Nullable<InstantSql>,
        owed_due_at -> Nullable<InstantSql>,
        served_from -> Nullable<InstantSql>,
        owed_served_from -> Nullable<InstantSql>,
        ready_at -> Nullable<InstantSql>,
        owed_ready_at -> Nullable<InstantSql>,
        recounted_at -> Nullable<InstantSql>,
    }
}

diesel::table! {
    sealed_calendars (organisation_id, provider, alias) {
        organisation_id -> Text,
        provider -> Text,
        alias -> Text,
        calendar -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    link_wishes (organisation_id, provider, wish) {
        organisation_id -> Text,
        provider -> Text,
        wish -> Text,
        from_appointment_id -> Text,
        is_again -> Bool,
        unreached -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    upcoming_link_counts (organisation_id, provider, day) {
        organisation_id -> Text,
        provider -> Text,
        day -> Integer,
        events -> BigInt,
        unsent -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    unkept_grants (token) {
        token -> Binary,
        organisation_id -> Text,
        google_user_id -> Text,
        next_attempt_at -> InstantSql,
        attempts -> Integer,
        created_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    write_probes (id) {
        id -> Integer,
        written_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    silences (began_at) {
        began_at -> InstantSql,
        ended_at -> InstantSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::InstantSql;

    audit_events (at, id) {
        at -> InstantSql,
        id -> Text,
        caller -> Text,
        actor -> Nullable<Text>,
        organisation_id -> Nullable<Text>,
        action -> Text,
        outcome -> Text,
        incident -> Nullable<Text>,
    }
}
