//! `check-config`, and what `serve` refuses to start with.

use super::process::{Process, Settings, run, run_unheard, settings, with};
use crate::harness::database::Database;

#[test]
fn every_fault_is_named_at_once_and_no_value_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let faulty = [
        ("DATABASE_URL", "mysql://canary:canary@host/base"),
        ("GRPC_ADDR", "canary"),
        ("PUBLIC_URL", "http://canary.example"),
        ("GOOGLE_SCOPES", "canary"),
        ("ENCRYPTION_KEYS", "one:canary"),
        ("API_KEYS", "backend:canary:*"),
        ("TLS_CERT", "/canary.pem"),
        ("QUOTA_USER_PER_MINUTE", "canary"),
        ("REFLECTION", "canary"),
        ("LOG_FORMAT", "canary"),
    ];
    let faulty: Settings = faulty.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for command in ["check-config", "serve"] {
        let ended = run(&[command], &faulty, folder.path());
        assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{command}");
        let unset = ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "TLS_KEY"];
        for variable in faulty.keys().map(String::as_str).chain(unset) {
            let named = ended.errors.lines().filter(|line| line.trim_start().starts_with(&format!("{variable} ")));
            assert_eq!(named.count(), 1, "{command} names {variable} once:\n{}", ended.errors);
        }
        assert!(!ended.errors.contains("canary"), "{}", ended.errors);
    }
    // It reads what leads to the database alone.
    let ended = run(&["migrate"], &faulty, folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    assert_eq!(ended.errors.matches("DATABASE_URL ").count(), 1, "{}", ended.errors);
    assert!(!ended.errors.contains("canary") && !ended.errors.contains("API_KEYS"), "{}", ended.errors);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn settings_that_are_in_order_are_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["check-config"], &settings(), folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), "The settings are in order.\n"), "{}", ended.errors);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn a_secret_may_stand_in_a_file_and_not_in_two_places() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    let file = folder.path().join("secret");
    std::fs::write(&file, settings.remove("GOOGLE_CLIENT_SECRET").unwrap() + "\n").unwrap();
    let by_file = with(&settings, &[("GOOGLE_CLIENT_SECRET_FILE", file.to_str().unwrap())]);
    assert_eq!(run(&["check-config"], &by_file, folder.path()).code, Some(0));

    let twice = with(&by_file, &[("GOOGLE_CLIENT_SECRET", "canary")]);
    let ended = run(&["check-config"], &twice, folder.path());
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("GOOGLE_CLIENT_SECRET is set twice") && !ended.errors.contains("canary"));

    let nowhere = with(&settings, &[("GOOGLE_CLIENT_SECRET_FILE", "/nowhere")]);
    let ended = run(&["check-config"], &nowhere, folder.path());
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("GOOGLE_CLIENT_SECRET_FILE names a file that cannot be read"), "{}", ended.errors);
}

#[test]
fn an_open_address_wants_keys_and_tls() {
    let folder = tempfile::tempdir().unwrap();
    let open = with(&settings(), &[("GRPC_ADDR", "0.0.0.0:0")]);
    let ended = run(&["serve"], &open, folder.path());
    assert_eq!(ended.code, Some(1));
    for variable in ["API_KEYS", "TLS_CERT"] {
        let refused = format!("{variable} is not set, but GRPC_ADDR can be reached by others");
        assert!(ended.errors.contains(&refused), "{}", ended.errors);
    }
    assert!(ended.errors.contains("ALLOW_PLAINTEXT=true"), "the way behind a mesh is named: {}", ended.errors);
}

#[test]
fn a_name_that_is_almost_a_setting_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["check-config", "serve"] {
        let slips = with(&settings(), &[("GPRC_ADDR", "0.0.0.0:1"), ("DATABASE_URI", "postgres://canary")]);
        let ended = run(&[command], &slips, folder.path());
        assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{}", ended.errors);
        assert!(ended.errors.contains("DATABASE_URI is no setting: write DATABASE_URL if"), "{}", ended.errors);
        assert!(!ended.errors.contains("canary"), "{}", ended.errors);
    }
}

/// A certificate that is valid for these days of 2026 and later, and its key.
pub(super) fn certificate(days: std::ops::Range<i64>) -> [String; 2] {
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let day =
        |days: i64| rcgen::date_time_ymd(2026, 1, 1) + std::time::Duration::from_secs(days.cast_unsigned() * 86_400);
    (parameters.not_before, parameters.not_after) = (day(days.start), day(days.end));
    let key = rcgen::KeyPair::generate().unwrap();
    [parameters.self_signed(&key).unwrap().pem(), key.serialize_pem()]
}

