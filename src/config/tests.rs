//! What the settings promise, by table.

use std::collections::HashMap;

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::model::OrganisationId;

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn load_with(changes: &[(&str, &str)], mode: Mode) -> Result<Config, Faults> {
    let mut variables = HashMap::from([
        ("GOOGLE_CLIENT_ID", "client"),
        ("GOOGLE_CLIENT_SECRET", "canary-client-secret"),
        ("ENCRYPTION_KEYS", "k1:canary-key"),
    ]);
    variables.extend(changes.iter().copied());
    let keys = |text: &str| match text.starts_with("k1:") {
        true => Ok(()),
        false => Err("is no keyring".to_owned()),
    };
    Config::load(&|name| variables.get(name).map(OsString::from), mode, &[("ENCRYPTION_KEYS", &keys)])
}

fn load(changes: &[(&str, &str)]) -> Config {
    load_with(changes, Mode::Serve).expect("settings without faults")
}

/// The faults as `variable problem`.
fn faults(changes: &[(&str, &str)]) -> Vec<String> {
    let faults = load_with(changes, Mode::Serve).expect_err("settings with faults");
    faults.iter().map(|fault| format!("{} {}", fault.variable, fault.problem)).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("it is written");
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("a path in UTF-8")
}

#[test]
fn three_settings_are_enough() {
    let config = load(&[]);
    assert_eq!(config.database.url.expose_secret(), "sqlite:cassius-calendar.db");
    assert_eq!((config.listen.grpc.to_string(), config.listen.http.to_string()).0, "127.0.0.1:50051");
    assert_eq!(config.redirect_url().as_str(), "http://127.0.0.1:8080/api/integrations/google/callback");
    assert_eq!(config.google.scopes.len(), 4);
    assert_eq!((config.quota.project_per_minute.get(), config.quota.user_per_minute.get()), (10_000, 600));
    assert_eq!(config.write_spacing, SignedDuration::from_secs(1));
    assert_eq!(config.snapshot_retention, SignedDuration::from_hours(30 * 24));
    assert_eq!((config.reflection, config.ticket_in_url), (false, false));
    assert_eq!((config.api_keys, config.tls, config.cassius_app_url), (vec![], None, None));
    assert_eq!(config.return_urls, ReturnUrls::default());
}

#[test]
fn development_turns_its_two_switches_on_unless_told() {
    let config = load_with(&[("TICKET_IN_URL", "off")], Mode::Dev).expect("settings without faults");
    assert_eq!((config.reflection, config.ticket_in_url), (true, false));
}

