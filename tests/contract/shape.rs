//! The shape of what scripts read: `customs.run/1`, the records of a ledger, and what `inspect` says.

use super::notes;
use crate::support::{Run, World, guest, hex};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "text" => value.is_string(),
        "text or null" => value.is_string() || value.is_null(),
        "number" => value.is_u64(),
        "flag" => value.is_boolean(),
        "list" => value.is_array(),
        "object" => value.is_object(),
        "object or null" => value.is_object() || value.is_null(),
        "hex" => value.as_str().is_some_and(|t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_hexdigit())),
        "hex or null" => value.is_null() || is(value, "hex"),
        other => panic!("no such kind {other}"),
    }
}

/// Every key is there, with its type.
fn has(what: &str, value: &Value, keys: &[(&str, &str)]) {
    for (key, kind) in keys {
        let found = value.get(*key).unwrap_or_else(|| panic!("{what} has no {key}: {value}"));
        assert!(is(found, kind), "{what}: {key} is not {kind}: {found}");
    }
}

const RUN: [(&str, &str); 14] = [
    ("schema", "text"),
    ("component", "object"),
    ("tool", "text or null"),
    ("result", "object or null"),
    ("ending", "object"),
    ("denials", "list"),
    ("sources", "list"),
    ("sinks", "list"),
    ("findings", "list"),
    ("methods", "list"),
    ("complete", "flag"),
    ("suppressed", "object"),
    ("limits", "object"),
    ("ledger", "object or null"),
];

fn shape(run: &Run) {
    let json = &run.json;
    has("the run", json, &RUN);
    assert_eq!(json["schema"], "customs.run/1");
    has("component", &json["component"], &[("path", "text"), ("sha256", "hex or null")]);
    has("ending", &json["ending"], &[("kind", "text")]);
    if !json["result"].is_null() {
        has("result", &json["result"], &[("isError", "flag"), ("content", "list")]);
        for block in json["result"]["content"].as_array().unwrap() {
            has("content", block, &[("type", "text")]);
        }
    }
    for row in json["denials"].as_array().unwrap() {
        let keys = [
            ("seq", "number"),
            ("capability", "text"),
            ("operation", "text"),
            ("requested", "text"),
            ("resolved", "text or null"),
            ("code", "text"),
            ("count", "number"),
        ];
        has("a denial", row, &keys);
    }
    for row in json["sources"].as_array().unwrap() {
        let keys = [
            ("id", "number"),
            ("kind", "text"),
            ("name", "text"),
            ("class", "text"),
            ("bytes", "number"),
            ("sha256", "hex"),
            ("complete", "flag"),
        ];
        has("a source", row, &keys);
    }
    for row in json["sinks"].as_array().unwrap() {
        has(
            "a sink",
            row,
            &[("id", "number"), ("kind", "text"), ("name", "text"), ("bytes", "number"), ("sha256", "hex")],
        );
    }
    if !json["ledger"].is_null() {
        has("ledger", &json["ledger"], &[("path", "text or null"), ("head", "hex"), ("events", "number")]);
    }
}

