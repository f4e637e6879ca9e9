//! How long a request may take, how much may cross, and how many there may be at once. 63 to 66.

use super::{allow, connected, get, perform, requests};
use crate::support::servers::Server;
use crate::support::watched::{long_script, watched};
use crate::support::{World, guest};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// 63: the guest's own timeouts are its own; nothing of ours depends on them.
#[test]
fn timeouts_of_nothing_and_without_end_break_nothing() {
    let server = Server::http();
    let timeouts = ["connect-timeout", "first-byte-timeout", "between-bytes-timeout"];
    for name in timeouts {
        let run = perform(
            &[&allow(&server)],
            json!([{"op": "http", "url": server.origin(), name: 0}, {"op": "http", "url": server.origin(), name: "max"}]),
        );
        let said = run.exits(0).said();
        assert_eq!(said[1], "ok", "{name}: {run}");
        assert!(["ok", "connection-timeout", "connection-read-timeout"].contains(&said[0].as_str()), "{name}: {run}");
    }
    let all = json!({"op": "http", "url": format!("{}/silent", server.origin()), "connect-timeout": "max",
        "first-byte-timeout": "max", "between-bytes-timeout": "max"});
    let run = perform(&[&allow(&server), "--timeout=700ms"], json!([all]));
    assert_eq!(run.exits(3).ending(), "limit time", "our own deadline still rules: {run}");
    // Each of them does what it says, on a server that keeps its clients waiting.
    let patient =
        |path: &str, name: &str| json!({"op": "http", "url": format!("{}{path}", server.origin()), name: 200_000_000});
    let script = json!([
        patient("/silent", "first-byte-timeout"),
        patient("/slow-head", "first-byte-timeout"),
        patient("/stall", "between-bytes-timeout"),
        patient("/large?100000", "between-bytes-timeout"),
    ]);
    let run = perform(&[&allow(&server), "--timeout=10s"], script);
    let said = run.exits(0).said();
    assert!(said[..2].iter().all(|word| word == "connection-read-timeout"), "{run}");
    assert!(said[2] != "ok" && said[3] == "ok", "{run}");
}

/// 64: one byte after the other, for ever: what counts is the whole, not the gap between two bytes.
#[test]
fn a_server_that_answers_slowly_is_stopped_by_the_total_deadline() {
    let server = Server::http();
    let world = World::new();
    for path in ["/slow-head", "/slow-body", "/silent"] {
        let url = format!("{}{path}", server.origin());
        let began = Instant::now();
        // The guest is content with a byte a second.
        let script = json!([{"op": "http", "url": url, "between-bytes-timeout": 1_000_000_000}]);
        let run = world.perform(&[&allow(&server), "--timeout=1200ms"], script);
        let took = began.elapsed();
        assert_eq!(run.exits(3).ending(), "limit time", "{path}: {run}");
        assert_eq!(run.json["result"], Value::Null, "{run}");
        assert!((Duration::from_millis(1_200)..Duration::from_secs(6)).contains(&took), "{path}: {took:?}");
        // What did come is a source all the same.
        let head = run.sources().iter().any(|source| source.ends_with("#head"));
        assert_eq!(head, path == "/slow-body", "{run}");
    }
    assert_eq!(perform(&[&allow(&server)], json!([get(&server.origin())])).said(), ["ok"]);
}

/// 65: an answer without end is stopped by what may come in, not by memory.
#[test]
fn an_endless_answer_is_stopped_by_the_input_limit_in_bounded_memory() {
    let server = Server::http();
    let world = World::new();
    let ask = |path: &str, limit: &str| {
        let script = json!([{"op": "http", "url": format!("{}{path}", server.origin()), "quiet": true}]);
        watched(&world, || world.script(&[&allow(&server), limit], script.clone()))
    };
    let (_, small) = ask("/", "--max-input=1MiB");
    for path in ["/endless", "/endless-chunks"] {
        let (run, peak) = ask(path, "--max-input=2MiB");
        assert_eq!(run.exits(3).ending(), "limit input", "{run}");
        assert!(run.json["ending"]["detail"].as_str().unwrap().contains("the limit is 2097152"), "{run}");
        // What is kept, what the guest holds, and what is on the way between them.
        assert!(peak.memory < small.memory + (24 << 10), "{path}: {peak:?}, of which {small:?} for nothing");
        let body = super::crossed(&run, "sources", "http-response", "#body");
        assert!(body["bytes"].as_u64().unwrap() <= 2 << 20, "{run}");
        assert_eq!(body["complete"], false, "{run}");
        assert_eq!(run.json["complete"], false, "{run}");
    }
    // The twin: a large answer that fits arrives whole.
    let (run, _) = ask("/large?1500000", "--max-input=2MiB");
    assert_eq!(run.exits(0).outcomes()[0]["value"]["body"]["len"], 1_500_000, "{run}");
}

