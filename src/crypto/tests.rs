//! What the keyring promises, by property and by table.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn cell() -> Cell<'static> {
    Cell { table: "links", row: row(&["org", "rdv-1"]), column: "snapshot" }
}

fn row<'a>(parts: &[&'a str]) -> Vec<Cow<'a, str>> {
    parts.iter().copied().map(Cow::Borrowed).collect()
}

fn entry(id: &str, byte: u8) -> String {
    format!("{id}:{}", STANDARD.encode([byte; 32]))
}

fn keyring(text: &str) -> Keyring {
    Keyring::parse(text).expect("a keyring of the test")
}

proptest! {
    #[test]
    fn what_was_sealed_opens(value: Vec<u8>, seed: u64) {
        let keyring = keyring(&entry("a", 1));
        let sealed = keyring.seal(&cell(), &value, &Entropy::seeded(seed));
        let opened = keyring.open(&cell(), &sealed).expect("it opens");
        prop_assert_eq!(opened.as_slice(), value.as_slice());
    }

    #[test]
    fn whatever_an_envelope_or_a_keyring_holds_it_is_refused_calmly(bytes: Vec<u8>, text: String, at: prop::sample::Index) {
        let keyring = keyring(&entry("a", 1));
        // Behind a beginning that is right, too.
        let sealed = keyring.seal(&cell(), b"value", &Entropy::seeded(1)).as_bytes().to_vec();
        let whole = [&sealed[..at.index(sealed.len())], &bytes].concat();
        for bytes in [bytes, whole] {
            prop_assert!(bytes == sealed || keyring.open(&cell(), &Sealed::from_bytes(bytes)).is_err());
        }
        let _ = Keyring::parse(&text);
        let _ = Keyring::parse(&format!("{},{text}", entry("a", 1)));
    }

    #[test]
    fn a_flipped_bit_is_refused(value: Vec<u8>, seed: u64, at: prop::sample::Index, bit in 0_u8..8) {
        let keyring = keyring(&entry("a", 1));
        let mut bytes = keyring.seal(&cell(), &value, &Entropy::seeded(seed)).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(keyring.open(&cell(), &Sealed::from_bytes(bytes)).is_err());
    }

    #[test]
    fn any_bytes_at_all_are_refused_calmly(bytes: Vec<u8>) {
        prop_assert!(keyring(&entry("a", 1)).open(&cell(), &Sealed::from_bytes(bytes)).is_err());
    }

    #[test]
    fn a_value_cut_short_or_lengthened_is_refused(value: Vec<u8>, cut: prop::sample::Index, tail: u8) {
        let keyring = keyring(&entry("a", 1));
        let bytes = keyring.seal(&cell(), &value, &Entropy::seeded(7)).as_bytes().to_vec();
        let shorter = bytes[..cut.index(bytes.len())].to_vec();
        prop_assert!(keyring.open(&cell(), &Sealed::from_bytes(shorter)).is_err());
        let longer = [bytes, vec![tail]].concat();
        prop_assert!(keyring.open(&cell(), &Sealed::from_bytes(longer)).is_err());
    }

    #[test]
    fn two_rows_never_look_alike(left: Vec<String>, right: Vec<String>) {
        prop_assume!(left != right);
        let (left, right): (Vec<&str>, Vec<&str>) =
            (left.iter().map(String::as_str).collect(), right.iter().map(String::as_str).collect());
        let keyring = keyring(&entry("a", 1));
        let sealed = keyring.seal(&Cell { row: row(&left), ..cell() }, b"v", &Entropy::seeded(7));
        prop_assert_eq!(keyring.open(&Cell { row: row(&right), ..cell() }, &sealed), Err(OpenError::Forged));
    }

    #[test]
    fn a_text_is_a_keyring_or_a_fault_that_does_not_repeat_it(key in "[A-Za-z0-9+/=]{20,50}", id in "[a-zA-Z0-9_]{0,20}") {
        if let Err(fault) = Keyring::parse(&format!("{id}:{key}")) {
            let shown = format!("{fault} {fault:?}");
            prop_assert!(!shown.contains(&key));
        }
    }
}

#[test]
fn another_cell_is_refused() {
    let keyring = keyring(&entry("a", 1));
    let sealed = keyring.seal(&cell(), b"value", &Entropy::seeded(7));
    let others = [
        Cell { table: "link", ..cell() },
        Cell { column: "snapshots", ..cell() },
        Cell { row: row(&["org", "rdv-2"]), ..cell() },
        Cell { row: row(&["orgr", "dv-1"]), ..cell() },
        Cell { row: row(&["org", "rdv-1", ""]), ..cell() },
        Cell { row: row(&["org"]), ..cell() },
        Cell { table: "linkssnapshot", column: "", ..cell() },
    ];
    for other in others {
        assert_eq!(keyring.open(&other, &sealed), Err(OpenError::Forged), "{other:?}");
    }
}

#[test]
fn another_key_is_refused_and_a_missing_one_is_named() {
    let sealed = keyring(&entry("a", 1)).seal(&cell(), b"value", &Entropy::seeded(7));
    assert_eq!(keyring(&entry("a", 2)).open(&cell(), &sealed), Err(OpenError::Forged));
    assert_eq!(keyring(&entry("b", 1)).open(&cell(), &sealed), Err(OpenError::UnknownKey("a".to_owned())));
}

