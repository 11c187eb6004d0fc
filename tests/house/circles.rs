//! That no files import each other in a circle.
//!
//! A file stands below its door (the `mod.rs` above it), which names it: what a file takes of its own door is no circle.
//! What a door only hands on counts as an import of the file that has it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::{self, Names, Source};

/// The files of the service by their modules.
struct Modules(BTreeMap<Names, Source>);

impl Modules {
    fn of_the_service() -> Self {
        let sources = source::all().into_iter().filter(|source| !source.is_tests());
        Self(sources.filter(|source| source.room() != "main").map(|source| (source.module(), source)).collect())
    }

    /// The modules that one imports.
    fn imports(&self, module: &Names) -> BTreeSet<Names> {
        let paths = self.0[module].anchored_paths();
        let absolute = paths.iter().map(|path| absolute(module, path));
        let found = absolute.filter_map(|path| self.owner(&path, 0));
        let children = self.0.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
        found.chain(children.cloned()).filter(|other| !module.starts_with(other)).collect()
    }

    /// The module that has what a path names.
    fn owner(&self, path: &[String], handed_on: u8) -> Option<Names> {
        let module = (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|it| self.0.contains_key(it))?;
        let Some(name) = path.get(module.len()).filter(|_| handed_on < 8) else { return Some(module) };
        let uses = self.0[&module].uses();
        let is_ours = |path: &Names| {
            let is_child = self.0.contains_key(&[module.clone(), vec![path[0].clone()]].concat());
            is_child || matches!(path[0].as_str(), "self" | "super" | "crate")
        };
        if let Some(used) = uses.iter().find(|used| used.name == *name) {
            return match is_ours(&used.path) {
                true => self.owner(&absolute(&module, &used.path), handed_on + 1),
                false => Some(module),
            };
        }
        // What is handed on as a whole is that module's which has the name.
        let wholes = uses.iter().filter(|used| used.name == "*" && is_ours(&used.path));
        let handed = wholes.filter_map(|used| {
            let path = absolute(&module, &used.path);
            let whole = self.0.get(&path[..path.len() - 1])?;
            let has_name = whole.defines(name) || whole.uses().iter().any(|used| used.is_public && used.name == *name);
            has_name.then(|| [&path[..path.len() - 1], std::slice::from_ref(name)].concat())
        });
        match handed.into_iter().next() {
            Some(path) => self.owner(&path, handed_on + 1),
            None => Some(module),
        }
    }

    /// The shortest way from a module back to itself.
    fn circle(&self, imports: &BTreeMap<&Names, BTreeSet<Names>>, start: &Names) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&Names, &Names> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(module) = queue.pop_front() {
            for next in &imports[module] {
                if next == start {
                    let way = std::iter::successors(Some(module), |at| came_from.get(at).copied());
                    let mut circle: Vec<_> = way.map(|module| module.join("::")).collect();
                    circle.reverse();
                    return Some(circle);
                }
                if !came_from.contains_key(next) {
                    came_from.insert(next, module);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

/// A path from the crate's root on, without the root.
fn absolute(module: &Names, path: &[String]) -> Names {
    let climbs = path.iter().take_while(|name| *name == "super").count();
    match path[0].as_str() {
        "crate" | "cassius_calendar" => path[1..].to_vec(),
        "super" => [&module[..module.len().saturating_sub(climbs)], &path[climbs..]].concat(),
        "self" => [module, &path[1..]].concat(),
        _ => [module, path].concat(),
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let modules = Modules::of_the_service();
    let imports: BTreeMap<_, _> = modules.0.keys().map(|module| (module, modules.imports(module))).collect();
    let circles = modules.0.keys().filter_map(|module| modules.circle(&imports, module));
    // Each circle is found from each of its modules.
    let circles: BTreeMap<BTreeSet<String>, String> =
        circles.map(|circle| (circle.iter().cloned().collect(), circle.join(" → "))).collect();
    assert_eq!(circles.into_values().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_circle_is_found_however_a_door_hands_it_on() {
    let source = |path: &str, code: &str| Source { path: path.into(), text: String::new(), code: code.to_owned() };
    for (handed_on, taken) in [
        ("pub use b::B;\nuse c::C;\n", "C"),
        ("pub use b::{B};\nuse c::C as Renamed;\n", "Renamed"),
        ("pub use b::*;\npub use c::*;\n", "C"),
    ] {
        let sources = [
            source("lib.rs", ""),
            source("a/mod.rs", &format!("mod b;\nmod c;\n{handed_on}")),
            source("a/b.rs", &format!("use super::{taken};\nuse super::Door;\npub struct B;\n")),
            source("a/c.rs", "use crate::a::B;\npub struct C;\n"),
        ];
        let modules = Modules(sources.into_iter().map(|source| (source.module(), source)).collect());
        let imports: BTreeMap<_, _> = modules.0.keys().map(|module| (module, modules.imports(module))).collect();
        let names = |text: &str| text.split("::").map(str::to_owned).collect::<Names>();
        let circle = Some(vec!["a::b".to_owned(), "a::c".to_owned()]);
        assert_eq!(modules.circle(&imports, &names("a::b")), circle, "{handed_on}");
        assert_eq!(modules.circle(&imports, &names("a")), None, "the door itself is in none");
    }
}