#[test]
fn every_fault_is_named_at_once_in_the_order_of_the_table() {
    let faults = faults(&[
        ("DATABASE_URL", "mysql://root:canary@host/x"),
        ("DATABASE_CA", "/nowhere/canary.pem"),
        ("PGPASSFILE", "/nowhere/canary"),
        ("MIGRATE", "maybe"),
        ("GRPC_ADDR", "localhost"),
        ("HTTP_ADDR", "127.0.0.1"),
        ("METRICS_ADDR", "9464"),
        ("PUBLIC_URL", "http://cassius.example"),
        ("CASSIUS_APP_URL", "cassius.example"),
        ("RETURN_URL_ALLOWED", "https://cassius.example, https://cassius.example/?a=b"),
        ("GOOGLE_CLIENT_ID", " "),
        ("GOOGLE_CLIENT_SECRET", ""),
        ("GOOGLE_TOKEN_URL", "http://oauth2.googleapis.com/token"),
        ("GOOGLE_CALENDAR_URL", "https://user:canary@www.googleapis.com/calendar/v3"),
        ("GOOGLE_SCOPES", "openid email"),
        ("GOOGLE_CA", "/nowhere/canary.pem"),
        ("HTTPS_PROXY", "socks5://canary:canary@proxy"),
        ("ENCRYPTION_KEYS", "canary"),
        ("API_KEYS", "canary"),
        ("TLS_CERT", "/nowhere/canary.pem"),
        ("TLS_CLIENT_CA", "/nowhere/canary.pem"),
        ("ALLOW_PLAINTEXT", "canary"),
        ("QUOTA_PROJECT_PER_MINUTE", "0"),
        ("QUOTA_USER_PER_MINUTE", "-1"),
        ("WRITE_SPACING", "61"),
        ("SNAPSHOT_RETENTION", "0"),
        ("REFLECTION", "ture"),
        ("TICKET_IN_URL", "2"),
        ("LOG", "canary=canary=canary"),
        ("LOG_FORMAT", "xml"),
    ]);
    assert_eq!(
        faults,
        [
            "DATABASE_URL names no database",
            "DATABASE_CA names a file that cannot be read (entity not found)",
            "PGPASSFILE names a file that cannot be read (entity not found)",
            "MIGRATE is neither on nor off",
            "GRPC_ADDR is not an address",
            "HTTP_ADDR is not an address",
            "METRICS_ADDR is not an address",
            "PUBLIC_URL is not https",
            "CASSIUS_APP_URL is not an http address",
            "RETURN_URL_ALLOWED has more than an origin and a path (entry 2)",
            "GOOGLE_CLIENT_ID is not set",
            "GOOGLE_CLIENT_SECRET is not set",
            "GOOGLE_TOKEN_URL is not https",
            "GOOGLE_CALENDAR_URL has more than an origin and a path",
            "GOOGLE_SCOPES asks for too little",
            "GOOGLE_CA names a file that cannot be read (entity not found)",
            "HTTPS_PROXY is no proxy's address",
            "ENCRYPTION_KEYS is no keyring",
            "API_KEYS is not a list of keys (entry 1)",
            "TLS_CERT names a file that cannot be read (entity not found)",
            "TLS_KEY is not set, but TLS_CERT is",
            "TLS_CLIENT_CA names a file that cannot be read (entity not found)",
            "ALLOW_PLAINTEXT is neither on nor off",
            "QUOTA_PROJECT_PER_MINUTE is not a number of units",
            "QUOTA_USER_PER_MINUTE is not a number of units",
            "WRITE_SPACING is not a number of seconds",
            "SNAPSHOT_RETENTION is not a number of days",
            "REFLECTION is neither on nor off",
            "TICKET_IN_URL is neither on nor off",
            "LOG is not a log filter",
            "LOG_FORMAT is not a log format",
        ]
    );
}

#[test]
fn no_fault_and_no_debug_echoes_a_value() {
    let changes = [
        ("DATABASE_URL", "canary"),
        ("API_KEYS", "canary:canary:canary"),
        ("GOOGLE_CLIENT_SECRET_FILE", "/nowhere"),
        ("GRPC_ADDR", "canary"),
    ];
    let faults = load_with(&changes, Mode::Serve).expect_err("settings with faults");
    assert!(!format!("{faults} {faults:?}").contains("canary"));
    let config = load(&[("DATABASE_URL", "postgres://canary@h/x"), ("API_KEYS", &format!("canary-name:{HASH}:*"))]);
    let shown = format!("{config:?}").replace("canary-name", "");
    assert!(!shown.contains("canary") && !shown.contains("159, 134"), "{shown}");
}

