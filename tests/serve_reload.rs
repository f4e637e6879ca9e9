//! Policy and components that change while they are served: what stands on disk is enforced before the next call runs, and what cannot be
//! enforced runs nothing.

use crate::support::mcp::{MODERN, Server, USUAL, ledgers};
use crate::support::{Customs, World, guest};
use serde_json::{Value, json};
use std::time::Duration;

const NOT_RUN: &str = "the component changed since it was listed; it is not run";
const NOTHING_RUNS: &str = "the policy was changed and cannot be enforced; nothing runs until it is mended";

/// A copy of a guest in the world.
fn copy(world: &World, name: &str, to: &str) {
    world.write(to, std::fs::read(guest(name)).unwrap());
}

/// The guest's bytes with a custom section behind them: another component that does the same.
fn other_bytes(name: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(guest(name)).unwrap();
    bytes.extend([0, 6, 5, b'o', b't', b'h', b'e', b'r']);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    crate::support::hex(&sha2::Sha256::digest(bytes))
}

fn policy(world: &World, text: &str) {
    // As editors do: a new file in place of the old.
    world.write("new.toml", text);
    std::fs::rename(world.path("new.toml"), world.path("customs.toml")).unwrap();
}

fn serve(world: &World) -> Customs {
    world.dir("ledgers");
    world.customs(&["serve", "--policy", "{world}/customs.toml", "--ledger", "{world}/ledgers"])
}

