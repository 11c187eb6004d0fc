//! Reads one variable at a time and gathers what is wrong.
//!
//! Owns the way from a variable (or the file that `<NAME>_FILE` names) to a text, and the list of faults. It is plain
//! code: the crates that parse settings can either report every fault, or hold rules that span several settings against
//! them in the same go, and none leaves the wording of a fault to us. Never falls back to a default where a text is
//! written that cannot be used.
//!
//! Invariant: reading goes on after a fault, so that all are found.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::fault::{Fault, Faults};
use super::settings::{SETTINGS, Setting};
use super::{Check, Mode};

/// Says what is wrong with a text, and what to do.
pub(super) type TextFault = (String, String);

pub(super) fn text_fault(problem: &str, remedy: &str) -> TextFault {
    (problem.to_owned(), remedy.to_owned())
}

pub(super) struct Reader<'a> {
    source: &'a dyn Fn(&str) -> Option<OsString>,
    mode: Mode,
    checks: &'a [Check<'a>],
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a dyn Fn(&str) -> Option<OsString>, mode: Mode, checks: &'a [Check<'a>]) -> Self {
        Self { source, mode, checks, faults: Vec::new() }
    }

    pub(super) fn fault(&mut self, variable: &str, (problem, remedy): TextFault) {
        self.faults.push(Fault { variable: variable.to_owned(), problem, remedy });
    }

    /// Whether a setting is written somewhere, well or badly: in its variable, or in a file that it may stand in.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.set(name).is_some() || self.file(name).is_some()
    }

    /// Whether something is wrong with one of these.
    pub(super) fn is_at_fault(&self, names: &[&str]) -> bool {
        let is_its =
            |variable: &str| names.iter().any(|name| variable.strip_suffix("_FILE").unwrap_or(variable) == *name);
        self.faults.iter().any(|fault| is_its(&fault.variable))
    }

    /// Whether a setting stands in a file that holds nothing.
    pub(super) fn is_emptied(&self, name: &str) -> bool {
        let file = self.file(name).filter(|_| self.set(name).is_none());
        file.is_some_and(|file| std::fs::read_to_string(PathBuf::from(file)).is_ok_and(|text| text.trim().is_empty()))
    }

    /// The file that a setting may stand in, if one is named.
    fn file(&self, name: &str) -> Option<OsString> {
        self.set(&format!("{name}_FILE")).filter(|_| setting(name).in_file)
    }

    /// What the source has for a name; blank is unset.
    fn set(&self, name: &str) -> Option<OsString> {
        (self.source)(name).filter(|text| !text.to_string_lossy().trim().is_empty())
    }

    /// The text of a variable, or its default; blank is unset.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let setting = setting(name);
        match self.written(setting) {
            Ok(Some(text)) => self.checked(name, name, text),
            Ok(None) => {
                let dev_default = setting.dev_default.filter(|_| self.mode == Mode::Dev);
                dev_default.or(setting.default).map(str::to_owned)
            }
            Err((variable, fault)) => {
                self.fault(&variable, fault);
                None
            }
        }
    }

    /// The text of a variable that has to be set.
    pub(super) fn required(&mut self, name: &str, remedy: &str) -> Option<String> {
        let faults = self.faults.len();
        let text = self.text(name);
        if text.is_none() && self.faults.len() == faults {
            self.fault(name, text_fault("is not set", remedy));
        }
        text
    }

    /// What the command in `variable` has printed in the place of the setting `name`, which is not set beside it.
    pub(super) fn printed(&mut self, variable: &str, name: &str, text: String) -> Option<String> {
        if self.is_set(name) {
            let remedy = format!("set either {name} or {variable}");
            self.fault(name, text_fault("is set twice", &remedy));
            return None;
        }
        self.checked(variable, name, text)
    }

    /// The value of a variable, if it is set or has a default, and can be read.
    pub(super) fn value<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, TextFault>) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).map_err(|fault| self.fault(name, fault)).ok()
    }

    /// A sentence for each file of a secret, and for each of `others`, that any user of the system may read or write.
    pub(super) fn open_files(&self, others: [(&str, Option<&Path>); 2]) -> Vec<String> {
        let others = others.into_iter().filter_map(|(name, file)| Some((file?.to_owned(), name.to_owned())));
        let files = self.files(|setting| setting.secret).chain(others);
        let open = files.filter(|(file, _)| is_open_to_all(file));
        open.map(|(_, variable)| format!("{variable} names a file that any user may read or write: chmod o-rw"))
            .collect()
    }

    /// The files that settings are read from.
    pub(super) fn setting_files(&self) -> impl Iterator<Item = PathBuf> {
        self.files(|setting| setting.in_file).map(|(file, _)| file)
    }

    /// Each file of such a setting, with the variable that names it.
    fn files(&self, is_such: impl Fn(&Setting) -> bool) -> impl Iterator<Item = (PathBuf, String)> {
        let settings = SETTINGS.iter().filter(move |setting| is_such(setting));
        let variables = settings.map(|setting| format!("{}_FILE", setting.name));
        variables.filter_map(|variable| Some((self.set(&variable).map(PathBuf::from)?, variable)))
    }

    /// The list, if nothing is wrong; the faults in the order of the table otherwise.
    pub(super) fn finish<T>(self, config: Option<T>) -> Result<T, Faults> {
        let mut faults = self.faults;
        let position = |fault: &Fault| {
            let name = fault.variable.strip_suffix("_FILE").unwrap_or(&fault.variable);
            SETTINGS.iter().position(|setting| setting.name == name)
        };
        faults.sort_by_key(position);
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(Faults(faults)),
        }
    }

    fn written(&self, setting: &Setting) -> Result<Option<String>, (String, TextFault)> {
        let name = setting.name;
        let file_name = format!("{name}_FILE");
        let text = match (self.set(name), self.file(name)) {
            (Some(_), Some(_)) => {
                let remedy = format!("set either {name} or {file_name}");
                return Err((name.to_owned(), text_fault("is set twice", &remedy)));
            }
            (Some(text), None) => {
                text.into_string().map_err(|_| (name.to_owned(), text_fault("is not UTF-8", "write it in UTF-8")))?
            }
            (None, Some(path)) => {
                let text = std::fs::read_to_string(PathBuf::from(path)).map_err(|fault| {
                    let problem = format!("names a file that cannot be read ({})", fault.kind());
                    (file_name.clone(), text_fault(&problem, "name a readable file of UTF-8 text"))
                })?;
                // It was meant to be set: nobody falls back to a default.
                if text.trim().is_empty() {
                    let remedy = "write it there, or take the variable out of the environment";
                    return Err((file_name, text_fault("names a file that holds nothing", remedy)));
                }
                text
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(text.trim().to_owned()))
    }

    /// Holds the text of `variable` against the check that a room which may not be imported here has for the setting `name`.
    fn checked(&mut self, variable: &str, name: &str, text: String) -> Option<String> {
        for (_, passes) in self.checks.iter().filter(|(checked, _)| *checked == name) {
            if let Err(problem) = passes(&text) {
                self.fault(variable, text_fault(&problem, "correct it"));
                return None;
            }
        }
        Some(text)
    }
}

fn setting(name: &str) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.name == name).expect("what is read stands in the table")
}

/// Whether any user of the system may read a file, or write it.
#[cfg(unix)]
pub fn is_open_to_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o006 != 0)
}

/// What others may do is written otherwise there.
#[cfg(not(unix))]
pub fn is_open_to_all(_file: &Path) -> bool {
    false
}
