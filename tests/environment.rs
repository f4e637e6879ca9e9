//! Environment variables and arguments. What data can say is in `fixtures/cases/environment.toml`.

use crate::support::{Run, World, case};
use serde_json::{Value, json};
use std::os::unix::ffi::OsStrExt as _;

#[test]
fn environment_cases_hold() {
    case::play("environment", &[29, 30, 31, 32, 33, 35, 37, 40]);
}

/// The records about variables, as `requested decision`.
fn recorded(run: &Run) -> Vec<String> {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    run.accesses("env.get").iter().map(|r| format!("{} {}", text(r, "requested"), text(r, "decision"))).collect()
}

#[test]
fn exposure_is_recorded_once_for_each_granted_variable_and_never_for_another() {
    let world = World::new();
    let script = world.script(&["--allow-env=A,B,ABSENT"], json!([{"op": "env"}, {"op": "env"}, {"op": "env-pairs"}]));
    let run = script.env("A", "value-1-of-a").env("B", "").env("SECRET", &world.outside).run();
    assert_eq!(recorded(run.exits(0)), ["A allow", "B allow", "ABSENT allow"], "{run}");
    let outcome = |name: &str| {
        let access = run.accesses("env.get").into_iter().find(|r| r["requested"] == name).unwrap();
        run.ledger.iter().find(|r| r["event"] == "outcome" && r["of"] == access["seq"]).unwrap()
    };
    assert_eq!(
        outcome("A")["source"].as_u64(),
        run.json["sources"].as_array().unwrap().iter().find(|s| s["name"] == "A").unwrap()["id"].as_u64()
    );
    assert_eq!(outcome("ABSENT")["ok"], false);
    assert_eq!(run.sources(), ["argument /script", "env A", "env B"]);
}

#[test]
fn guest_that_does_not_ask_is_told_nothing_and_nothing_is_recorded() {
    let world = World::new();
    let run = world.script(&["--allow-env=A"], json!([{"op": "args"}])).env("A", "value-1-of-a").run();
    assert_eq!(recorded(run.exits(0)), Vec::<String>::new(), "{run}");
    assert_eq!(run.sources(), ["argument /script"]);
}

#[test]
fn guest_has_no_working_directory_and_no_arguments_of_ours() {
    let world = World::new();
    let run = world.perform(&["--env", "UNUSED={outside-canary}"], json!([{"op": "cwd"}, {"op": "args"}]));
    let outcomes = run.exits(0).outcomes();
    assert_eq!((&outcomes[0]["value"], &outcomes[1]["value"]), (&Value::Null, &json!([])), "{run}");
}

#[test]
fn granted_value_of_a_hundred_kilobytes_arrives_whole_and_stays_out_of_the_ledger() {
    let world = World::new();
    let value = format!("{}{}", world.inside, "v".repeat(100_000));
    let run = world.script(&["--allow-env=BIG"], json!([{"op": "env"}])).env("BIG", &value).run();
    assert_eq!(run.exits(0).outcomes()[0]["value"]["BIG"], value.as_str());
    assert!(run.ledger.iter().all(|record| record.to_string().len() < 5_000));
    assert!(!run.ledger.iter().any(|record| record.to_string().contains(&world.inside)));
}

#[test]
fn variables_that_are_not_text_do_not_harm_the_others() {
    let world = World::new();
    let run = world
        .script(&["--allow-env=TEXT,BYTES,PRE*"], json!([{"op": "env-pairs"}]))
        .env("TEXT", "t")
        .env("BYTES", std::ffi::OsStr::from_bytes(b"v\xff\xfe"))
        .env(std::ffi::OsStr::from_bytes(b"PRE\xff"), "v")
        .env("PREFIX", "p")
        .run();
    let pairs = run.exits(0).outcomes()[0]["value"].clone();
    let pairs = pairs.as_array().unwrap();
    assert!(pairs.contains(&json!(["TEXT", "t"])) && pairs.contains(&json!(["PREFIX", "p"])), "{run}");
    assert_eq!(pairs.len(), 2, "{run}");
    for name in ["BYTES", "PRE\u{fffd}"] {
        let access = run
            .accesses("env.get")
            .into_iter()
            .find(|r| r["requested"] == name)
            .unwrap_or_else(|| panic!("{name}: {run}"));
        let outcome = run.ledger.iter().find(|r| r["event"] == "outcome" && r["of"] == access["seq"]).unwrap();
        assert_eq!((&outcome["ok"], &outcome["error"]), (&json!(false), &json!("not text on the host")), "{run}");
    }
}

#[test]
fn secret_value_is_never_in_what_the_program_says_of_a_crash_or_a_denied_name() {
    let world = World::new();
    let secret = &world.outside;
    let script = json!([
        {"op": "env"},
        {"op": "open", "dir": "/", "path": "x/{outside-canary}/y"},
        {"op": "resolve", "name": "{outside-canary}.example"},
        {"op": "panic", "message": "{outside-canary}"},
    ]);
    // The script itself must name it, so only what is not its own argument is looked at.
    let run = world.script(&["--allow-env=TOKEN"], script).env("TOKEN", secret).unchecked().run();
    assert_eq!(run.exits(3).ending(), "trap");
    assert!(!run.stderr.contains(secret.as_str()), "{run}");
    assert!(!run.ledger.iter().any(|record| record.to_string().contains(secret.as_str())), "{run}");
    assert!(!run.stdout.contains(secret.as_str()), "{run}");
    assert!(run.denials().iter().any(|row| row == "fs.read no-grant /x/[env:TOKEN]/y"), "{run}");
}

#[test]
fn ungranted_variable_is_named_nowhere_and_a_granted_one_is_said_to_have_been_handed_over() {
    let world = World::new();
    let run = world
        .script(&["--allow-env=GRANTED"], json!([{"op": "env"}]))
        .env("GRANTED", "value-1-of-a")
        .env("UNGRANTED", &world.outside)
        .run();
    // The interface hands over all at once: who wanted what cannot be seen, so nothing is said of it either way.
    run.exits(0).never_shows("UNGRANTED");
    run.denied(&[]);
    let record = run.accesses("env.get")[0];
    assert_eq!((&record["op"], &record["requested"]), (&json!("get-environment"), &json!("GRANTED")), "{run}");
}
