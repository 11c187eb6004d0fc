//! `cargo fmt` sees every test: none stands inside the braces of a macro, which it skips.

use std::fs;
use std::path::Path;

/// The functions inside the brackets of a macro's call. Properties are left out: their arguments are no Rust.
fn hidden(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indentation = &line[..line.len() - line.trim_start().len()];
        let calls = [("! {", '}'), ("!(", ')'), ("![", ']')];
        let called = calls.iter().find_map(|(opens, ends)| Some((line.trim_start().strip_suffix(opens)?, ends)));
        let Some((name, ends)) = called.filter(|(name, _)| *name != "proptest") else { continue };
        let end = format!("{indentation}{ends}");
        let inside = lines.by_ref().take_while(|line| !line.starts_with(&end)).map(str::trim_start);
        let is_qualifier = |word: &str| {
            matches!(word, "" | "async" | "const" | "unsafe") || word.starts_with("pub") || word.ends_with(')')
        };
        let declared =
            |line: &&str| line.split_once("fn ").is_some_and(|(before, _)| before.split(' ').all(is_qualifier));
        found.extend(inside.filter(declared).map(|line| format!("{name}: {line}")));
    }
    found
}

#[test]
fn no_test_hides_from_the_formatter() {
    let mut faults = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let hidden = hidden(&fs::read_to_string(&path).unwrap());
                faults.extend(hidden.into_iter().map(|function| format!("{}: {function}", path.display())));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_function_in_braces_is_found() {
    let text = "on_all! {\n    async fn one() {\n    }\n};\nfn two() {}\nproptest! {\n    fn three(a in b) {}\n}\n\
                on_all!(\n    pub async fn four() {}\n    pub(in crate::a) const fn five() {}\n    a.of_fn(b);\n);\n";
    let expected = ["async fn one() {", "pub async fn four() {}", "pub(in crate::a) const fn five() {}"];
    assert_eq!(hidden(text), expected.map(|function| format!("on_all: {function}")));
}
