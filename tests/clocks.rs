//! Clocks and random numbers.

use crate::support::{Run, World, case};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[test]
fn clocks_cases_hold() {
    case::play("clocks", &[78, 79, 80]);
}

/// 78: a guest that waits in the host is stopped too, and about when it was said.
#[test]
fn a_wait_in_the_host_ends_with_the_deadline() {
    let world = World::new();
    let took = |timeout: &str| {
        let began = Instant::now();
        let run = world.perform(&[timeout], json!([{"op": "sleep", "ns": "max"}]));
        assert_eq!(run.ending(), "limit time", "{run}");
        began.elapsed()
    };
    took("--timeout=1ms");
    let (short, long) = (took("--timeout=100ms"), took("--timeout=1500ms"));
    assert!(short < Duration::from_millis(1_400), "{short:?}");
    assert!((Duration::from_millis(1_500)..Duration::from_secs(10)).contains(&long), "{long:?}");
}

/// 79: the clock is one record with a count, however often it is read.
#[test]
fn clock_reads_are_counted_and_not_listed() {
    let world = World::new();
    let run = world.perform(&[], json!([{"op": "spin-mono", "times": 5000}, {"op": "wall-now"}]));
    run.exits(0);
    let records = run.accesses("clock.read");
    assert_eq!(records.len(), 2, "one for each clock: {run}");
    let counts: Vec<u64> = run.ledger.iter().filter_map(|r| r["count"].as_u64()).collect();
    assert!(counts.iter().any(|n| *n >= 5000), "the count is in the outcome: {counts:?} {run}");
}

/// 81: random bytes and times are nothing that could leak.
#[test]
fn random_bytes_and_times_are_no_sources() {
    let world = World::new();
    let run = world.perform(
        &[],
        json!([{"op": "random-bytes", "len": 1024, "as-hex": true}, {"op": "insecure-u64"},
            {"op": "repeat", "times": 1000, "ops": [{"op": "wall-now"}]}, {"op": "wall-now"}]),
    );
    run.exits(0);
    assert_eq!(run.sources(), ["argument /script"], "{run}");
    assert_eq!(run.json["findings"], json!([]), "{run}");
}

/// A ledger without what may differ: which run it was, and when things happened.
fn repeatable(run: &Run) -> Vec<Value> {
    let mut records = run.ledger.clone();
    for record in &mut records {
        for key in ["run", "time", "t", "prev"] {
            record.as_object_mut().unwrap().remove(key);
        }
    }
    records
}

/// 82: with a fixed clock and a seed a run can be repeated.
#[test]
fn runs_with_a_fixed_clock_and_a_seed_are_the_same_and_others_are_not() {
    let world = World::new();
    let script = json!([{"op": "random-bytes", "len": 32, "as-hex": true}, {"op": "insecure-seed"}, {"op": "random-u64"},
        {"op": "wall-now"}, {"op": "mono-now"}, {"op": "sleep", "ns": 1000}, {"op": "mono-now"}]);
    let perform = |flags: &[&str]| world.perform(flags, script.clone());
    let fixed = ["--deny-clock", "--deny-random"];
    let (first, second) = (perform(&fixed), perform(&fixed));
    assert_eq!(first.outcomes(), second.outcomes(), "{first}{second}");
    assert_eq!(repeatable(&first), repeatable(&second), "{first}{second}");
    let seconds = first.outcomes()[3]["value"]["seconds"].as_u64().unwrap();
    assert_eq!(seconds, 1_577_836_800, "the wall clock is the made-up one: {first}");

    let (first, second) = (perform(&[]), perform(&[]));
    for at in [0, 1, 2, 4] {
        assert_ne!(first.outcomes()[at], second.outcomes()[at], "operation {at}: {first}{second}");
    }
    assert!(first.outcomes()[3]["value"]["seconds"].as_u64().unwrap() > 1_577_836_800, "{first}");
}