#[test]
fn a_secret_can_stand_in_a_file_and_nothing_else_can() {
    let secret = file("  from-file\n");
    let config = load(&[("GOOGLE_CLIENT_SECRET", ""), ("GOOGLE_CLIENT_SECRET_FILE", path(&secret))]);
    assert_eq!(config.google.client_secret.expose_secret(), "from-file");
    let twice = [("GOOGLE_CLIENT_SECRET_FILE", path(&secret))];
    assert_eq!(faults(&twice), ["GOOGLE_CLIENT_SECRET is set twice"]);
    // Whoever empties a file wants no default: no other database, and no calls without keys.
    let empty = file("\n");
    for name in ["API_KEYS_FILE", "DATABASE_URL_FILE", "PGPASSWORD_FILE", "LOG_FILE"] {
        assert_eq!(faults(&[(name, path(&empty))]), [format!("{name} names a file that holds nothing")]);
    }
    let cert = file("x");
    let reached = [("GRPC_ADDR", "0.0.0.0:50051"), ("API_KEYS_FILE", path(&empty)), ("TLS_CERT_FILE", path(&cert))];
    assert_eq!(
        faults(&reached),
        [
            "API_KEYS_FILE names a file that holds nothing",
            "TLS_CERT is not set, but GRPC_ADDR can be reached by others",
        ]
    );
    let nowhere = [("API_KEYS_FILE", "/nowhere/at/all")];
    assert_eq!(faults(&nowhere), ["API_KEYS_FILE names a file that cannot be read (entity not found)"]);
    assert_eq!(load(&[("GOOGLE_CLIENT_ID_FILE", path(&secret))]).google.client_id, "client");
}

#[test]
fn an_open_address_wants_keys_and_tls() {
    let pem = file("-----BEGIN CERTIFICATE-----");
    let key = format!("backend:{HASH}:*");
    let open = ("GRPC_ADDR", "0.0.0.0:50051");
    let lacks_keys = "API_KEYS is not set, but GRPC_ADDR can be reached by others";
    let lacks_tls = "TLS_CERT is not set, but GRPC_ADDR can be reached by others";
    assert_eq!(faults(&[open]), [lacks_keys, lacks_tls]);
    assert_eq!(faults(&[("GRPC_ADDR", "[::]:1")]), [lacks_keys, lacks_tls]);
    assert_eq!(faults(&[open, ("API_KEYS", &key)]), [lacks_tls]);
    assert_eq!(faults(&[open, ("ALLOW_PLAINTEXT", "true")]), [lacks_keys]);
    assert_eq!(faults(&[open, ("ALLOW_PLAINTEXT", "true"), ("API_KEYS", " , ")]), ["API_KEYS holds no key"]);
    assert_eq!(
        load(&[open, ("API_KEYS", &key), ("TLS_CERT", path(&pem)), ("TLS_KEY", path(&pem))]).tls,
        Some(Tls { cert: pem.path().to_owned(), key: pem.path().to_owned(), client_ca: None })
    );
    load(&[open, ("API_KEYS", &key), ("ALLOW_PLAINTEXT", "true")]);
    for loopback in ["127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        load(&[("GRPC_ADDR", loopback)]);
    }
}

#[test]
fn two_servers_do_not_share_a_port() {
    let shared = [("GRPC_ADDR", "127.0.0.1:9"), ("HTTP_ADDR", "127.0.0.1:9")];
    assert_eq!(faults(&shared), ["HTTP_ADDR is the address of GRPC_ADDR"]);
    let shared = [("HTTP_ADDR", "127.0.0.1:9"), ("METRICS_ADDR", "127.0.0.1:9")];
    assert_eq!(faults(&shared), ["METRICS_ADDR is the address of HTTP_ADDR"]);
    load(&[("GRPC_ADDR", "127.0.0.1:0"), ("HTTP_ADDR", "127.0.0.1:0")]);
}

#[test]
fn api_keys_are_read_with_their_organisations() {
    let other = HASH.replace('9', "8");
    let text = format!("backend:{HASH}:*,\n ops-2026:{}:org:1|org 2 ", other.to_uppercase());
    let keys = load(&[("API_KEYS", &text)]).api_keys;
    let organisation = |id| OrganisationId::parse(id).expect("an id");
    assert_eq!(keys.len(), 2);
    assert_eq!((keys[0].name.as_str(), keys[0].hash[..2].to_vec()), ("backend", vec![0x9f, 0x86]));
    assert!(keys[0].organisations.allow(&organisation("any")));
    let allowed = ["org:1", "org 2", "org", "org:1|org 2"].map(|id| keys[1].organisations.allow(&organisation(id)));
    assert_eq!(allowed, [true, true, false, false]);
}

