//! `serve`, where something else stands in its way.

use super::process::{Process, run, settings, with};

#[test]
fn a_second_process_on_one_sqlite_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings();
    let mut first = Process::start(&["serve"], &settings, folder.path());
    first.addresses();
    let ended = run(&["serve"], &settings, folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    assert_eq!(
        ended.errors.trim(),
        "cassius-calendar: the SQLite file at DATABASE_URL is served by another process: stop that one, or use \
         PostgreSQL for more than one replica"
    );
    first.stop();
    let mut next = Process::start(&["serve"], &settings, folder.path());
    next.addresses();
    next.stop();
}

#[test]
fn an_address_that_is_taken_is_named_with_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["GRPC_ADDR", "HTTP_ADDR"] {
        let ended = run(&["serve"], &with(&settings(), &[(variable, &address)]), folder.path());
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains(&format!("{variable} ({address}) cannot be listened on")), "{}", ended.errors);
    }
}

#[test]
fn a_key_file_that_is_no_key_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not.pem");
    std::fs::write(&file, "canary").unwrap();
    let tls = [("TLS_CERT", file.to_str().unwrap()), ("TLS_KEY", file.to_str().unwrap())];
    let ended = run(&["serve"], &with(&settings(), &tls), folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    assert!(ended.errors.contains("the TLS certificate or its key is not usable"), "{}", ended.errors);
    assert!(!ended.errors.contains("canary"), "{}", ended.errors);
}

#[test]
fn an_sqlite_file_is_one_file_by_whatever_name() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.db"), folder.path().join("link.db"));
    // It leads nowhere yet: the first to come makes the file.
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let at = |path: &std::path::Path| with(&settings(), &[("DATABASE_URL", &format!("sqlite:{}", path.display()))]);
    let mut first = Process::start(&["serve"], &at(&link), folder.path());
    first.addresses();
    let others_may = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&real).unwrap()) & 0o077;
    assert_eq!(others_may, 0, "patients' data is its user's alone to read");
    for path in [&real, &link] {
        let ended = run(&["serve"], &at(path), folder.path());
        assert_eq!(ended.code, Some(1), "{}", ended.errors);
        assert!(ended.errors.contains("is served by another process"), "{}", ended.errors);
    }
    let hard = folder.path().join("hard.db");
    std::fs::hard_link(&real, &hard).unwrap();
    let ended = run(&["serve"], &at(&hard), folder.path());
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(ended.errors.contains("has more than one name"), "{}", ended.errors);
    first.stop();
}

#[test]
fn a_database_that_takes_the_connection_and_says_nothing_ends_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://someone@{}/cassius?connect_timeout=1", silent.local_addr().unwrap());
    for command in [&["serve"][..], &["migrate"], &["reseal"], &["integrations"], &["check-config", "--connect"]] {
        let ended = run(command, &with(&settings(), &[("DATABASE_URL", &url)]), folder.path());
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains("the database at DATABASE_URL is not usable"), "{}", ended.errors);
        assert!(ended.errors.contains("no answer within 1 seconds"), "{}", ended.errors);
    }
}

#[test]
fn sigterm_is_obeyed_while_the_start_waits_for_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://someone@{}/cassius", silent.local_addr().unwrap());
    let mut process = Process::start(&["serve"], &with(&settings(), &[("DATABASE_URL", &url)]), folder.path());
    let _connection = silent.accept().unwrap();
    process.signal("TERM");
    let (status, took) = process.ended();
    assert_eq!(status.code(), Some(0));
    assert!(took < std::time::Duration::from_secs(2), "it waited for {took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn no_core_is_dumped_of_what_holds_keys() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &settings(), folder.path());
    process.addresses();
    let limits = process.proc("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    process.stop();
}

#[test]
fn a_secret_that_any_user_may_read_or_write_is_warned_of_without_being_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "canary-client-secret").unwrap();
    let mut settings = with(&settings(), &[("GOOGLE_CLIENT_SECRET_FILE", file.to_str().unwrap())]);
    settings.remove("GOOGLE_CLIENT_SECRET");
    for (mode, is_told) in [(0o644, true), (0o602, true), (0o640, false), (0o600, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let told = "GOOGLE_CLIENT_SECRET_FILE names a file that any user may read or write: chmod o-rw";
        let ended = run(&["check-config"], &settings, folder.path());
        assert_eq!((ended.code, ended.errors.contains(told)), (Some(0), is_told), "{mode:o}: {}", ended.errors);
        let mut process = Process::start(&["serve"], &settings, folder.path());
        process.addresses();
        let lines = process.errors.so_far().join("\n");
        assert_eq!(lines.contains(told), is_told, "{mode:o}: {lines}");
        assert!(!lines.contains("canary"), "{lines}");
        process.stop();
    }
}

