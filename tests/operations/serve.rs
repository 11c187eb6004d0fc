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