/// 65: a guest that does not read does not make the host read ahead for it.
#[test]
fn an_answer_that_nobody_reads_stays_with_the_server() {
    let server = Server::http();
    let world = World::new();
    let script = json!([
        {"op": "http-start", "url": format!("{}/endless", server.origin()), "as": "one"},
        {"op": "sleep", "ns": 1_000_000_000},
    ]);
    let (run, peak) = watched(&world, || world.script(&[&allow(&server)], script.clone()));
    assert_eq!(run.exits(0).said(), ["ok", "ok"], "{run}");
    let body = run.json["sources"].as_array().unwrap().iter().find(|s| s["name"].as_str().unwrap().ends_with("#body"));
    assert!(body.is_none_or(|body| body["bytes"].as_u64().unwrap() < 4 << 20), "{run}");
    assert!(peak.memory < 200 << 10, "{peak:?}");
}

/// 65: a request without end is stopped by what may go out.
#[test]
fn an_endless_request_is_stopped_by_the_output_limit_in_bounded_memory() {
    let server = Server::http();
    let world = World::new();
    // Ten gigabytes that take no room on the disk.
    world.dir("work");
    std::fs::File::create(world.path("work/sparse")).unwrap().set_len(10 << 30).unwrap();
    let upload = |file: &str, limit: &str| {
        let arguments = json!({"path": format!("/box/{file}"), "url": format!("{}/swallow", server.origin())});
        let grant = allow(&server);
        let flags = ["--allow-read={work}::/box", &grant, "--max-input=20GiB", limit];
        watched(&world, || world.run(&guest("fetch"), "upload-file", &arguments, &flags))
    };
    world.write("work/some", vec![b'x'; 1_500_000]);
    let (run, small) = upload("some", "--max-output=2MiB");
    assert!(run.exits(0).stdout.contains("1500000 bytes"), "{run}");
    let (run, peak) = upload("sparse", "--max-output=2MiB");
    assert_eq!(run.exits(3).ending(), "limit output", "{run}");
    assert!(peak.memory < small.memory + (24 << 10), "{peak:?}, of which {small:?} for a small one");
    let heard = server.heard();
    let last = heard.last().unwrap();
    assert!(last.length <= 2 << 20 && !last.whole, "{heard:#?}");
    let body = super::crossed(&run, "sinks", "http-request", "#body");
    assert!(body["bytes"].as_u64().unwrap() >= last.length, "nothing left that was not seen: {run}");
}

/// A server that answers before it has read everything is believed.
#[test]
fn an_answer_that_comes_before_the_request_is_over_arrives() {
    let server = Server::http();
    let script = json!([{"op": "http", "url": format!("{}/early", server.origin()), "method": "POST", "fill": 10}]);
    let run = perform(&[&allow(&server), "--timeout=10s"], script);
    assert_eq!(run.exits(0).outcomes()[0]["value"]["body"]["text"], "early", "{run}");
}

/// The request past the limit stops the call, and has not left.
#[test]
fn requests_past_their_limit_stop_the_call_before_they_leave() {
    let server = Server::http();
    let script = |count: usize| json!((0..count).map(|_| get(&server.origin())).collect::<Vec<_>>());
    let run = perform(&[&allow(&server), "--max-requests=3"], script(5));
    assert_eq!(run.exits(3).ending(), "limit requests", "{run}");
    assert!(run.json["ending"]["detail"].as_str().unwrap().contains("the limit is 3"), "{run}");
    assert_eq!(server.connections(), 3);
    assert_eq!(requests(&run).iter().filter(|row| row.starts_with("allow ")).count(), 3, "{run}");
    let run = perform(&[&allow(&server), "--max-requests=3"], script(3));
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    let run = perform(&[&allow(&server), "--max-requests=0"], script(1));
    assert_eq!((run.exits(3).ending().as_str(), server.connections()), ("limit requests", 6), "{run}");
    // Those that are denied are rows of their own kind.
    let denied = json!((0..5).map(|_| get("http://denied.test/")).collect::<Vec<_>>());
    let run = perform(&[&allow(&server), "--max-requests=10"], denied);
    assert_eq!(run.exits(0).json["denials"][0]["count"], 5, "{run}");
}

