//! Recording and replay: a call again on its recording alone, with what it reached gone; where a replay parts; what a source decides.

use crate::support::certificates::Authority;
use crate::support::servers::{Datagrams, Server, free_port};
use crate::support::{Run, World, guest};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Fields of a record that a replay has of its own.
const VARYING: [&str; 4] = ["t", "time", "run", "prev"];

fn lasting(run: &Run) -> Vec<Value> {
    let mut records = run.ledger.clone();
    for record in &mut records {
        record.as_object_mut().unwrap().retain(|key, _| !VARYING.contains(&key.as_str()));
    }
    records
}

/// A call that was recorded.
struct Taped {
    world: World,
    recording: PathBuf,
    run: Run,
}

/// Records a call in a world that `prepare` has filled, with these variables in the environment.
fn tape(component: &Path, tool: &str, arguments: &Value, flags: &[&str], env: &[(&str, &str)]) -> Taped {
    tape_in(World::new(), component, tool, arguments, flags, env)
}

fn tape_in(
    world: World,
    component: &Path,
    tool: &str,
    arguments: &Value,
    flags: &[&str],
    env: &[(&str, &str)],
) -> Taped {
    let recording = world.path("").join("run.tape");
    let mut customs = world.run(component, tool, arguments, flags).arg("--record").arg(&recording);
    for (name, value) in env {
        customs = customs.env(name, value);
    }
    let run = customs.run();
    Taped { world, recording, run }
}

impl Taped {
    /// Replays with nothing of the world left that was granted.
    fn replay(&self, flags: &[&str]) -> Run {
        for granted in ["work", "ro"] {
            let (path, gone) = (self.world.path("").join(granted), self.world.path("").join(format!("gone-{granted}")));
            if path.exists() {
                std::fs::rename(path, gone).unwrap();
            }
        }
        let ledger =
            (0..).map(|n| self.world.path("").join(format!("replay-{n}.jsonl"))).find(|p| !p.exists()).unwrap();
        let customs = self.world.customs(&["replay"]).arg(&self.recording);
        flags.iter().fold(customs, |customs, flag| customs.arg(flag)).arg("-o").arg("json").ledger(&ledger).run()
    }

    /// The same result and the same ledger, but for what is another's each time.
    fn is_replayed(&self) -> Run {
        let replay = self.replay(&[]);
        assert_eq!(replay.json["replay"]["identical"], true, "{replay}\n{}", replay.json["replay"]);
        assert_eq!(replay.json["replay"]["missing"], json!([]), "{replay}");
        for key in ["result", "ending", "denials", "sources", "sinks", "findings", "complete", "suppressed"] {
            assert_eq!(replay.json[key], self.run.json[key], "{key}: {replay}");
        }
        assert_eq!(lasting(&replay), lasting(&self.run), "{replay}");
        replay.exits(0);
        replay
    }
}

fn script(operations: &Value) -> Value {
    json!({"script": operations.to_string()})
}

#[test]
fn replay_of_every_operation_is_identical_with_folder_and_environment_gone() {
    let world = World::new();
    world.write("work/f", "some content");
    let operations: Value = serde_json::from_str(include_str!("../fixtures/scripts/every-operation.json")).unwrap();
    let flags = ["--allow-write={work}::/box", "--deny-read={ro}", "--allow-env=A", "--env=B=two"];
    let taped = tape_in(world, &guest("puppet"), "perform", &script(&operations), &flags, &[("A", "one-of-the-host")]);
    let done = taped.run.exits(0).said().iter().filter(|word| *word == "ok").count();
    assert!(done > 60, "{}", taped.run);
    taped.is_replayed();
}

