//! Statements as the database's own statistics show them.

use std::collections::BTreeSet;
use std::path::Path;

/// A statement without a name, or with the name of another room, would hide in `pg_stat_statements`.
#[test]
fn every_statement_has_a_name_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/queries");
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let room = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        if room == "statement" {
            continue;
        }
        for call in [".execute(conn)", ".load(conn)", ".get_result(conn)"] {
            for (at, _) in text.match_indices(call) {
                let said = text[..at].rsplit(';').next().unwrap();
                assert!(said.contains("named(\""), "{room}: what is executed has a name: {said}");
            }
        }
        let named: Vec<_> = text.split("named(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        for name in named {
            assert_eq!(name.split_once('.').map(|(first, _)| first), Some(room.as_str()), "{name}");
            assert!(names.insert(name.to_owned()), "{name} stands twice");
        }
    }
    assert!(names.contains("claims.lease"), "the test reads what is there");
}
