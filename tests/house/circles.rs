//! That no files import each other in a circle.
//!
//! A file stands below its door (the `mod.rs` above it), which names it: what a file takes of its own door is no
//! circle. What a door only hands on counts as an import of the file that has it. A file of `store` imports the queries
//! that it has the macro `query!` run; those that have its own name stand behind it, and answer in its types.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::{self, Names, Source};

/// Where the macro `query!` finds what it runs. The folder is mounted below each back end, and is one to whoever reads it.
const QUERIES: &str = "store::queries";

/// The files of the service by their modules.
struct Modules(BTreeMap<Names, Source>);

impl Modules {
    fn of_the_service() -> Self {
        let sources = source::all().into_iter().filter(|source| !source.is_tests());
        Self(sources.filter(|source| source.room() != "main").map(|source| (source.module(), source)).collect())
    }

    /// These files, by their paths and what stands in them.
    fn of(files: &[(&str, &str)]) -> Self {
        let source = |(path, code): &(&str, &str)| {
            let source = Source { path: path.into(), text: String::new(), code: (*code).to_owned() };
            (source.module(), source)
        };
        Self(files.iter().map(source).collect())
    }

    /// The modules that one imports.
    fn imports(&self, module: &Names) -> BTreeSet<Names> {
        let paths = self.0[module].anchored_paths();
        let absolute = paths.iter().map(|path| absolute(module, path));
        let found = absolute.chain(self.queries(module)).filter_map(|path| self.owner(&path, 0));
        let children = self.0.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
        let below = children.cloned().chain(self.0[module].mounts());
        found.chain(below).filter(|other| !module.starts_with(other)).collect()
    }

    /// What a module has the macro `query!` run, which writes the way there itself.
    fn queries(&self, module: &Names) -> Vec<Names> {
        let queries = self.0[module].queries().into_iter().map(|query| [names(QUERIES), query].concat());
        let is_known = |query: &Names| self.0.contains_key(&query[..query.len() - 1]);
        queries.inspect(|query| assert!(is_known(query), "no file has {}", query.join("::"))).collect()
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

    /// What every module imports.
    fn all_imports(&self) -> BTreeMap<&Names, BTreeSet<Names>> {
        self.0.keys().map(|module| (module, self.imports(module))).collect()
    }

    /// The shortest way from a module back to itself, but that by which a door and its queries are a pair.
    fn circle(&self, imports: &BTreeMap<&Names, BTreeSet<Names>>, start: &Names) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&Names, &Names> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(module) = queue.pop_front() {
            for next in &imports[module] {
                // A longer circle through both is found from the one that leaves the pair.
                if module == start && (is_door_of_queries(start, next) || is_door_of_queries(next, start)) {
                    continue;
                }
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

/// Whether a module of `store` is the door before queries: it has their name.
fn is_door_of_queries(door: &Names, queries: &Names) -> bool {
    let stands_in = |room: &str, module: &Names| module[..module.len().saturating_sub(1)] == names(room);
    stands_in("store", door) && stands_in(QUERIES, queries) && door.last() == queries.last()
}

fn names(path: &str) -> Names {
    path.split("::").map(str::to_owned).collect()
}

/// A path from the crate's root on, without the root.
fn absolute(module: &Names, path: &[String]) -> Names {
    // `self::super` climbs as `super` does, and `{self}` is what stands before it.
    let path = match path {
        [first, above @ ..] if first == "self" && above.first().is_some_and(|it| it == "super") => above,
        path => path,
    };
    let path = match path {
        [door @ .., last] if last == "self" && !door.is_empty() => door,
        path => path,
    };
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
    let imports = modules.all_imports();
    let circles = modules.0.keys().filter_map(|module| modules.circle(&imports, module));
    // Each circle is found from each of its modules.
    let circles: BTreeMap<BTreeSet<String>, String> =
        circles.map(|circle| (circle.iter().cloned().collect(), circle.join(" → "))).collect();
    assert_eq!(circles.into_values().collect::<Vec<_>>(), Vec::<String>::new());
}

/// What is taken by such a name is seen to be its door's, and not whose it is.
#[test]
fn no_file_takes_its_own_door_for_a_name() {
    let modules = Modules::of_the_service();
    let doors = modules.0.iter().flat_map(|(module, source)| {
        let its = source.uses().into_iter().filter(|used| matches!(used.path[0].as_str(), "crate" | "super" | "self"));
        let paths = its.map(|used| absolute(module, &used.path));
        paths.filter(|path| modules.0.contains_key(path) && module.starts_with(path)).map(|path| (module.clone(), path))
    });
    assert_eq!(doors.collect::<Vec<_>>(), Vec::<(Names, Names)>::new());
}

#[test]
fn a_circle_is_found_however_a_door_hands_it_on() {
    for (handed_on, taken) in [
        ("pub use b::B;\nuse c::C;\n", "C"),
        ("pub use b::{B};\nuse c::C as Renamed;\n", "Renamed"),
        ("pub use b::*;\npub use c::*;\n", "C"),
    ] {
        let modules = Modules::of(&[
            ("lib.rs", ""),
            ("a/mod.rs", &format!("mod b;\nmod c;\n{handed_on}")),
            ("a/b.rs", &format!("use super::{taken};\nuse super::Door;\npub struct B;\n")),
            ("a/c.rs", "use crate::a::B;\npub struct C;\n"),
        ]);
        let imports = modules.all_imports();
        let circle = Some(vec!["a::b".to_owned(), "a::c".to_owned()]);
        assert_eq!(modules.circle(&imports, &names("a::b")), circle, "{handed_on}");
        assert_eq!(modules.circle(&imports, &names("a")), None, "the door itself is in none");
    }
}

#[test]
fn a_circle_through_a_query_is_found_unless_it_is_of_a_door_and_its_queries_alone() {
    let (door, queries, others) = ("store::due", "store::queries::due", "store::queries::queues");
    for (taken, circle) in [
        ("", None),
        ("use crate::store::Look;\n", Some(vec![door, others])),
        ("use super::due::ready;\n", Some(vec![door, others, queries])),
    ] {
        let calls =
            "query!(self, read, due::ready(now))?;\nquery!(\n    self,\n    write,\n    queues::put_off(now)\n)?;\n";
        let modules = Modules::of(&[
            ("lib.rs", ""),
            ("store/mod.rs", "mod due;\nmod postgres;\npub use due::Look;\n"),
            ("store/postgres.rs", "#[path = \"queries/mod.rs\"]\nmod queries;\n"),
            ("store/due.rs", &format!("pub struct Look;\n{calls}")),
            ("store/queries/mod.rs", "pub mod due;\npub mod queues;\n"),
            ("store/queries/due.rs", "use crate::store::Look;\n"),
            ("store/queries/queues.rs", taken),
        ]);
        let found = modules.circle(&modules.all_imports(), &names(door));
        assert_eq!(found, circle.map(|circle| circle.into_iter().map(str::to_owned).collect()), "{taken}");
    }
}
