//! `wasmcp:mcp-v*/tools`: what its components may say, and what is made of it.

use super::{inspected, refused, structured};
use crate::support::mcp::Server;
use crate::support::{Run, World, guest};
use serde_json::{Value, json};
use std::path::PathBuf;

const READ: &str = "--allow-read={work}::/data";

fn call(world: &World, tool: &str, arguments: Value, flags: &[&str]) -> Run {
    world.run(&guest("wasmcp"), tool, &arguments, flags).run()
}

#[test]
fn its_tools_are_listed_from_all_pages_with_their_words() {
    let run = inspected(&guest("wasmcp"));
    assert_eq!((&run.json["form"], &run.json["tools"]), (&json!("wasmcp"), &json!([])), "nothing ran: {run}");
    let world = World::new();
    let mut server = Server::start(world.customs(&["serve"]).arg(guest("wasmcp")));
    let tools = server.ask("tools/list", json!({}))["result"]["tools"].as_array().unwrap().clone();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["context", "count", "draw", "fail", "read"]);
    let count = &tools[1];
    assert_eq!(
        (&count["title"], &count["description"]),
        (&json!("Count words"), &json!("Counts the words of a text."))
    );
    assert_eq!(count["inputSchema"]["required"], json!(["text"]), "{count}");
    assert_eq!(count["outputSchema"]["required"], json!(["words", "longest"]), "{count}");
    let draw = &tools[2];
    assert_eq!(draw["title"], "A dot", "the older place of a title: {draw}");
    // What a client is told of a tool's effects comes from its imports and grants; so does this component's, which imports writing.
    assert_eq!(draw["annotations"]["destructiveHint"], count["annotations"]["destructiveHint"]);
    assert!(draw["annotations"].get("idempotentHint").is_none(), "a promise that nobody checks: {draw}");
    assert!(!tools.iter().any(|tool| tool.to_string().contains("by wasmcp")), "its _meta stays here: {tools:?}");
}

#[test]
fn it_answers_in_structured_content_that_fits_its_schema() {
    let run = call(&World::new(), "count", json!({"text": "one three five"}), &[]);
    assert_eq!(structured(run.exits(0)), &json!({"words": 3, "longest": "three"}), "{run}");
    assert_eq!(run.json["result"]["content"][0]["text"], "{\"words\":3,\"longest\":\"three\"}", "{run}");
    for sink in ["return /words", "return /longest#key", "return /content/0/text#/longest"] {
        assert!(run.sinks().contains(&sink.to_owned()), "{sink}: {run}");
    }
    // Arguments meet the schema before the guest does.
    let run = call(&World::new(), "count", json!({"text": 7}), &[]);
    assert_eq!((run.code, run.json["ending"]["kind"].as_str()), (2, Some("refused")), "{run}");
}

/// The host reads what is handed over as a stream: a source and a sink, as if the tool had read it.
#[test]
fn a_file_handed_over_as_a_stream_is_read_under_the_grants_and_traced() {
    let world = World::new();
    for (form, place) in [("text", "/content/0/text"), ("resource", "/content/0/resource/text"), ("blob", "")] {
        let run = call(&world, "read", json!({"path": "/data/f", "as": form}), &[READ]);
        run.exits(0).denied(&[]);
        assert!(run.sources().contains(&"file /data/f".to_owned()), "{form}: {run}");
        assert_eq!(run.json["findings"][0]["action"], "warned", "{form}: the file is seen in the answer: {run}");
        if !place.is_empty() {
            assert!(run.sinks().contains(&format!("return {place}")), "{form}: {run}");
            assert_eq!(run.json["result"].pointer(place), Some(&json!(world.inside)), "{form}: {run}");
        }
        let run = call(&world, "read", json!({"path": "/data/f", "as": form}), &[]);
        run.exits(1).denied(&["fs.read no-grant /data/f"]);
        run.never_shows(&world.inside);
    }
}

