//! Schemas bind: what a tool is given fits its input schema and what it gives fits its output schema, or it is an error.

use crate::support::mcp::{Server, ledgers};
use crate::support::{World, guest};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn serve(world: &World, guest_name: &str, ledgers: bool) -> Server {
    let mut customs = world.customs(&["serve"]).arg(guest(guest_name));
    if ledgers {
        world.dir("ledgers");
        customs = customs.arg(world.fill("--ledger={world}/ledgers"));
    }
    Server::start(customs)
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

/// The tools by name, as listed.
fn tools(server: &mut Server) -> BTreeMap<String, Value> {
    let listed = server.ask("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    tools.iter().map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool.clone())).collect()
}

/// 132: on the guest with every shape, by a validator of others.
#[test]
fn every_answer_of_the_shapes_validates_against_the_listed_output_schema() {
    let world = World::new();
    let mut server = serve(&world, "shapes", false);
    let tools = tools(&mut server);
    let point = json!({"x": 1, "y": -1, "label": "p"});
    let drawing = json!({"title": "t", "origin": point, "points": [point, {"x": 0, "y": 0}], "style": "dashed",
        "parts": [{"empty": null}, {"circle": 1.5}, {"polygon": [point]}, {"caption": "c"}], "access": ["read", "own"], "raw": "AAEC"});
    let seventeen: Value =
        ('a'..='q').map(|name| (name.to_string(), json!(7))).collect::<serde_json::Map<_, _>>().into();
    let given = |tool: &str| -> Vec<Value> {
        let value = |values: &[Value]| values.iter().map(|value| json!({"value": value})).collect();
        match tool {
            "echo-bool" => value(&[json!(true)]),
            "echo-s8" | "echo-s16" | "echo-s32" => value(&[json!(-128), json!(127)]),
            "echo-s64" => value(&[json!(i64::MIN.to_string()), json!(-1)]),
            "echo-u8" | "echo-u16" | "echo-u32" => value(&[json!(0), json!(255)]),
            "echo-u64" => value(&[json!(u64::MAX.to_string()), json!(1)]),
            "echo-f32" | "echo-f64" | "echo-alias" => value(&[json!(0.5), json!(-0.0), json!(1e30)]),
            "echo-char" => value(&[json!("🦀"), json!("\u{0}")]),
            "echo-string" => value(&[json!(""), json!("a\u{202e}b\n")]),
            "echo-bytes" => value(&[json!(""), json!("/+8=")]),
            "echo-list-u32" => value(&[json!([]), json!([1, 2])]),
            "echo-list-u64" => value(&[json!([u64::MAX.to_string(), 2])]),
            "echo-list-string" => value(&[json!(["x"])]),
            "echo-list-list" => value(&[json!([[], [1]])]),
            "echo-option" => value(&[Value::Null, json!("x")]),
            "echo-option-option" => value(&[Value::Null, json!({"some": null}), json!({"some": 1})]),
            "echo-list-option" => value(&[json!([null, true])]),
            "echo-result" => value(&[json!({"ok": 1}), json!({"err": "no"})]),
            "echo-tuple-result" => value(&[json!([{"ok": 1}, {"err": null}, {"err": "x"}, {"ok": 2}])]),
            "echo-tuple" => value(&[json!([1, "x", false])]),
            "echo-record" => value(&[point.clone(), json!({"x": 1, "y": 2})]),
            "echo-drawing" => value(std::slice::from_ref(&drawing)),
            "echo-variant" => value(&[json!({"empty": null}), json!({"circle": 1})]),
            "echo-enum" => value(&[json!("dotted")]),
            "echo-flags" => value(&[json!([]), json!(["share", "read"])]),
            "echo-many-flags" => value(&[json!(["x31", "x0"])]),
            "echo-map-like" => value(&[json!([["k", 1]])]),
            "echo-seventeen" => vec![seventeen.clone()],
            "echo-optional" => vec![json!({}), json!({"a": 1, "b": null})],
            "fail" => ["none", "missing", "too-large", "refused"].map(|kind| json!({ "kind": kind })).to_vec(),
            "plain" => value(&[json!(3)]),
            "top" => vec![json!({"name": "n"})],
            _ => vec![json!({})],
        }
    };
    let (mut successes, mut errors) = (0, 0);
    for (name, tool) in &tools {
        let input = jsonschema::draft202012::new(&tool["inputSchema"]).unwrap();
        let output: Option<Validator> = tool.get("outputSchema").map(|s| jsonschema::draft202012::new(s).unwrap());
        for arguments in given(name.rsplit('.').next().unwrap()) {
            assert!(input.is_valid(&arguments), "{name} {arguments}");
            let result = server.result(name, arguments.clone());
            if result["isError"] == true {
                errors += 1
            } else {
                successes += 1
            }
            let structured = result.get("structuredContent");
            // What returns nothing promises nothing, and says that it returned.
            assert!(output.is_some() || structured == Some(&json!({})), "{name} {arguments}: {result}");
            assert!(structured.is_some(), "{name} {arguments}: {result}");
            if let (Some(output), Some(structured)) = (output.as_ref(), structured) {
                assert!(output.is_valid(structured), "{name} {arguments}: {structured} for {}", tool["outputSchema"]);
            }
        }
    }
    assert!(tools.len() >= 35 && successes >= 50 && errors >= 4, "{} {successes} {errors}", tools.len());
}

/// 125: what does not fit is refused before any code of the tool runs: there is no call in the ledger.
#[test]
fn arguments_that_do_not_fit_are_refused_with_their_place_and_nothing_runs() {
    let world = World::new();
    let mut server = serve(&world, "dynamic", true);
    for (arguments, place) in [
        (json!({}), "\"name\" is a required property"),
        (json!({"name": 7}), "/name: "),
        (json!({"name": "x", "loud": "yes"}), "/loud: "),
        (json!({"name": "x", "extra": 1}), "'extra' was unexpected"),
    ] {
        let result = server.result("greet", arguments);
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&result).starts_with("invalid arguments: ") && text(&result).contains(place), "{result}");
    }
    let result = server.result("greet", json!({"name": "x", "loud": true}));
    assert_eq!(result["structuredContent"], json!({"greeting": "HELLO, X!", "length": 9}), "{result}");
    server.finish();
    let records = ledgers(&world.path("ledgers")).concat();
    let calls = |tool: &str| records.iter().filter(|r| r["event"] == "call" && r["tool"] == tool).count();
    assert_eq!((calls("list-tools"), calls("greet")), (1, 1), "{records:?}");

    // Revisions before arguments were for the model to read.
    let world = World::new();
    let mut server = Server::speaking(world.customs(&["serve"]).arg(guest("dynamic")), "2025-06-18", &json!({}));
    let answer = server.call("greet", json!({"name": 7}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("/name: "), "{answer}");
}

#[test]
fn results_that_do_not_fit_become_errors_that_say_where() {
    let world = World::new();
    let mut server = serve(&world, "dynamic", false);
    let result = server.result("fail", json!({"how": "bad-output"}));
    assert_eq!((&result["isError"], result.get("structuredContent")), (&json!(true), None), "{result}");
    assert!(
        text(&result).starts_with("the tool's structured content does not fit its output schema: /number: "),
        "{result}"
    );
    assert!(!result["content"].to_string().contains("seven"), "{result}");
    // What is an error already is as it was given.
    let result = server.result("fail", json!({"how": "is-error"}));
    assert_eq!((text(&result), &result["isError"]), ("it did not work", &json!(true)), "{result}");
    let mut server = serve(&world, "hostile/bad-schemas", false);
    let result = server.result("fine", json!({"n": 1}));
    assert!(text(&result).contains("has no structured content") && result["isError"] == true, "{result}");
    assert_eq!(server.result("free", json!({"any": 1}))["isError"], false);
}

#[test]
fn a_tool_whose_schema_is_refused_is_not_offered_and_the_others_are() {
    let world = World::new();
    let mut server = serve(&world, "hostile/bad-schemas", false);
    let names: Vec<String> = tools(&mut server).into_keys().collect();
    assert_eq!(names, ["fine", "free"]);
    let answer = server.call("laughs", json!({}));
    assert!(answer["error"]["message"].as_str().unwrap().contains("no tool \"laughs\""), "{answer}");
    let ended = server.finish();
    assert!(ended.stderr.contains("laughs is not offered: its input schema is refused: "), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("remote is not offered: ") && ended.stderr.contains("nothing is fetched"),
        "{}",
        ended.stderr
    );

    let run = |tool: &str| world.run(&guest("hostile/bad-schemas"), tool, &json!({}), &[]).run();
    let refused = run("laughs");
    assert_eq!(refused.exits(2).ending(), "refused", "{refused}");
    assert!(refused.stderr.contains("laughs cannot be called: its input schema is refused"), "{refused}");
    assert_eq!(run("free").exits(0).ending(), "returned");
    let fine = run("fine");
    assert!(fine.exits(2).stderr.contains("\"n\" is a required property"), "{fine}");
}

#[test]
fn a_key_given_twice_is_refused_and_once_it_is_not() {
    let world = World::new();
    let dynamic = guest("dynamic");
    let dynamic = dynamic.to_str().unwrap();
    let run =
        |arguments: &str| world.customs(&["run", dynamic, "greet", "-o", "json", &format!("--args={arguments}")]).run();
    let twice = run(r#"{"name": "a", "name": "b"}"#);
    assert!(twice.exits(2).stderr.contains("the key \"name\" is there twice"), "{twice}");
    let once = run(r#"{"name": "b"}"#);
    assert_eq!(once.exits(0).ending(), "returned", "{once}");
}