#[test]
fn replay_of_every_network_operation_is_identical_with_the_servers_gone() {
    let (web, datagrams, tcp) = (Server::http(), Datagrams::echo(), free_port());
    let text = include_str!("../fixtures/scripts/every-network-operation.json");
    let text = text.replace("{http}", &web.origin()).replace("{tcp}", &tcp.to_string());
    let text = text.replace("{udp}", &datagrams.port().to_string());
    let operations: Value = serde_json::from_str(&text).unwrap();
    let flags = [
        format!("--allow-net={}", web.origin()),
        format!("--allow-tcp=127.0.0.1:{tcp}"),
        format!("--allow-listen=127.0.0.1:{tcp}"),
        format!("--allow-udp=127.0.0.1:{}", datagrams.port()),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let taped = tape(&guest("puppet"), "perform", &script(&operations), &flags, &[]);
    taped.run.exits(0);
    let heard = web.connections();
    drop((web, datagrams));
    assert!(heard > 3, "{}", taped.run);
    taped.is_replayed();
}

#[test]
fn replay_of_three_requests_at_once_is_identical_and_reaches_no_server() {
    let web = Server::http();
    let url = |path: &str| format!("{}{path}", web.origin());
    let start = |path: &str, name: &str| json!({"op": "http-start", "url": url(path), "method": "POST", "text": path, "as": name});
    let operations = json!([
        start("/one", "a"), start("/two", "b"), start("/three", "c"),
        {"op": "subscribe", "handle": "a", "as": "pa"}, {"op": "subscribe", "handle": "b", "as": "pb"},
        {"op": "sleep", "ns": 1_000_000, "as": "timer"},
        {"op": "poll", "handles": ["pa", "pb", "timer"]},
        {"op": "wall-now"}, {"op": "mono-now"}, {"op": "random-u64"},
        {"op": "http-finish", "handle": "c"},
        {"op": "drop", "handle": "pa"}, {"op": "drop", "handle": "pb"},
        {"op": "http-finish", "handle": "a"}, {"op": "http-finish", "handle": "b"},
    ]);
    let grant = format!("--allow-net={}", web.origin());
    // The order in which they come back is another each time: each recording has its own.
    for _ in 0..3 {
        let taped = tape(&guest("puppet"), "perform", &script(&operations), &[&grant], &[]);
        assert_eq!(taped.run.exits(0).said().iter().filter(|word| *word != "ok").count(), 0, "{}", taped.run);
        let before = web.connections();
        taped.is_replayed();
        assert_eq!(web.connections(), before);
    }
}

#[test]
fn replay_of_requests_that_were_still_on_their_way_is_identical() {
    let mute = Server::mute();
    let plain = mute.origin().replace("https", "http");
    let operations = json!([
        {"op": "http-start", "url": format!("{plain}/never"), "as": "a"},
        {"op": "http-start", "url": format!("{}/shaking", mute.origin()), "as": "b"},
        {"op": "sleep", "ns": 50_000_000},
        {"op": "http-start", "url": format!("{plain}/dropped"), "as": "c"},
        {"op": "sleep", "ns": 50_000_000},
        {"op": "drop", "handle": "c"},
        {"op": "http", "url": format!("{plain}/late"), "first-byte-timeout": 30_000_000},
        {"op": "http", "url": format!("{}/later", mute.origin()), "connect-timeout": 30_000_000},
    ]);
    let grants = [format!("--allow-net={plain}"), format!("--allow-net={}", mute.origin())];
    let taped = tape(&guest("puppet"), "perform", &script(&operations), &[&grants[0], &grants[1]], &[]);
    drop(mute);
    taped.run.exits(0);
    taped.is_replayed();
}

#[test]
fn replay_of_a_secret_that_the_guest_never_held_is_identical_without_the_secret() {
    let authority = Authority::new();
    let web = Server::https(&authority.certificate(&["127.0.0.1"]));
    let secret = "s3cr3t-of-the-service-0042";
    let world = World::new();
    world.write("roots.pem", authority.pem());
    let operations = json!([
        {"op": "env"},
        {"op": "http", "url": format!("{}/echo", web.origin()), "headers": {"x": "y"}},
    ]);
    let flags = [format!("--secret=TOKEN@{}", web.origin()), format!("--allow-net={}", web.origin())];
    let flags = [flags[0].as_str(), flags[1].as_str(), "--tls-roots={world}/roots.pem"];
    let taped = tape_in(world, &guest("puppet"), "perform", &script(&operations), &flags, &[("TOKEN", secret)]);
    drop(web);
    std::fs::remove_file(taped.world.path("roots.pem")).unwrap();
    assert_eq!(taped.run.exits(0).said(), ["ok", "ok"], "{}", taped.run);
    let recording = std::fs::read(&taped.recording).unwrap();
    assert!(!recording.windows(secret.len()).any(|window| window == secret.as_bytes()));
    taped.is_replayed();
}

#[test]
fn replay_of_commands_and_tools_that_list_themselves_is_identical() {
    for (component, tool, arguments) in [
        ("hello", "run", json!({"args": ["a", "b"], "stdin": "from outside"})),
        ("dynamic", "greet", json!({"name": "x"})),
        ("dynamic", "progress", json!({"steps": 3})),
        ("notes", "read-note", json!({"path": "/etc/passwd"})),
    ] {
        let taped = tape(&guest(component), tool, &arguments, &["--allow-read={work}::/box"], &[]);
        taped.is_replayed();
    }
}

#[test]
fn replay_of_a_javascript_and_a_python_tool_is_identical_with_the_server_gone() {
    for component in ["fetch-js", "fetch-py"] {
        if !crate::support::checkout().join(format!("guests/dist/{component}.wasm")).is_file() {
            continue;
        }
        let web = Server::http();
        let arguments = json!({"url": format!("{}/weather?city=Bern", web.origin())});
        let taped = tape(&guest(component), "fetch", &arguments, &[&format!("--allow-net={}", web.origin())], &[]);
        taped.run.exits(0);
        drop(web);
        taped.is_replayed();
    }
}

#[test]
fn recording_changes_neither_the_result_nor_the_ledger_of_a_run() {
    let operations = json!([{"op": "open", "dir": "/box", "path": "f", "as": "h"}, {"op": "read", "handle": "h"},
        {"op": "env"}, {"op": "random-u64"}, {"op": "wall-now"}, {"op": "open", "dir": "/box", "path": "none"}]);
    let flags = ["--allow-read={work}::/box", "--deny-clock", "--deny-random", "--env=A=b"];
    let world = World::new();
    let plain = world.run(&guest("puppet"), "perform", &script(&operations), &flags).run();
    let recorded = world
        .run(&guest("puppet"), "perform", &script(&operations), &flags)
        .arg("--record")
        .arg(world.path("").join("x.tape"));
    let recorded = recorded.run();
    assert_eq!(recorded.json["result"], plain.json["result"]);
    let without_key = |run: &Run| {
        let mut records = lasting(run);
        for record in &mut records {
            // Digests of secrets have a key of the run.
            if record["keyed"] == true {
                record.as_object_mut().unwrap().remove("sha256");
            }
        }
        records
    };
    assert_eq!(without_key(&recorded), without_key(&plain));
}

#[test]
fn recording_is_private_new_and_out_of_the_tools_reach() {
    let taped = tape(&guest("hello"), "run", &json!({}), &[], &[]);
    assert_eq!(std::fs::metadata(&taped.recording).unwrap().permissions().mode() & 0o777, 0o600);
    let world = &taped.world;
    world.write("full", "something");
    for (place, why) in [("{world}/full", "not empty"), ("{work}/x.tape", "lies inside"), ("{world}/no/x", "directory")]
    {
        let record = format!("--record={place}");
        let run = world.run(&guest("hello"), "run", &json!({}), &["--allow-write={work}", &record]).run();
        assert!(run.exits(2).stderr.contains(why), "{place}: {run}");
        assert!(!world.exists("work/x.tape"));
    }
    assert_eq!(world.read("full"), b"something");
    let twin =
        world.run(&guest("hello"), "run", &json!({}), &["--allow-write={work}", "--record={world}/y.tape"]).run();
    assert!(twin.exits(0).code == 0 && world.exists("y.tape"));
}

/// Writes a recording again with its lines changed, and the digest that belongs to them.
fn rewritten(recording: &Path, to: &Path, change: impl Fn(&mut Vec<String>)) {
    let text = std::fs::read_to_string(recording).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    change(&mut lines);
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let digest: String = Sha256::digest(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(to, format!("{body}{}\n", json!({"end": digest}))).unwrap();
}

#[test]
fn replay_that_parts_names_the_first_record_and_what_each_did() {
    let operations = json!([{"op": "open", "dir": "/box", "path": "f"}, {"op": "open", "dir": "/box", "path": "g"}]);
    let taped = tape(&guest("puppet"), "perform", &script(&operations), &["--allow-read={work}::/box"], &[]);
    let other = taped.world.path("").join("other.tape");
    rewritten(&taped.recording, &other, |lines| {
        for line in lines.iter_mut().filter(|line| line.starts_with("{\"ledger\"")) {
            *line = line.replace("/box/g", "/box/k");
        }
    });
    let parted = Taped { recording: other, ..taped };
    let replay = parted.replay(&[]);
    let divergence = &replay.exits(1).json["replay"]["divergence"];
    assert_eq!(divergence["recorded"]["requested"], "/box/k", "{divergence}");
    assert_eq!(divergence["replayed"]["requested"], "/box/g", "{divergence}");
    assert_eq!(divergence["seq"], divergence["recorded"]["seq"]);
    assert!(replay.stderr.contains("parts from the recording at record"), "{replay}");
    // And a source whose recording is not its own gets no verdict.
    let causes = parted.replay(&["--perturb", "all"]);
    assert_eq!(causes.exits(1).json["replay"]["perturbed"], json!([]));
}

#[test]
fn replay_with_another_version_says_what_it_does_differently() {
    let taped = tape(&guest("hello"), "run", &json!({"args": ["/box/f"]}), &["--allow-read={work}::/box"], &[]);
    let same = taped.world.path("").join("same.wasm");
    // A custom section: other bytes, the same tool.
    let mut bytes = std::fs::read(guest("hello")).unwrap();
    bytes.extend([0, 3, 1, b'x', 0]);
    std::fs::write(&same, bytes).unwrap();
    let replay = taped.replay(&["--component", same.to_str().unwrap()]);
    assert_eq!(
        replay.exits(0).json["replay"]["differences"]["accesses"],
        json!({"added": [], "gone": [], "changed": []})
    );
    let other = guest("wordcount");
    let replay = taped.replay(&["--component", other.to_str().unwrap()]);
    let differences = &replay.exits(1).json["replay"]["differences"];
    let added = differences["accesses"]["added"].as_array().unwrap();
    assert!(added.iter().any(|access| access["requested"] == "/box/f"), "{differences}");
    // What the recording does not have is refused and told.
    let missing = replay.json["replay"]["missing"].as_array().unwrap();
    assert!(
        missing.iter().any(|one| one["asked"].as_str().unwrap().contains("/box/f") && one["code"] == "not-recorded"),
        "{replay}"
    );
    // Without --component it has to be the very one.
    let moved = taped.world.path("").join("gone.tape");
    rewritten(&taped.recording, &moved, |lines| lines[0] = lines[0].replace("hello.wasm", "wordcount.wasm"));
    let replay = Taped { recording: moved, ..taped }.replay(&[]);
    assert!(replay.exits(2).stderr.contains("--component"), "{replay}");
}

#[test]
fn replay_of_a_call_that_its_time_ended_is_refused() {
    let taped = tape(&guest("puppet"), "perform", &script(&json!([{"op": "spin"}])), &["--timeout=200ms"], &[]);
    assert_eq!(taped.run.exits(3).ending(), "limit time");
    assert!(taped.replay(&[]).exits(2).stderr.contains("stopped by its time"));
    let twin = tape(&guest("puppet"), "perform", &script(&json!([{"op": "trap"}])), &[], &[]);
    assert_eq!(twin.run.exits(3).ending(), "trap");
    twin.is_replayed();
}

/// What `leaks` does with a source, and what is said of it: `by content`, `by length`, or `cleared`.
#[test]
fn causal_evidence_catches_what_matching_cannot_and_clears_what_is_ignored() {
    let key = "vT4-kQ9z_Lw2mX7c";
    for (from, name) in [("env", "env:API_KEY"), ("file", "file:/data/secrets.env")] {
        for (through, wanted) in [
            ("xor", "content"),
            ("digest", "content"),
            ("reverse", "content"),
            ("yes-or-no", "content"),
            ("length", "length"),
            ("nothing", "cleared"),
        ] {
            let world = World::new();
            world.write("work/secrets.env", key);
            let arguments = json!({"from": from, "through": [through], "shape": if through == "xor" { "codes" } else { "field" }, "to": "return"});
            let flags = ["--allow-env=API_KEY", "--allow-read={work}::/data"];
            let taped = tape_in(world, &guest("leaks"), "leak", &arguments, &flags, &[("API_KEY", key)]);
            let replay = taped.replay(&["--perturb", name]);
            let perturbed = &replay.json["replay"]["perturbed"][0];
            let causal: Vec<&Value> =
                replay.json["findings"].as_array().unwrap().iter().filter(|f| f["method"] == "causal").collect();
            assert_eq!(replay.json["replay"]["identical"], true, "{name} {through}: {replay}");
            if wanted == "cleared" {
                assert_eq!(
                    (perturbed["cleared"].as_bool(), causal.len()),
                    (Some(true), 0),
                    "{name} {through}: {replay}"
                );
                continue;
            }
            assert_eq!(perturbed["cleared"], false, "{name} {through}: {replay}");
            assert!(perturbed["influences"].as_array().unwrap().iter().any(|i| i["by"] == wanted), "{perturbed}");
            let rule = if from == "env" { "CUS101" } else { "CUS111" };
            assert!(causal.iter().all(|f| f["rule"] == rule) && !causal.is_empty(), "{name} {through}: {replay}");
            assert_eq!(replay.json["methods"], json!(["match", "causal"]));
        }
    }
}

#[test]
fn causal_evidence_fails_a_build_that_asked_for_it_and_unknown_sources_are_refused() {
    let arguments = json!({"from": "env", "through": ["digest"], "shape": "field", "to": "return"});
    let taped = tape(&guest("leaks"), "leak", &arguments, &["--allow-env=API_KEY"], &[("API_KEY", "vT4-kQ9z_Lw2mX7c")]);
    assert_eq!(taped.replay(&["--fail-on=high"]).code, 0);
    assert_eq!(taped.replay(&["--fail-on=high", "--perturb=env:API_KEY"]).code, 4);
    for (source, why) in [("env:OTHER", "has no source env:OTHER"), ("API_KEY", "KIND:NAME")] {
        let replay = taped.replay(&[&format!("--perturb={source}")]);
        assert!(replay.exits(2).stderr.contains(why), "{source}: {replay}");
    }
}

#[test]
fn hostile_recordings_are_refused_with_one_sentence() {
    let taped = tape(&guest("hello"), "run", &json!({"args": ["a"]}), &["--allow-read={work}::/box"], &[]);
    let text = std::fs::read_to_string(&taped.recording).unwrap();
    let bad = taped.world.path("").join("bad.tape");
    let refused = |what: &str| {
        let run = taped.world.customs(&["replay"]).arg(&bad).run();
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(run.exits(2).stdout.is_empty() && lines.len() == 1, "{what}: {run}");
    };
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("no JSON", b"hello\n".to_vec()),
        ("cut", text.as_bytes()[..text.len() / 2].to_vec()),
        ("without its end", text.lines().next().unwrap().as_bytes().to_vec()),
        ("changed", text.replacen("\"tool\"", "\"took\"", 1).into_bytes()),
        ("not text", vec![0xff; 10_000]),
        ("many line ends", vec![b'\n'; 1_000_000]),
        ("deep", [vec![b'['; 100_000], b"\n".to_vec()].concat()),
    ] {
        std::fs::write(&bad, bytes).unwrap();
        refused(what);
    }
    type Edit = fn(&mut Vec<String>);
    let edits: [(&str, Edit); 8] = [
        ("another schema", |lines| lines[0] = lines[0].replace("recording/1", "recording/9")),
        ("another policy", |lines| lines[0] = lines[0].replace("allow-read", "allow-write")),
        ("no key", |lines| lines[0] = lines[0].replace("\"key\"", "\"kex\"")),
        ("no ledger", |lines| lines.retain(|line| !line.starts_with("{\"ledger\""))),
        ("no tape", |lines| lines.retain(|line| !line.starts_with("{\"tape\""))),
        ("a note of nothing", |lines| lines.push("{\"note\":[4000000000,null]}".to_owned())),
        ("a deep note", |lines| lines.push(format!("{{\"note\":[0,{}]}}", "[".repeat(50_000)))),
        ("many records", |lines| lines.push(format!("{{\"records\":[{}]}}", vec!["[1,1]"; 300_000].join(",")))),
    ];
    for (what, edit) in edits {
        rewritten(&taped.recording, &bad, edit);
        refused(what);
    }
    // Answers of another shape than the guest's questions are no answers; and the twin without an edit is replayed.
    rewritten(&taped.recording, &bad, |lines| {
        for line in lines.iter_mut().filter(|line| line.starts_with("{\"note\"")) {
            let at = line.find(',').unwrap();
            *line = format!("{},{{\"failed\":\"nonsense\"}}]}}", &line[..at]);
        }
    });
    let run = taped.world.customs(&["replay"]).arg(&bad).run();
    assert!((0..=3).contains(&run.code), "{run}");
    rewritten(&taped.recording, &bad, |_| ());
    taped.world.customs(&["replay"]).arg(&bad).run().exits(0);
}
