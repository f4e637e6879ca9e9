//! Policy files and rules: refused with their place and reason, or decided as written. The program refuses a policy before anything runs.

use crate::support::{Run, World, checkout, guest};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::os::unix::fs::PermissionsExt as _;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    refused: Vec<Refused>,
    ask: Vec<Ask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    name: String,
    id: u32,
    policy: Option<String>,
    flags: Option<Vec<String>>,
    tells: Vec<String>,
    twin: Option<String>,
    twin_flags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    name: String,
    id: u32,
    flags: Vec<String>,
    ask: String,
    code: Option<String>,
    answer: String,
    twin: Twin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Twin {
    flags: Option<Vec<String>>,
    ask: Option<String>,
}

fn file() -> File {
    let path = checkout().join("fixtures/cases/policy.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// One sentence for a person and nothing else.
fn one_sentence(name: &str, run: &Run) {
    assert!(run.stderr.starts_with("error    ") && run.stderr.lines().count() == 1, "{name}: one sentence: {run}");
    assert_eq!(run.stdout, "", "{name}: {run}");
}

fn check(world: &World, policy: &str) -> Run {
    world.write("policy.toml", policy);
    world.customs(&["policy", "check", "policy.toml"]).run()
}

fn show(world: &World, flags: &[String]) -> Run {
    let arguments: Vec<&str> = ["policy", "show"].into_iter().chain(flags.iter().map(String::as_str)).collect();
    world.customs(&arguments).run()
}

#[test]
fn policies_that_cannot_be_enforced_are_refused_and_their_twins_are_not() {
    let world = World::new();
    for case in file().refused {
        let name = format!("{} ({})", case.name, case.id);
        let run = match (&case.policy, &case.flags) {
            (Some(policy), None) => check(&world, policy.trim_start()),
            (None, Some(flags)) => show(&world, flags),
            _ => panic!("{name}: a policy or flags"),
        };
        assert_eq!(run.code, 2, "{name}: {run}");
        one_sentence(&name, &run);
        for text in &case.tells {
            assert!(run.stderr.contains(text), "{name}: stderr does not have {text:?}: {run}");
        }
        if let Some(policy) = &case.twin {
            let twin = check(&world, policy.trim_start());
            assert_eq!(twin.code, 0, "the twin of {name}: {twin}");
        }
        if let Some(flags) = &case.twin_flags {
            let twin = show(&world, flags);
            assert_eq!(twin.code, 0, "the twin of {name}: {twin}");
        }
    }
}

#[test]
fn what_no_grant_covers_or_a_rule_denies_is_denied_and_its_twin_is_allowed() {
    let world = World::new();
    world.write("work/g", "beside f");
    for case in file().ask {
        let why = |flags: &[String], ask: &str| {
            let flags = flags.iter().map(String::as_str);
            let arguments: Vec<&str> = ["why", ask].into_iter().chain(flags).chain(["-o", "json"]).collect();
            world.customs(&arguments).env("APP_KEY", "value").run()
        };
        let run = why(&case.flags, &case.ask);
        assert_eq!(case.answer, "denied", "{}: every case is a denial", case.name);
        assert_eq!((run.code, &run.json["decision"]), (1, &json!("deny")), "{} ({}): {run}", case.name, case.id);
        assert!(run.json["code"].is_string() && run.json["reason"].is_string(), "{}: {run}", case.name);
        if let Some(code) = &case.code {
            assert_eq!(run.json["code"], json!(code), "{} ({}): {run}", case.name, case.id);
        }
        let flags = case.twin.flags.as_ref().unwrap_or(&case.flags);
        let twin = why(flags, case.twin.ask.as_ref().unwrap_or(&case.ask));
        assert_eq!((twin.code, &twin.json["decision"]), (0, &json!("allow")), "the twin of {}: {twin}", case.name);
    }
}

#[test]
fn the_table_of_policies_has_a_case_for_each_threat() {
    let file = file();
    for id in [41, 42, 43, 45, 46, 47, 49, 50, 53, 57, 58, 71, 72, 137, 138, 140, 141, 145] {
        let there = file.refused.iter().any(|c| c.id == id) || file.ask.iter().any(|c| c.id == id);
        assert!(there, "there is no case for {id}");
    }
}

/// 137: an empty file denies everything, a missing one is no reason to allow.
#[test]
fn an_empty_policy_denies_everything_and_a_missing_one_refuses() {
    let world = World::new();
    world.write("policy.toml", "");
    let script = json!([{"op": "open", "dir": "/", "path": "box/f"}, {"op": "env"}]);
    let run = world.perform(&["--policy=policy.toml"], script.clone());
    run.exits(0);
    run.denied(&["fs.read no-grant /box/f"]);
    assert_ne!(run.said()[0], "ok", "{run}");
    assert_eq!(run.outcomes()[1]["value"], json!({}), "{run}");

    let run = world.perform(&["--policy=missing.toml"], script.clone());
    run.exits(2);
    assert_eq!(run.ending(), "refused", "{run}");
    assert!(run.stderr.contains("missing.toml: no such file or directory"), "{run}");
    assert!(run.ledger.is_empty(), "nothing ran, so that nothing is recorded: {run}");

    world.write("policy.toml", "[tool.puppet]\nallow-read = [\"./work::/box\"]\n");
    let run = world.perform(&["--policy=policy.toml"], script);
    assert_eq!(run.said()[0], "ok", "{run}");
}

/// 142: what decides about a tool must not lie where the tool can write.
#[test]
fn files_that_a_tool_could_change_are_refused_and_beside_the_grant_they_are_not() {
    let world = World::new();
    let text = "[tool.puppet]\nallow-write = [\"{work}::/box\"]\n";
    world.write("work/policy.toml", world.fill(text));
    world.write("policy.toml", world.fill(text));
    std::fs::copy(guest("puppet"), world.path("work/puppet.wasm")).unwrap();
    std::fs::copy(guest("puppet"), world.path("puppet.wasm")).unwrap();
    world.dir("work/cache");
    world.link("innocent.toml", "{work}/policy.toml");
    let grant = "--allow-write={work}::/box";
    let call = ["perform", "--args={\"script\":\"[]\"}", "-o", "json"];
    let run = |start: &[&str], more: &[&str]| {
        let arguments: Vec<&str> = ["run"].iter().chain(start).chain(&call).chain(more).copied().collect();
        world.customs(&arguments)
    };
    let refused = |what: &str, run: Run| {
        assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{what}: {run}");
        assert!(run.stderr.contains("the tool could change it"), "{what}: {run}");
    };
    refused("policy", run(&["puppet.wasm"], &["--policy=work/policy.toml"]).run());
    refused("policy behind a link", run(&["puppet.wasm"], &["--policy=innocent.toml"]).run());
    refused("component", run(&["work/puppet.wasm"], &[grant]).run());
    refused("ledger", run(&["puppet.wasm"], &[grant, "--ledger=work/ledger.jsonl"]).run());
    assert!(!world.exists("work/ledger.jsonl"), "a refused ledger is not made");
    world.write("work/roots.pem", "");
    refused("roots", run(&["puppet.wasm"], &[grant, "--tls-roots=work/roots.pem"]).run());
    refused("compiled code", run(&["puppet.wasm"], &[grant]).env("CUSTOMS_CACHE_DIR", world.path("work/cache")).run());

    run(&["puppet.wasm"], &["--policy=policy.toml", "--ledger=ledger.jsonl"]).run().exits(0);
    run(&["work/puppet.wasm"], &["--allow-read={work}::/box"]).run().exits(0);
}

/// What a person is shown of the network, before a tool runs.
#[test]
fn policy_show_says_where_names_lead_who_gets_a_secret_and_what_is_wrong_with_that() {
    let world = World::new();
    let policy = r#"[tool.t]
allow-net = ["https://api.test"]
allow-udp = ["ntp.test:123"]
allow-listen = ["0.0.0.0:8080"]
resolve = ["API.test=10.1.2.3", "api.test=[fd00::1]"]
tls-roots = "ro/f"
secret = [{ name = "KEY", to = "https://api.test" }, { name = "KEY", to = "http://open.test" }]
"#;
    world.write("policy.toml", policy);
    let show = |more: &[&str]| {
        let arguments: Vec<&str> = ["policy", "show", "policy.toml"].iter().chain(more).copied().collect();
        let run = world.customs(&arguments).run();
        run.exits(0);
        run
    };
    let shown = show(&["-o", "json"]);
    let roots = world.path("ro/f").canonicalize().unwrap().display().to_string();
    assert_eq!(shown.json["resolve"], json!({"api.test": ["10.1.2.3", "fd00::1"]}), "{shown}");
    assert_eq!(shown.json["tls-roots"], json!(roots), "{shown}");
    assert_eq!(shown.json["secrets"][0]["name"], "KEY", "{shown}");
    assert_eq!(shown.json["secrets"][0]["to"], "https://api.test", "{shown}");
    assert_eq!(shown.json["secrets"][1]["to"], "http://open.test", "{shown}");
    let warnings: Vec<&str> = shown.json["warnings"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "--allow-listen=0.0.0.0:8080 (policy.toml:4) is reachable from other machines",
            "--secret=KEY@http://open.test (policy.toml:7) has no effect: nothing allows requests to http://open.test",
            "--secret=KEY@http://open.test (policy.toml:7) would be sent in clear text",
        ],
        "{shown}"
    );
    let text = show(&[]).stdout;
    for line in [
        "grant    --allow-udp=ntp.test:123",
        "secret   KEY  is a placeholder, and itself in requests to https://api.test",
        "name     api.test  is 10.1.2.3, fd00::1",
        &format!("roots    {roots}  instead of the platform's"),
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    world.write("policy.toml", "[tool.t]\n");
    let none = show(&["-o", "json"]);
    assert_eq!(
        (&none.json["resolve"], &none.json["tls-roots"], &none.json["secrets"]),
        (&json!({}), &json!(null), &json!([]))
    );
}

/// Flow rules are shown in their plain spelling, grant nothing, and are part of the digest.
#[test]
fn policy_show_says_what_is_done_about_which_flow() {
    let world = World::new();
    let show = |policy: &str, more: &[&str]| {
        world.write("policy.toml", policy);
        let arguments: Vec<&str> = ["policy", "show", "policy.toml"].iter().chain(more).copied().collect();
        let run = world.customs(&arguments).run();
        run.exits(0);
        run
    };
    let policy = r#"[tool.t]
[[tool.t.flow]]
from = "secret"
to = "return"
do = "redact"
[[tool.t.flow]]
from = "env:*"
to = "http-request:https://API.test:443/v1*"
do = "block"
"#;
    let shown = show(policy, &["-o", "json"]);
    let to = "http-request:https://api.test/v1*";
    let blocks = "flow env:* -> http-request:https://API.test:443/v1*: block";
    assert_eq!(
        shown.json["flow"],
        json!([
            {"from": "secret", "to": "return", "do": "redact", "rule": "flow secret -> return: redact (policy.toml:2)"},
            {"from": "env", "to": to, "do": "block", "rule": format!("{blocks} (policy.toml:6)")},
        ]),
        "{shown}"
    );
    assert_eq!(shown.json["grants"], json!([blocks, "flow secret -> return: redact"]), "{shown}");
    let text = show(policy, &[]).stdout;
    let lines: Vec<&str> = text.lines().take(3).collect();
    let expected = [
        "grants   none: the tool reaches nothing",
        "flow     secret -> return  redact",
        &format!("flow     env -> {to}  block"),
    ];
    assert_eq!(lines, expected, "{text}");

    let milder = show(&policy.replacen("redact", "warn", 1), &["-o", "json"]);
    assert_ne!(milder.json["digest"], shown.json["digest"], "{milder}");
    let none = show("[tool.t]\n", &["-o", "json"]);
    assert_eq!((&none.json["flow"], &none.json["grants"]), (&json!([]), &json!([])), "{none}");
}

/// 143: others may write the policy: it is used, and its owner is told. What it said is in the ledger by its digest.
#[test]
fn a_policy_that_others_may_write_is_warned_of_and_pinned_by_its_digest() {
    let world = World::new();
    world.write("policy.toml", "[tool.puppet]\nallow-read = [\"./ro\"]\n");
    let mode =
        |bits| std::fs::set_permissions(world.path("policy.toml"), std::fs::Permissions::from_mode(bits)).unwrap();
    let shown = world.customs(&["policy", "show", "policy.toml", "-o", "json"]).run();
    for (bits, warned) in [(0o644, false), (0o666, true)] {
        mode(bits);
        let run = world.perform(&["--policy=policy.toml"], json!([]));
        run.exits(0);
        assert_eq!(run.stderr.contains("others may write the policy file"), warned, "mode {bits:o}: {run}");
        assert_eq!(run.ledger[0]["policy"], shown.json["digest"], "{run}");
        let check = world.customs(&["policy", "check", "policy.toml"]).run();
        assert_eq!(check.stdout.contains("others may write this file"), warned, "{check}");
    }
}

/// 4.4: other bytes than the pinned ones are refused, with both digests.
#[test]
fn a_component_with_other_bytes_than_pinned_is_refused_and_with_the_pinned_ones_called() {
    let world = World::new();
    let bytes = std::fs::read(guest("puppet")).unwrap();
    let digest = crate::support::hex(&Sha256::digest(&bytes));
    let pin = |digest: &str| world.write("policy.toml", format!("[tool.puppet]\nsha256 = \"{digest}\"\n"));
    pin(&digest);
    world.perform(&["--policy=policy.toml"], json!([])).exits(0);
    let other = digest.replace(|c: char| c == digest.chars().next().unwrap(), "e").replacen('e', "f", 1);
    pin(&other);
    let run = world.perform(&["--policy=policy.toml"], json!([]));
    run.exits(2);
    assert_eq!(run.ending(), "refused", "{run}");
    assert!(run.stderr.contains(&digest[..8]) && run.stderr.contains(&other[..8]), "both digests are named: {run}");
}

/// 4.4: `expose` hides the other tools, and a policy for another component is not used.
#[test]
fn tools_that_are_not_exposed_do_not_exist() {
    let world = World::new();
    let grants = "allow-read = [\"./work::/data\"]\nexpose = [\"search\"]\n";
    world.write("policy.toml", format!("[tool.notes]\n{grants}"));
    let call =
        |tool: &str, args: serde_json::Value| world.run(&guest("notes"), tool, &args, &["--policy=policy.toml"]).run();
    call("search", json!({"query": "x"})).exits(0);
    let run = call("read-note", json!({"path": "f"}));
    run.exits(2);
    assert!(run.stderr.contains("has no tool \"read-note\"; it has search"), "{run}");

    world.write("policy.toml", format!("[tool.notes]\ncomponent = \"other.wasm\"\n{grants}"));
    let run = call("search", json!({"query": "x"}));
    run.exits(2);
    assert!(run.stderr.contains("is for another component"), "{run}");
}

/// 147: a running call keeps what it was given; what is in the file by then is for the next.
#[test]
fn a_policy_that_changes_during_a_call_decides_about_the_next_one_only() {
    let world = World::new();
    let grants = |text: &str| world.write("policy.toml", format!("[tool.puppet]\n{text}\n"));
    let script = json!([{"op": "sleep", "ns": 400_000_000}, {"op": "open", "dir": "/box", "path": "f"}]);
    let perform = || world.script(&["--policy=policy.toml"], script.clone());
    grants("allow-read = [\"./work::/box\"]");
    let running = perform();
    let ledger = world.path("ledgers/0.jsonl");
    let first = std::thread::scope(|scope| {
        let call = scope.spawn(|| running.run());
        // The file is there when the policy has been read.
        while !ledger.exists() {
            assert!(!call.is_finished(), "the call left no ledger");
            std::thread::yield_now();
        }
        grants("deny-read = [\"./work\"]\nallow-read = [\"./work::/box\"]");
        call.join().unwrap()
    });
    assert_eq!(first.said(), ["ok", "ok"], "{first}");
    let second = perform().run();
    assert_ne!(second.said()[1], "ok", "{second}");
    assert_ne!(first.ledger[0]["policy"], second.ledger[0]["policy"], "another policy has another digest");
}

/// 145: zero is none, not "unlimited".
#[test]
fn limits_of_zero_allow_nothing() {
    let world = World::new();
    let script = json!([{"op": "args"}]);
    for (flag, ending) in [
        ("--timeout=0", "limit time"),
        ("--max-memory=0", "limit memory"),
        ("--max-output=0", "limit output"),
        ("--fuel=0", "limit fuel"),
    ] {
        let run = world.perform(&[flag], script.clone());
        assert_eq!((run.code, run.ending()), (3, ending.to_owned()), "{flag}: {run}");
    }
    let run = world.perform(&["--max-input=0"], script.clone());
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "arguments are input: {run}");
    let write = json!([
        {"op": "open", "dir": "/box", "path": "new", "create": true, "write": true, "as": "h"},
        {"op": "write", "handle": "h", "text": "x"},
    ]);
    let run = world.perform(&["--max-file-write=0", "--allow-write={work}::/box"], write.clone());
    assert!(world.read("work/new").is_empty(), "not one byte is written: {run}");
    world.perform(&["--max-file-write=4", "--allow-write={work}::/box"], write).exits(0);
    assert_eq!(world.read("work/new"), b"x");
    world.perform(&[], script).exits(0);
}

/// 146: size and depth are looked at before anything is parsed.
#[test]
fn policies_too_large_or_too_deep_are_refused_at_once() {
    let world = World::new();
    let refused = |what: &str, text: &str| {
        let began = std::time::Instant::now();
        let run = check(&world, text);
        assert_eq!(run.code, 2, "{what}: {run}");
        one_sentence(what, &run);
        assert!(began.elapsed().as_secs() < 5, "{what}: {:?}", began.elapsed());
    };
    refused("100 MB", &format!("# {}\n", "x".repeat(100 << 20)));
    refused("lists", &format!("a = {}", "[".repeat(100_000)));
    refused("tables", &format!("a = {}", "{a=".repeat(10_000)));
    refused("dots", &format!("a{} = 1", ".a".repeat(10_000)));
    refused("headers", &format!("[a{}]", ".a".repeat(10_000)));
    refused("not UTF-8", "\u{1}");
    let many: String = (0..1_000).map(|n| format!("[tool.t{n}]\ntimeout = \"5s\"\n")).collect();
    let run = check(&world, &many);
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok       policy.toml: 1000 tools\n"), "{run}");
}
