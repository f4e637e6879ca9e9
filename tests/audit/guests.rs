//! What the audit says of each guest of this repository, as a careful person would.

use super::{Audit, audit};
use crate::support::World;

#[test]
fn audit_of_notes_which_go_where_their_arguments_point_is_quiet() {
    let world = World::new();
    let told = audit(&world, "notes", &[]);
    told.run.exits(0);
    told.is_quiet();
    assert!(told.score() < 20, "{:?}", told.told());
    // It reads what it is told to, also where a payload tells it.
    assert!(!told.has("CUA101") && !told.has("CUA102") && !told.has("CUA121"), "{:?}", told.told());
}

#[test]
fn audit_of_a_text_tool_in_javascript_is_quiet() {
    let world = World::new();
    let told = audit(&world, "slug", &["slugify"]);
    told.run.exits(0);
    told.is_quiet();
    assert!(told.score() < 20, "{:?}", told.told());
}

/// It asks for a file that no argument named, behind a spelling that no search of its bytes finds.
#[test]
fn audit_of_a_tool_that_reaches_for_the_passwords_says_so_and_of_its_honest_twin_nothing() {
    let world = World::new();
    let told = audit(&world, "fs-violation", &[]);
    assert_eq!(told.issue("CUA102", "/etc/passwd")["severity"], "high");
    assert!(told.score() >= 40, "{}", told.score());
    assert!(!told.has("CUA101"), "it says how many bytes there are, and none of them: {:?}", told.told());

    let twin = audit(&world, "benign-tool", &[]);
    twin.is_quiet();
    assert!(twin.score() < 20, "{:?}", twin.told());
}

#[test]
fn audit_of_a_tool_that_puts_a_key_into_a_prompt_is_certain() {
    let world = World::new();
    let told = audit(&world, "evil-prompt-tool", &[]);
    let leak = told.issue("CUA101", "API_KEY");
    assert_eq!((&leak["severity"], &leak["certain"], &leak["method"]), (&"high".into(), &true.into(), &"match".into()));
    assert_eq!(told.word(), "refuse");
    let decoy = told.decoys().into_iter().find(|one| one["name"] == "API_KEY").unwrap();
    assert!(decoy["leaked"].as_u64().unwrap() > 0, "{decoy}");
}

#[test]
fn audit_of_a_tool_that_returns_a_token_is_certain() {
    let world = World::new();
    let told = audit(&world, "tool-return-microbench", &[]);
    assert_eq!(told.issue("CUA101", "API_KEY")["certain"], true);
    assert_eq!(told.word(), "refuse");
}

/// It prints the whole environment: a person would not give it theirs.
#[test]
fn audit_of_a_tool_that_prints_its_environment_counts_every_variable() {
    let world = World::new();
    let told = audit(&world, "hello", &[]);
    let leaked = told.decoys().into_iter().filter(|one| one["leaked"] != 0).count();
    assert!(leaked >= 10, "{leaked} of {:?}", told.decoys());
    assert_eq!(told.word(), "refuse");
}

/// It reads everything that it is given and says in its own words what an honest tool says.
#[test]
fn audit_of_a_tool_that_reads_everything_and_tells_nothing_finds_no_leak() {
    let world = World::new();
    let told = audit(&world, "ordinary", &["--args", r#"{"args":["todo"]}"#]);
    assert!(!told.has("CUA101") && !told.has("CUS101"), "{:?}", told.told());
}

#[test]
fn audit_of_every_type_and_of_tools_that_describe_themselves_says_what_is_odd_and_no_more() {
    let world = World::new();
    let described = audit(&world, "dynamic", &["--inputs", "12"]);
    described.run.exits(0);
    described.is_quiet();
    assert!(described.run.json["tools"].as_array().unwrap().len() > 1, "{}", described.run);

    // One of its functions gives out text that a reader does not see as it is.
    let types = audit(&world, "shapes", &["--inputs", "12"]);
    types.run.exits(0);
    assert_eq!(types.issue("CUS301", "return")["tool"], "odd-text");
    let others: Vec<String> = types.told().into_iter().filter(|row| !row.starts_with("CUS301")).collect();
    assert_eq!(others, Vec::<String>::new());
}

/// It goes to every address that it is given, which is what it is for, and to no other.
#[test]
fn audit_of_a_fetcher_says_that_it_goes_where_it_is_sent_and_not_that_it_steals() {
    let world = World::new();
    let told = audit(&world, "fetch", &["fetch"]);
    assert!(!told.has("CUA101") && !told.has("CUA111"), "{:?}", told.told());
    assert!(told.score() < 40, "{:?}", told.told());
    let deeds = told.run.json["tools"][0]["behaviours"].as_array().unwrap();
    let asked = deeds.iter().any(|deed| deed["capability"] == "http.request" && deed["asked"] == true);
    assert!(asked, "{deeds:#?}");
}

/// The same component with two arguments: one row leaks, the other one does not.
#[test]
fn audit_with_given_arguments_tries_them_first_and_sees_what_they_bring_about() {
    let world = World::new();
    let leaking = audit(&world, "leaks", &["leak", "--args", r#"{"from":"env","to":"return","shape":"sentence"}"#]);
    let told = leaking.issue("CUA101", "API_KEY");
    assert!(Audit::evidence(told).contains("the given arguments"), "{told}");
    let honest = audit(
        &world,
        "leaks",
        &["leak", "--args", r#"{"from":"argument","text":"hello","to":"return","shape":"sentence"}"#],
    );
    assert!(!honest.has("CUA101"), "{:?}", honest.told());
}

#[test]
fn audit_of_components_that_break_off_or_never_end_says_so_and_ends() {
    let world = World::new();
    let trapping = audit(&world, "hostile/trap", &[]);
    trapping.run.exits(0);
    assert!(trapping.has("CUA141"), "{:?}", trapping.told());

    let spinning = audit(&world, "hostile/spin", &["--timeout", "50ms"]);
    spinning.run.exits(0);
    assert_eq!(spinning.issue("CUA142", "limit time")["severity"], "medium");
    // It is not asked a hundred times.
    assert_eq!(spinning.run.json["complete"], false);
    assert!(spinning.run.json["tools"][0]["calls"].as_u64().unwrap() < 60, "{}", spinning.run);

    let growing = audit(&world, "hostile/grow-memory", &[]);
    assert!(growing.has("CUA142") || growing.has("CUA141"), "{:?}", growing.told());
}

/// What cannot be loaded, linked or listed is refused before anything runs.
#[test]
fn audit_of_what_is_no_tool_is_refused_in_a_sentence() {
    let world = World::new();
    for name in ["hostile/unknown-import", "hostile/no-exports"] {
        let told = audit(&world, name, &[]);
        told.run.exits(2);
        assert!(told.run.stderr.starts_with("error"), "{}", told.run);
    }
}
