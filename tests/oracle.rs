//! A second witness. wasmtime's generated bindings open a `tracing` span for every host function that a guest calls, before any of our
//! code runs; this binary counts the spans, and the counts must be those that the ledger closes the call with. A function that a guest
//! can reach without our counting it would be a door without a guard.
//!
//! One process and one test at a time: the witness is a global subscriber.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_debug_implementations,
    reason = "a test that fails panics, and tests build their world on the machine's file system"
)]

#[allow(dead_code, reason = "tests/main.rs uses the rest of it")]
#[path = "support/certificates.rs"]
mod certificates;
#[path = "support/inside.rs"]
mod inside;
#[allow(dead_code, reason = "tests/main.rs uses the rest of it")]
#[path = "support/servers.rs"]
mod servers;

use customs_boundary::imports::Import;
use inside::Inside;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// How often each host function was called, by interface and function as the bindings name them.
static SEEN: Mutex<BTreeMap<(String, String), u64>> = Mutex::new(BTreeMap::new());
/// One script at a time.
static TURN: Mutex<()> = Mutex::new(());

struct Witness;

#[derive(Default)]
struct Named {
    interface: String,
    function: String,
}

impl Visit for Named {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}").trim_matches('"').to_owned();
        match field.name() {
            "module" => self.interface = text,
            "function" => self.function = text,
            _ => {}
        }
    }
}

impl Subscriber for Witness {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "wit-bindgen import"
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut named = Named::default();
        attributes.record(&mut named);
        *SEEN.lock().unwrap().entry((named.interface, named.function)).or_default() += 1;
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Dropping a handle ends a thing and uses nothing: it is not counted.
fn is_stock(function: &str) -> bool {
    function.starts_with("[resource-drop]")
}

/// `wasi:io/poll#poll` as the bindings name it.
fn short(name: &str) -> (String, String) {
    let (interface, function) = name.split_once('#').unwrap();
    (interface.rsplit('/').next().unwrap().to_owned(), function.to_owned())
}

/// Calls once with the witness looking. Gives what it saw and what the call's `end` record says.
fn watched(program: &str, tool: &str, arguments: &Value, grants: &[(&str, &str)]) -> BTreeMap<(String, String), u64> {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Witness).unwrap());
    let inside = Inside::new();
    let (guest, _) = inside.program(program);
    SEEN.lock().unwrap().clear();
    let (report, records) = inside.call(&guest, tool, arguments, grants);
    let seen = std::mem::take(&mut *SEEN.lock().unwrap());
    let seen: BTreeMap<_, _> = seen.into_iter().filter(|((_, f), _)| !is_stock(f)).collect();

    let end = records.iter().find(|record| record["event"] == "end").unwrap();
    let counted: BTreeMap<(String, String), u64> =
        end["imports"].as_object().unwrap().iter().map(|(name, n)| (short(name), n.as_u64().unwrap())).collect();
    assert_eq!(
        seen, counted,
        "{program} {tool}: the witness (left) and the ledger (right) differ; {:?}",
        report.result
    );
    seen
}

/// A world of one directory, granted as `/box`.
fn world() -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("f"), "some content").unwrap();
    std::fs::write(root.path().join("note.md"), "# Note\nwith words\n").unwrap();
    let grant = format!("{}::/box", root.path().canonicalize().unwrap().display());
    (root, grant)
}

/// Every operation of the puppet that comes back, with what it needs before it.
fn every_operation() -> Value {
    serde_json::from_str(include_str!("../fixtures/scripts/every-operation.json")).unwrap()
}

