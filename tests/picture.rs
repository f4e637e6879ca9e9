//! The picture of a trace: on the terminal beside the result, on a page of its own, and from a ledger. It has what the answer has and not a byte
//! that was taken out of it.

use crate::support::{Run, World, guest};
use serde_json::{Value, json};

const SECRET: &str = "k7Qz2mXpLw93vRt5";
/// What the guest makes of it with a key of its own.
const HIDDEN: &str = "AFIoV1kIIV0nEkAeHTcNGA==";

fn world() -> World {
    let world = World::new();
    world.write("box/secret.txt", SECRET);
    world
}

/// A call of the guest that changes what it reads.
fn apply(world: &World, transform: &str, source: &str, flags: &[&str]) -> Run {
    let (variable, change, from) =
        (format!("KEY={SECRET}"), format!("transform={transform}"), format!("source={source}"));
    let component = guest("transforms");
    let mut arguments = vec!["run", component.to_str().unwrap(), "apply", "--arg", &change, "--arg", &from];
    arguments.extend(["--env", &variable, "--allow-write=./box::/box"]);
    arguments.extend(flags);
    world.customs(&arguments).unchecked().run()
}

/// The labelled stretches of a page: what stands before each, and its text.
fn stretches(page: &str) -> Vec<(String, String)> {
    let figure = page
        .split("<figure class=\"traced\">")
        .nth(1)
        .unwrap_or_default()
        .split("</figure>")
        .next()
        .unwrap_or_default();
    let spans = figure.split("<span class=\"b ").skip(1).filter_map(|span| {
        let (tag, rest) = span.split_once('>')?;
        // Those of the legend have no title.
        let mark = tag.split_once("data-n=\"")?.1.split('"').next()?;
        tag.contains("title=").then(|| (mark.to_owned(), rest.split('<').next().unwrap_or_default().to_owned()))
    });
    spans.collect()
}

fn pair(mark: &str, text: &str) -> (String, String) {
    (mark.to_owned(), text.to_owned())
}

/// stdout is the result and nothing else; whose bytes they are stands on stderr, where a granted value is not shown unless that is asked for.
#[test]
fn the_picture_goes_where_findings_go_and_leaves_the_result_alone() {
    let world = world();
    let (plain, traced) = (apply(&world, "split", "env:KEY", &[]), apply(&world, "split", "env:KEY", &["--trace"]));
    assert_eq!(traced.exits(0).stdout, plain.exits(0).stdout);
    let picture = "\
traced   return /text   16 of its 23 bytes
         HEAD:Lw93vRt5--k7Qz2mXp
         .....11111111..11111111
         1  env KEY
";
    assert!(traced.stderr.ends_with(picture), "{traced}");
    assert!(!plain.stderr.contains("traced"), "{plain}");

    let note = |flags: &[&str]| apply(&world, "note", "env:KEY", flags).stderr;
    let covered = note(&["--trace"]);
    assert!(covered.contains("         note: ****************\n         ......1111111111111111\n"), "{covered}");
    assert!(!covered.contains(SECRET), "{covered}");
    assert!(note(&["--trace", "--reveal"]).contains("         note: k7Qz2mXpLw93vRt5\n"));
    // What is base64 by a table is weak.
    let weak = apply(&world, "base64-table", "env:KEY", &["--trace"]);
    let rows = "         azdRejJtWHBMdzkzdlJ0NQ==\n         aaaaaaaaaaaaaaaaaaaaaa\n         a  env KEY, weak\n";
    assert!(weak.stderr.contains(rows), "{weak}");
}

