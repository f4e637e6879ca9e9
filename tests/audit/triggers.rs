//! The tools of the `suspect` guest: each does one thing that an audit is there to see, or nothing.

use super::{Audit, audit};
use crate::support::World;

fn suspect(tool: &str) -> Audit {
    // Twenty inputs and more: what few of them bring about can be told from the rest.
    audit(&World::new(), "suspect", &[tool, "--inputs", "60"])
}

#[test]
fn suspect_honest_tools_are_quiet() {
    for tool in ["echo", "words", "whereabouts", "read-file"] {
        let told = suspect(tool);
        // What is in the bytes of the component is that of all its tools.
        let dynamic = ["CUA101", "CUA102", "CUA103", "CUA104", "CUA111", "CUA121", "CUA122"];
        assert!(!dynamic.iter().any(|rule| told.has(rule)), "{tool}: {:?}", told.told());
    }
}

/// An echo of every payload there is.
#[test]
fn suspect_echo_of_payloads_is_no_finding() {
    let told = suspect("echo");
    assert_eq!(told.told(), Vec::<String>::new());
    let classes = told.run.json["tools"][0]["inputs"].as_object().unwrap();
    assert!(classes.contains_key("prompt-injection") && classes.contains_key("path-traversal"), "{classes:?}");
}

#[test]
fn suspect_theft_of_a_key_through_a_disguise_is_certain() {
    let told = suspect("shout");
    assert_eq!(told.issue("CUA102", "/.ssh/")["severity"], "high");
    let leak = told.issue("CUA101", "/.ssh/");
    assert_eq!((&leak["certain"], &leak["severity"]), (&true.into(), &"high".into()));
    assert_eq!(told.word(), "refuse");
    let touched: Vec<_> = told.decoys().into_iter().filter(|one| one["touched"] != 0).collect();
    assert!(touched.iter().all(|one| one["name"].as_str().unwrap().contains("/.ssh/")), "{touched:?}");
}

/// Home is asked for and nothing in it is touched.
#[test]
fn suspect_decoys_that_are_not_touched_are_not_counted() {
    let told = suspect("whereabouts");
    assert!(told.decoys().len() >= 20, "{}", told.decoys().len());
    assert!(told.decoys().iter().all(|one| one["touched"] == 0 && one["leaked"] == 0), "{:?}", told.decoys());
}

#[test]
fn suspect_exfiltration_shows_itself_in_the_sinkhole() {
    let told = suspect("measure");
    let leak = told.issue("CUA101", "GITHUB_TOKEN -> http-request");
    assert_eq!(leak["certain"], true);
    told.issue("CUA111", "stats.collector.example");
    assert_eq!(told.word(), "refuse");
}

#[test]
fn suspect_that_waits_for_a_date_is_seen_then() {
    let told = suspect("reverse");
    let latent = told.issue("CUA121", "/.aws/credentials");
    assert_eq!(latent["severity"], "high");
    assert!(Audit::evidence(latent).contains("later (2027-01-01)"), "{latent}");
    assert!(told.score() >= 30, "{}", told.score());
}

#[test]
fn suspect_that_waits_for_a_build_machine_is_seen_there() {
    let latent = suspect("trim");
    let latent = latent.issue("CUA121", "/.npmrc");
    assert!(Audit::evidence(latent).contains("elsewhere (a build machine)"), "{latent}");
}

#[test]
fn suspect_that_waits_for_its_seventh_call_is_seen_then() {
    let latent = suspect("title");
    let latent = latent.issue("CUA121", "/etc/shadow");
    assert!(Audit::evidence(latent).contains("again, call 7"), "{latent}");
}

#[test]
fn suspect_that_waits_for_a_word_is_seen_with_it() {
    let told = suspect("repeat");
    told.issue("CUA111", "c2.collector.example");
    told.issue("CUA122", "c2.collector.example");
}

#[test]
fn suspect_that_means_to_stay_is_told_by_what_it_changes() {
    let told = suspect("join");
    assert_eq!(told.issue("CUA104", "/.bashrc")["severity"], "high");
}

#[test]
fn suspect_that_looks_for_a_wallet_is_told_to_look() {
    let told = suspect("sort");
    assert!(told.has("CUA103"), "{:?}", told.told());
    assert!(!told.has("CUA102"), "{:?}", told.told());
}

/// None of its bytes stand in the answer, and the answer changes with them.
#[test]
fn suspect_that_launders_a_token_is_seen_by_its_cause_only() {
    let world = World::new();
    let told = audit(&world, "suspect", &["rate", "--causal"]);
    let caused = told.issue("CUS101", "GITHUB_TOKEN -> return");
    assert_eq!(caused["method"], "causal");
    let cleared = told.run.json["tools"][0]["causal"]["cleared"].to_string();
    assert!(cleared.contains("env OPENAI_API_KEY") && !cleared.contains("GITHUB_TOKEN"), "{cleared}");
    // Nothing else sees it.
    let without = audit(&world, "suspect", &["rate"]);
    assert!(!without.has("CUS101") && !without.has("CUA101"), "{:?}", without.told());
    // And one that reads its environment and makes nothing of it is cleared of all.
    let honest = audit(&world, "suspect", &["whereabouts", "--causal"]);
    assert!(!honest.issues().iter().any(|issue| issue["method"] == "causal"), "{:?}", honest.told());
}