#[test]
fn a_stream_is_read_no_further_than_a_call_may_give_out_and_only_as_what_it_is() {
    let world = World::new();
    world.write("work/large", vec![b'x'; 200_000]);
    world.write("work/latin", b"gr\xfcn");
    let read = |path, form, flags: &[&str]| {
        call(&world, "read", json!({"path": path, "as": form}), &[&[READ], flags].concat())
    };
    let run = read("/data/large", "text", &["--max-output=100KiB"]);
    assert_eq!((run.exits(3).ending().as_str(), &run.json["result"]), ("limit output", &Value::Null), "{run}");
    let run = read("/data/large", "text", &["--max-output=300KiB"]);
    assert_eq!(run.exits(0).json["result"]["content"][0]["text"].as_str().unwrap().len(), 200_000);
    let run = read("/data/latin", "text", &[]);
    assert!(run.exits(1).stderr.contains("content block 0 is refused: its text is not UTF-8"), "{run}");
    let run = read("/data/latin", "blob", &[]);
    assert_eq!(run.exits(0).json["result"]["content"][0]["resource"]["blob"], "Z3L8bg==", "{run}");
}

#[test]
fn content_blocks_cross_without_what_a_client_would_obey() {
    let run = call(&World::new(), "draw", json!({}), &[]);
    let content = run.exits(0).json["result"]["content"].as_array().unwrap();
    let kinds: Vec<&str> = content.iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["image", "audio", "resource_link", "resource", "resource"], "{run}");
    assert_eq!((&content[0]["mimeType"], &content[1]["data"]), (&json!("image/svg+xml"), &json!("UklGRg==")), "{run}");
    let link = json!({"type": "resource_link", "uri": "https://example.com/dot.svg", "name": "dot.svg", "title": "A dot",
        "description": "It is red.", "mimeType": "image/svg+xml", "size": 72});
    assert_eq!(content[2], link, "{run}");
    assert_eq!(content[3]["resource"], json!({"uri": "note:dot", "mimeType": "text/plain", "text": "one red dot"}));
    assert_eq!(content[4]["resource"], json!({"uri": "note:dot.bin", "blob": "AQID"}));
    for sink in ["/content/0/data", "/content/1/data", "/content/2/description", "/content/3/resource/text"] {
        assert!(run.sinks().contains(&format!("return {sink}")), "{sink}: {run}");
    }
    let result = run.json["result"].to_string();
    assert!(["annotations", "_meta", "icons", "kept"].iter().all(|word| !result.contains(word)), "{run}");
}

#[test]
fn it_is_told_the_revision_and_nothing_else() {
    let run = call(&World::new(), "context", json!({}), &["--allow-env=PATH"]);
    let told = "{\"protocol\":\"2025-11-25\",\"stream\":false,\"session\":false,\"identity\":false,\"http\":false,\"frame\":0}";
    assert_eq!(run.exits(0).json["result"]["content"][0]["text"], told, "{run}");
}

#[test]
fn its_errors_are_errors_of_the_tool() {
    for (how, code, says) in [
        ("is-error", 1, "it did not work"),
        ("invalid-params", 1, "invalid arguments: how: not like this"),
        ("internal", 1, "something broke"),
        ("not-mine", 1, "unknown tool: fail"),
        ("structured", 1, "the tool's structured content is not a JSON object"),
        ("server-io", 3, "it called wasmcp:mcp-v20251125/server-io@0.1.1#flush-buffer, which customs does not provide"),
        ("panic", 3, "unreachable"),
    ] {
        let run = call(&World::new(), "fail", json!({ "how": how }), &[]);
        assert_eq!(run.code, code, "{how}: {run}");
        match code {
            1 => assert_eq!(run.json["result"]["content"][0]["text"], says, "{how}: {run}"),
            _ => assert!(
                run.ending() == "trap" && run.json["ending"]["detail"].as_str().unwrap().contains(says),
                "{how}: {run}"
            ),
        }
    }
    let run = call(&World::new(), "missing", json!({}), &[]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.json["ending"]["detail"].as_str().unwrap().contains("has no tool \"missing\"; it has context, count"));
}

/// The guest for hostility is made for it, and honest as it is built.
#[test]
fn the_earlier_revision_is_called_too() {
    let run = World::new().run(&guest("badwasmcp"), "fine", &json!({}), &[]).run();
    assert_eq!(run.exits(0).json["result"]["content"], json!([{"type": "text", "text": "fine 2025-06-18"}]), "{run}");
}

/// The hostile guest with another word in its data.
fn hostile(world: &World, mode: &str) -> PathBuf {
    let mut bytes = std::fs::read(guest("badwasmcp")).unwrap();
    let marks: Vec<usize> =
        bytes.windows(11).enumerate().filter(|(_, w)| w == b"mode:honest").map(|(at, _)| at).collect();
    let [at] = marks[..] else { panic!("the word stands at {marks:?}") };
    bytes[at..at + 32].copy_from_slice(format!("{:<32}", format!("mode:{mode}")).as_bytes());
    world.write(&format!("{mode}.wasm"), bytes);
    world.path(&format!("{mode}.wasm"))
}

