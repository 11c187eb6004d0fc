//! The files under `src/`, as text to be held against rules.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the service.
pub(crate) struct Source {
    /// Its path below `src/`.
    pub(crate) path: PathBuf,
    /// Everything in it.
    pub(crate) text: String,
    /// What is built into the service: without comments, and without what is for unit tests alone.
    pub(crate) code: String,
}

impl Source {
    /// The room that it belongs to: the first segment of its module's path.
    pub(crate) fn room(&self) -> String {
        let first = self.path.iter().next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    /// How many modules lie above it: a `super` for each leads to the crate's root. None lies above the root itself.
    pub(crate) fn depth(&self) -> usize {
        let segments = self.path.iter().count();
        if matches!(self.room().as_str(), "lib" | "main") {
            return 0;
        }
        if self.path.ends_with("mod.rs") { segments - 1 } else { segments }
    }

    /// Whether it holds unit tests and nothing else.
    pub(crate) fn is_tests(&self) -> bool {
        self.path.file_stem().unwrap().to_str().unwrap().ends_with("tests")
    }

    /// The segments that follow a crate's name in a path, wherever one stands: `sync::plan` of `crate::sync::plan`.
    pub(crate) fn paths_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(name).filter_map(move |(at, _)| {
            let (before, after) = (&self.code[..at], &self.code[at + name.len()..]);
            // A comma with no blank after it stands in a text, such as the directives of a log filter.
            if before.ends_with(is_word) || before.ends_with("::") || before.ends_with(',') {
                return None;
            }
            let after = after.strip_prefix("::")?;
            Some(after.split(|c: char| !is_word(c) && c != ':' && c != '{').next().unwrap_or_default())
        })
    }
}

/// Every file of the service, by path.
pub(crate) fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = built(&text);
                found.push(Source { path: path.strip_prefix(&root).unwrap().to_owned(), text, code });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 100, "the service has more files than {}", found.len());
    found
}

/// Drops comments, and each item under `#[cfg(test)]`: rustfmt ends one with a brace of its own indentation, or with a
/// semicolon.
fn built(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indentation = &line[..line.len() - line.trim_start().len()];
        if line.trim_start().starts_with("#[cfg(test)]") {
            let end = format!("{indentation}}}");
            lines.find(|line| *line == end || (line.starts_with(&format!("{indentation}mod ")) && line.ends_with(';')));
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

#[test]
fn what_is_for_tests_alone_and_comments_are_left_out() {
    let text = "use a;\n// crate::x\n#[cfg(test)]\nimpl A {\n    fn b() {}\n}\nuse c;\n#[cfg(test)]\nmod tests;\n";
    assert_eq!(built(text), "use a;\nuse c;\n");
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let text = "use crate::sync::plan;\nfn f() -> crate::model::A { my_crate::b() }\nuse crate::{c, d};\n";
    let source = Source { path: "a/b.rs".into(), text: String::new(), code: text.to_owned() };
    assert_eq!(source.paths_of("crate").collect::<Vec<_>>(), ["sync::plan", "model::A", "{c"]);
    assert_eq!((source.room().as_str(), source.depth()), ("a", 2));
}