#[test]
fn sigterm_is_obeyed_while_the_keyring_s_command_takes_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = with(&settings(), &[("ENCRYPTION_KEYS_COMMAND", "echo asked >&2; sleep 20")]);
    settings.remove("ENCRYPTION_KEYS");
    let mut process = Process::start(&["serve"], &settings, folder.path());
    process.errors.wait_for("asked");
    process.signal("TERM");
    let (status, took) = process.ended();
    assert_eq!(status.code(), Some(0));
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_keyring_s_command_does_not_outlive_whoever_runs_it() {
    let folder = tempfile::tempdir().unwrap();
    let ends = |pid: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    };
    // What it has started ends with it.
    let command = "sleep 600 & echo pids $! $$ >&2; wait";
    let mut settings = with(&settings(), &[("ENCRYPTION_KEYS_COMMAND", command)]);
    settings.remove("ENCRYPTION_KEYS");
    for (arguments, signal) in
        [(["serve"], "TERM"), (["check-config"], "INT"), (["reseal"], "TERM"), (["serve"], "KILL")]
    {
        let mut process = Process::start(&arguments, &settings, folder.path());
        let line = process.errors.wait_for("pids ");
        let pids: Vec<&str> = line.split_whitespace().skip(1).collect();
        assert!(pids.len() == 2 && !pids.iter().any(|pid| ends(pid)), "{line}");
        process.signal(signal);
        process.ended();
        let is_over = (0..1_000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            pids.iter().all(|pid| ends(pid))
        });
        assert!(is_over, "{arguments:?} {signal}");
    }
}

#[test]
fn a_role_that_may_change_no_tables_is_led_to_migrate() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["serve", "--no-migrate"], &settings(), folder.path());
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("the database has no tables yet: run"), "{}", ended.errors);
    assert_eq!(run(&["migrate"], &settings(), folder.path()).code, Some(0));
    let mut process = Process::start(&["serve", "--no-migrate"], &settings(), folder.path());
    process.addresses();
    process.stop();
}

#[test]
fn a_fault_of_the_database_s_address_is_a_fault_of_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    for (url, told) in [
        ("postgres://u:canary@db.internal/x?sslmode=canary", "DATABASE_URL has an sslmode that is none of"),
        ("postgres://u:canary@db.internal/x?canary=1", "DATABASE_URL is no address of PostgreSQL"),
        ("postgres://u:canary@db.internal/x?sslrootcert=/canary", "DATABASE_URL cannot be verified"),
        ("sqlite::memory:", "DATABASE_URL names no file"),
    ] {
        let ended = run(&["check-config"], &with(&settings(), &[("DATABASE_URL", url)]), folder.path());
        assert_eq!(ended.code, Some(1), "{url}");
        assert!(ended.errors.contains(told) && !ended.errors.contains("canary"), "{told}: {}", ended.errors);
    }
    let file = folder.path().join("no.pem");
    std::fs::write(&file, "canary").unwrap();
    for variable in ["DATABASE_CA", "GOOGLE_CA"] {
        let ended = run(&["check-config"], &with(&settings(), &[(variable, file.to_str().unwrap())]), folder.path());
        let told = format!("{variable} names no authorities in PEM");
        assert!(ended.code == Some(1) && ended.errors.contains(&told), "{}", ended.errors);
    }
    for variable in ["DATABASE_CA", "GOOGLE_CA", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_CA", "PGPASSFILE"] {
        let ended = run(&["check-config"], &with(&settings(), &[(variable, "/nowhere")]), folder.path());
        let told = format!("{variable} names a file that cannot be read (entity not found)");
        assert!(ended.code == Some(1) && ended.errors.contains(&told), "{}", ended.errors);
    }
    let inside = format!("sqlite:{}", folder.path().display());
    for command in [&["serve"][..], &["migrate"], &["check-config", "--connect"], &["integrations"], &["reseal"]] {
        let ended = run(command, &with(&settings(), &[("DATABASE_URL", &inside)]), folder.path());
        assert!(ended.code == Some(1) && ended.errors.contains("DATABASE_URL names a folder"), "{}", ended.errors);
    }
}