#[test]
fn the_files_of_tls_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = certificate(0..36_500);
    let [expired, expired_key] = certificate(0..1);
    let [early, early_key] = certificate(36_500..36_501);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nY2FuYXJ5\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned();
    for (cert, key, told) in [
        (&cert, &key, None),
        (&cert, &expired_key, Some("TLS_KEY is not the key of TLS_CERT")),
        (&expired, &expired_key, Some("TLS_CERT names a certificate that has expired")),
        (&early, &early_key, Some("TLS_CERT names a certificate that is not valid yet")),
        (&cert, &encrypted, Some("TLS_KEY names a key that is encrypted")),
        (&cert, &cert, Some("TLS_KEY names a file without a private key")),
        (&key, &key, Some("TLS_CERT names a file without a certificate")),
    ] {
        let files = [("cert.pem", cert), ("key.pem", key)].map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        });
        let tls = with(&settings(), &[("TLS_CERT", &files[0]), ("TLS_KEY", &files[1])]);
        let ended = run(&["check-config"], &tls, folder.path());
        match told {
            None => assert_eq!(ended.code, Some(0), "{}", ended.errors),
            Some(told) => {
                assert!(ended.code == Some(1) && ended.errors.contains(told), "{told}: {}", ended.errors);
                let both = run(&["check-config"], &with(&tls, &[("WRITE_SPACING", "canary")]), folder.path());
                assert!(both.errors.contains(told) && both.errors.contains("WRITE_SPACING"), "{told}: {}", both.errors);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_not_in_order() {
    let database = Database::on_postgres().await;
    let folder = tempfile::tempdir().unwrap();
    let asked =
        |url: &str| run(&["check-config", "--connect"], &with(&settings(), &[("DATABASE_URL", url)]), folder.path());
    let ended = asked(&database.url);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let (name, between) = (database.name(), if database.url.contains('?') { '&' } else { '?' });
    let role = format!("reader_{name}");
    let grant = format!(
        "CREATE ROLE {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         REVOKE DELETE ON audit_events FROM {role}"
    );
    database.run(&grant).await;
    let by_role = format!("{}{between}options=-c%20role%3D{role}", database.url);
    let by_standby = format!("{}{between}options=-c%20default_transaction_read_only%3Don", database.url);
    for url in [by_role, by_standby] {
        let ended = asked(&url);
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        assert!(ended.output.contains("takes no writes, or not in every table"), "{} {}", ended.output, ended.errors);
        let mut process =
            Process::start(&["serve", "--no-migrate"], &with(&settings(), &[("DATABASE_URL", &*url)]), folder.path());
        process.errors.wait_for("takes no writes, or not in every table");
        process.stop();
        // Nothing is pending: nothing has to be made.
        assert_eq!(run(&["migrate"], &with(&settings(), &[("DATABASE_URL", &*url)]), folder.path()).code, Some(0));
    }
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.drop().await;
}

#[test]
fn a_file_that_is_served_under_another_name_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["migrate"], &settings(), folder.path()).code, Some(0));
    let file = folder.path().join("cassius-calendar.db");
    // As a process has it that came by a mount of the file alone.
    let served = std::fs::File::open(&file).unwrap();
    served.try_lock().unwrap();
    let refused = |command: &[&str], told: &str| {
        let ended = run(command, &settings(), folder.path());
        assert!(ended.code == Some(1) && ended.errors.contains(told), "{command:?}: {}", ended.errors);
    };
    refused(&["serve"], "is served by another process");
    for command in [&["check-config", "--connect"][..], &["reseal"], &["integrations"], &["migrate"]] {
        refused(command, "has more than one name");
    }
    drop(served);
    assert_eq!(run(&["integrations"], &settings(), folder.path()).code, Some(0));
    std::fs::hard_link(&file, folder.path().join("other.db")).unwrap();
    for command in [&["serve"][..], &["check-config", "--connect"], &["reseal"], &["integrations"], &["migrate"]] {
        refused(command, "has more than one name");
    }
}

#[test]
fn the_database_is_asked_where_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |settings: &Settings| run(&["check-config", "--connect"], settings, folder.path());
    let new = asked(&settings());
    assert!(
        new.code == Some(0) && new.output.contains("There is no SQLite file at DATABASE_URL yet"),
        "{}",
        new.output
    );
    for command in ["reseal", "integrations"] {
        let ended = run(&[command], &settings(), folder.path());
        assert!(ended.code == Some(1) && ended.errors.contains("no SQLite file at DATABASE_URL"), "{}", ended.errors);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
    assert_eq!(run(&["migrate"], &settings(), folder.path()).code, Some(0));
    let migrated = asked(&settings());
    assert!(migrated.code == Some(0) && migrated.output.contains("are those of this version"), "{}", migrated.output);
    let away = asked(&with(&settings(), &[("DATABASE_URL", "postgres://someone:canary@127.0.0.1:9/x")]));
    assert!(away.code == Some(1) && away.errors.contains("DATABASE_URL is not usable"), "{}", away.errors);
    assert!(!away.errors.contains("canary"), "{}", away.errors);
}

