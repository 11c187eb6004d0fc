//! The settings there are.
//!
//! Owns their names, defaults and summaries: the one table that the reader and the README go by. Never reads a
//! variable.
//!
//! Invariant: a variable that the service reads for itself stands here, and what stands here is read. (`NO_COLOR`, which is
//! the terminal's and no setting of ours, is read by `cli` alone, which takes `HTTPS_PROXY` and `NO_PROXY` in small letters
//! too; libraries read the other variables of OpenTelemetry, and
//! `SSL_CERT_FILE` and `SSL_CERT_DIR`.)

/// A setting, as the reader and the README know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when it is not set; `None`: nothing, or what the summary says.
    pub default: Option<&'static str>,
    /// What holds instead under `dev`.
    pub dev_default: Option<&'static str>,
    /// Whether it is a secret.
    pub secret: bool,
    /// Whether it can be read from the file that `<NAME>_FILE` names, as every secret can: a change of the file is noticed
    /// while the service runs.
    pub in_file: bool,
    /// What it is for, in few words.
    pub summary: &'static str,
}

const fn setting(name: &'static str, default: Option<&'static str>, summary: &'static str) -> Setting {
    Setting { name, default, dev_default: None, secret: false, in_file: false, summary }
}

const fn secret(name: &'static str, default: Option<&'static str>, summary: &'static str) -> Setting {
    Setting { secret: true, in_file: true, ..setting(name, default, summary) }
}

const fn on_in_dev(name: &'static str, summary: &'static str) -> Setting {
    Setting { dev_default: Some("true"), ..setting(name, Some("false"), summary) }
}

