//! Variables that were meant to be settings.
//!
//! Owns what counts as a misspelt name, and what may be one. Never reads a value. Invariant: a variable of somebody else's
//! is not taken for one of ours unless a few letters, their case, underscores or an ending are all that keeps it from being
//! one, or it stands in [`ELSEWHERE`]; what may as well be somebody else's is told, and never refused.

use std::ffi::OsString;

use super::fault::Fault;
use super::settings::SETTINGS;

/// A shorter name has too many neighbours that mean something else.
const MIN_CHARS: usize = 7;

/// What is put behind the name of a setting that goes without: a file is what some of them name, and each has its own unit.
const ENDINGS: [&str; 13] = [
    "_FILE",
    "_PATH",
    "_CERT",
    "_CERTS",
    "_PEM",
    "_BUNDLE",
    "_DAYS",
    "_DAY",
    "_SECONDS",
    "_SECS",
    "_PER_MINUTE",
    "ESS",
    "ES",
];

/// What is written for a setting elsewhere, or was before it was cut short.
const ELSEWHERE: [(&str, &str); 11] = [
    ("ENCRYPTION_KEYS_CMD", "ENCRYPTION_KEYS_COMMAND"),
    ("ENCRYPTION_KEYRING", "ENCRYPTION_KEYS"),
    ("GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_CLIENT_ID"),
    ("GOOGLE_OAUTH_CLIENT_SECRET", "GOOGLE_CLIENT_SECRET"),
    ("LOGLEVEL", "LOG"),
    ("LOG_LEVEL", "LOG"),
    ("MIGRAT", "MIGRATE"),
    ("NO_MIGRATE", "MIGRATE"),
    ("NO_PROXIES", "NO_PROXY"),
    ("TLSKEY", "TLS_KEY"),
    ("TLS_CERTIFICATE", "TLS_CERT"),
];

