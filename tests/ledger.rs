//! The ledger: it says what happened whatever the guest writes, whatever fails, and whoever edits it afterwards.
//!
//! `texts` is what guests write into it, `edits` what others do to it, `failures` what happens where it cannot be written; here is how much
//! there is of it.

mod edits;
mod failures;
mod texts;

use crate::support::{World, guest, program, shared_cache};
use customs_ledger::{Verdict, verify};
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const GRANT: &str = "--allow-write={work}::/box";

fn verdict(bytes: &[u8]) -> Verdict {
    verify(bytes, None).unwrap().verdict
}

/// A script that makes so many directories `d0`, `d1`, ..
fn directories(count: usize) -> Value {
    (0..count).map(|n| json!({"op": "create-directory-at", "dir": "/box", "path": format!("d{n}")})).collect()
}

/// Those of them that are there.
fn made(world: &World) -> Vec<String> {
    let names = std::fs::read_dir(world.path("work")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('d')).collect()
}

/// The program as another process starts it: for limits, signals and streams that the usual runner has no words for.
fn command(world: &World, ledger: &str, script: &Value) -> Command {
    world.write("script.json", json!({ "script": script.to_string() }).to_string());
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("CUSTOMS_CACHE_DIR", shared_cache())
        .current_dir(world.path(""));
    command.args(["run", guest("puppet").to_str().unwrap(), "perform", "--args", "@script.json", "--ledger", ledger]);
    command.arg(world.fill(GRANT)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same under `sh`, with a `ulimit` before it. The guest is compiled before: that is not what is limited here.
fn limited(ulimit: &str, command: &Command) -> Output {
    World::new().perform(&[], json!([])).exits(0);
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().arg("-c").arg(format!("{ulimit}; exec \"$@\"")).arg("sh");
    shell.arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
    shell.current_dir(command.get_current_dir().unwrap());
    shell.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A whole ledger of some length, as bytes.
fn sample(world: &World) -> Vec<u8> {
    let run = world.perform(&[GRANT], directories(8));
    run.exits(0);
    std::fs::read(run.json["ledger"]["path"].as_str().unwrap()).unwrap()
}

/// 157: a flood of denials is counted to the last one and recorded up to a bound.
#[test]
fn a_flood_of_denials_is_bounded_and_counted_exactly() {
    let world = World::new();
    let flood = |times: u64| {
        let began = Instant::now();
        let open = json!({"op": "open", "dir": "/", "path": "etc/passwd"});
        let run = world.perform(&[], json!([{"op": "repeat", "times": times, "ops": [open]}]));
        run.exits(0);
        (run, began.elapsed())
    };
    let (run, took) = flood(20_000);
    let denied = run.ledger.iter().filter(|r| r["decision"] == "deny").count() as u64;
    let suppressed: u64 =
        run.ledger.iter().filter(|r| r["event"] == "suppressed").map(|r| r["count"].as_u64().unwrap()).sum();
    assert_eq!(denied + suppressed, 20_000, "{run}");
    assert_eq!(denied, 1_000, "{run}");
    assert_eq!(run.ledger.iter().filter(|r| r["event"] == "suppressed").count(), 1, "one for each kind");
    assert_eq!(run.json["denials"][0]["count"], json!(20_000), "{run}");
    assert_eq!((&run.json["complete"], run.json["suppressed"].as_object().unwrap().len()), (&json!(false), 1), "{run}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(run.stderr.lines().count() < 30, "{run}");

    let (run, _) = flood(1_000);
    assert_eq!((&run.json["complete"], &run.json["suppressed"]), (&json!(true), &json!({})), "{run}");
}

/// 157: denials that are all different are bounded too.
#[test]
fn a_flood_of_different_denials_is_bounded_and_counted() {
    let world = World::new();
    let script: Value = (0..3_000).map(|n| json!({"op": "open", "dir": "/", "path": format!("etc/{n}")})).collect();
    let run = world.perform(&[], script);
    run.exits(0);
    let rows = run.json["denials"].as_array().unwrap().len();
    assert!((1..=1_000).contains(&rows), "{rows} rows");
    assert!(run.stderr.lines().count() < 60, "{}", run.stderr.lines().count());
    let denied = run.ledger.iter().filter(|r| r["decision"] == "deny").count();
    let suppressed: u64 =
        run.ledger.iter().filter(|r| r["event"] == "suppressed").map(|r| r["count"].as_u64().unwrap()).sum();
    assert_eq!(denied as u64 + suppressed, 3_000, "{run}");
}

/// A component that lists its own tools has run by the time a call of it is refused: that is recorded, and the record is whole.
#[test]
fn a_refusal_after_guest_code_ran_leaves_a_whole_ledger() {
    let world = World::new();
    let call = |tool: &str, args: Value| world.run(&guest("dynamic"), tool, &args, &[]).run();
    let run = call("no-such-tool", json!({}));
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{run}");
    assert!(run.ledger.iter().any(|r| r["event"] == "call" && r["tool"] == "list-tools"), "{run}");
    let run = call("greet", json!({"name": "World"}));
    assert!(run.code <= 1, "{run}");
    assert_eq!(run.ledger.iter().filter(|r| r["event"] == "call").count(), 2, "{run}");
}

/// Without `--ledger` there is none, and the head is told all the same.
#[test]
fn a_run_without_a_ledger_leaves_no_file() {
    let world = World::new();
    let before = world.tree("");
    let run =
        world.customs(&["run", guest("puppet").to_str().unwrap(), "big-list", "--arg", "n=3", "-o", "json"]).run();
    assert_eq!(run.json["ledger"]["path"], Value::Null, "{run}");
    assert_eq!(run.json["ledger"]["head"].as_str().unwrap().len(), 64, "{run}");
    assert!(before.differences(&world.tree("")).is_empty());
}