fn text(result: &Value) -> String {
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// A call of the puppet that reads `ro/f`.
fn read(server: &mut Server) -> Value {
    let script = json!([{"op": "open", "dir": "/", "path": "ro/f", "as": "h"}, {"op": "read", "handle": "h"}]);
    server.result("perform", json!({"script": script.to_string()}))
}

fn refused(result: &Value, why: &str) {
    assert_eq!((result["isError"].as_bool(), text(result).as_str()), (Some(true), why), "{result}");
}

fn names(server: &mut Server) -> Vec<String> {
    let listed = server.ask("tools/list", json!({}));
    listed["result"]["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_component_that_changes_is_not_run_and_the_others_are() {
    for revision in [USUAL, MODERN] {
        let world = World::new();
        copy(&world, "bench", "bench.wasm");
        copy(&world, "hello", "hello.wasm");
        let customs = world.customs(&["serve", "{world}/bench.wasm", "{world}/hello.wasm"]);
        let mut server = Server::speaking(customs, revision, &json!({}));
        let listed = names(&mut server);
        assert!(!server.result("echo", json!({"text": "a"}))["isError"].as_bool().unwrap());
        // The same bytes again: nothing happens.
        copy(&world, "bench", "bench.wasm");
        assert_eq!(text(&server.result("echo", json!({"text": "b"}))), "b");
        let old = std::fs::read(guest("bench")).unwrap();
        let new = other_bytes("bench");
        world.write("bench.wasm", &new);
        for _ in 0..2 {
            let result = server.result("echo", json!({"text": "c"}));
            refused(&result, NOT_RUN);
            assert!(!result.to_string().contains(world.path("").to_str().unwrap()));
        }
        assert_eq!(names(&mut server), listed);
        let other =
            listed.iter().find(|n| !["echo", "add", "spin-n", "read-n", "stat-n", "write-n"].contains(&n.as_str()));
        let other = server.call(other.unwrap(), json!({}));
        assert!(!other.to_string().contains(NOT_RUN), "{other}");
        // It was another one: that it is back says nothing.
        world.write("bench.wasm", &old);
        let ended = server.finish();
        let told = format!("it was {} and is {}", sha256(&old), sha256(&new));
        assert_eq!(ended.stderr.matches(&told).count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_component_that_changed_in_place_with_its_old_time_is_noticed() {
    let world = World::new();
    copy(&world, "bench", "bench.wasm");
    let mut server = Server::start(world.customs(&["serve", "{world}/bench.wasm"]));
    assert_eq!(text(&server.result("echo", json!({"text": "a"}))), "a");
    let path = world.path("bench.wasm");
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // Of the same size: its last byte is another one.
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(server.result("echo", json!({"text": "b"}))["isError"].as_bool().unwrap());
    server.finish();
}

#[test]
fn a_component_that_is_gone_is_not_run_until_it_is_back() {
    let world = World::new();
    copy(&world, "bench", "bench.wasm");
    let mut server = Server::start(world.customs(&["serve", "{world}/bench.wasm"]));
    assert_eq!(text(&server.result("echo", json!({"text": "a"}))), "a");
    std::fs::rename(world.path("bench.wasm"), world.path("away.wasm")).unwrap();
    assert!(server.result("echo", json!({"text": "b"}))["isError"].as_bool().unwrap());
    std::fs::rename(world.path("away.wasm"), world.path("bench.wasm")).unwrap();
    assert_eq!(text(&server.result("echo", json!({"text": "c"}))), "c");
    server.finish();
}

#[test]
fn changed_bytes_run_again_once_the_policy_names_them() {
    let world = World::new();
    copy(&world, "bench", "bench.wasm");
    let old = std::fs::read(guest("bench")).unwrap();
    let new = other_bytes("bench");
    let table = |pin: &str| format!("[tool.bench]\ncomponent = \"bench.wasm\"\n{pin}");
    policy(&world, &table(""));
    let mut server = Server::start(serve(&world));
    assert_eq!(text(&server.result("echo", json!({"text": "a"}))), "a");
    world.write("bench.wasm", &new);
    refused(&server.result("echo", json!({"text": "b"})), NOT_RUN);
    // A policy that says something else does not approve them.
    policy(&world, &table("timeout = \"5s\"\n"));
    refused(&server.result("echo", json!({"text": "c"})), NOT_RUN);
    policy(&world, &table(&format!("sha256 = \"{}\"\n", sha256(&old))));
    refused(&server.result("echo", json!({"text": "d"})), NOTHING_RUNS);
    policy(&world, &table(&format!("sha256 = \"{}\"\n", sha256(&new))));
    assert_eq!(text(&server.result("echo", json!({"text": "e"}))), "e");
    let ended = server.finish();
    assert!(ended.stderr.contains("echo: the tool changed: its component is another one now"), "{}", ended.stderr);
    ledgers(&world.path("ledgers"));
}

#[test]
fn another_policy_is_enforced_from_the_next_call_and_in_new_ledgers() {
    for revision in [USUAL, MODERN] {
        let world = World::new();
        copy(&world, "puppet", "puppet.wasm");
        let table = |grants: &str| format!("[tool.puppet]\ncomponent = \"puppet.wasm\"\n{grants}");
        policy(&world, &table(""));
        let mut server = Server::speaking(serve(&world), revision, &json!({}));
        assert!(!read(&mut server).to_string().contains(&world.inside));
        policy(&world, &table("allow-read = [\"ro::/ro\"]\n"));
        assert!(read(&mut server).to_string().contains(&world.inside), "{revision}");
        policy(&world, &table("# no more\n"));
        assert!(!read(&mut server).to_string().contains(&world.inside), "{revision}");
        let ended = server.finish();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let ledgers = ledgers(&world.path("ledgers"));
        let mut grants: Vec<usize> = ledgers.iter().map(|l| l[0]["grants"].as_array().unwrap().len()).collect();
        grants.sort_unstable();
        assert_eq!(grants, [0, 0, 1]);
    }
}

#[test]
fn a_policy_that_cannot_be_enforced_runs_nothing_until_it_is_mended() {
    let world = World::new();
    copy(&world, "puppet", "puppet.wasm");
    copy(&world, "bench", "bench.wasm");
    let good = "[tool.puppet]\ncomponent = \"puppet.wasm\"\nallow-read = [\"ro::/ro\"]\n[tool.bench]\ncomponent = \"bench.wasm\"\n";
    policy(&world, good);
    let mut server = Server::start(serve(&world));
    assert!(read(&mut server).to_string().contains(&world.inside));
    for (bad, told) in [
        (good.replace("allow-read", "alow-read"), "customs.toml:3"),
        (good.replace("bench.wasm", "missing.wasm"), "missing.wasm"),
        ("[tool.puppet".to_owned(), "customs.toml:1"),
    ] {
        policy(&world, &bad);
        refused(&read(&mut server), NOTHING_RUNS);
        refused(&server.result("echo", json!({"text": "x"})), NOTHING_RUNS);
        policy(&world, good);
        assert!(read(&mut server).to_string().contains(&world.inside), "{told}");
        assert_eq!(text(&server.result("echo", json!({"text": "x"}))), "x");
    }
    std::fs::remove_file(world.path("customs.toml")).unwrap();
    refused(&read(&mut server), NOTHING_RUNS);
    policy(&world, good);
    assert!(read(&mut server).to_string().contains(&world.inside));
    // What it lacks may be elsewhere, where nobody looks: it is tried again.
    policy(&world, &good.replace("bench.wasm", "missing.wasm"));
    refused(&read(&mut server), NOTHING_RUNS);
    copy(&world, "bench", "missing.wasm");
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(read(&mut server).to_string().contains(&world.inside));
    let ended = server.finish();
    for told in ["customs.toml:3", "alow-read", "missing.wasm", "customs.toml:1"] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
    ledgers(&world.path("ledgers"));
}

#[test]
fn a_call_that_is_under_way_finishes_under_what_it_began_with() {
    let world = World::new();
    copy(&world, "bench", "bench.wasm");
    let good = "[tool.bench]\ncomponent = \"bench.wasm\"\n";
    policy(&world, good);
    let mut server = Server::start(serve(&world));
    let spin =
        |server: &mut Server, n: u64| server.send("tools/call", json!({"name": "spin-n", "arguments": {"rounds": n}}));
    // Long enough to be overtaken.
    let long = spin(&mut server, 1_500_000_000);
    std::thread::sleep(Duration::from_millis(100));
    policy(&world, "[tool.bench\n");
    let next = server.send("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
    let mut answers: Vec<Value> = (0..2).map(|_| server.next(Duration::from_secs(60)).unwrap()).collect();
    let long_answer = answers.pop().unwrap();
    assert_eq!((&answers[0]["id"], &long_answer["id"]), (&json!(next), &json!(long)));
    refused(&answers[0]["result"], NOTHING_RUNS);
    assert_eq!(long_answer["result"]["isError"], false, "{long_answer}");
    server.finish();
    ledgers(&world.path("ledgers"));
}

/// Waits for a notification with this method.
fn notified(server: &mut Server, method: &str) -> Value {
    loop {
        let message = server.next(Duration::from_secs(20)).unwrap_or_else(|| panic!("no {method}"));
        if message["method"] == method {
            return message;
        }
    }
}

#[test]
fn clients_are_told_of_another_list() {
    let one = "[tool.bench]\ncomponent = \"bench.wasm\"\n";
    let two = "[tool.bench]\ncomponent = \"bench.wasm\"\n[tool.twin]\ncomponent = \"twin.wasm\"\n";
    for revision in ["2025-06-18", USUAL, MODERN] {
        let world = World::new();
        copy(&world, "bench", "bench.wasm");
        copy(&world, "bench", "twin.wasm");
        policy(&world, one);
        let mut server = Server::speaking(serve(&world), revision, &json!({}));
        let subscription = (revision == MODERN).then(|| {
            let id = server.send("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
            notified(&mut server, "notifications/subscriptions/acknowledged");
            id
        });
        assert!(names(&mut server).contains(&"echo".to_owned()));
        // A second component with the same names: neither has them for itself.
        policy(&world, two);
        let call = server.send("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
        let (mut told, mut answer) = (None, None);
        while told.is_none() || answer.is_none() {
            let message =
                server.next(Duration::from_secs(20)).unwrap_or_else(|| panic!("{revision}: {told:?} {answer:?}"));
            if message["method"] == "notifications/tools/list_changed" {
                told = Some(message);
            } else if message["id"] == call {
                answer = Some(message);
            }
        }
        if let Some(id) = subscription {
            assert_eq!(told.unwrap()["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
        }
        assert_eq!(answer.unwrap()["error"]["code"], -32602, "the name is nobody's any more");
        let now = names(&mut server);
        assert!(now.contains(&"bench.echo".to_owned()) && now.contains(&"twin.echo".to_owned()), "{now:?}");
        let ended = server.finish();
        for told in ["echo: the tool is no longer offered", "twin.echo: a new tool"] {
            assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
        }
    }
}

#[test]
fn the_same_list_is_no_news() {
    let world = World::new();
    copy(&world, "bench", "bench.wasm");
    policy(&world, "[tool.bench]\ncomponent = \"bench.wasm\"\n");
    let mut server = Server::start(serve(&world));
    names(&mut server);
    policy(&world, "[tool.bench]\ncomponent = \"bench.wasm\"\ntimeout = \"7s\"\n");
    assert_eq!(text(&server.result("echo", json!({"text": "x"}))), "x");
    assert_eq!(server.next(Duration::from_millis(300)), None);
    server.finish();
}
