//! A guest that is granted what it uses must not notice us. Each benign guest runs twice, on two equal directories: under wasmtime-wasi as it
//! comes, and under customs with everything granted. Results, output, exit codes and the files left behind must be the same.
//! Known to differ, and left out of the scripts: "/" is among the preopens, so that attempts at other paths are seen; and reading a link that
//! leads to a file, with a slash behind its name, fails with another error, because it is not followed to find out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    dead_code,
    missing_debug_implementations,
    reason = "a test that fails panics, tests build their world on the machine's file system, and each uses its part of the support"
)]

#[path = "support/inside.rs"]
mod inside;
#[path = "support/tree.rs"]
mod tree;

use customs_engine::json;
use customs_ledger::material::SinkKind;
use inside::Inside;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tree::Tree;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// What can be seen of a call.
#[derive(Debug, PartialEq)]
struct Seen {
    /// The result as structured JSON; for a command, its exit code.
    result: Value,
    stdout: String,
    stderr: String,
}

struct Bare {
    ctx: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: NoRequests,
}

/// Requests are the one thing that is not compared: no script here makes any.
struct NoRequests;

type Sent = Box<dyn Future<Output = Result<(), HttpError>> + Send>;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sent,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Sent), HttpError>> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }
}

impl WasiHttpView for Bare {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

/// One call of a guest.
struct Call {
    guest: &'static str,
    tool: &'static str,
    arguments: Value,
}

const VARIABLES: [(&str, &str); 2] = [("GREETING", "hello"), ("NOTES_DIR", "/box")];

/// The exported function of a name, wherever it is.
fn exported(component: &Component, engine: &Engine, tool: &str) -> (ComponentExportIndex, ComponentFunc) {
    for (name, item) in component.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(func) if name == tool => {
                return (component.get_export_index(None, name).unwrap(), func);
            }
            ComponentItem::ComponentInstance(instance) => {
                for (function, item) in instance.exports(engine) {
                    if let (ComponentItem::ComponentFunc(func), true) = (item.ty, function == tool) {
                        let interface = component.get_export_index(None, name).unwrap();
                        return (component.get_export_index(Some(&interface), function).unwrap(), func);
                    }
                }
            }
            _ => {}
        }
    }
    panic!("no {tool}");
}

async fn bare(component: &Component, call: &Call, dir: &Path) -> Seen {
    let engine = component.engine();
    let mut linker = Linker::<Bare>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).unwrap();
    let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
    let mut builder = WasiCtxBuilder::new();
    builder.preopened_dir(dir, "/box", FsPerms::ReadWrite).unwrap();
    builder.stdout(stdout.clone()).stderr(stderr.clone()).allow_blocking_current_thread(true);
    for (name, value) in VARIABLES {
        builder.env(name, value);
    }
    let command = call.tool == "run";
    if command {
        let list = call.arguments["args"].as_array().cloned().unwrap_or_default();
        builder.arg("tool");
        for arg in &list {
            builder.arg(arg.as_str().unwrap());
        }
        builder.stdin(MemoryInputPipe::new(call.arguments["stdin"].as_str().unwrap_or_default().to_owned()));
    }
    let mut store = Store::new(
        engine,
        Bare { ctx: builder.build(), table: ResourceTable::new(), http: WasiHttpCtx::new(), hooks: NoRequests },
    );
    store.set_epoch_deadline(1 << 40);
    let result = if command {
        let command = Command::instantiate_async(&mut store, component, &linker).await.unwrap();
        match command.wasi_cli_run().call_run(&mut store).await {
            Ok(Ok(())) => json!(0),
            Ok(Err(())) => json!(1),
            Err(error) => json!(error.downcast_ref::<I32Exit>().unwrap_or_else(|| panic!("{error:?}")).0),
        }
    } else {
        let (index, func) = exported(component, engine, call.tool);
        let signature = json::signature(&func).unwrap();
        let arguments = json::args(&signature, call.arguments.as_object().unwrap()).unwrap();
        let instance = linker.instantiate_async(&mut store, component).await.unwrap();
        let mut results = vec![Val::Bool(false); usize::from(signature.result.is_some())];
        let func = instance.get_func(&mut store, index).unwrap();
        func.call_async(&mut store, &arguments, &mut results).await.unwrap();
        json::structured(&signature, results.first(), 1 << 30).unwrap().structured
    };
    let text = |pipe: MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
    Seen { result, stdout: text(stdout), stderr: text(stderr) }
}

fn ours(inside: &Inside, program: &std::sync::Arc<customs_engine::Program>, call: &Call, dir: &Path) -> Seen {
    let grant = format!("{}::/box", dir.display());
    let variables = VARIABLES.map(|(name, value)| format!("{name}={value}"));
    let mut grants = vec![("allow-write", grant.as_str())];
    grants.extend(variables.iter().map(|pair| ("env", pair.as_str())));
    let (report, _) = inside.call(program, call.tool, &call.arguments, &grants);
    assert!(report.denials.is_empty(), "{}: {:?}", call.tool, report.denials);
    let text = |kind: SinkKind| {
        let bytes: Vec<u8> =
            report.sinks.iter().filter(|s| s.kind == kind).flat_map(|s| s.content.kept.clone()).collect();
        String::from_utf8(bytes).unwrap()
    };
    let result = report.result.as_ref().unwrap_or_else(|| panic!("{}: {}", call.tool, report.ending));
    let (result, stdout) = if call.tool == "run" {
        // A command's stdout is its return.
        let code = match result.content.get(1) {
            Some(customs_engine::Content::Text(text)) => {
                text.strip_prefix("exit code ").unwrap().parse::<i32>().unwrap()
            }
            _ => 0,
        };
        let customs_engine::Content::Text(stdout) = &result.content[0] else { panic!("stdout is text") };
        (json!(code), stdout.clone())
    } else {
        (result.structured.clone().unwrap_or_default(), text(SinkKind::Stdout))
    };
    Seen { result, stdout, stderr: text(SinkKind::Stderr) }
}

