//! What the matcher sees and what it does not: the tables of docs/evidence.md, each row a run of the program on a real guest.
//!
//! A row asserts its cause: which source, in which sink, through what; nothing else may be found. A row that is missed stays in its table and has
//! its reason in `fixtures/evidence/misses.toml`; once it is found, the reason has to go. `make evidence` prints the tables, and with
//! `CUSTOMS_WRITE_EVIDENCE=1` writes them into the page.

mod benign;
mod evasion;
mod far;
mod literals;
mod matrix;
mod microbench;
mod page;
mod row;
mod secrets;
mod shapes;
mod table;
mod traced;

#[test]
fn the_microbench_of_tool_returns_is_as_documented() {
    page::check(&microbench::table());
}

#[test]
fn the_evasions_are_as_documented() {
    page::check(&evasion::table());
}

#[test]
fn the_leak_matrix_is_as_documented() {
    page::check(&matrix::table());
}

#[test]
fn the_typed_results_are_as_documented() {
    page::check(&shapes::table());
}

#[test]
fn honest_tools_cause_no_alarm_but_the_documented() {
    page::check(&benign::table());
}

#[test]
fn what_a_search_for_literals_says_is_as_documented() {
    page::check(&literals::table());
}

#[test]
fn a_trace_agrees_with_the_matches_of_the_microbench_and_of_typed_results() {
    traced::check(&microbench::table());
    traced::check(&shapes::table());
}

#[test]
fn a_trace_agrees_with_the_matches_of_the_evasions() {
    traced::check(&evasion::table());
}

#[test]
fn a_trace_agrees_with_the_matches_of_the_leak_matrix() {
    traced::check(&matrix::table());
}

#[test]
fn a_trace_finds_nothing_strong_in_what_honest_tools_say() {
    traced::check(&benign::table());
}

/// A reason for a row that does not exist excuses nothing, and would hide a misspelling.
#[test]
fn every_documented_miss_is_a_row() {
    let tables = [microbench::table(), evasion::table(), matrix::table(), shapes::table(), benign::table()];
    let ids: Vec<String> = tables.iter().flat_map(|t| t.rows().map(|row| format!("{}: {}", t.name, row.id))).collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "two rows have one name");
    let strangers: Vec<String> = page::misses().into_keys().filter(|id| !ids.contains(id)).collect();
    assert!(strangers.is_empty(), "no such rows: {strangers:#?}");
}

/// The judge is strict: a finding with another cause does not count, whatever is changed.
#[test]
fn a_finding_with_another_cause_is_a_miss() {
    let play = |change: &dyn Fn(&mut row::Leak)| {
        let shot = matrix::Shot {
            through: "base64",
            chain: "base64".to_owned(),
            shape: "field",
            ..matrix::Shot::of("env", "return")
        };
        let mut row = matrix::row("another cause", &shot);
        let row::Expect::Leak(leak) = &mut row.expect else { panic!("it is a leak") };
        change(leak);
        row.play()
    };
    assert!(play(&|_| ()).is_right());
    let changes: [&dyn Fn(&mut row::Leak); 6] = [
        &|leak| leak.source = "env OTHER_KEY".to_owned(),
        &|leak| leak.sinks = vec!["return /result/notes".to_owned()],
        &|leak| leak.sinks.push("stdout stdout".to_owned()),
        &|leak| leak.transforms = vec![vec!["hex".to_owned()]],
        &|leak| leak.within = 2..38,
        &|leak| leak.taken = 0..80,
    ];
    for (number, change) in changes.iter().enumerate() {
        let outcome = play(change);
        assert!(matches!(outcome, row::Outcome::Missed(_)), "change {number}: {outcome:?}");
    }
}

/// An honest row that copies what it read is an alarm: the quiet of the others means something.
#[test]
fn a_copy_where_nothing_is_expected_is_an_alarm() {
    let shot = matrix::Shot { shape: "field", ..matrix::Shot::of("env", "return") };
    let mut row = matrix::row("a copy", &shot);
    row.expect = row::Expect::Nothing;
    let outcome = row.play();
    assert!(matches!(outcome, row::Outcome::Alarm(_)), "{outcome:?}");
}
