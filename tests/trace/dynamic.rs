//! Components that describe their own tools: they answer in texts, and labels are by byte of those. What people see is leaves of the JSON in them.

use super::{SECRET, traced};
use crate::support::{Run, World, guest};
use serde_json::{Value, json};

fn call(component: &str, tool: &str, arguments: &Value, flags: &[&str]) -> Run {
    let world = World::new();
    world.write("box/words.txt", "from the file");
    let run = world.run(&guest(component), tool, arguments, &[flags, &["--trace"]].concat()).unchecked().run();
    assert_eq!(run.code, 0, "{run}");
    run
}

/// What was traced to one place of the answer, strong: weak labels reach further, where a tool asks for as much memory as a word is long.
fn at(run: &Run, place: &str) -> Vec<String> {
    let begin = format!("return {place} ");
    let lines = traced(run).into_iter().filter_map(|line| line.strip_prefix(&begin).map(str::to_owned));
    let strong = |line: String| {
        let (range, sources) = line.split_once(' ').unwrap();
        let strong = sources.split(", ").filter(|source| source.starts_with("strong ")).collect::<Vec<_>>();
        (!strong.is_empty()).then(|| format!("{range} {}", strong.join(", ")))
    };
    lines.filter_map(strong).collect()
}

#[test]
fn a_word_of_the_arguments_is_found_in_text_and_in_the_leaf_of_structured_content() {
    // In the second the JSON on both ways has escapes. What a tool makes of one it chose from its own constants; the leaf has none.
    for (name, ranges) in [("World", &["7-12"][..]), ("a\"b\n\u{e9}", &["7-8", "9-10", "11-13"])] {
        let run = call("dynamic", "greet", &json!({"name": name, "loud": false}), &[]);
        assert_eq!(run.json["result"]["structuredContent"]["greeting"], format!("Hello, {name}!"), "{run}");
        let expected: Vec<String> = ranges.iter().map(|range| format!("{range} strong argument /name")).collect();
        assert_eq!(at(&run, "/greeting"), expected, "{run}");
        assert_eq!(at(&run, "/content/0/text"), expected, "{run}");
        // That an argument comes back is no finding.
        assert_eq!(run.json["findings"], json!([]), "{run}");
    }
}

#[test]
fn the_arguments_of_a_wasmcp_tool_are_told_apart_in_the_text_that_they_come_in() {
    let run = call("wasmcp", "count", &json!({"text": "one three two"}), &[]);
    assert_eq!(at(&run, "/longest"), ["0-5 strong argument /text"], "{run}");
}

/// The bytes never were in the guest. They are the file's all the same.
#[test]
fn a_file_that_is_handed_over_as_a_stream_is_labelled_whole() {
    let read = |how: &str, flag: &str| call("wasmcp", "read", &json!({"path": "/box/words.txt", "as": how}), &[flag]);
    for (how, place, to) in [
        ("text", "/content/0/text", 13),
        ("resource", "/content/0/resource/text", 13),
        ("blob", "/content/0/resource/blob", 20),
    ] {
        let run = read(how, "--allow-read=./box::/box");
        assert_eq!(at(&run, place), [format!("0-{to} strong file /box/words.txt")], "{how}: {run}");
        // The address is the caller's own word, and files may come: it has no label.
        assert_eq!(at(&run, "/content/0/resource/uri"), Vec::<String>::new(), "{how}: {run}");
    }
}

/// A variable in the places where tools that describe themselves put what they have: leaves, keys, JSON in a text, bytes, links, errors.
#[test]
fn a_variable_is_traced_to_the_leaf_that_it_stands_in_and_to_no_other() {
    let variable = format!("API_KEY={SECRET}");
    for (shape, kind, place, from) in [
        ("field", "return", "/result/note", 0),
        ("sentence", "return", "/result/note", 37),
        ("items", "return", "/items/2/note", 0),
        ("key", "return", "/result/[env:API_KEY]#key", 0),
        ("block-json", "return", "/content/0/text#/result/items/0/note", 0),
        ("block-pretty", "return", "/content/0/text#/result/items/0/note", 0),
        ("block-labelled", "return", "/content/0/text", 5),
        ("resource", "return", "/content/0/resource/text", 0),
        ("blob", "return", "/content/0/data", 0),
        ("link", "return", "/content/0/uri", 22),
        ("field", "error", "/result/note", 0),
        ("failure", "internal", "/content/0/text", 32),
    ] {
        let leak = |from: &str| {
            let arguments = json!({"from": from, "text": "k7Qz2mXpLw93vRt6", "shape": shape, "to": kind});
            let flags = ["--trace", "--env", &variable, "--allow-net=http://127.0.0.1:9"];
            World::new().run(&guest("leaks"), "leak", &arguments, &flags).unchecked().run()
        };
        let strong = |run: &Run| -> Vec<String> {
            traced(run).into_iter().filter(|line| line.contains(" strong env ")).collect()
        };
        let run = leak("env");
        let sink = if kind == "return" { "return" } else { "error" };
        let to = from + SECRET.len();
        assert_eq!(strong(&run), [format!("{sink} {place} {from}-{to} strong env API_KEY")], "{shape} {kind}: {run}");
        let found = run.json["findings"].as_array().unwrap().iter().find(|f| f["method"] == "trace");
        assert_eq!(found.unwrap()["sink_ranges"][0], json!([from, to]), "{shape} {kind}: {run}");
        // The caller's own word in the same place.
        let run = leak("argument");
        assert_eq!(strong(&run), Vec::<String>::new(), "{shape} {kind}: {run}");
        assert!(!run.json["findings"].as_array().unwrap().iter().any(|f| f["strength"] == "strong"), "{run}");
    }
}