/// All settings, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    secret(
        "DATABASE_URL",
        Some("sqlite:cassius-calendar.db"),
        "Where everything is stored: `sqlite:<file>`, or `postgres://…` for more than one replica.",
    ),
    setting(
        "DATABASE_CA",
        None,
        "The authorities that vouch for PostgreSQL, a PEM file. Default: the system's and the built-in ones. Off loopback it \
         is verified, unless `DATABASE_URL` says `sslmode=disable`.",
    ),
    secret("PGPASSWORD", None, "The password of PostgreSQL, where `DATABASE_URL` has none."),
    setting("PGPASSFILE", None, "A file of passwords in libpq's form, where neither has one."),
    setting(
        "MIGRATE",
        Some("true"),
        "Whether `serve` applies pending migrations. `false`, or `serve --no-migrate`, is for a role that may not change \
         tables: `migrate` is run by another one before.",
    ),
    setting("GRPC_ADDR", Some("127.0.0.1:50051"), "Where gRPC is served."),
    setting("HTTP_ADDR", Some("127.0.0.1:8080"), "Where the two browser routes of the consent are served."),
    setting(
        "METRICS_ADDR",
        None,
        "Where metrics are served to Prometheus, at `/metrics`, in plain text: no person and no organisation is in them. \
         Default: nowhere.",
    ),
    setting(
        "PUBLIC_URL",
        Some("http://127.0.0.1:8080"),
        "Where a browser reaches those two routes; the OAuth redirect URI derives from it. https, unless on loopback.",
    ),
    setting(
        "CASSIUS_APP_URL",
        None,
        "Where Cassius is: the base of links to appointments that come without a `url` of their own.",
    ),
    setting(
        "RETURN_URL_ALLOWED",
        None,
        "The addresses, separated by commas, under which a `return_url` must lie. Default: `CASSIUS_APP_URL`.",
    ),
    setting("GOOGLE_CLIENT_ID", None, "The id of the OAuth client in the Google Cloud project. Required."),
    secret("GOOGLE_CLIENT_SECRET", None, "Its secret. Required."),
    setting("GOOGLE_AUTH_URL", Some("https://accounts.google.com/o/oauth2/v2/auth"), "Google's consent page."),
    setting("GOOGLE_TOKEN_URL", Some("https://oauth2.googleapis.com/token"), "Google's token endpoint."),
    setting("GOOGLE_REVOKE_URL", Some("https://oauth2.googleapis.com/revoke"), "Google's revocation endpoint."),
    setting("GOOGLE_CALENDAR_URL", Some("https://www.googleapis.com/calendar/v3"), "The base of Calendar v3."),
    setting("GOOGLE_ISSUER", Some("https://accounts.google.com"), "Who issues Google's id tokens."),
    setting(
        "GOOGLE_SCOPES",
        Some(
            "openid email https://www.googleapis.com/auth/calendar.events \
             https://www.googleapis.com/auth/calendar.calendarlist.readonly",
        ),
        "What a consent asks for, separated by blanks.",
    ),
    setting(
        "GOOGLE_CA",
        None,
        "The authorities that vouch for Google, a PEM file. Default: the system's and the built-in ones.",
    ),
    secret("HTTPS_PROXY", None, "The proxy through which Google is reached, such as `http://proxy.internal:3128`."),
    setting("NO_PROXY", None, "The hosts that are reached without it, separated by commas."),
    secret(
        "ENCRYPTION_KEYS",
        None,
        "The keys that seal tokens and snapshots, `id:base64` separated by commas: the first seals, all open. Required; \
         `generate-key` makes one.",
    ),
    setting(
        "ENCRYPTION_KEYS_COMMAND",
        None,
        "A command of the shell that prints them instead, from a vault for instance: run at the start, and whenever keys are \
         read again. It has 10 seconds, and ends with the program.",
    ),
    secret(
        "API_KEYS",
        None,
        "Who may call: `name:sha256:organisations`, separated by commas or lines, where `sha256` is the hex digest of the \
         key and `organisations` is `*` or ids separated by `|`; `name@client` binds the key to the client whose certificate \
         has that name. Required unless gRPC is served on loopback.",
    ),
    setting("TLS_CERT", None, "The certificate chain of the gRPC server, a PEM file. Required unless on loopback."),
    setting("TLS_KEY", None, "Its private key, a PEM file."),
    setting(
        "TLS_CLIENT_CA",
        None,
        "The authorities that vouch for clients, a PEM file: calls then want a client's certificate beside the key. Health \
         and reflection do not.",
    ),
    setting(
        "ALLOW_PLAINTEXT",
        Some("false"),
        "Lets gRPC be served without TLS on an address that is not loopback, behind a mesh that encrypts.",
    ),
    setting(
        "QUOTA_PROJECT_PER_MINUTE",
        Some("10000"),
        "Units of Google's quota that the project may spend a minute, all replicas together.",
    ),
    setting("QUOTA_USER_PER_MINUTE", Some("600"), "Units of it that one Google account may spend a minute."),
    setting(
        "WRITE_SPACING",
        Some("1"),
        "Seconds from a write of an event to the next one, so that a burst of edits is written together. A first write and a \
         cancellation never wait.",
    ),
    setting("SNAPSHOT_RETENTION", Some("30"), "Days after its end for which an appointment's snapshot is kept."),
    setting("AUDIT_RETENTION", Some("365"), "Days for which the audit keeps who did what (`ListAuditEvents`)."),
    setting(
        "UNCONNECTED_RETENTION",
        Some("30"),
        "Days for which an appointment of an organisation that was never connected is kept; `ReconcileAppointments` names it \
         once there is a connection.",
    ),
    setting(
        "KEPT_EVENTS_RETENTION",
        Some("365"),
        "Days after a disconnect for which it is kept, sealed, where events stand that were kept or could not be deleted.",
    ),
    on_in_dev("REFLECTION", "Serves gRPC reflection."),
    on_in_dev("TICKET_IN_URL", "Lets `connect_url` carry the one-time ticket, for a consent begun with grpcurl."),
    Setting {
        in_file: true,
        ..setting(
            "LOG",
            Some("info"),
            "What is logged: a level, or directives such as `info,cassius_calendar::google=debug`. In a file it can be \
             changed while the service runs.",
        )
    },
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        "Where spans are sent by OTLP over HTTP (`/v1/traces` is added), such as `http://collector:4318`: how long what \
         took, from the call of Cassius to the call of Google. No person and no organisation is in them. Default: nowhere.",
    ),
    setting("LOG_FORMAT", Some("text"), "How it is logged: `text` or `json`."),
];

/// The settings as a table of Markdown, for the README.
pub fn settings_table() -> String {
    let row = |setting: &Setting| {
        let code = |text: &str| format!("`{text}`");
        let default = match (setting.default.map(code), setting.dev_default.map(code)) {
            (Some(default), Some(dev)) => format!("{default} (`dev`: {dev})"),
            (Some(default), None) => default,
            (None, _) => "–".to_owned(),
        };
        let file = if setting.in_file { format!("<br>`{}_FILE`", setting.name) } else { String::new() };
        // A bar would end the cell.
        let summary = setting.summary.replace('|', "\\|");
        format!("| `{}`{file} | {default} | {summary} |\n", setting.name)
    };
    let rows: String = SETTINGS.iter().map(row).collect();
    format!("| variable | default | what it is for |\n|---|---|---|\n{rows}")
}