/// A directory with the same content and times each time.
fn directory() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    put("note.md", b"# A title\n\nSome words, more words.\n");
    put("other.txt", b"nothing of that kind\n");
    put("bytes", &[0, 255, 1, 254, 10, 13]);
    put("big", &vec![b'x'; 300_000]);
    put("sub/deep/file", b"deep");
    std::os::unix::fs::symlink("note.md", root.path().join("link")).unwrap();
    std::os::unix::fs::symlink("sub/deep", root.path().join("dirlink")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.path().join("dangling")).unwrap();
    std::os::unix::fs::symlink("loop", root.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("../../outside", root.path().join("out")).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    for name in ["note.md", "other.txt", "bytes", "big", "sub/deep/file"] {
        std::fs::File::options().write(true).open(root.path().join(name)).unwrap().set_modified(then).unwrap();
    }
    root
}

/// What two runs cannot have in common: times of change and the numbers of files.
fn without_chance(seen: Seen) -> Seen {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(object) => {
                ["access", "modification", "change"].iter().for_each(|key| drop(object.remove(*key)));
                object.values_mut().for_each(strip);
            }
            Value::Array(list) => {
                list.iter_mut().for_each(strip);
                // The order of a listing is the file system's.
                if list.iter().all(|entry| entry.get("name").is_some()) {
                    list.sort_by_key(|entry| entry["name"].as_str().map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    let mut result = seen.result;
    // The puppet's outcomes are JSON in a text.
    if let Some(mut outcomes) = result["result"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        strip(&mut outcomes);
        result = outcomes;
    }
    Seen { result, ..seen }
}

fn same(call: &Call) {
    let inside = Inside::new();
    let (program, component) = inside.program(call.guest);
    let (left, right) = (directory(), directory());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let expected = without_chance(runtime.block_on(bare(&component, call, &left.path().canonicalize().unwrap())));
    let found = without_chance(ours(&inside, &program, call, &right.path().canonicalize().unwrap()));
    let name = format!("{} {}", call.guest, call.tool);
    if let (Some(expected), Some(found), Some(script)) =
        (expected.result.as_array(), found.result.as_array(), call.arguments["script"].as_str())
    {
        let script: Vec<Value> = serde_json::from_str(script).unwrap();
        let differing: Vec<String> = (0..script.len())
            .filter(|at| expected.get(*at) != found.get(*at))
            .map(|at| format!("{}\n  bare {}\n  ours {}", script[at], expected[at], found[at]))
            .collect();
        assert!(differing.is_empty(), "{name}: {} operations differ\n{}", differing.len(), differing.join("\n"));
    }
    assert_eq!(expected, found, "{name}: bare (left) and customs (right) differ");
    // Names and contents: inodes and times are each directory's own.
    let [left, right] = [left, right]
        .map(|dir| Tree::of(dir.path()).0.into_iter().map(|(name, node)| (name, node.content)).collect::<Vec<_>>());
    assert_eq!(left, right, "{name}: the directories differ");
}

fn calls(calls: &[(&'static str, &'static str, Value)]) {
    for (guest, tool, arguments) in calls {
        same(&Call { guest, tool, arguments: arguments.clone() });
    }
}

#[test]
fn notes_are_the_same_with_and_without_us() {
    calls(&[
        ("notes", "read-note", json!({"path": "/box/note.md"})),
        ("notes", "read-note", json!({"path": "note.md"})),
        ("notes", "read-note", json!({"path": "/box/missing.md"})),
        ("notes", "search", json!({"query": "words"})),
        ("notes", "add-note", json!({"title": "A new one", "body": "Its text.", "tags": ["x", "y"]})),
    ]);
}

#[test]
fn commands_are_the_same_with_and_without_us() {
    calls(&[
        ("hello", "run", json!({"args": ["one", "two three"], "stdin": "some input"})),
        ("hello", "run", json!({"args": ["--exit", "3", "--stderr", "words"]})),
        ("wordcount", "run", json!({"args": ["/box/note.md"]})),
        ("wordcount", "run", json!({"args": ["/box/missing"]})),
        ("wordcount", "run", json!({"stdin": "one two\nthree\n"})),
        ("benign-tool", "run", json!({"args": ["a"], "stdin": "words"})),
    ]);
}

#[test]
fn measured_calls_are_the_same_with_and_without_us() {
    calls(&[
        ("bench", "add", json!({"a": 4_294_967_295_u32, "b": 2})),
        ("bench", "echo", json!({"text": "text \u{1f600}"})),
        ("bench", "read-n", json!({"path": "/box/big", "times": 3})),
        ("bench", "read-n", json!({"path": "/box/sub", "times": 1})),
        ("bench", "write-n", json!({"path": "/box/new", "bytes": 100_000, "times": 2})),
        ("bench", "stat-n", json!({"path": "/box/big", "times": 5})),
        ("bench", "spin-n", json!({"rounds": 1000})),
    ]);
}

#[test]
fn file_operations_are_the_same_with_and_without_us() {
    let script: Value = serde_json::from_str(include_str!("../fixtures/scripts/benign-files.json")).unwrap();
    same(&Call { guest: "puppet", tool: "perform", arguments: json!({"script": script.to_string()}) });
}
