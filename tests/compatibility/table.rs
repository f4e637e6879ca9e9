//! docs/compatibility.md and the tests say the same.

use crate::support::checkout;
use std::collections::BTreeSet;
use std::process::Command;

/// The tests of this program, by name.
fn tests() -> BTreeSet<String> {
    let listed = Command::new(std::env::current_exe().unwrap()).args(["--list", "--format", "terse"]).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// What the page names: the texts in backquotes that are names of tests.
fn named(page: &str) -> BTreeSet<String> {
    page.split('`').skip(1).step_by(2).filter(|text| text.starts_with("compatibility::")).map(str::to_owned).collect()
}

#[test]
fn every_row_of_the_page_has_a_test_and_every_test_a_row() {
    let page = std::fs::read_to_string(checkout().join("docs/compatibility.md")).unwrap();
    let (tests, rows) = (tests(), named(&page));
    assert!(rows.len() > 20, "the page names {rows:?}");
    let missing: Vec<&String> = rows.difference(&tests).collect();
    assert!(missing.is_empty(), "the page names tests that there are not: {missing:?}");
    let ours =
        tests.iter().filter(|name| name.starts_with("compatibility::") && !name.starts_with("compatibility::table::"));
    let silent: Vec<&String> = ours.filter(|name| !rows.contains(*name)).collect();
    assert!(silent.is_empty(), "the page does not name {silent:?}");
    // A row is a line of a table; each of its last columns is a test.
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what")) {
        assert!(!named(line).is_empty(), "a row without a test: {line}");
    }
}