#[test]
fn a_key_may_be_bound_to_a_client_where_clients_show_certificates() {
    let bound = format!("backend@cassius.internal:{HASH}:*");
    let lacks_authority = ["TLS_CLIENT_CA is not set, but API_KEYS binds a key to a client"];
    assert_eq!(faults(&[("API_KEYS", &bound)]), lacks_authority);
    let pem = file("-----BEGIN CERTIFICATE-----");
    let tls = [("TLS_CERT", path(&pem)), ("TLS_KEY", path(&pem)), ("TLS_CLIENT_CA", path(&pem))];
    let config = load(&[&tls[..], &[("API_KEYS", &*bound)]].concat());
    assert_eq!(config.api_keys[0].name, "backend");
    assert_eq!(config.api_keys[0].client_name.as_deref(), Some("cassius.internal"));
    assert_eq!(config.tls.and_then(|tls| tls.client_ca), Some(pem.path().to_owned()));
    assert_eq!(faults(&tls[2..]), ["TLS_CLIENT_CA is set, but TLS_CERT is not"]);
    assert_eq!(
        faults(&[("API_KEYS", &bound.replace("cassius.internal", ""))]),
        ["API_KEYS has a bad client name (entry 1)"]
    );
}

#[test]
fn a_bad_api_key_is_named_by_its_place() {
    let good = format!("a:{HASH}:*");
    let cases = [
        (format!("{good},b:{HASH}:*"), "has one digest twice (entry 2)"),
        (
            "a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855:*".to_owned(),
            "has the digest of an empty key (entry 1)",
        ),
        (format!("{good},b"), "is not a list of keys (entry 2)"),
        (format!("a b:{HASH}:*"), "has a bad name (entry 1)"),
        (format!(":{HASH}:*"), "has a bad name (entry 1)"),
        (format!("browser:{HASH}:*"), "has a name that stands for calls without a key (entry 1)"),
        (format!("anybody:{HASH}:*"), "has a name that stands for calls without a key (entry 1)"),
        ("a:secret:*".to_owned(), "has a bad digest (entry 1)"),
        (format!("a:{}:*", &HASH[2..]), "has a bad digest (entry 1)"),
        (format!("a:{HASH}:"), "has bad organisations (entry 1)"),
        (format!("a:{HASH}:org|"), "has bad organisations (entry 1)"),
        (format!("a:{HASH}:org|*"), "has bad organisations (entry 1)"),
    ];
    for (text, problem) in cases {
        assert_eq!(faults(&[("API_KEYS", &text)]), [format!("API_KEYS {problem}")]);
    }
}

#[test]
fn return_urls_default_to_cassius_itself() {
    let app = ("CASSIUS_APP_URL", "https://cassius.example/app");
    let inside = "https://cassius.example/app/settings";
    assert!(load(&[app]).return_urls.allows(inside));
    let config = load(&[app, ("RETURN_URL_ALLOWED", "https://a.example,http://localhost:5173/x")]);
    let allowed = [inside, "https://a.example/", "http://localhost:5173/x"].map(|url| config.return_urls.allows(url));
    assert_eq!(allowed, [false, true, true]);
}

#[test]
fn a_public_url_may_have_a_path() {
    let config = load(&[("PUBLIC_URL", "https://cassius.example/calendar/")]);
    let expected = "https://cassius.example/calendar/api/integrations/google/callback";
    assert_eq!(config.redirect_url().as_str(), expected);
}

