//! `trace = true` in a policy: flow rules act on what a tool computed, to the byte, in every answer of `serve` and `run`; and a component that
//! cannot be traced is not served at all.

use crate::support::mcp::{MODERN, Server, USUAL, ledgers};
use crate::support::servers::Server as Web;
use crate::support::{Customs, World, guest};
use serde_json::{Value, json};

const SECRET: &str = "k7Qz2mXpLw93vRt5";
/// More than the pool has, which this component does not fit into.
const LARGE: &str = "max-memory = \"8GiB\"\n";
const NOTHING_RUNS: &str = "the policy was changed and cannot be enforced; nothing runs until it is mended";

/// A world with a file of the secret, the guest that changes what it reads, and a policy for it.
fn world(trace: bool, besides: &str) -> World {
    let world = World::new();
    world.write("box/secret.txt", SECRET);
    world.dir("ledgers");
    policy(&world, "transforms", trace, besides);
    world
}

fn policy(world: &World, name: &str, trace: bool, besides: &str) {
    let component = guest(name);
    let text = format!(
        "[tool.t]\ncomponent = {component:?}\ntrace = {trace}\nallow-read = [\"./box::/box\"]\nenv = [\"KEY={SECRET}\"]\n{besides}"
    );
    world.write("new.toml", text);
    std::fs::rename(world.path("new.toml"), world.path("customs.toml")).unwrap();
}

fn serve(world: &World) -> Customs {
    world.customs(&["serve", "--policy", "{world}/customs.toml", "--ledger", "{world}/ledgers"])
}

fn apply(server: &mut Server, transform: &str, source: &str) -> Value {
    server.result("apply", json!({"transform": transform, "source": source}))
}

/// Nowhere in what the client reads: not in the text, nor in the structure, nor in the metadata.
fn hides(result: &Value, what: &Value) {
    let what = what.as_str().unwrap();
    assert!(!result.to_string().contains(what), "{what} is in {result}");
}

