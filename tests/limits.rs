//! What one call may use, and that the limits are the ones that were asked for.

use crate::support::{World, case, guest};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[test]
fn limits_cases_hold() {
    case::play("limits", &[106, 107, 108, 109, 110, 111, 112, 114]);
}

/// 106: within the deadline and a quarter of a second, start and load of a busy machine aside.
#[test]
fn a_loop_is_stopped_soon_after_its_deadline() {
    let world = World::new();
    let spin = |timeout: &str| {
        let began = Instant::now();
        let run = world.run(&guest("hostile/spin"), "spin", &json!({}), &[timeout]).run();
        assert_eq!(run.ending(), "limit time", "{run}");
        began.elapsed()
    };
    spin("--timeout=1ms");
    // The second run has the code in the cache: what it takes beyond the first is the deadline.
    let (short, long) = (spin("--timeout=100ms"), spin("--timeout=1100ms"));
    let more = long.saturating_sub(short);
    assert!(more > Duration::from_millis(500) && more < Duration::from_millis(3_000), "{short:?} {long:?}");
}

/// 110: what was opened and is held is bounded, whichever way it is held.
#[test]
fn handles_that_are_kept_are_stopped_and_those_that_are_dropped_are_not() {
    let world = World::new();
    let grant = "--allow-read={ro}::/ro";
    let open: Vec<Value> =
        (0..5_000).map(|n| json!({"op": "open", "dir": "/ro", "path": "f", "as": format!("h{n}")})).collect();
    let run = world.perform(&[grant], json!(open));
    assert_eq!((run.code, run.ending()), (3, "limit handles".to_owned()), "{run}");
    let run = world.perform(&[grant], json!(open[..500]));
    run.exits(0);
    let dropped = json!([{"op": "repeat", "times": 5000, "ops": [{"op": "open", "dir": "/ro", "path": "f"}]}]);
    world.perform(&[grant], dropped).exits(0);
}

/// 114: a call that traps in the middle leaves a whole record, and nothing that the next call could stumble over.
#[test]
fn a_trap_in_the_middle_of_an_effect_leaves_a_whole_record() {
    let world = World::new();
    let half = json!([
        {"op": "open", "dir": "/box", "path": "half", "create": true, "write": true, "as": "h"},
        {"op": "write-via-stream", "handle": "h", "as": "s"},
        {"op": "stream-blocking-write-and-flush", "handle": "s", "text": "first half"},
        {"op": "stream-write", "handle": "s", "text": "second half"},
        {"op": "trap"},
    ]);
    let run = world.perform(&["--allow-write={work}::/box"], half);
    assert_eq!((run.code, run.ending()), (3, "trap".to_owned()), "{run}");
    assert_eq!(run.json["result"], Value::Null, "a call that was stopped has no result: {run}");
    let effects: BTreeSet<u64> =
        run.ledger.iter().filter(|r| r["event"] == "access").map(|r| r["seq"].as_u64().unwrap()).collect();
    let settled: BTreeSet<u64> = run.ledger.iter().filter_map(|r| r["of"].as_u64()).collect();
    assert!(effects.is_subset(&settled), "every access has its outcome: {effects:?} {settled:?} {run}");
    assert!(world.read("work/half").starts_with(b"first half"));
    let script =
        json!([{"op": "open", "dir": "/box", "path": "half", "as": "h"}, {"op": "read", "handle": "h", "quiet": true}]);
    let run = world.perform(&["--allow-write={work}::/box"], script);
    run.exits(0);
    assert_eq!(run.said(), ["ok", "ok"], "{run}");
}

