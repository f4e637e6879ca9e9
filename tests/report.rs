//! `customs report`: what a run left behind, told in four formats, whoever wrote into it and whatever was done to it since.

#[path = "../host/report/tests/support/page.rs"]
pub(crate) mod page;
#[path = "../host/report/tests/support/schema.rs"]
pub(crate) mod schema;

use crate::support::{Run, World, guest};
use page::elements;
use schema::{faults, published};
use serde_json::{Value, json};

const GRANT: &str = "--allow-write={work}::/box";
/// What markup, terminals and bidirectional text would make more of than text.
const EVIL: &str =
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>' javascript:alert(1) \u{1b}[2J\u{202e}\u{200b}\u{e0041}";

fn fits(name: &str, value: &Value) {
    assert_eq!(faults(&published(name), value), Vec::<String>::new(), "{value}");
}

fn report(world: &World, ledger: &str, format: &str) -> Run {
    world.customs(&["report", ledger, "-o", format]).unchecked().run()
}

fn path(run: &Run) -> String {
    run.json["ledger"]["path"].as_str().unwrap().to_owned()
}

/// A run that reads, writes, prints, and is denied.
fn some_run(world: &World) -> Run {
    let run = world.perform(
        &[GRANT, "--env=API_KEY=k7Qz2mXp9vLr4tWs"],
        json!([
            {"op": "open", "dir": "/box", "path": "f"},
            {"op": "open", "dir": "/", "path": "etc/passwd"},
            {"op": "open", "dir": "/", "path": "etc/passwd"},
            {"op": "resolve", "name": "evil.example"},
            {"op": "stdout", "text": "hello"},
        ]),
    );
    run.exits(0);
    run
}

