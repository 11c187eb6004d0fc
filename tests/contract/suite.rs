//! Runs every case, and says case by case whether it is as claimed.

use std::fmt::Debug;
use std::pin::Pin;

use super::cases;
use super::subject::{Subject, emulator};

/// What a case found to be different.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Notes a difference, if there is one.
    pub(crate) fn equal<T: PartialEq + Debug>(&mut self, what: &str, got: T, expected: T) {
        if got != expected {
            self.0.push(format!("{what}: expected {expected:?} got {got:?}"));
        }
    }

    /// Notes an answer that is none of those that are known.
    pub(crate) fn among<T: PartialEq + Debug>(&mut self, what: &str, got: T, expected: &[T]) {
        if !expected.contains(&got) {
            self.0.push(format!("{what}: expected one of {expected:?} got {got:?}"));
        }
    }
}

/// One claim, and how it is tried.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is claimed, and by whom.
    pub(crate) claim: &'static str,
    pub(crate) run: for<'a> fn(&'a Subject, &'a mut Findings) -> Trial<'a>,
}

/// A case under way.
type Trial<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Lists cases by the functions that try them.
macro_rules! claims {
    ($($name:ident: $claim:literal,)*) => {
        vec![$($crate::contract::suite::Case {
            name: stringify!($name),
            claim: $claim,
            run: |subject, found| Box::pin($name(subject, found)),
        }),*]
    };
}
pub(crate) use claims;

/// Tries all cases; the number of those that differ.
async fn run(subject: &Subject) -> usize {
    let mut differing = 0;
    for case in cases::all() {
        let mut found = Findings::default();
        (case.run)(subject, &mut found).await;
        let name = case.name.replace('_', " ");
        if found.0.is_empty() {
            println!("same     {name}");
            continue;
        }
        differing += 1;
        println!("differs  {name}  [{}]", case.claim);
        for difference in found.0 {
            println!("         differs: {difference}");
        }
    }
    subject.tidy().await;
    differing
}

#[tokio::test]
async fn the_emulator_keeps_the_contract() {
    let emulator = emulator().await;
    let subject = Subject::emulated(&emulator).await;
    assert_eq!(run(&subject).await, 0, "cases that differ");
}

#[tokio::test]
#[ignore = "speaks to Google: set CONTRACT_GOOGLE_CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN of a test account"]
async fn google_keeps_the_contract() {
    let subject = Subject::google().await;
    assert_eq!(run(&subject).await, 0, "cases that differ");
}