/// What may be meant for a setting, and may as well be another program's.
const PERHAPS: [(&str, &str); 34] = [
    ("APP_URL", "CASSIUS_APP_URL"),
    ("BASE_URL", "PUBLIC_URL"),
    ("CLIENT_CA", "TLS_CLIENT_CA"),
    ("CLIENT_ID", "GOOGLE_CLIENT_ID"),
    ("CLIENT_SECRET", "GOOGLE_CLIENT_SECRET"),
    ("DB_URI", "DATABASE_URL"),
    ("DB_URL", "DATABASE_URL"),
    ("GOOGLE_REDIRECT_URI", "PUBLIC_URL"),
    ("GRPC_PORT", "GRPC_ADDR"),
    ("HTTP_PORT", "HTTP_ADDR"),
    ("LISTEN_ADDR", "GRPC_ADDR"),
    ("LOG", "LOG"),
    ("LOGS", "LOG"),
    ("METRICS_PORT", "METRICS_ADDR"),
    ("MIGRATIONS", "MIGRATE"),
    ("OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    (OTLP_OF_TRACES, "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ("PGHOST", "DATABASE_URL"),
    ("PGPASSWD", "PGPASSWORD"),
    ("PGSERVICE", "DATABASE_URL"),
    ("PGSSLCERT", "DATABASE_URL"),
    ("PGSSLMODE", "DATABASE_URL"),
    ("PGSSLROOTCERT", "DATABASE_CA"),
    ("POSTGRESQL_URL", "DATABASE_URL"),
    ("POSTGRES_URI", "DATABASE_URL"),
    ("POSTGRES_URL", "DATABASE_URL"),
    ("PROMETHEUS_ADDR", "METRICS_ADDR"),
    ("REDIRECT_URI", "PUBLIC_URL"),
    ("RETURN_URL", "RETURN_URL_ALLOWED"),
    ("RETURN_URLS", "RETURN_URL_ALLOWED"),
    ("TLS_CA", "TLS_CLIENT_CA"),
    ("TLS_CA_CERT", "TLS_CLIENT_CA"),
    ("TLS_CA_FILE", "TLS_CLIENT_CA"),
    ("TLS_CERT_KEY", "TLS_KEY"),
];

/// Where OpenTelemetry has the spans sent, whatever its other variable says.
const OTLP_OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// Told beside the setting, too, which holds without them: who set them believes the road to be another one than it is.
const BESIDE: [&str; 3] = [OTLP_OF_TRACES, "PGSSLMODE", "PGSSLCERT"];

/// Somebody else's, in capitals or not, though a letter or their case is all that tells them from ours.
const OTHERS: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// The variables whose names are almost a setting's.
pub fn near_misses(variables: impl IntoIterator<Item = OsString>) -> Vec<Fault> {
    let variables: Vec<String> = variables.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let settings: Vec<String> = SETTINGS
        .iter()
        .flat_map(|setting| {
            let file = setting.in_file.then(|| format!("{}_FILE", setting.name));
            [Some(setting.name.to_owned()), file].into_iter().flatten()
        })
        .collect();
    let is_unknown = |name: &&String| !settings.contains(name) && !OTHERS.contains(&name.to_uppercase().as_str());
    let slips = variables.iter().filter(is_unknown).filter_map(|name| {
        let meant = meant(name, &settings)?;
        Some(Fault {
            variable: name.clone(),
            problem: "is no setting".to_owned(),
            remedy: format!("write {meant} if that is what was meant, else take it out of the environment"),
        })
    });
    slips.collect()
}

/// A sentence for each variable that may have been meant for a setting, where that one is not set.
pub fn perhaps_meant(variables: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let variables: Vec<String> = variables.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let is_set = |setting: &str| {
        let is_its = |name: &String| name.strip_suffix("_FILE").unwrap_or(name) == setting;
        variables.iter().any(is_its)
    };
    let found = variables.iter().filter_map(|name| {
        let (_, setting) = PERHAPS.iter().find(|(perhaps, _)| *perhaps == name.to_uppercase())?;
        let is_told = name != setting && (BESIDE.contains(&name.as_str()) || !is_set(setting));
        is_told.then(|| format!("{name} is no setting and is not read: {setting} is, if that is what was meant"))
    });
    found.collect()
}

/// The setting that was meant by a name that is not one.
fn meant<'a>(name: &str, settings: &'a [String]) -> Option<&'a String> {
    let written = name.to_uppercase().replace("ADRESS", "ADDRESS");
    let exactly = |name: &str| settings.iter().find(|setting| *setting == name);
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == written).and_then(|(_, setting)| exactly(setting));
    if elsewhere.is_some() || name.len() < MIN_CHARS {
        return elsewhere;
    }
    let without = ENDINGS.iter().filter_map(|ending| written.strip_suffix(ending)).find_map(exactly);
    let in_one = settings.iter().find(|setting| setting.replace('_', "") == written);
    // `PER_MIN` of `PER_MINUTE`.
    let cut_short = settings.iter().find(|setting| {
        let rest = setting.strip_prefix(&written).filter(|_| written.len() >= 12);
        rest.is_some_and(|rest| rest.len() <= 4 && !rest.contains('_'))
    });
    exactly(&written).or(without).or(in_one).or(cut_short).or_else(|| {
        let near = settings.iter().filter(|setting| setting.len() >= MIN_CHARS);
        let nearest = near.min_by_key(|setting| strsim::damerau_levenshtein(name, setting))?;
        // Two slips in a short name make another word.
        let most = if nearest.len() >= 12 { 2 } else { 1 };
        (strsim::damerau_levenshtein(name, nearest) <= most).then_some(nearest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(names: &[&str]) -> Vec<String> {
        near_misses(names.iter().map(OsString::from)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_that_is_almost_a_setting_is_a_fault_that_names_the_setting() {
        for (written, setting) in [
            ("GRPC_ADRR", "GRPC_ADDR"),
            ("GPRC_ADDR", "GRPC_ADDR"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("DATABASE_URL_FIEL", "DATABASE_URL_FILE"),
            ("ENCRYPTION_KEY", "ENCRYPTION_KEYS"),
            ("GOOGLE_CLIENTID", "GOOGLE_CLIENT_ID"),
            ("SNAPSHOT_RETENSION", "SNAPSHOT_RETENTION"),
            ("API_KEYS_FLE", "API_KEYS_FILE"),
            ("TLS_CLIENT_CA_FILE", "TLS_CLIENT_CA"),
            ("TLS_CERT_FILE", "TLS_CERT"),
            ("AUDIT_RETENTION_DAYS", "AUDIT_RETENTION"),
            ("WRITE_SPACING_SECONDS", "WRITE_SPACING"),
            ("GRPC_ADDRESS", "GRPC_ADDR"),
            ("HTTP_ADDRES", "HTTP_ADDR"),
            ("database_url", "DATABASE_URL"),
            ("ENCRYPTION_KEYS_CMD", "ENCRYPTION_KEYS_COMMAND"),
            ("AUDIT_RETENTION_DAY", "AUDIT_RETENTION"),
            ("LOG_LEVEL", "LOG"),
            ("NO_MIGRATE", "MIGRATE"),
            ("TLS_CERTIFICATE", "TLS_CERT"),
            ("TLSCERT", "TLS_CERT"),
            ("QUOTA_PROJECT_PER_MIN", "QUOTA_PROJECT_PER_MINUTE"),
            ("MIGRAT", "MIGRATE"),
            ("TLSKEY", "TLS_KEY"),
            ("NO_PROXIES", "NO_PROXY"),
            ("METRICS_ADRESS", "METRICS_ADDR"),
            ("LOGLEVEL", "LOG"),
            ("DATABASE_CA_CERT", "DATABASE_CA"),
            ("GOOGLE_CA_BUNDLE", "GOOGLE_CA"),
            ("TLS_KEY_PEM", "TLS_KEY"),
            ("WRITE_SPACING_SECS", "WRITE_SPACING"),
            ("ENCRYPTION_KEYRING", "ENCRYPTION_KEYS"),
            ("GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_CLIENT_ID"),
        ] {
            let remedy = format!("write {setting} if that is what was meant, else take it out of the environment");
            assert_eq!(meant(&[written, "PATH"]), [format!("{written} is no setting: {remedy}.")]);
        }
    }

    #[test]
    fn a_setting_and_what_is_far_from_any_is_no_fault() {
        for setting in SETTINGS {
            assert_eq!(meant(&[setting.name]), [""; 0]);
            let its_file = format!("{}_FILE", setting.name);
            assert_eq!(meant(&[&its_file]).is_empty(), setting.in_file, "{its_file}");
        }
        let others = "PATH HOME LANG LOGNAME LOGS log DB_URL HTTP_PORT OTEL_EXPORTER_OTLP_TRACES_ENDPOINT HTTP_PROXY \
            HTTPS_PROXY NO_PROXY https_proxy no_proxy DATABASE_URL_TEST HTTP_HOST GRPC_PORT DATABASE_HOST \
            PUBLIC_DIR GOOGLE_API_KEY TLS_CA OTEL_SERVICE_NAME KUBERNETES_SERVICE_HOST HOSTNAME TERM API_URL \
            APP_URL SSL_CERT_FILE SSL_CERT_DIR";
        let others: Vec<&str> = others.split_whitespace().collect();
        assert_eq!(meant(&others), [""; 0]);
    }

    #[test]
    fn what_may_be_another_programs_is_told_where_the_setting_that_was_meant_is_not_set() {
        let told = |names: &[&str]| perhaps_meant(names.iter().map(OsString::from));
        for (written, setting) in [
            ("LOGS", "LOG"),
            ("log", "LOG"),
            ("GRPC_PORT", "GRPC_ADDR"),
            ("PGPASSWD", "PGPASSWORD"),
            ("CLIENT_CA", "TLS_CLIENT_CA"),
            ("TLS_CA_CERT", "TLS_CLIENT_CA"),
            ("MIGRATIONS", "MIGRATE"),
            ("http_port", "HTTP_ADDR"),
            ("DB_URL", "DATABASE_URL"),
            ("TLS_CA", "TLS_CLIENT_CA"),
            ("TLS_CA_FILE", "TLS_CLIENT_CA"),
            ("DB_URI", "DATABASE_URL"),
            ("POSTGRES_URL", "DATABASE_URL"),
            ("METRICS_PORT", "METRICS_ADDR"),
            ("REDIRECT_URI", "PUBLIC_URL"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("PGSSLMODE", "DATABASE_URL"),
            ("PGSSLROOTCERT", "DATABASE_CA"),
        ] {
            let sentence = format!("{written} is no setting and is not read: {setting} is, if that is what was meant");
            assert_eq!(told(&["PATH", written]), [sentence]);
            assert_eq!(told(&[written, setting]).len(), usize::from(BESIDE.contains(&written)), "{written}");
        }
        assert_eq!(told(&["DB_URL", "DATABASE_URL_FILE"]), [""; 0]);
        let settings: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(told(&settings), [""; 0]);
    }
}