/// 66: requests that nobody waits for are bounded: in number, in connections, in files.
#[test]
fn a_flood_of_requests_that_nobody_awaits_is_bounded_and_recorded() {
    let server = Server::http();
    let world = World::new();
    let url = format!("{}/silent", server.origin());
    let flood = |count: usize, flags: &[&str]| {
        let start = (0..count).map(|n| json!({"op": "http-start", "url": url, "as": format!("r{n}")}));
        let script = Value::Array(start.chain([json!({"op": "sleep", "ns": "max"})]).collect());
        let grant = allow(&server);
        let flags: Vec<&str> = flags.iter().copied().chain([grant.as_str()]).collect();
        watched(&world, || long_script(&world, &flags, &script))
    };
    let (_, small) = flood(1, &["--timeout=500ms"]);
    // The default: a hundred.
    let (run, _) = flood(10_000, &["--timeout=20s"]);
    assert_eq!(run.exits(3).ending(), "limit requests", "{run}");
    assert_eq!(requests(&run).iter().filter(|row| row.starts_with("allow ")).count(), 100, "{run}");
    // Allowed as many as it likes: no more than 64 connections at once, whatever it started.
    let (run, peak) = flood(300, &["--timeout=2s", "--max-requests=10000"]);
    assert_eq!(run.exits(3).ending(), "limit time", "{run}");
    assert_eq!(requests(&run).len(), 300, "every start is recorded: {run}");
    assert!((2..=64).contains(&connected(&run).len()), "{} connections", connected(&run).len());
    assert!(peak.files <= small.files + 64 && peak.threads <= small.threads + 4, "{peak:?} {small:?}");
    // One more for our own looking.
    assert!(server.most_connections() <= 65, "{}", server.most_connections());
    let settled = run.ledger.iter().filter(|r| r["event"] == "outcome" && r["ok"] == false).count();
    assert!(settled >= 300, "each has its outcome: {settled}");
}

/// 66: handles that are let go let go of their request.
#[test]
fn requests_that_are_dropped_end() {
    let server = Server::http();
    let world = World::new();
    let url = format!("{}/silent", server.origin());
    let script = json!([
        {"op": "repeat", "times": 500, "ops": [{"op": "http-start", "url": url}]},
        get(&server.origin()),
    ]);
    let grant = allow(&server);
    let flags = [grant.as_str(), "--max-requests=1000", "--timeout=20s"];
    let (run, peak) = watched(&world, || world.script(&flags, script.clone()));
    assert_eq!(run.exits(0).said(), ["ok", "ok"], "{run}");
    assert!(peak.files < 128, "{peak:?}");
    assert_eq!(requests(&run).len(), 501, "{run}");
}

/// Nothing leaves that is not in the ledger: where a record cannot be written there is no request either.
#[test]
fn a_request_that_cannot_be_recorded_does_not_leave() {
    let server = Server::http();
    let world = World::new();
    world.perform(&[], json!([])).exits(0);
    let script: Value = (0..100).map(|n| get(&format!("{}/{n}", server.origin()))).collect();
    let grant = allow(&server);
    let run = |ulimit: &str| {
        let customs = long_script(&world, &[&grant], &script).command;
        let ledger = customs.get_args().skip_while(|argument| *argument != "--ledger").nth(1).unwrap().to_owned();
        // The size limit of a file, in units of 512 bytes: some records fit, not all.
        let mut shell = std::process::Command::new("/bin/sh");
        shell.env_clear().arg("-c").arg(format!("{ulimit}; exec \"$@\"")).arg("sh");
        shell.arg(customs.get_program()).args(customs.get_args()).current_dir(customs.get_current_dir().unwrap());
        shell.envs(customs.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = shell.stdin(std::process::Stdio::null()).output().unwrap();
        let records = std::fs::read_to_string(ledger).unwrap();
        let recorded = |op: &str| records.lines().filter(|line| line.contains(&format!("\"op\":\"{op}\""))).count();
        (output.status.code(), output.stdout.len(), recorded("handle"), recorded("connect"))
    };
    let (code, said, handled, connected) = run("ulimit -f 40");
    assert_eq!((code, said), (Some(5), 0));
    let came = server.connections();
    assert!((1..100).contains(&came) && came <= connected && came <= handled, "{came} of {connected} of {handled}");
    let (code, _, handled, connected) = run("ulimit -f 100000");
    assert_eq!((code, handled, connected, server.connections()), (Some(0), 100, 100, came + 100));
}