#[test]
fn what_is_not_unicode_is_a_fault() {
    use std::os::unix::ffi::OsStringExt;
    let source = |name: &str| (name == "LOG").then(|| OsString::from_vec(vec![b'a', 0xff]));
    let faults = Config::load(&source, Mode::Serve, &[]).expect_err("settings with faults");
    assert!(faults.iter().any(|fault| fault.variable == "LOG" && fault.problem == "is not UTF-8"));
}

#[test]
fn the_table_of_settings_reads_well() {
    insta::assert_snapshot!(settings_table());
}

#[test]
fn every_setting_of_the_table_is_read() {
    let read = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let source = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        None
    };
    Config::load(&source, Mode::Serve, &[]).expect_err("nothing is set");
    let unread: Vec<_> = SETTINGS.iter().filter(|setting| !read.borrow().contains(setting.name)).collect();
    assert_eq!(unread, Vec::<&Setting>::new());
}

#[test]
fn the_faults_read_as_sentences() {
    let faults = load_with(&[("PUBLIC_URL", "http://a.example"), ("GOOGLE_CLIENT_ID", "")], Mode::Serve);
    assert_eq!(
        faults.expect_err("settings with faults").to_string(),
        "the settings have faults:\n  \
         PUBLIC_URL is not https: write an https address; plain http is for loopback alone.\n  \
         GOOGLE_CLIENT_ID is not set: put the OAuth client of your Google Cloud project there."
    );
}

#[test]
fn a_log_filter_of_other_letters_is_a_fault_and_no_panic() {
    for text in ["¹,\tぁ=", "info,é=debug", "[span{name=\"é\"}]=info"] {
        assert_eq!(faults(&[("LOG", text)]), ["LOG is not a log filter"], "{text}");
    }
    load(&[("LOG", "info,[span{name=\"a\"}]=debug")]);
}

/// Nobody knows what the command would run.
fn all_but_the_command() -> Vec<&'static str> {
    SETTINGS.iter().map(|setting| setting.name).filter(|name| *name != "ENCRYPTION_KEYS_COMMAND").collect()
}

proptest! {
    #[test]
    fn whatever_a_setting_holds_it_is_read_or_is_a_fault_that_does_not_repeat_it(
        name in prop::sample::select(all_but_the_command()), text in "[^\0]{0,60}",
    ) {
        if let Err(faults) = load_with(&[(name, &text)], Mode::Serve) {
            let told = faults.to_string();
            prop_assert!(text.trim().chars().count() < 12 || !told.contains(text.trim()), "{told}");
        }
    }
}

#[test]
fn a_file_of_passwords_that_any_user_may_read_or_write_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let passfile = file("*:*:*:*:canary");
    let told = ["PGPASSFILE names a file that any user may read or write: chmod o-rw"];
    for (mode, told) in [(0o644, &told[..]), (0o602, &told), (0o600, &[])] {
        std::fs::set_permissions(passfile.path(), std::fs::Permissions::from_mode(mode)).expect("a mode");
        assert_eq!(load(&[("PGPASSFILE", path(&passfile))]).open_files, told, "{mode:o}");
    }
}

#[test]
fn a_command_may_print_the_keyring() {
    let with = |command: &str| load_with(&[("ENCRYPTION_KEYS", ""), ("ENCRYPTION_KEYS_COMMAND", command)], Mode::Serve);
    let config = with("printf ' k1:canary\n'").expect("settings in order");
    assert_eq!(config.encryption_keys.expose_secret(), "k1:canary");
    for (command, problem) in [
        ("exit 3", "names a command that failed"),
        ("true", "prints nothing"),
        ("printf '\\377'", "prints what is not UTF-8"),
    ] {
        let faults = with(command).expect_err("settings with faults");
        let problems: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.variable, fault.problem)).collect();
        assert_eq!(problems, [format!("ENCRYPTION_KEYS_COMMAND {problem}")]);
    }
    let twice = faults(&[("ENCRYPTION_KEYS_COMMAND", "printf canary")]);
    assert_eq!(twice, ["ENCRYPTION_KEYS is set twice"]);
}