/// 4.2: the object of a run that returned, failed, was stopped, exited, or was refused.
#[test]
fn json_of_a_run_has_every_key_with_its_type() {
    let world = World::new();
    let notes = notes(&world);
    let path = std::path::Path::new(&notes);
    let grants = ["--allow-read=./work::/data", "--allow-env=NOTES_DIR"];
    let read = |path_in: &str| {
        world.run(path, "read-note", &json!({"path": path_in}), &grants).env("NOTES_DIR", "/data").run()
    };

    let run = read("a.md");
    assert_eq!((run.code, run.ending()), (0, "returned".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["tool"], "read-note");
    assert_eq!(run.json["result"]["isError"], false);
    assert_eq!(run.json["result"]["structuredContent"]["title"], "Title");
    let sources = run.sources();
    for source in ["file /data/a.md", "env NOTES_DIR", "argument /path"] {
        assert!(sources.contains(&source.to_owned()), "no source {source}: {run}");
    }
    let classes: Vec<(&str, &str)> = run.json["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["kind"].as_str().unwrap(), s["class"].as_str().unwrap()))
        .collect();
    for class in [("file", "private"), ("env", "secret"), ("argument", "public")] {
        assert!(classes.contains(&class), "{class:?} in {classes:?}");
    }
    assert!(
        run.sinks().contains(&"return /title".to_owned()) && run.sinks().contains(&"return /body".to_owned()),
        "{run}"
    );
    let head = run.json["ledger"]["head"].as_str().unwrap();
    let ledger = run.json["ledger"]["path"].as_str().unwrap();
    assert_eq!(run.json["ledger"]["events"], run.ledger.len() - 1, "the close record is not counted: {run}");
    let verified = world.customs(&["verify", ledger, "--head", head]).run();
    assert_eq!(verified.code, 0, "{verified}");

    let run = read("/etc/passwd");
    assert_eq!((run.code, run.ending()), (1, "error".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["result"]["isError"], true);
    run.denied(&["fs.read no-grant /etc/passwd"]);

    let run = world.run(&guest("hostile/trap"), "unreachable", &json!({}), &[]).run();
    assert_eq!((run.code, run.ending()), (3, "trap".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["result"], Value::Null);

    let run = world.perform(&[], json!([{"op": "exit"}]));
    assert_eq!((run.code, run.ending()), (3, "exit".to_owned()), "{run}");
    shape(&run);

    let run = world.run(path, "no-such-tool", &json!({}), &[]).run();
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{run}");
    shape(&run);
    assert!(run.ledger.is_empty(), "nothing ran: {run}");

    let run = world.run(&world.path("nowhere.wasm"), "x", &json!({}), &[]).run();
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["component"]["sha256"], Value::Null);
}

/// 4.3: the records of a ledger, and what each says.
#[test]
fn ledger_has_the_records_of_the_contract() {
    let world = World::new();
    let notes = notes(&world);
    let run = world
        .run(std::path::Path::new(&notes), "read-note", &json!({"path": "/data/a.md"}), &["--allow-read=./work::/data"])
        .run();
    run.exits(0);
    for (seq, record) in run.ledger.iter().enumerate() {
        assert_eq!((&record["v"], &record["seq"]), (&json!(1), &json!(seq)), "{run}");
        has("a record", record, &[("event", "text"), ("prev", "hex")]);
        match record["event"].as_str().unwrap() {
            "open" => has(
                "open",
                record,
                &[
                    ("run", "text"),
                    ("time", "text"),
                    ("customs", "text"),
                    ("wasmtime", "text"),
                    ("component", "object"),
                    ("policy", "hex"),
                    ("grants", "list"),
                ],
            ),
            "access" => {
                has("access", record, &[("cap", "text"), ("op", "text"), ("requested", "text"), ("decision", "text")]);
                let why = if record["decision"] == "allow" { "rule" } else { "code" };
                has("access", record, &[(why, "text")]);
            }
            "outcome" => has("outcome", record, &[("of", "number"), ("ok", "flag")]),
            "finding" => has("finding", record, &[("call", "number"), ("finding", "object")]),
            "call" | "end" | "close" => {}
            other => panic!("an unknown record {other}: {run}"),
        }
    }
    let events = run.ledger.iter().map(|r| r["event"].as_str().unwrap()).filter(|event| *event != "finding");
    let events: Vec<&str> = events.collect();
    assert_eq!((events[0], events[1]), ("open", "call"), "{run}");
    assert_eq!(events[events.len() - 2..], ["end", "close"], "{run}");
    assert_eq!(run.ledger[0]["grants"], json!(["--allow-read=./work::/data"]), "{run}");
    let read = run.accesses("fs.read");
    assert!(read.iter().any(|r| r["requested"] == "/data/a.md" && r["decision"] == "allow"), "{run}");
}

#[test]
fn inspect_writes_a_bill_of_materials_from_the_bytes_alone() {
    let world = World::new();
    let bill = |path: &str| world.customs(&["inspect", path, "-o", "cyclonedx"]).run();
    let path = guest("notes");
    let run = bill(path.to_str().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    assert_eq!(run.json["bomFormat"], "CycloneDX", "{run}");
    let digest = hex(&Sha256::digest(std::fs::read(&path).unwrap()));
    assert_eq!(run.json["metadata"]["component"]["hashes"][0]["content"], digest, "{run}");
    let made = run.json["components"].as_array().unwrap();
    assert!(made.iter().any(|one| one["name"] == "rustc" && one["version"].is_string()), "{run}");
    // What cannot be linked here has been made by something as well; what is no component has not.
    assert_eq!(bill(guest("hostile/unknown-import").to_str().unwrap()).code, 0);
    world.write("text.wasm", "no component");
    assert_eq!(bill("text.wasm").code, 2);
}

/// Every guest of the repository is inspected: its tools have schemas, and its digest is that of its bytes.
#[test]
fn inspect_shows_every_guest_with_schemas_and_digest() {
    let world = World::new();
    for (name, form) in [
        ("notes", "typed exports"),
        ("hello", "command"),
        ("wordcount", "command"),
        ("puppet", "typed exports"),
        ("shapes", "typed exports"),
        ("bench", "typed exports"),
        ("dynamic", "customs:tool"),
        ("wasmcp", "wasmcp"),
        ("benign-tool", "command"),
        ("evil-prompt-tool", "command"),
        ("fs-violation", "command"),
        ("tool-return-microbench", "command"),
    ] {
        let path = guest(name);
        let run = world.customs(&["inspect", path.to_str().unwrap(), "-o", "json"]).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}: {run}");
        let keys = [
            ("schema", "text"),
            ("component", "object"),
            ("form", "text"),
            ("tools", "list"),
            ("imports", "list"),
            ("capabilities", "list"),
        ];
        has(name, &run.json, &keys);
        assert_eq!(run.json["form"], form, "{name}");
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(run.json["component"]["sha256"], hex(&Sha256::digest(&bytes)), "{name}");
        assert_eq!(run.json["component"]["size"], bytes.len(), "{name}");
        let tools = run.json["tools"].as_array().unwrap();
        assert!(matches!(form, "customs:tool" | "wasmcp") || !tools.is_empty(), "{name}: {run}");
        for tool in tools {
            has(name, tool, &[("name", "text"), ("inputSchema", "object"), ("signature", "text")]);
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}: {tool}");
        }
        let text = world.customs(&["inspect", path.to_str().unwrap()]).run();
        assert!(text.stdout.contains("may use") && text.stdout.lines().all(|l| l.len() < 1_000), "{name}: {text}");
    }
}
