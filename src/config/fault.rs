//! What is wrong with the settings.
//!
//! Owns the list of faults and how it reads. Never holds a value of a setting, since it may be a secret.
//!
//! Invariant: each fault names its variable, what is wrong with it, and what to do.

use std::fmt;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable at fault.
    pub variable: String,
    /// What is wrong, as the end of a sentence that the variable begins.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}.", self.variable, self.problem, self.remedy)
    }
}

/// All faults at once, in the order of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<Fault>);

impl Faults {
    /// Puts faults of variables that are no settings before a result.
    pub fn with<T>(others: Vec<Fault>, loaded: Result<T, Self>) -> Result<T, Self> {
        match loaded {
            Ok(value) if others.is_empty() => Ok(value),
            Ok(_) => Err(Self(others)),
            Err(Self(faults)) => Err(Self([others, faults].concat())),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings have faults:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}