/// Every operation of the puppet on the network, with the servers that they need, and the grants for them.
fn every_network_operation() -> (Value, Vec<(&'static str, String)>, servers::Server, servers::Datagrams) {
    let (web, datagrams) = (servers::Server::http(), servers::Datagrams::echo());
    let (tcp, udp) = (servers::free_port(), datagrams.port());
    let script = include_str!("../fixtures/scripts/every-network-operation.json");
    let script = script.replace("{http}", &web.origin());
    let script = script.replace("{tcp}", &tcp.to_string()).replace("{udp}", &udp.to_string());
    let grants = vec![
        ("allow-net", web.origin()),
        ("allow-tcp", format!("127.0.0.1:{tcp}")),
        ("allow-listen", format!("127.0.0.1:{tcp}")),
        ("allow-udp", format!("127.0.0.1:{udp}")),
    ];
    (serde_json::from_str(&script).unwrap(), grants, web, datagrams)
}

#[test]
fn witness_and_ledger_count_the_same_calls_of_every_function() {
    let (_root, grant) = world();
    let grants = [("allow-write", grant.as_str()), ("env", "A=b")];
    let script = |ops: &Value| json!({"script": ops.to_string()});
    let mut called = BTreeSet::new();
    for ops in [
        every_operation(),
        json!([{"op": "exit"}]),
        json!([{"op": "exit-with-code", "code": 3}]),
        json!([{"op": "panic", "message": "x"}]),
        json!([{"op": "forge", "index": 5, "as": "h"}, {"op": "read", "handle": "h"}]),
    ] {
        called.extend(watched("puppet", "perform", &script(&ops), &grants).into_keys());
    }
    called.extend(watched("puppet", "perform", &script(&every_operation()), &[]).into_keys());
    let (ops, network, _web, _datagrams) = every_network_operation();
    let network: Vec<(&str, &str)> = network.iter().map(|(key, value)| (*key, value.as_str())).collect();
    called.extend(watched("puppet", "perform", &script(&ops), &network).into_keys());
    called.extend(watched("puppet", "perform", &script(&ops), &[]).into_keys());
    for (guest, tool, arguments) in [
        ("notes", "read-note", json!({"path": "/box/note.md"})),
        ("notes", "search", json!({"query": "words"})),
        ("notes", "add-note", json!({"title": "new", "body": "text", "tags": ["a"]})),
        ("bench", "read-n", json!({"path": "/box/f", "times": 20})),
        ("bench", "write-n", json!({"path": "/box/w", "bytes": 10000, "times": 3})),
        ("bench", "stat-n", json!({"path": "/box/f", "times": 20})),
        ("bench", "echo", json!({"text": "x"})),
        ("hello", "run", json!({"args": ["a"], "stdin": "in"})),
        ("wordcount", "run", json!({"args": ["/box/f"]})),
        ("benign-tool", "run", json!({})),
    ] {
        let grants = [grants[0], ("env", "NOTES_DIR=/box")];
        called.extend(watched(guest, tool, &arguments, &grants).into_keys());
    }
    for (tool, arguments) in [("greet", json!({"name": "x"})), ("progress", json!({"steps": 3}))] {
        called.extend(watched("dynamic", tool, &arguments, &[]).into_keys());
    }
    let never: Vec<&str> = Import::ALL.iter().map(|i| i.name()).filter(|name| !called.contains(&short(name))).collect();
    // Gated in the bindings, or for who answers requests: no tool does, so no handle of theirs is ever there.
    let out_of_reach = |name: &str| {
        name == "wasi:sockets/network#network-error-code"
            || name.starts_with("wasi:http/types#[method]incoming-request.")
            || name.contains("]response-outparam.")
    };
    let unexpected: Vec<&&str> = never.iter().filter(|name| !out_of_reach(name)).collect();
    assert!(unexpected.is_empty(), "no script calls {unexpected:?}");
}

/// The functions of WASI 0.2 and of our own world, from the texts that tools are built against.
fn functions_in_wit() -> BTreeSet<String> {
    let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = wit_parser::Resolve { all_features: true, ..Default::default() };
    let mut group: Vec<std::path::PathBuf> =
        wit.join("wasi").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    group.retain(|path| path.extension().is_some_and(|e| e == "wit"));
    group.push(wit.join("customs-tool.wit"));
    let parse = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).unwrap();
        wit_parser::UnresolvedPackageGroup::parse(path, &text).map_err(|(_, e)| e).unwrap()
    };
    let mut waiting: Vec<wit_parser::UnresolvedPackageGroup> = group.iter().map(|path| parse(path)).collect();
    // A package goes in when those it needs are there; the order is found by trying.
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|package| match resolve.clone().push_group(package.clone()) {
            Ok(_) => resolve.push_group(package.clone()).is_err(),
            Err(_) => true,
        });
        assert!(waiting.len() < before, "packages that need each other");
    }
    let named = resolve.interfaces.iter().filter_map(|(_, interface)| {
        let package = &resolve.packages[interface.package?].name;
        let name = format!("{}:{}/{}", package.namespace, package.name, interface.name.as_ref()?);
        Some(interface.functions.keys().map(move |function| format!("{name}#{function}")))
    });
    named.flatten().collect()
}

#[test]
fn every_function_that_a_guest_can_import_is_guarded() {
    let guarded: BTreeSet<String> = Import::ALL.iter().map(|import| import.name().to_owned()).collect();
    assert_eq!(guarded.len(), Import::ALL.len(), "a name stands twice");
    let imported: BTreeSet<String> = functions_in_wit()
        .into_iter()
        .filter(|name| {
            let (interface, function) = name.split_once('#').unwrap();
            // Not linked: what a tool exports, and what wasmtime gates as unstable.
            let not_linked =
                ["wasi:cli/run", "wasi:http/incoming-handler", "wasi:clocks/timezone", "customs:tool/tools"];
            !not_linked.contains(&interface) && !is_stock(function)
        })
        .collect();
    assert_eq!(imported, guarded, "WIT (left) and the boundary's guards (right) differ");
}

#[test]
fn every_function_that_the_puppet_imports_is_guarded() {
    use wasmtime::component::{Component, types::ComponentItem};
    let engine = wasmtime::Engine::default();
    let component = Component::from_file(&engine, inside::guest("puppet")).unwrap();
    let guarded: BTreeSet<(String, String)> = Import::ALL.iter().map(|import| short(import.name())).collect();
    let (mut seen, mut open) = (0, Vec::new());
    for (name, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { panic!("{name} is not an interface") };
        let interface = name.split('@').next().unwrap().rsplit('/').next().unwrap();
        for (function, item) in instance.exports(&engine) {
            if matches!(item.ty, ComponentItem::ComponentFunc(_)) {
                seen += 1;
                if !guarded.contains(&(interface.to_owned(), function.to_owned())) && !is_stock(function) {
                    open.push(format!("{name}#{function}"));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} functions were looked at");
    assert!(open.is_empty(), "without a guard: {open:?}");
}
