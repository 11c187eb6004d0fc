//! `generate-key`.

use super::process::{Settings, run, settings, with};

#[test]
fn an_encryption_key_serves_as_it_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let made = || run(&["generate-key"], &Settings::new(), folder.path());
    let (one, other) = (made(), made());
    assert_eq!((one.code, one.errors.as_str()), (Some(0), ""));
    assert_ne!(one.output, other.output);
    let keys = format!("{},{}", one.output.trim(), other.output.trim());
    for keys in [one.output.trim(), &keys] {
        let settings = with(&settings(), &[("ENCRYPTION_KEYS", keys)]);
        assert_eq!(run(&["check-config"], &settings, folder.path()).code, Some(0));
    }
}

#[test]
fn an_api_key_comes_with_its_entry_which_does_not_hold_it() {
    let folder = tempfile::tempdir().unwrap();
    let (key, entry) = api_key(&["backend", "practice-1", "practice-2"]);
    assert!(key.len() >= 43 && !entry.contains(&key), "{entry}");
    assert!(entry.starts_with("backend:") && entry.ends_with(":practice-1|practice-2"), "{entry}");
    let settings = with(&settings(), &[("API_KEYS", &entry)]);
    assert_eq!(run(&["check-config"], &settings, folder.path()).code, Some(0));
    assert!(api_key(&["operator"]).1.ends_with(":*"));
}

#[test]
fn what_no_entry_could_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for bad in [&["a b"][..], &["a:b"], &[""], &["backend", "one|two"], &["backend", "a,b"], &["backend", " "]] {
        let ended = run(&[&["generate-key", "api"], bad].concat(), &Settings::new(), folder.path());
        assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{bad:?}");
        assert!(ended.errors.starts_with("cassius-calendar: "), "{}", ended.errors);
    }
}

/// A new API key and its entry.
pub(crate) fn api_key(arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&[&["generate-key", "api"], arguments].concat(), &Settings::new(), folder.path());
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let line = |name: &str| ended.output.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    (line("key:"), line("entry:"))
}