#[test]
fn the_first_key_seals_and_all_open() {
    let old = keyring(&entry("old", 1));
    let both = keyring(&format!("{}, {}\n", entry("new", 2), entry("old", 1)));
    let new = keyring(&entry("new", 2));
    let before = old.seal(&cell(), b"before", &Entropy::seeded(1));
    let after = both.seal(&cell(), b"after", &Entropy::seeded(2));
    assert_eq!(both.open(&cell(), &before).expect("the old key opens").as_slice(), b"before");
    assert_eq!(new.open(&cell(), &after).expect("the new key sealed").as_slice(), b"after");
}

#[test]
fn two_keyrings_clash_where_an_id_stands_for_two_keys() {
    let [a, b, other] = [entry("a", 1), entry("b", 2), entry("b", 3)];
    let before = keyring(&format!("{a},{b}"));
    let clash = |text: &str| before.clashes(&keyring(text));
    assert_eq!(clash(&format!("{other},{a}")), ["b"]);
    assert_eq!(clash(&format!("{},{other}", entry("a", 4))), ["a", "b"]);
    for text in [format!("{b},{a}"), a.clone(), format!("{},{a}", entry("c", 3))] {
        assert!(clash(&text).is_empty(), "{text}");
        assert!(!before.is_same_as(&keyring(&text)), "{text}");
    }
    assert!(before.is_same_as(&keyring(&format!("{a},{b}"))));
    assert!(before.seals_as(&keyring(&a)) && !before.seals_as(&keyring(&format!("{b},{a}"))));
    assert!(!before.seals_as(&keyring(&entry("a", 4))) && !before.seals_as(&keyring(&entry("c", 1))));
}

#[test]
fn a_key_cannot_be_renamed() {
    let mut bytes = keyring(&entry("a", 1)).seal(&cell(), b"value", &Entropy::seeded(7)).as_bytes().to_vec();
    bytes[2] = b'b';
    assert_eq!(keyring(&entry("b", 1)).open(&cell(), &Sealed::from_bytes(bytes)), Err(OpenError::Forged));
}

#[test]
fn every_fault_of_a_keyring_is_named() {
    let good = entry("a", 1);
    let cases = [
        (String::new(), KeyringFault::Empty),
        (" , ,\n".to_owned(), KeyringFault::Empty),
        ("justtext".to_owned(), KeyringFault::NotAnEntry { position: 1 }),
        (format!("{good},Key:abc"), KeyringFault::BadId { position: 2 }),
        (entry("seventeen-letters", 1), KeyringFault::BadId { position: 1 }),
        (entry("", 1), KeyringFault::BadId { position: 1 }),
        (format!("{good},{good}"), KeyringFault::DuplicateId { id: "a".to_owned() }),
        (entry("a", 0), KeyringFault::Zero { id: "a".to_owned() }),
        (
            format!("{good},{}", good.replacen("a:", "b:", 1)),
            KeyringFault::SameKey { id: "a".to_owned(), other: "b".to_owned() },
        ),
        ("a:***".to_owned(), KeyringFault::NotBase64 { id: "a".to_owned() }),
        (format!("a:{}", STANDARD.encode([1; 31])), KeyringFault::WrongLength { id: "a".to_owned(), bytes: 31 }),
    ];
    for (text, fault) in cases {
        assert_eq!(Keyring::parse(&text).err(), Some(fault));
    }
}

#[test]
fn a_generated_entry_is_a_keyring_and_no_two_are_the_same() {
    let entropy = Entropy::seeded(7);
    let (one, two) = (Keyring::generate(&entropy), Keyring::generate(&entropy));
    assert_ne!(one, two);
    assert_eq!(keyring(&format!("{one},{two}")).keys().all().count(), 2);
}

#[test]
fn a_fingerprint_is_that_of_its_content_and_key() {
    let one = keyring(&entry("a", 1));
    assert_eq!(one.fingerprint(b"content"), keyring(&entry("b", 1)).fingerprint(b"content"));
    assert_ne!(one.fingerprint(b"content"), one.fingerprint(b"contents"));
    assert_ne!(one.fingerprint(b"content"), keyring(&entry("a", 2)).fingerprint(b"content"));
    assert_ne!(one.fingerprint(b"content").0, digest(b"content"));
}

#[test]
fn debug_withholds() {
    let keyring = keyring(&entry("a", 65));
    let shown =
        format!("{keyring:?} {:?} {:?}", keyring.seal(&cell(), b"", &Entropy::seeded(7)), Secret::from("canary"));
    assert_eq!(shown, r#"Keyring { ids: ["a"], .. } Sealed(withheld, 31 bytes) SecretBox<str>([REDACTED])"#);
}

/// What is stored was sealed for these very cells: a change here is a value that no longer opens.
#[test]
fn the_cells_of_what_is_stored_keep_their_names() {
    let organisation = OrganisationId::parse("org").expect("an id of the test");
    let appointment = AppointmentId::parse("rdv-1").expect("an id of the test");
    let named = |table, parts: &[&'static str], column| Cell { table, row: row(parts), column };
    for (cell, same) in [
        (
            Cell::snapshot(&organisation, &appointment),
            named("appointment_external_links", &["org", "rdv-1", "google"], "snapshot"),
        ),
        (
            Cell::token(&organisation, TokenColumn::AccessToken),
            named("calendar_integrations", &["org", "google"], "access_token"),
        ),
        (
            Cell::token(&organisation, TokenColumn::RefreshToken),
            named("calendar_integrations", &["org", "google"], "refresh_token"),
        ),
        (Cell::verifier(&[0x0a, 0xff]), named("oauth_consents", &["0aff"], "verifier")),
    ] {
        assert_eq!(cell.associated("a"), same.associated("a"), "{same:?}");
    }
}
