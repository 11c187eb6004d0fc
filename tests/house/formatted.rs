//! `cargo fmt` sees every test: none stands inside the braces of a macro, which it skips.

use std::fs;
use std::path::Path;

/// The functions inside the braces of a macro's call. Properties are left out: their arguments are no Rust.
fn hidden(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.trim_start().strip_suffix("! {").filter(|name| *name != "proptest") else { continue };
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let inside = lines.by_ref().take_while(|line| line.trim_end_matches(';') != end).map(str::trim_start);
        let functions = inside.filter(|line| line.starts_with("fn ") || line.starts_with("async fn "));
        found.extend(functions.map(|line| format!("{name}: {line}")));
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
    let text = "on_all! {\n    async fn one() {\n    }\n};\nfn two() {}\nproptest! {\n    fn three(a in b) {}\n}\n";
    assert_eq!(hidden(text), ["on_all: async fn one() {"]);
}