/// 117: where a call is stopped moves with each limit, so that it is this limit that stops it.
#[test]
fn stop_points_move_with_the_limits() {
    let world = World::new();
    let read = json!([{"op": "open", "dir": "/ro", "path": "large", "as": "h"}, {"op": "read", "handle": "h", "len": 50000, "quiet": true}]);
    let write = json!([
        {"op": "open", "dir": "/box", "path": "new", "create": true, "write": true, "as": "h"},
        {"op": "write", "handle": "h", "fill": 50000},
    ]);
    let flood = json!([{"op": "stdout", "fill": 50000}]);
    let grow = json!([{"op": "grow", "mib": 40}]);
    world.write("ro/large", vec![b'x'; 60_000]);
    let grants = ["--allow-read={ro}::/ro", "--allow-write={work}::/box"];
    let perform = |flag: &str, script: &Value| world.perform(&[grants[0], grants[1], flag], script.clone());
    for (name, script, low, below, above, limit) in [
        ("memory", &grow, "--max-memory=10MiB", "--max-memory=30MiB", "--max-memory=100MiB", "the limit is 10485760"),
        ("input", &read, "--max-input=10000", "--max-input=30000", "--max-input=60000", "the limit is 10000"),
        ("output", &flood, "--max-output=10000", "--max-output=30000", "--max-output=60000", "the limit is 10000"),
    ] {
        let first = perform(low, script);
        assert_eq!(first.ending(), format!("limit {name}"), "{low}: {first}");
        let detail = |run: &crate::support::Run| run.json["ending"]["detail"].as_str().unwrap().to_owned();
        assert!(detail(&first).contains(limit), "{low}: {first}");
        let second = perform(below, script);
        assert_eq!(second.ending(), format!("limit {name}"), "{below}: {second}");
        assert_ne!(detail(&first), detail(&second), "what was observed is said");
        let third = perform(above, script);
        assert_eq!(third.ending(), "returned", "{above}: {third}");
        assert_eq!(third.said().last().map(String::as_str), Some("ok"), "{above}: {third}");
    }
    // The name of a file is written too, and counts.
    for (flag, whole) in
        [("--max-file-write=10000", false), ("--max-file-write=30000", false), ("--max-file-write=50100", true)]
    {
        let run = perform(flag, &write);
        assert_eq!(run.ending(), if whole { "returned" } else { "limit file-write" }, "{flag}: {run}");
        assert_eq!(world.read("work/new").len() == 50_000, whole, "{flag}: {run}");
    }
    let spend = |fuel: u64| {
        let run =
            world.run(&guest("bench"), "spin-n", &json!({"rounds": 1_000_000}), &[&format!("--fuel={fuel}")]).run();
        run.ending()
    };
    assert_eq!(spend(1_000), "limit fuel");
    assert_eq!(spend(100_000_000_000), "returned");
}

/// The memory that a call had at most is told, so that a limit can be chosen.
#[test]
fn peak_memory_is_told_and_follows_what_was_taken() {
    let world = World::new();
    let peak = |mib: u64| {
        let run = world.perform(&[], json!([{"op": "grow", "mib": mib}]));
        run.json["limits"]["peak-memory"].as_u64().unwrap()
    };
    let (small, large) = (peak(1), peak(33));
    assert!((large - small) >> 20 == 32, "{small} {large}");
}

/// What cannot all be recorded does not run: arguments are sources, one record each.
#[test]
fn more_arguments_than_can_be_recorded_are_stopped_before_the_tool_runs() {
    let world = World::new();
    let many = |count: usize| -> Value {
        let extra = (0..count).map(|n| (format!("k{n}"), json!(1)));
        Value::Object(extra.chain([("name".to_owned(), json!("you"))]).collect())
    };
    let run = world.run(&guest("hostile/bad-schemas"), "free", &many(60_000), &[]).run();
    assert_eq!(run.exits(3).ending(), "limit flows", "{run}");
    assert_eq!((&run.json["result"], &run.json["complete"]), (&Value::Null, &json!(false)));
    let end = run.ledger.iter().rfind(|record| record["event"] == "end").unwrap();
    assert_eq!(end["imports"], json!({}), "the tool did not run");
    let run = world.run(&guest("hostile/bad-schemas"), "free", &many(60), &[]).run();
    assert_eq!(run.exits(0).ending(), "returned", "{run}");
}

/// A component that lists its own tools has run by the time that a call of it is refused, and the ledger of that is named.
#[test]
fn a_refusal_after_the_tools_were_listed_names_its_ledger() {
    let world = World::new();
    let run = world.run(&guest("dynamic"), "no-such-tool", &json!({}), &[]).run();
    assert_eq!(run.exits(2).ending(), "refused", "{run}");
    assert_eq!(run.json["ledger"]["events"], json!(run.ledger.len() - 1), "{run}");
    let run = world.run(&guest("notes"), "no-such-tool", &json!({}), &[]).run();
    assert_eq!((run.exits(2).ending().as_str(), &run.json["ledger"]), ("refused", &Value::Null), "{run}");
}