/// Whatever it lists: one sentence of ours, and none of its own characters.
#[test]
fn lists_that_no_client_should_see_are_refused_in_one_sentence() {
    let world = World::new();
    for (mode, says) in [
        ("many-tools", "the component lists 1001 tools"),
        ("many-pages", "the component lists 1000 tools with "),
        ("empty-pages", "on 1000 pages and more"),
        ("a-circle", "the component's list of tools goes round in a circle"),
        ("same-names", "the component lists two tools named same"),
        ("no-name", "a tool's name must be 1 to 128 characters of A-Z a-z 0-9 _ . -, not \"\""),
        ("strange-name", "a tool's name must be 1 to 128 characters"),
        ("huge-text", "the texts of tool fine have "),
        ("huge-texts", "2097152"),
        ("error", "answers with the error -7"),
        ("traps", "unreachable"),
    ] {
        let run = world.run(&hostile(&world, mode), "fine", &json!({}), &[]).run();
        assert_eq!((run.code, run.json["ending"]["kind"].as_str()), (2, Some("refused")), "{mode}: {run}");
        let detail = run.json["ending"]["detail"].as_str().unwrap();
        assert!(detail.starts_with("the tools could not be listed: ") && detail.contains(says), "{mode}: {run}");
        assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']) && detail.len() < 500, "{mode}: {run}");
        assert!(!detail.contains("handle limit"), "its words do not name the ending: {run}");
    }
}

/// A schema that is none costs its own tool only.
#[test]
fn a_tool_whose_schema_is_none_cannot_be_called_and_the_others_can() {
    let world = World::new();
    for mode in ["no-json", "no-object"] {
        let path = hostile(&world, mode);
        let run = world.run(&path, "fine", &json!({}), &[]).run();
        assert_eq!(run.code, 2, "{mode}: {run}");
        let detail = run.json["ending"]["detail"].as_str().unwrap();
        assert!(detail.ends_with("fine cannot be called: its input schema is not a JSON object"), "{run}");
        world.run(&path, "other", &json!({}), &[]).run().exits(0);
    }
}

#[test]
fn answers_that_no_client_should_see_end_as_errors_or_limits() {
    let world = World::new();
    for (mode, code, says) in [
        ("huge-answer", 3, "output"),
        ("many-blocks", 3, "flows"),
        ("strange-image", 1, "content block 0 is refused: its media type is not one of image"),
        ("no-json-answer", 1, "the tool's structured content is not a JSON object"),
    ] {
        let run = world.run(&hostile(&world, mode), "fine", &json!({}), &[]).run();
        assert_eq!(run.code, code, "{mode}: {run}");
        let said = format!("{}{}", run.ending(), run.json["result"]);
        assert!(said.contains(says), "{mode}: {said}");
    }
}

#[test]
fn functions_of_wasmcp_itself_are_refused_by_the_import() {
    refused::by(
        "compat/wasmcp-keyvalue",
        "imports functions of wasmcp:keyvalue/store@0.1.0, which customs does not provide: wasmcp composes a component with its own for that",
    );
}

#[test]
fn other_shapes_and_revisions_are_refused_by_name() {
    refused::by(
        "compat/wasmcp-older",
        "exports wasmcp:mcp-v20250618/tools@0.1.4 in a shape that this version does not know; build it for \
         wasmcp:mcp-v20251125/tools@0.1.1",
    );
    refused::by(
        "compat/wasmcp-later",
        "exports wasmcp:mcp-v20991231/tools@0.1.0; this version calls wasmcp:mcp-v20251125/tools and wasmcp:mcp-v20250618/tools",
    );
    let run = World::new().run(&guest("compat/wasmcp-answers"), "any", &json!({}), &[]).run();
    assert_eq!(run.code, 2, "{run}");
    let detail = run.json["ending"]["detail"].as_str().unwrap();
    assert!(detail.ends_with("its functions are of a shape that this version does not know"), "{run}");
}

#[test]
fn what_is_of_mcp_and_no_tool_is_refused_by_name() {
    refused::by(
        "compat/wasmcp-resources",
        "exports wasmcp:mcp-v20251125/resources@0.1.1 and no tools, which are all that customs calls",
    );
}