#[test]
fn a_page_shows_each_byte_of_the_answer_in_what_it_comes_from_and_is_all_of_stdout() {
    let world = world();
    let run = apply(&world, "split", "file:/box/secret.txt", &["--trace", "-o", "html"]);
    assert!(run.exits(0).stdout.starts_with("<!DOCTYPE html>\n<html") && run.stdout.ends_with("</html>\n"), "{run}");
    assert_eq!(stretches(&run.stdout), [pair("1", "Lw93vRt5"), pair("1", "k7Qz2mXp")]);
    assert!(run.stdout.contains("<bdo dir=\"ltr\">/text</bdo>") && !run.stderr.contains("traced  "), "{run}");
    let run = apply(&world, "xor", "env:KEY", &["--trace", "-o", "html"]);
    assert_eq!(stretches(&run.stdout), [pair("1", HIDDEN)]);
    assert!(run.stdout.contains("<bdo dir=\"ltr\">/pieces/1/bytes</bdo>"), "{run}");
    let run = apply(&world, "error", "env:KEY", &["--trace", "-o", "html"]);
    assert_eq!((run.code, stretches(&run.stdout)), (1, vec![pair("1", SECRET)]), "{run}");
    // Without a trace it is the page of its ledger.
    let run = apply(&world, "xor", "env:KEY", &["-o", "html"]);
    assert!(run.exits(0).stdout.starts_with("<!DOCTYPE html>") && !run.stdout.contains(HIDDEN), "{run}");
    assert!(!run.stdout.contains("class=\"traced\""), "{run}");
}

/// What goes elsewhere than to the caller may be a secret as it is: it is a bar, with its place.
#[test]
fn what_a_tool_writes_and_prints_is_a_bar_without_its_bytes() {
    let world = world();
    for (transform, place) in [("write", "6\u{2013}22"), ("print", "1\u{2013}17")] {
        let run = apply(&world, transform, "file:/box/secret.txt", &["--trace", "-o", "html"]);
        assert_eq!(stretches(&run.exits(0).stdout), [pair("1", place)], "{transform}: {run}");
        run.never_shows(if transform == "write" { SECRET } else { HIDDEN });
        assert!(!run.stdout.contains(SECRET), "{run}");
        let shown = apply(&world, transform, "file:/box/secret.txt", &["--trace", "-o", "html", "--reveal"]);
        assert!(shown.stdout.contains(SECRET), "{shown}");
    }
}

/// A rule took it out of the answer: it is in no picture either, neither as it was nor as the tool computed it.
#[test]
fn what_a_rule_took_out_of_the_answer_is_not_in_the_picture() {
    let world = world();
    let component = guest("transforms");
    let rule = |action: &str| {
        format!(
            "[tool.t]\ncomponent = {component:?}\ntrace = true\n[[tool.t.flow]]\nfrom = \"file\"\nto = \"return\"\ndo = \"{action}\"\n"
        )
    };
    let page = |transform: &str| {
        let run = apply(&world, transform, "file:/box/secret.txt", &["--policy=policy.toml", "-o", "html"]);
        let text = apply(&world, transform, "file:/box/secret.txt", &["--policy=policy.toml"]);
        for half in [HIDDEN, SECRET, "Lw93vRt5", "k7Qz2mXp"] {
            assert!(
                ![&run.stdout, &run.stderr, &text.stdout, &text.stderr].iter().any(|told| told.contains(half)),
                "{half}: {run}{text}"
            );
        }
        (run, text)
    };
    world.write("policy.toml", rule("redact"));
    let (run, text) = page("xor");
    assert_eq!(stretches(&run.exits(0).stdout), [pair("1", "[redacted:file]")], "{run}");
    assert!(text.stderr.contains("         [redacted:file]\n         111111111111111\n"), "{text}");
    let (run, text) = page("split");
    assert_eq!(stretches(&run.exits(0).stdout), [pair("1", "[redacted:file]"), pair("1", "[redacted:file]")], "{run}");
    assert!(text.stderr.contains("HEAD:[redacted:file]--[redacted:file]\n"), "{text}");
    world.write("policy.toml", rule("block"));
    let (run, _) = page("xor");
    assert_eq!(stretches(&run.exits(1).stdout), [pair("1", "0\u{2013}24")], "withheld: {run}");
    // The twin: with a rule that lets it pass it is drawn.
    world.write("policy.toml", rule("warn"));
    let run = apply(&world, "xor", "file:/box/secret.txt", &["--policy=policy.toml", "-o", "html"]);
    assert_eq!(stretches(&run.stdout), [pair("1", HIDDEN)]);
}