/// What matching cannot see goes to the byte; what stands beside it, and in other places, stays. Without a trace it would pass.
#[test]
fn an_answer_loses_exactly_what_the_tool_computed_from_a_secret_and_without_a_trace_it_does_not() {
    let (traced, plain) = (world(true, ""), world(false, ""));
    let (mut traced, mut plain) = (Server::start(serve(&traced)), Server::start(serve(&plain)));
    for (transform, place, without, with) in [
        ("xor", "/pieces/1/bytes", json!("AFIoV1kIIV0nEkAeHTcNGA=="), json!("")),
        ("deflate", "/pieces/1/bytes", Value::Null, json!("")),
        ("sha256", "/pieces/1/bytes", Value::Null, json!("")),
        ("caesar", "/text", Value::Null, json!("[redacted:env]")),
    ] {
        let (was, is) = (apply(&mut plain, transform, "env:KEY"), apply(&mut traced, transform, "env:KEY"));
        let value = was["structuredContent"].pointer(place).unwrap();
        assert!(value.as_str().unwrap().len() > 15, "{transform}: nothing hides it without a trace: {was}");
        assert!(without.is_null() || *value == without, "{transform}: {was}");
        let mut expected = was["structuredContent"].clone();
        *expected.pointer_mut(place).unwrap() = with;
        assert_eq!(is["structuredContent"], expected, "{transform}: everything else is as it was: {is}");
        hides(&is, value);
        let text: Value = serde_json::from_str(is["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, expected, "{transform}: the text says the same");
        assert_eq!(is["_meta"]["dev.customs/flows"][0]["action"], "redacted", "{is}");
    }
}

#[test]
fn the_neighbours_of_a_secret_stay_in_texts_errors_and_lists_of_numbers() {
    let world = world(true, "");
    let mut server = Server::start(serve(&world));
    let split = apply(&mut server, "split", "env:KEY");
    assert_eq!(split["structuredContent"]["text"], "HEAD:[redacted:env]--[redacted:env]", "{split}");
    let note = apply(&mut server, "note", "env:KEY");
    assert_eq!(
        (&note["structuredContent"]["note"], &note["structuredContent"]["text"]),
        (&json!("note: [redacted:env]"), &json!("see the note"))
    );
    let error = apply(&mut server, "error", "env:KEY");
    assert_eq!(
        (&error["isError"], &error["structuredContent"]),
        (&json!(true), &json!({"error": {"unknown": "what is [redacted:env]?"}}))
    );
    let numbers = apply(&mut server, "numbers", "env:KEY");
    assert_eq!(numbers["structuredContent"]["pieces"][0]["numbers"], json!(vec![0; 16]), "{numbers}");
    // What no secret has part in stays, and what the caller wrote comes back.
    for (transform, source, text) in [
        ("untouched", "env:KEY", "the answer is 42, as ever"),
        ("plain", "as the caller wrote it", "as the caller wrote it"),
    ] {
        let answer = apply(&mut server, transform, source);
        assert_eq!(answer["structuredContent"]["text"], text, "{answer}");
        assert!(answer["_meta"].get("dev.customs/flows").is_none(), "{answer}");
    }
    // A file is not a secret: the defaults say nothing of it.
    let file = apply(&mut server, "xor", "file:/box/secret.txt");
    assert_eq!(file["structuredContent"]["pieces"][1]["bytes"], "AFIoV1kIIV0nEkAeHTcNGA==", "{file}");
}

/// Base64 by a table is a weak label, and a leak.
#[test]
fn rules_act_on_weak_labels_too() {
    let rule = "[[tool.t.flow]]\nfrom = \"file:/box/*\"\nto = \"return\"\ndo = \"redact\"\n";
    let world = world(true, rule);
    let mut server = Server::start(serve(&world));
    let answer = apply(&mut server, "base64-table", "file:/box/secret.txt");
    let text = answer["structuredContent"]["text"].as_str().unwrap();
    // The padding is of no source; what matching found may take it along.
    assert!(["[redacted:file]", "[redacted:file]=="].contains(&text), "{answer}");
    let other = apply(&mut server, "base64-table", "as the caller wrote it");
    assert_eq!(other["structuredContent"]["text"], "YXMgdGhlIGNhbGxlciB3cm90ZSBpdA==");
}

#[test]
fn a_rule_that_blocks_withholds_what_only_a_trace_sees_and_its_twin_does_not() {
    let rule = "[[tool.t.flow]]\nfrom = \"file:/box/*\"\nto = \"return\"\ndo = \"block\"\n";
    for revision in [USUAL, MODERN] {
        let (traced, plain) = (world(true, rule), world(false, rule));
        let mut server = Server::speaking(serve(&traced), revision, &json!({}));
        let withheld = apply(&mut server, "xor", "file:/box/secret.txt");
        assert_eq!(withheld["isError"], true, "{withheld}");
        assert!(withheld["content"][0]["text"].as_str().unwrap().starts_with("the answer was withheld"), "{withheld}");
        assert!(withheld.get("structuredContent").is_none(), "{withheld}");
        hides(&withheld, &json!("AFIoV1kIIV0nEkAeHTcNGA"));
        let fine = apply(&mut server, "untouched", "file:/box/secret.txt");
        assert_eq!(fine["structuredContent"]["text"], "the answer is 42, as ever", "{fine}");
        let mut server = Server::speaking(serve(&plain), revision, &json!({}));
        let passed = apply(&mut server, "xor", "file:/box/secret.txt");
        assert_eq!(passed["structuredContent"]["pieces"][1]["bytes"], "AFIoV1kIIV0nEkAeHTcNGA==", "{passed}");
    }
}

/// The metadata, the record that they point to, and the ledger say which methods looked.
#[test]
fn what_goes_with_an_answer_says_that_it_was_traced() {
    for trace in [true, false] {
        let world = world(trace, "");
        let mut server = Server::start(serve(&world));
        let result = apply(&mut server, "note", "env:KEY");
        let flows = result["_meta"]["dev.customs/flows"].as_array().unwrap();
        let told = |method: &str| {
            let flow = flows.iter().find(|flow| flow["method"] == method)?;
            Some((flow["strength"].clone(), flow["sinkRanges"].clone(), flow.get("bytes").cloned()))
        };
        let ranges = json!([[6, 22]]);
        assert_eq!(told("match"), Some((json!("strong"), ranges.clone(), Some(json!([16, 16])))), "{result}");
        assert_eq!(told("trace"), trace.then(|| (json!("strong"), ranges, None)), "{result}");
        let uri = result["_meta"]["io.modelcontextprotocol/trust-annotations"]["evidenceRef"]["ref"].clone();
        let read = server.ask("resources/read", json!({ "uri": uri }));
        let record: Value = serde_json::from_str(read["result"]["contents"][0]["text"].as_str().unwrap()).unwrap();
        let methods = if trace { json!(["match", "trace"]) } else { json!(["match"]) };
        assert_eq!(record["methods"], methods, "{record}");
        server.finish();
        let records = ledgers(&world.path("ledgers")).concat();
        let end = records.iter().find(|record| record["event"] == "end").unwrap();
        assert_eq!(end.get("methods"), trace.then_some(&methods), "{end}");
        assert_eq!(end.get("traced").is_some(), trace, "{end}");
        assert_eq!(records[0]["grants"].to_string().contains("--trace"), trace, "{}", records[0]);
    }
}

#[test]
fn a_component_that_cannot_be_traced_is_refused_with_the_reason_and_not_served_without() {
    let served = |trace: bool| {
        let world = World::new();
        world.dir("box");
        world.dir("ledgers");
        policy(&world, "hostile/two-memories", trace, LARGE);
        if trace {
            let run = serve(&world).unchecked().run();
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
            assert!(run.stderr.contains("cannot be traced: a core module of it uses more than one memory"), "{run}");
        } else {
            let mut server = Server::start(serve(&world));
            let answer = server.result("answer", json!({}));
            assert_eq!(answer["isError"], false, "{answer}");
        }
    };
    served(true);
    served(false);
}

/// A policy that asks for a trace while its tools are served has it before the next call; one that cannot have it stops them.
#[test]
fn a_trace_that_is_switched_on_while_served_holds_for_the_next_call_or_nothing_runs() {
    let world = world(false, "");
    let mut server = Server::start(serve(&world));
    let bytes =
        |server: &mut Server| apply(server, "xor", "env:KEY")["structuredContent"]["pieces"][1]["bytes"].clone();
    assert_eq!(bytes(&mut server), "AFIoV1kIIV0nEkAeHTcNGA==");
    policy(&world, "transforms", true, "");
    assert_eq!(bytes(&mut server), "");
    policy(&world, "transforms", false, "");
    assert_eq!(bytes(&mut server), "AFIoV1kIIV0nEkAeHTcNGA==");
    drop(server);

    policy(&world, "hostile/two-memories", false, LARGE);
    let mut server = Server::start(serve(&world));
    assert_eq!(server.result("answer", json!({}))["isError"], false);
    policy(&world, "hostile/two-memories", true, LARGE);
    let refused = server.result("answer", json!({}));
    assert_eq!(
        (&refused["isError"], &refused["content"][0]["text"]),
        (&json!(true), &json!(NOTHING_RUNS)),
        "{refused}"
    );
    policy(&world, "hostile/two-memories", false, LARGE);
    assert_eq!(server.result("answer", json!({}))["isError"], false);
    assert!(server.finish().stderr.contains("cannot be traced"));
}

/// `run` does what the table says, and its recording is replayed so.
#[test]
fn a_run_under_a_policy_that_traces_is_traced_and_so_is_its_replay() {
    let rule = "[[tool.t.flow]]\nfrom = \"file:/box/*\"\nto = \"return\"\ndo = \"redact\"\n";
    for trace in [true, false] {
        let world = world(trace, rule);
        let arguments = [
            "run",
            "{component}",
            "apply",
            "--arg",
            "transform=xor",
            "--arg",
            "source=file:/box/secret.txt",
            "--policy=customs.toml",
            "--record=run.rec",
            "-o",
            "json",
        ]
        .map(|text| text.replace("{component}", guest("transforms").to_str().unwrap()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = world.customs(&arguments).run();
        let bytes = |run: &crate::support::Run| run.json["result"]["structuredContent"]["pieces"][1]["bytes"].clone();
        let expected = if trace { "" } else { "AFIoV1kIIV0nEkAeHTcNGA==" };
        assert_eq!(bytes(run.exits(0)), expected, "{run}");
        let replayed = world.customs(&["replay", "run.rec", "-o", "json"]).unchecked().run();
        assert_eq!(bytes(replayed.exits(0)), expected, "{replayed}");
        assert_eq!(replayed.json["replay"]["identical"], true, "{replayed}");
    }
}

/// Two letters are too few for matching. Nothing of the request reaches the server, whatever part of it they are in; the same request without
/// them does, and so does this one where nothing is traced.
#[test]
fn a_request_with_what_only_a_trace_sees_does_not_leave() {
    for trace in [true, false] {
        let server = Web::http();
        let world = World::new();
        world.dir("ledgers");
        let component = guest("courier");
        let origin = server.origin();
        let text = format!(
            "[tool.t]\ncomponent = {component:?}\ntrace = {trace}\nenv = [\"KEY=q9\"]\nallow-net = [{origin:?}, \"http://*.allowed.invalid\"]\n"
        );
        world.write("customs.toml", text);
        let mut client = Server::start(serve(&world));
        let mut sent = 0;
        for part in ["path", "header", "set", "body", "trailer", "method"] {
            let mut send = |what: &str| {
                let arguments = json!({"what": what, "part": part, "url": format!("{origin}/echo")});
                let result = client.result("send", arguments);
                (result["isError"].as_bool().unwrap(), result)
            };
            let (stopped, result) = send("env:KEY");
            assert_eq!(stopped, trace, "{part}: {result}");
            sent += usize::from(!trace);
            assert_eq!(server.heard().len(), sent, "{part}: what was held back is not on the wire");
            let denials = result["_meta"].get("dev.customs/denials");
            assert_eq!(denials.map(|d| d[0]["code"].clone()), trace.then(|| json!("flow-rule")), "{result}");
            let (stopped, result) = send("zz");
            assert!(!stopped, "{part}: {result}");
            sent += 1;
            assert_eq!(server.heard().len(), sent, "{part}");
        }
        let asked = |client: &mut Server, what: &str| {
            let result = client.result("lookup", json!({"what": what, "behind": ".allowed.invalid"}));
            let denials = result["_meta"]["dev.customs/denials"].as_array().cloned().unwrap_or_default();
            denials.iter().any(|denial| denial["code"] == "flow-rule")
        };
        assert_eq!(asked(&mut client, "env:KEY"), trace);
        assert!(!asked(&mut client, "zz"));
    }
}
