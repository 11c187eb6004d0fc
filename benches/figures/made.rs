//! Practices and links that are made by SQL: what years would leave in a database.
//!
//! Owns their shape: copies of a practice that is connected and of an appointment of it that stands at Google, as wide as
//! those, ending on the days of a year from now on. What triggers keep of them (`link_queues`, counts) the triggers keep.

use std::ops::Range;

use jiff::Timestamp;

use crate::database::{BackEnd, Database};

/// The organisation that is copied, and its appointment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template<'a> {
    pub(crate) organisation: &'a str,
    pub(crate) appointment: &'a str,
}

/// How many practices one statement makes links for.
const TOGETHER: u32 = 500;
/// How many links of one practice one statement makes.
const LINKS_TOGETHER: u32 = 50_000;

const INTEGRATION: &str =
    "provider, google_email, access_token, refresh_token, token_expiry, granted_scopes, calendar_id,
    calendar_name, calendar_time_zone, calendar_color, calendar_is_primary, is_enabled, title_privacy, connected_at,
    last_sync_at, epoch, created_at, updated_at";
const LINK: &str =
    "provider, revision, snapshot, sync_status, synced_revision, external_calendar_id, external_event_id,
    generation, etag, content_hash, html_link, last_synced_at, request_seq, wants_event, write_not_before, accepted_at,
    recent_calls, created_at, updated_at";

impl Template<'_> {
    /// Makes so many connected practices with so many synced links each: `practice-1` and so on. Their counts were held
    /// against their links some time within the last day, as of any.
    pub(crate) async fn practices(
        self,
        database: &Database,
        practices: u32,
        links_each: u32,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let integrations = format!(
            "WITH RECURSIVE p (p) AS (SELECT 1 UNION ALL SELECT p + 1 FROM p WHERE p < {practices})
             INSERT INTO calendar_integrations (organisation_id, google_user_id, {INTEGRATION})
             SELECT 'practice-' || p, 'account-' || p, {INTEGRATION} FROM calendar_integrations, p
             WHERE organisation_id = '{}'",
            self.organisation
        );
        database.run(&integrations).await?;
        for first in (1..=practices).step_by(TOGETHER as usize) {
            let some = first..(first + TOGETHER).min(practices + 1);
            database.run(&self.links_of("'practice-' || p", some, 1..links_each + 1, database.back_end, now)).await?;
        }
        let seconds = match database.back_end {
            BackEnd::Sqlite => "abs(random()) % 86400",
            BackEnd::Postgres => "random() * 86400",
        };
        let (now, age) = (database.back_end.instant(now), database.back_end.seconds(seconds));
        database.run(&format!("UPDATE link_queues SET recounted_at = {now} - {age}")).await?;
        database.tidy().await
    }

    /// Makes the synced links numbered so of the organisation itself.
    pub(crate) async fn links(self, database: &Database, numbers: Range<u32>, now: Timestamp) -> anyhow::Result<()> {
        for first in numbers.clone().step_by(LINKS_TOGETHER as usize) {
            let some = first..(first + LINKS_TOGETHER).min(numbers.end);
            database.run(&self.links_of("organisation_id", 1..2, some, database.back_end, now)).await?;
        }
        database.tidy().await
    }

    fn links_of(
        self,
        organisation: &str,
        practices: Range<u32>,
        numbers: Range<u32>,
        back_end: BackEnd,
        now: Timestamp,
    ) -> String {
        let Self { organisation: copied, appointment } = self;
        let now = back_end.instant(now);
        // Half an hour on each day of a year, today among them.
        let ends = |minutes: u32| format!("{now} + {}", back_end.seconds(&format!("n % 365 * 86400 + {minutes} * 60")));
        format!(
            "WITH RECURSIVE p (p) AS (SELECT {} UNION ALL SELECT p + 1 FROM p WHERE p < {}),
                n (n) AS (SELECT {} UNION ALL SELECT n + 1 FROM n WHERE n < {})
             INSERT INTO appointment_external_links (organisation_id, appointment_id, starts_at, ends_at, {LINK})
             SELECT {organisation}, 'made-' || n, {}, {}, {LINK} FROM appointment_external_links, p, n
             WHERE organisation_id = '{copied}' AND appointment_id = '{appointment}'",
            practices.start,
            practices.end - 1,
            numbers.start,
            numbers.end - 1,
            ends(5),
            ends(35),
        )
    }
}
