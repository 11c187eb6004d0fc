//! That the README is true.

use std::path::Path;

use cassius_calendar::config::settings_table;
use cassius_calendar::grpc::pb::ErrorReason;

/// The README. Its lines of grpcurl are pasted by `operations`.
pub(crate) const README: &str = include_str!("../../README.md");

#[test]
fn the_table_of_settings_is_the_one_that_is_read() {
    assert!(README.contains(&settings_table()), "put this into the README:\n\n{}", settings_table());
}

#[test]
fn the_reasons_that_an_operator_meets_are_those_of_the_wire() {
    let (_, table) = README.split_once("| reason |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let reasons: Vec<_> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert!(reasons.len() >= 8, "{reasons:?}");
    for reason in reasons {
        assert!(ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}")).is_some(), "{reason}");
    }
}

#[test]
fn the_files_that_it_leads_to_are_there() {
    let links = README.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(root.join(link).exists(), "{link}");
    }
}

#[test]
fn each_command_that_it_names_is_a_target_of_make() {
    const MAKEFILE: &str = include_str!("../../Makefile");
    for rest in README.split("make ").skip(1) {
        let target = rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap();
        let is_prose = ["are", "a", "an", "it", "", "needed", "one"].contains(&target);
        assert!(is_prose || MAKEFILE.contains(&format!("\n{target}:")), "make {target}");
    }
}
