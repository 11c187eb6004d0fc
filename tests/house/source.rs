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

/// The names of a path, from the outermost on: `["crate", "sync", "plan"]`.
pub(crate) type Names = Vec<String>;

/// What a `use` brings in, and the name that it has from there on.
pub(crate) struct Used {
    pub(crate) path: Names,
    pub(crate) name: String,
    /// Whether it is handed on.
    pub(crate) is_public: bool,
}

impl Source {
    /// The module that it is, below the crate's root: `["grpc", "validate"]`.
    pub(crate) fn module(&self) -> Names {
        module_of(&self.path)
    }

    /// The modules that stand elsewhere and are mounted below it.
    pub(crate) fn mounts(&self) -> Vec<Names> {
        let paths = self.code.split("#[path = \"").skip(1).map(|mount| mount.split('"').next().unwrap());
        paths.map(|path| module_of(&self.path.with_file_name(path))).collect()
    }

    /// Every path that begins at the crate's root or climbs from here, wherever it stands, with its braces spread.
    pub(crate) fn anchored_paths(&self) -> Vec<Names> {
        let anchors = ["crate", "cassius_calendar", "super", "self"];
        let found = anchors
            .iter()
            .flat_map(|anchor| self.code.match_indices(&format!("{anchor}::")).map(|(at, _)| at).collect::<Vec<_>>());
        // A comma with no blank after it stands in a text, such as the directives of a log filter.
        let is_inner =
            |at: usize| self.code[..at].ends_with(|c: char| matches!(c, ':' | '_' | ',') || c.is_alphanumeric());
        found.filter(|at| !is_inner(*at)).flat_map(|at| spread(&mut &self.code[at..])).map(|it| it.path).collect()
    }

    /// Every query that it has the macro `query!` run, by its room: `["due", "ready"]`.
    pub(crate) fn queries(&self) -> Vec<Names> {
        let calls =
            self.code.split("query!").skip(1).filter_map(|call| call.trim_start().strip_prefix(['(', '[', '{']));
        // A store and an access go before the query.
        let called = calls.map(|call| call.splitn(3, ',').nth(2).expect("a query behind a store and an access"));
        called.flat_map(|query| spread(&mut &*query)).map(|it| it.path).collect()
    }

    /// Whether an item of this name stands in it.
    pub(crate) fn defines(&self, name: &str) -> bool {
        let items = ["struct", "enum", "trait", "type", "fn", "const", "static", "mod", "macro_rules!"];
        items.iter().any(|item| {
            let ends = |after: &str| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let defined = format!("{item} {name}");
            self.code.match_indices(&defined).any(|(at, _)| ends(&self.code[at + defined.len()..]))
        })
    }

    /// What its `use` declarations bring in, with their braces spread; `*` is a name like any other.
    pub(crate) fn uses(&self) -> Vec<Used> {
        let line_before = |at: usize| self.code[..at].rsplit('\n').next().unwrap().trim_start();
        let found = self.code.match_indices("use ").map(|(at, _)| at);
        let declared = found.filter(|at| line_before(*at).is_empty() || line_before(*at).starts_with("pub"));
        let used = declared.flat_map(|at| {
            let is_public = line_before(at).starts_with("pub");
            spread(&mut &self.code[at + "use ".len()..]).into_iter().map(move |used| Used { is_public, ..used })
        });
        used.collect()
    }
}

fn module_of(path: &Path) -> Names {
    let names = path.iter().map(|name| name.to_str().unwrap().trim_end_matches(".rs").to_owned());
    names.filter(|name| !matches!(name.as_str(), "mod" | "lib" | "main")).collect()
}

/// Reads one path, and as many as there are names in its braces.
fn spread(text: &mut &str) -> Vec<Used> {
    *text = text.trim_start();
    if let Some(inner) = text.strip_prefix('{') {
        *text = inner;
        let mut paths = Vec::new();
        loop {
            *text = text.trim_start_matches([',', ' ', '\n']);
            if let Some(after) = text.strip_prefix('}') {
                *text = after;
                return paths;
            }
            assert!(!text.is_empty(), "braces that do not end");
            paths.extend(spread(text));
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
    let name = text[..end].to_owned();
    *text = &text[end..];
    let Some(after) = text.strip_prefix("::").filter(|after| !after.starts_with('<')) else {
        let mut alias = None;
        if let Some(renamed) = text.strip_prefix(" as ") {
            *text = renamed.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
            alias = Some(renamed[..renamed.len() - text.len()].to_owned());
        }
        // What cannot begin a path is passed over.
        if name.is_empty() {
            *text = text.get(1..).unwrap_or_default();
        }
        return vec![Used { name: alias.unwrap_or_else(|| name.clone()), path: vec![name], is_public: false }];
    };
    *text = after;
    let below = |used: Used| Used { path: [vec![name.clone()], used.path].concat(), ..used };
    spread(text).into_iter().map(below).collect()
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
fn braces_are_spread_however_deep() {
    let text =
        "use crate::{a::{B, c::D as E}, f};\npub(super) use g::{H, I};\nfn j() { crate::k::l(super::m::N {}) }\n";
    let source = Source { path: "x/mod.rs".into(), text: String::new(), code: text.to_owned() };
    let joined = |paths: Vec<Names>| paths.iter().map(|names| names.join("::")).collect::<Vec<_>>();
    let (paths, names): (Vec<_>, Vec<_>) = source.uses().into_iter().map(|used| (used.path, used.name)).unzip();
    assert_eq!(joined(paths), ["crate::a::B", "crate::a::c::D", "crate::f", "g::H", "g::I"]);
    assert_eq!(names, ["B", "E", "f", "H", "I"]);
    let anchored = ["crate::a::B", "crate::a::c::D", "crate::f", "crate::k::l", "super::m::N"];
    assert_eq!(joined(source.anchored_paths()), anchored);
    assert_eq!(source.module(), ["x"]);
}

#[test]
fn what_is_mounted_and_queried_is_found() {
    let text = "#[path = \"d/mod.rs\"]\nmod d;\nfn f() { query!(self, read, a::b(1, c))?; query![\n self,\n long,\n e::f()\n] }\n";
    let source = Source { path: "x/y.rs".into(), text: String::new(), code: text.to_owned() };
    assert_eq!(source.mounts(), [["x", "d"]]);
    assert_eq!(source.queries(), [["a", "b"], ["e", "f"]]);
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let text = "use crate::sync::plan;\nfn f() -> crate::model::A { my_crate::b() }\nuse crate::{c, d};\n";
    let source = Source { path: "a/b.rs".into(), text: String::new(), code: text.to_owned() };
    assert_eq!(source.paths_of("crate").collect::<Vec<_>>(), ["sync::plan", "model::A", "{c"]);
    assert_eq!((source.room().as_str(), source.depth()), ("a", 2));
}
