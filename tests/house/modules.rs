//! Where modules and their unit tests stand.

use std::path::Path;

use super::source::{self, Source};

/// From this many lines on, unit tests stand in a file of their own; fewer stand below what they test.
const MAX_INLINE_TEST_LINES: usize = 100;
/// Who mounts one folder of queries for two back ends.
const MOUNTS: [&str; 2] = ["store/postgres.rs", "store/sqlite.rs"];

fn paths_of(sources: &[Source], is_at_fault: impl Fn(&Source) -> bool) -> Vec<String> {
    sources.iter().filter(|source| is_at_fault(source)).map(|source| source.path.display().to_string()).collect()
}

#[test]
fn a_module_is_a_mod_rs_where_it_has_files_of_its_own_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let beside = |source: &Source| root.join(source.path.with_extension("")).is_dir();
    assert_eq!(paths_of(&source::all(), beside), Vec::<String>::new());
    let has_none = |source: &Source| {
        source.path.ends_with("mod.rs") && root.join(&source.path).parent().unwrap().read_dir().unwrap().count() == 1
    };
    assert_eq!(paths_of(&source::all(), has_none), Vec::<String>::new());
}

#[test]
fn no_module_is_mounted_from_elsewhere() {
    let mounts = paths_of(&source::all(), |source| source.text.contains("#[path"));
    assert_eq!(
        mounts.into_iter().filter(|path| !MOUNTS.contains(&path.as_str())).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

#[test]
fn unit_tests_stand_in_a_file_named_tests_from_a_hundred_lines_on_and_inline_below() {
    let sources = source::all();
    let is_long = |source: &Source| {
        let conditions = ["#[cfg(test)]", "#[cfg(all(test"];
        let of_tests = conditions.iter().flat_map(|condition| source.text.split(condition).skip(1));
        let inline = of_tests.filter(|tests| {
            // Other attributes may stand between.
            let opening = tests.lines().skip(1).find(|line| !line.starts_with("#[")).unwrap_or_default();
            opening.contains("mod ") && opening.ends_with('{')
        });
        let mut lengths = inline.map(|tests| tests.lines().take_while(|line| *line != "}").count());
        lengths.any(|length| length >= MAX_INLINE_TEST_LINES)
    };
    assert_eq!(paths_of(&sources, is_long), Vec::<String>::new());
    let is_short = |source: &Source| source.is_tests() && source.text.lines().count() < MAX_INLINE_TEST_LINES;
    assert_eq!(paths_of(&sources, is_short), Vec::<String>::new());
    let is_misnamed = |source: &Source| source.is_tests() && !source.path.ends_with("tests.rs");
    assert_eq!(paths_of(&sources, is_misnamed), Vec::<String>::new());
}
