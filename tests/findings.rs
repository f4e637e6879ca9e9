//! What came in, seen in what went out: findings of real runs, and flow rules that act on them before anything leaves.

use crate::support::servers::Server;
use crate::support::{Run, World, guest};
use serde_json::{Value, json};

const TOKEN: &str = "k7Qz2mXpLw93vRt5";

/// The puppet with a variable `KEY`, which it is given as `TOKEN`. `flow` goes into its policy.
fn with_key(flow: &str, more: &[&str], script: Value) -> (World, Run) {
    let world = World::new();
    world.write("customs.toml", format!("[tool.puppet]\nenv = [\"KEY={TOKEN}\"]\n{flow}"));
    let policy = world.path("customs.toml");
    let flags = [&["--policy", policy.to_str().unwrap()], more].concat();
    let run = world.perform(&flags, script);
    (world, run)
}

fn rule(from: &str, to: &str, action: &str) -> String {
    format!("[[tool.puppet.flow]]\nfrom = \"{from}\"\nto = \"{to}\"\ndo = \"{action}\"\n")
}

/// `rule severity source -> sink, transforms: action`
fn found(run: &Run) -> Vec<String> {
    let name = |rows: &str, id: &Value| {
        let row = run.json[rows].as_array().unwrap().iter().find(|r| r["id"] == *id);
        row.map_or_else(String::new, |r| format!("{} {}", r["kind"].as_str().unwrap(), r["name"].as_str().unwrap()))
    };
    let findings = run.json["findings"].as_array().unwrap().iter();
    let line = |f: &Value| {
        let transform: Vec<&str> = f["transform"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        format!(
            "{} {} {} -> {} {}: {}",
            f["rule"].as_str().unwrap(),
            f["severity"].as_str().unwrap(),
            name("sources", &f["source"]),
            name("sinks", &f["sink"]),
            transform.join(","),
            f["action"].as_str().unwrap(),
        )
    };
    findings.map(line).collect()
}

#[test]
fn a_variable_in_the_answer_is_found_with_its_place_and_its_bytes() {
    let (_world, run) = with_key("", &[], json!([{"op": "env"}]));
    assert_eq!(found(run.exits(0)), ["CUS101 high env KEY -> return /result : warned"], "{run}");
    let finding = &run.json["findings"][0];
    assert_eq!(finding["source_ranges"], json!([[0, TOKEN.len()]]), "{run}");
    assert_eq!(finding["coverage"], 1.0, "{run}");
    let text = run.json["result"]["structuredContent"]["result"].as_str().unwrap();
    let range = &finding["sink_ranges"][0];
    let at = usize::try_from(range[0].as_u64().unwrap()).unwrap()..usize::try_from(range[1].as_u64().unwrap()).unwrap();
    assert_eq!(&text[at], TOKEN, "{run}");
    assert!(!finding["preview"].as_str().unwrap().contains(&TOKEN[..4]), "{run}");
    assert_eq!(run.json["methods"], json!(["match"]), "{run}");
    assert!(run.stderr.contains("finding  high    env KEY -> return /result   16 of 16 bytes   CUS101"), "{run}");
    // The ledger has it too, after the end of the call.
    let events: Vec<&str> = run.ledger.iter().map(|r| r["event"].as_str().unwrap()).collect();
    assert_eq!(events[events.len() - 3..], ["end", "finding", "close"], "{run}");
}

/// The twin: what is in every environment is no finding.
#[test]
fn common_values_are_no_findings() {
    let world = World::new();
    let env =
        ["--env=LANG=en_US.UTF-8", "--env=TZ=UTC", "--env=DEBUG=true", "--env=SHELL=/bin/bash", "--env=USER=root"];
    let run = world.perform(&env, json!([{"op": "env"}]));
    assert_eq!(found(run.exits(0)), [""; 0], "{run}");
}

#[test]
fn fail_on_sees_findings_by_their_severity() {
    for (kinds, code) in [("finding", 4), ("high", 4), ("medium", 4), ("denial", 0)] {
        let fail_on = format!("--fail-on={kinds}");
        let (_world, run) = with_key("", &[&fail_on], json!([{"op": "env"}]));
        run.exits(code);
        let (_world, run) = with_key(&rule("secret", "return", "allow"), &[&fail_on], json!([{"op": "env"}]));
        run.exits(0);
    }
}

/// A rule that allows leaves the finding, without the noise.
#[test]
fn an_allowed_flow_is_recorded_and_not_told() {
    let (_world, run) = with_key(&rule("env:KEY", "return", "allow"), &[], json!([{"op": "env"}]));
    assert_eq!(found(run.exits(0)), ["CUS101 high env KEY -> return /result : allowed"], "{run}");
    assert!(!run.stderr.contains("finding"), "{run}");
    // One character away: the rule is about another variable.
    let (_world, run) = with_key(&rule("env:KEX", "return", "allow"), &[], json!([{"op": "env"}]));
    assert_eq!(found(&run), ["CUS101 high env KEY -> return /result : warned"], "{run}");
}

#[test]
fn redaction_replaces_exactly_the_bytes_of_the_source() {
    let (_world, run) = with_key(&rule("secret", "return", "redact"), &[], json!([{"op": "env"}]));
    assert_eq!(found(run.exits(0)), ["CUS101 high env KEY -> return /result : redacted"], "{run}");
    let (_twin, plain) = with_key("", &[], json!([{"op": "env"}]));
    let answer = |run: &Run| run.json["result"]["structuredContent"]["result"].as_str().unwrap().to_owned();
    assert_eq!(answer(&run), answer(&plain).replace(TOKEN, "[redacted:env]"), "{run}");
    assert_eq!(run.json["result"]["content"][0]["text"].as_str().unwrap(), answer(&run), "both forms: {run}");
    run.never_shows(TOKEN);
}

/// In a typed record the other fields stay, and so does the type.
#[test]
fn redaction_keeps_the_other_fields_and_the_type() {
    let world = World::new();
    world.write("work/note.md", format!("# A note\n\nthe door code is {TOKEN}\n"));
    world.write(
        "customs.toml",
        format!(
            "[tool.notes]\nallow-read = [\"work::/data\"]\n{}",
            rule("file", "return", "redact").replace("puppet", "notes")
        ),
    );
    let path = guest("notes");
    let arguments = [
        "run",
        path.to_str().unwrap(),
        "read-note",
        "--arg",
        "path=note.md",
        "-o",
        "json",
        "--policy",
        "{world}/customs.toml",
    ];
    let run = world.customs(&arguments).run();
    let note = &run.exits(0).json["result"]["structuredContent"];
    assert!(note["body"].as_str().unwrap().contains("[redacted:file]"), "{run}");
    assert_eq!(note["path"], "/data/note.md", "{run}");
    assert!(note["words"].is_u64() && note["modified"].is_u64(), "numbers stay numbers: {run}");
    run.never_shows(TOKEN);
}

#[test]
fn a_blocked_answer_is_withheld_whole() {
    let (_world, run) = with_key(&rule("secret", "return", "block"), &[], json!([{"op": "env"}]));
    assert_eq!(found(run.exits(1)), ["CUS101 high env KEY -> return /result : blocked"], "{run}");
    assert_eq!(run.json["result"]["isError"], true, "{run}");
    assert!(run.json["result"].to_string().contains("flow rule"), "{run}");
    run.never_shows(TOKEN);
    // What holds nothing of it is given.
    let (_world, run) = with_key(&rule("secret", "return", "block"), &[], json!([{"op": "args"}]));
    assert_eq!(found(run.exits(0)), [""; 0], "{run}");
}

/// A command's answer that is JSON goes on inside: the finding names the place, and redaction leaves the rest as it is.
#[test]
fn places_inside_a_json_text_are_named_and_redacted() {
    let secret = "SEKRET_0123456789abcdef0123456789abcdef";
    for (mode, places) in [
        ("plain", &["/result/note"][..]),
        ("split", &["/result/part1", "/result/part2"]),
        ("meta_path", &["/result/status"]),
    ] {
        let answer = |flow: &str| {
            let world = World::new();
            let grants = format!("env = [\"MODE={mode}\", \"API_KEY={secret}\"]");
            world.write("customs.toml", format!("[tool.bench]\n{grants}\n{}", flow.replace("puppet", "bench")));
            let path = guest("tool-return-microbench");
            let run = world.customs(&["run", path.to_str().unwrap(), "-o", "json", "--policy", "{world}/customs.toml"]);
            run.run()
        };
        let run = answer("");
        let returned: Vec<String> = found(run.exits(0)).into_iter().filter(|f| f.contains("-> return")).collect();
        let wanted = |action: &str| -> Vec<String> {
            places.iter().map(|p| format!("CUS101 high env API_KEY -> return /content/0/text#{p} : {action}")).collect()
        };
        assert_eq!(returned, wanted("warned"), "{mode}: {run}");
        let before: Value = serde_json::from_str(run.json["result"]["content"][0]["text"].as_str().unwrap()).unwrap();

        let run = answer(&rule("secret", "return", "redact"));
        let returned: Vec<String> = found(run.exits(0)).into_iter().filter(|f| f.contains("-> return")).collect();
        assert_eq!(returned, wanted("redacted"), "{mode}: {run}");
        let mut after: Value =
            serde_json::from_str(run.json["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
        for place in places {
            let text = after.pointer(place).unwrap().as_str().unwrap();
            assert!(text.contains("[redacted:env]") && !text.contains("cdef"), "{mode}: {run}");
            *after.pointer_mut(place).unwrap() = before.pointer(place).unwrap().clone();
        }
        assert_eq!(after, before, "{mode}: nothing else changed: {run}");
    }
}

/// What a command printed is withheld too, and what is said instead is no result.
#[test]
fn a_blocked_command_prints_nothing() {
    let world = World::new();
    let grants = format!("env = [\"MODE=plain\", \"API_KEY={TOKEN}\"]");
    let path = guest("tool-return-microbench");
    for (action, code) in [("block", 1), ("warn", 0)] {
        let flow = rule("secret", "return", action).replace("puppet", "bench");
        world.write("customs.toml", format!("[tool.bench]\n{grants}\n{flow}"));
        let run = world.customs(&["run", path.to_str().unwrap(), "--policy", "{world}/customs.toml"]).run();
        run.exits(code);
        assert_eq!(run.stdout.contains(TOKEN), code == 0, "{run}");
        if code == 1 {
            assert_eq!(run.stdout, "", "{run}");
            assert!(run.stderr.contains("withheld"), "{run}");
            run.never_shows(TOKEN);
        }
    }
}

/// The guest that fetches, with a server to send to and one flow rule. Gives how many requests arrived, and the run.
fn fetch(world: &World, grant: &str, flow: &str, tool: &str, mut arguments: Value) -> (usize, String, Run) {
    let server = Server::http();
    let origin = server.origin();
    arguments["url"] = json!(origin);
    world.write("customs.toml", format!("[tool.fetch]\n{grant}\n{}", flow.replace("puppet", "fetch")));
    let (path, allow) = (guest("fetch"), format!("--allow-net={origin}"));
    let start = ["run", path.to_str().unwrap(), tool, "-o", "json", &allow, "--policy", "{world}/customs.toml"];
    let run = world.customs(&start).arg("--args").arg(arguments.to_string()).run();
    (server.heard().len(), origin, run)
}

/// The tool copies what it was given, without the caller's help.
#[test]
fn a_secret_that_the_tool_puts_into_a_request_is_held_back_and_without_the_rule_leaves() {
    for (action, arrived, done) in [("block", 0, "blocked"), ("warn", 1, "warned")] {
        let world = World::new();
        let (grant, flow) = (format!("env = [\"KEY={TOKEN}\"]"), rule("secret", "http-request", action));
        let arguments = json!({"header": "x-key", "variable": "KEY"});
        let (heard, origin, run) = fetch(&world, &grant, &flow, "fetch-header", arguments);
        assert_eq!(heard, arrived, "{run}");
        assert_eq!(found(&run), [format!("CUS102 high env KEY -> http-request {origin}/#headers : {done}")], "{run}");
        if arrived == 0 {
            run.exits(1).denied(&[&format!("http.request flow-rule {origin}/#line")]);
            run.never_shows(TOKEN);
        } else {
            run.exits(0);
        }
    }
}

/// A body is held back until it is whole: a file that is spliced into it does not leave in parts.
#[test]
fn a_streamed_body_is_judged_before_its_first_byte_leaves() {
    for (action, arrived, done) in [("block", 0, "blocked"), ("warn", 1, "warned")] {
        let world = World::new();
        world.write("work/secret.txt", format!("{}{TOKEN}", "the quick brown fox\n".repeat(20_000)));
        let (grant, flow) = ("allow-read = [\"work::/data\"]", rule("file:/data/*", "http-request", action));
        let (heard, origin, run) = fetch(&world, grant, &flow, "upload-file", json!({"path": "/data/secret.txt"}));
        assert_eq!(heard, arrived, "{run}");
        let wanted = format!("CUS112 high file /data/secret.txt -> http-request {origin}/#body : {done}");
        assert!(found(&run).contains(&wanted), "{run}");
    }
}

/// What is documented is what there is, in the same words.
#[test]
fn every_code_is_documented() {
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/findings.md"));
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = plain(&text.unwrap());
    for rule in customs_flow::rules() {
        assert!(
            text.contains(&format!("### {}: {} Severity: {}.", rule.code, rule.title, rule.severity)),
            "{}",
            rule.code
        );
        assert!(text.contains(&plain(rule.explanation)) && text.contains(&plain(rule.example)), "{}", rule.code);
        assert!(text.contains(&rule.taxa.join(", ")), "{}", rule.code);
    }
}