#[test]
fn a_ledger_has_where_labels_were_and_no_contents_and_stays_sound() {
    let world = world();
    let run = apply(&world, "xor", "env:KEY", &["--trace", "--ledger", "run.jsonl"]);
    run.exits(0);
    assert_eq!(world.customs(&["verify", "run.jsonl"]).unchecked().run().code, 0);
    let lines = String::from_utf8(world.read("run.jsonl")).unwrap();
    assert!(!lines.contains(HIDDEN) && !lines.contains(SECRET));
    let told = world.customs(&["report", "run.jsonl", "-o", "json"]).unchecked().run();
    let call = &told.exits(0).json["calls"][0];
    assert_eq!(call["methods"], json!(["match", "trace"]));
    let source = call["sources"].as_array().unwrap().iter().find(|s| s["kind"] == "env").unwrap()["id"].clone();
    assert_eq!(call["traced"][0]["ranges"], json!([{"from": 0, "to": 24, "strong": [source], "weak": []}]), "{told}");
    let page = world.customs(&["report", "run.jsonl", "-o", "html"]).unchecked().run().stdout;
    assert_eq!(stretches(&page), [pair("1", "0\u{2013}24")]);
    assert!(!page.contains(HIDDEN));
    let text = world.customs(&["report", "run.jsonl"]).unchecked().run().stdout;
    assert!(
        text.contains("traced   return /pieces/1/bytes   24 of its 24 bytes\n         ------------------------\n"),
        "{text}"
    );

    apply(&world, "xor", "env:KEY", &["--ledger", "plain.jsonl"]).exits(0);
    let told = world.customs(&["report", "plain.jsonl", "-o", "json"]).unchecked().run();
    assert_eq!(told.json["calls"][0]["methods"], json!(["match"]), "{told}");
    assert_eq!(told.json["calls"][0].get("traced"), None::<&Value>);
}

/// The run went at full speed; its picture is made from the recording.
#[test]
fn a_recorded_run_has_its_picture_made_when_it_is_replayed() {
    let world = world();
    apply(&world, "xor", "env:KEY", &["--record", "run.rec"]).exits(0);
    let page = world.customs(&["replay", "run.rec", "--trace", "-o", "html"]).unchecked().run();
    assert_eq!(stretches(&page.exits(0).stdout), [pair("1", HIDDEN)], "{page}");
    let text = world.customs(&["replay", "run.rec", "--trace"]).unchecked().run();
    let rows = format!(
        "traced   return /pieces/1/bytes   24 of its 24 bytes\n         {HIDDEN}\n         {}\n",
        "1".repeat(24)
    );
    assert!(text.exits(0).stderr.contains(&rows), "{text}");
    assert!(text.stderr.contains("identical: the same result"), "{text}");
    let plain = world.customs(&["replay", "run.rec"]).unchecked().run();
    assert!(!plain.stderr.contains("traced"), "{plain}");
}

/// Six files, three labels and one that is shared: the replay makes passes, and its picture has each file's own number.
#[test]
fn a_picture_of_more_sources_than_labels_is_that_of_all_passes() {
    let world = World::new();
    let mut script = Vec::new();
    for at in 0..6 {
        world.write(&format!("box/{at:02}"), format!("[content of file {at:02}]"));
        script.push(json!({"op": "open", "dir": "/box", "path": format!("{at:02}"), "as": "f"}));
        script.push(json!({"op": "read", "handle": "f"}));
    }
    let script = json!({"script": Value::Array(script).to_string()});
    let flags = ["--allow-read=./box::/box", "--trace", "--record", "run.rec"];
    world.run(&guest("puppet"), "perform", &script, &flags).unchecked().run().exits(0);
    let whose = |flags: &[&str]| {
        let page = world.customs(&[&["replay", "run.rec", "-o", "html"], flags].concat()).unchecked().run();
        let found = stretches(&page.exits(0).stdout);
        (0..6)
            .map(|at| {
                found
                    .iter()
                    .find(|(_, text)| *text == format!("[content of file {at:02}]"))
                    .map(|(mark, _)| mark.clone())
            })
            .collect::<Vec<_>>()
    };
    let marks: Vec<String> = whose(&["--trace"]).into_iter().map(Option::unwrap).collect();
    let own: std::collections::BTreeSet<&String> = marks.iter().collect();
    assert_eq!(own.len(), 6, "{marks:?}");
    assert!(marks.iter().all(|mark| !mark.contains('?')), "{marks:?}");
}