#[test]
fn the_json_of_runs_and_reports_fits_the_published_schemas() {
    let world = World::new();
    let run = some_run(&world);
    fits("customs.run-1.json", &run.json);
    let told = report(&world, &path(&run), "json");
    told.exits(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    fits("customs.report-1.json", &told);

    // Refused, stopped and unlimited runs have the same shape.
    let puppet = guest("puppet");
    fits(
        "customs.run-1.json",
        &world.customs(&["run", puppet.to_str().unwrap(), "no-such-tool", "-o", "json"]).run().json,
    );
    let spin = guest("hostile/spin");
    let stopped = world.customs(&["run", spin.to_str().unwrap(), "--timeout", "50ms", "-o", "json"]).run();
    fits("customs.run-1.json", &stopped.json);
    assert_ne!(stopped.json["ending"]["kind"], "returned", "{stopped}");
}

/// The report, from the ledger alone, has the rows that the run itself told.
#[test]
fn a_report_has_the_rows_of_the_run() {
    let world = World::new();
    let run = some_run(&world);
    let told = report(&world, &path(&run), "json");
    told.exits(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let call = &told["calls"][0];
    for rows in ["denials", "sources", "sinks", "findings", "ending", "methods", "complete", "suppressed"] {
        assert_eq!(call[rows], run.json[rows], "{rows}");
    }
    assert_eq!(call["denials"].as_array().map(Vec::len), Some(2), "{run}");
    assert_eq!((&call["tool"], &told["component"]["sha256"]), (&run.json["tool"], &run.json["component"]["sha256"]));
    assert_eq!(
        (&told["ledger"]["head"], &told["ledger"]["events"]),
        (&run.json["ledger"]["head"], &run.json["ledger"]["events"])
    );
}

/// 164, 165, 167: what a guest writes into names is text wherever it is told.
#[test]
fn names_of_a_guest_are_text_in_every_format() {
    let world = World::new();
    let run = world.perform(
        &[GRANT],
        json!([
            {"op": "open", "dir": "/", "path": EVIL},
            {"op": "resolve", "name": EVIL},
            {"op": "create-directory-at", "dir": "/box", "path": EVIL.replace('/', "")},
            {"op": "stdout", "text": EVIL},
        ]),
    );
    run.exits(0);
    for format in ["text", "json", "sarif", "html"] {
        let told = report(&world, &path(&run), format);
        told.exits(0);
        let hidden = told.stdout.chars().find(|c| *c != '\n' && customs_ledger::is_unsafe_char(*c));
        assert_eq!(hidden, None, "{format}");
        assert!(told.stdout.contains("alert(1)"), "{format}: {told}");
        match format {
            "html" => {
                let elements = elements(&told.stdout).unwrap();
                assert!(!elements.iter().any(|e| ["script", "img", "a", "link", "iframe"].contains(&e.tag.as_str())));
                assert!(
                    !elements
                        .iter()
                        .any(|e| e.attributes.keys().any(|k| k.starts_with("on") || k == "href" || k == "src"))
                );
                assert!(
                    elements.iter().any(|e| e.tag == "bdo" && e.text == format!("/{}", customs_ledger::Escaped(EVIL)))
                );
            }
            "text" => assert!(told.stdout.contains("\\u{e0041}"), "{told}"),
            _ => drop(serde_json::from_str::<Value>(&told.stdout).unwrap()),
        }
    }
}

/// 170: where and when the report is made is not in it.
#[test]
fn a_report_does_not_depend_on_where_it_is_made() {
    let world = World::new();
    let run = some_run(&world);
    world.write("elsewhere/x", "");
    let copy = world.path("elsewhere").join(world.path("").join(path(&run)).file_name().unwrap());
    std::fs::copy(path(&run), &copy).unwrap();
    for format in ["text", "json", "sarif", "html"] {
        let here = report(&world, &path(&run), format);
        let there = world.customs(&["report", copy.file_name().unwrap().to_str().unwrap(), "-o", format]);
        let there = there
            .cwd(&world.path("elsewhere"))
            .env("TZ", "Asia/Kathmandu")
            .env("LC_ALL", "tr_TR.UTF-8")
            .unchecked()
            .run();
        assert!(here.stdout == there.stdout && !here.stdout.is_empty(), "{format}");
    }
}

/// Said first, and exit 1 as `verify`; a sound twin is exit 0.
#[test]
fn a_ledger_that_was_changed_is_told_as_such() {
    let world = World::new();
    let run = some_run(&world);
    let sound = std::fs::read_to_string(path(&run)).unwrap();
    let last = sound.trim_end().rfind('\n').unwrap();
    for (name, content, code, first) in [
        ("sound", sound.clone(), 0, "ok "),
        ("altered", sound.replacen("etc/passwd", "etc/passwe", 1), 1, "altered "),
        ("torn", sound[..sound.len() - 9].to_owned(), 1, "torn "),
        ("unclosed", sound[..=last].to_owned(), 1, "unclosed "),
    ] {
        world.write(name, &content);
        let ledger = world.path(name);
        let told = report(&world, ledger.to_str().unwrap(), "text");
        told.exits(code);
        assert!(told.stdout.starts_with(first), "{told}");
        assert!(told.stdout.contains("\ndenied "), "what can be read is told: {told}");
        for format in ["json", "sarif", "html"] {
            let told = report(&world, ledger.to_str().unwrap(), format);
            told.exits(code);
            assert!(!told.stdout.is_empty(), "{format}");
        }
    }
}

#[test]
fn what_is_no_ledger_is_refused_in_one_sentence() {
    let world = World::new();
    world.write("empty", "");
    world.write("words", "hello\nworld\n");
    world.write("json", "{\"v\":1}\n");
    for name in ["empty", "words", "json", "work", "missing"] {
        for format in ["text", "html"] {
            let told = report(&world, world.path(name).to_str().unwrap(), format);
            told.exits(2);
            assert!(told.stdout.is_empty() && told.stderr.lines().count() == 1, "{told}");
        }
    }
    let puppet = guest("puppet");
    report(&world, puppet.to_str().unwrap(), "text").exits(2);
}
