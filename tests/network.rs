//! The network: requests, names, sockets, and secrets that the guest never holds. What is "denied" is looked at from the other end: no query, no
//! connection. What is allowed is looked at in the same way: exactly these bytes, from exactly this connection.
//!
//! `origins` and `addresses` are about where a request may go, `wire` about what is sent there, `bounds` about how long and how much,
//! `taps` about what is recorded of it; then `secrets`, `tls`, `sockets`, and `tools` that people would write.

mod addresses;
mod bounds;
mod origins;
mod peer;
mod secrets;
mod sockets;
mod taps;
mod tls;
mod tools;
mod wire;

use crate::support::servers::Server;
use crate::support::{Run, World};
use serde_json::{Value, json};

/// The rule that allows a server by its own address.
fn allow(server: &Server) -> String {
    format!("--allow-net={}", server.origin())
}

/// The rule that allows a server as `allowed.test`.
fn allow_as(server: &Server, host: &str) -> String {
    format!("--allow-net={}", server.origin_as(host))
}

/// Makes a name one of the loopback. Grants nothing.
fn pin(name: &str) -> String {
    format!("--resolve={name}=127.0.0.1")
}

/// A puppet's request that is a GET.
fn get(url: &str) -> Value {
    json!({"op": "http", "url": url})
}

/// Runs a script on the puppet, in a world of its own.
fn perform(flags: &[&str], script: Value) -> Run {
    World::new().perform(flags, script)
}

/// The requests that a run recorded, as `decision requested`, with ` -> resolved` where there is one.
fn requests(run: &Run) -> Vec<String> {
    let row = |record: &&Value| {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let end = record["resolved"].as_str().map_or_else(String::new, |resolved| format!(" -> {resolved}"));
        format!("{} {}{end}", text("decision"), text("requested"))
    };
    run.accesses("http.request").iter().filter(|r| r["op"] == "handle").map(row).collect()
}

/// The addresses that the program tried to connect to.
fn connected(run: &Run) -> Vec<String> {
    let tried = run.ledger.iter().filter(|r| r["op"] == "connect" && r["decision"] == "allow");
    tried.map(|r| r["resolved"].as_str().unwrap().to_owned()).collect()
}

/// The reasons why recorded accesses came to nothing.
fn failures(run: &Run) -> Vec<String> {
    run.ledger.iter().filter_map(|r| r["error"].as_str().map(str::to_owned)).collect()
}

/// A source or sink of a run by its kind and the end of its name.
fn crossed<'a>(run: &'a Run, way: &str, kind: &str, end: &str) -> &'a Value {
    let rows = run.json[way].as_array().unwrap();
    let mut found = rows.iter().filter(|row| row["kind"] == kind && row["name"].as_str().unwrap().ends_with(end));
    let row = found.next().unwrap_or_else(|| panic!("no {kind} of {way} ends in {end}: {run}"));
    assert!(found.next().is_none(), "more than one {kind} of {way} ends in {end}: {run}");
    row
}