#[test]
fn no_fault_of_a_setting_hides_one_of_the_database_that_it_does_not_concern() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |others: &[(&str, &str)]| {
        let away = with(&settings(), &[("DATABASE_URL", "postgres://someone:canary@127.0.0.1:9/x")]);
        let ended = run(&["check-config", "--connect"], &with(&away, others), folder.path());
        assert!(ended.code == Some(1) && !ended.errors.contains("canary"), "{}", ended.errors);
        ended.errors
    };
    let [cert, key] = certificate(0..1);
    let files = [("cert.pem", cert), ("key.pem", key)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let is_away = "the database at DATABASE_URL is not usable";
    for (others, told) in [
        (&[("TLS_CERT", &*files[0]), ("TLS_KEY", &*files[1])][..], "TLS_CERT names a certificate that has expired"),
        (&[("WRITE_SPACING", "canary")], "WRITE_SPACING is not a number"),
        (&[("ENCRYPTION_KEYS", "canary")], "ENCRYPTION_KEYS "),
    ] {
        let errors = asked(others);
        assert!(errors.contains(told) && errors.contains(is_away), "{told}: {errors}");
    }
    // What leads there is not in order itself.
    let errors = asked(&[("DATABASE_CA", "/nowhere")]);
    assert!(errors.contains("DATABASE_CA names a file that cannot be read") && !errors.contains(is_away), "{errors}");
}

#[test]
fn a_variable_that_may_be_another_programs_is_told_and_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["check-config"], &with(&settings(), &[("LOGS", "canary"), ("GRPC_PORT", "1")]), folder.path());
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    assert!(ended.errors.contains("Beware: LOGS is no setting and is not read: LOG is"), "{}", ended.errors);
    assert!(!ended.errors.contains("GRPC_PORT"), "GRPC_ADDR is set: {}", ended.errors);
}

#[test]
fn a_command_whose_reader_has_gone_ends_as_if_it_were_heard() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["migrate"][..],
        &["migrate"],
        &["check-config", "--connect"],
        &["generate-key"],
        &["integrations"],
        &["reseal"],
        &["--help"],
        &["help", "integrations"],
        &["--version"],
    ] {
        let ended = run_unheard(command, &settings(), folder.path());
        assert_eq!((ended.code, &*ended.errors), (Some(0), ""), "{command:?}");
    }
    let ended = run_unheard(&["generate-key", "api", "backend"], &settings(), folder.path());
    assert!(ended.code == Some(0) && !ended.errors.contains("panicked"), "{}", ended.errors);
    assert_eq!(run(&["integrations"], &settings(), folder.path()).code, Some(0), "it was migrated");
}

/// What `serve` cannot begin with is no order.
#[test]
fn a_file_of_sqlite_that_can_be_none_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let told = "the folder of the SQLite file at DATABASE_URL is not there";
    for (url, told) in [
        ("sqlite:nowhere/cassius.db", told),
        ("sqlite:/nowhere/cassius.db", told),
        ("sqlite://", "DATABASE_URL names no database"),
        ("sqlite:file:", "DATABASE_URL names no database"),
        ("sqlite:file:cassius.db", "DATABASE_URL names no database"),
    ] {
        for command in [&["check-config", "--connect"][..], &["serve"], &["migrate"]] {
            let ended = run(command, &with(&settings(), &[("DATABASE_URL", url)]), folder.path());
            assert_eq!(ended.code, Some(1), "{url} {command:?}");
            assert!(ended.errors.contains(told), "{url} {command:?}: {}", ended.errors);
        }
    }
}

/// To open a pipe is to wait for whoever writes into it.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_of_authorities_and_no_passfile() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    let of_url = |option: &str| format!("postgres://someone@db.example/cassius?{option}={pipe}");
    for (name, text) in [
        ("DATABASE_CA", pipe.to_owned()),
        ("GOOGLE_CA", pipe.to_owned()),
        ("TLS_CLIENT_CA", pipe.to_owned()),
        ("DATABASE_URL", of_url("sslrootcert")),
        ("DATABASE_URL", of_url("passfile")),
    ] {
        let ended = run(&["check-config"], &with(&settings(), &[(name, &text)]), folder.path());
        assert_eq!(ended.code, Some(1), "{name} {text}");
        assert!(ended.errors.contains(&format!("  {name} ")), "{name}: {}", ended.errors);
    }
}
