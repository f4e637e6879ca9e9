//! Components of other toolchains and hosts: a real one behind each row of docs/compatibility.md, with a call that is granted, the same
//! without its grant, and a look at the host afterwards. [`wasmcp`] has what is peculiar to that interface, [`refused`] what cannot be
//! called and the sentence that says so, [`table`] ties the page to these tests.

mod refused;
mod table;
mod wasmcp;

use crate::support::servers::Server;
use crate::support::tree::Tree;
use crate::support::{Run, World, checkout, guest};
use serde_json::{Value, json};
use std::path::Path;

/// The component was built. `make guests` leaves out what it has no toolchain for; where the toolchain is here, its guest must be too.
fn built(component: &str, toolchain: &dyn Fn() -> bool) -> bool {
    let there = checkout().join(format!("guests/dist/{component}.wasm")).is_file();
    assert!(there || !toolchain(), "{component} was not built though its toolchain is here: run make guests");
    there
}

fn installed(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(program).is_file())
}

fn structured(run: &Run) -> &Value {
    &run.json["result"]["structuredContent"]
}

/// What `customs inspect` says.
fn inspected(component: &Path) -> Run {
    let run = World::new().customs(&["inspect", component.to_str().unwrap(), "-o", "json"]).run();
    assert_eq!(run.code, 0, "{run}");
    run
}

fn names(run: &Run) -> Vec<&str> {
    run.json["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

/// A tool that reads a file: with a grant it gives what is expected, without it fails in its own way; nothing is changed by either.
struct Reads<'a> {
    component: &'a str,
    tool: &'a str,
    /// Of the file `/data/f`.
    arguments: Value,
    /// What it makes of `one\ntwo words\n`.
    gives: Value,
    /// What it says of a file that it may not see.
    fails: &'a str,
}

impl Reads<'_> {
    fn play(&self) {
        let world = World::new();
        world.write("work/f", "one\ntwo words\n");
        let before = Tree::of(&world.path("work"));
        let given = |run: &Run| match structured(run) {
            Value::Null => run.json["result"]["content"][0]["text"].clone(),
            structured => structured.get("result").unwrap_or(structured).clone(),
        };
        let component = guest(self.component);
        let run = world.run(&component, self.tool, &self.arguments, &["--allow-read={work}::/data"]).run();
        run.exits(0).denied(&[]);
        assert_eq!(given(&run), self.gives, "{run}");
        assert!(run.sources().contains(&"file /data/f".to_owned()), "{run}");
        assert!(run.sinks().iter().any(|sink| sink.starts_with("return ")), "{run}");

        let run = world.run(&component, self.tool, &self.arguments, &[]).run();
        assert_eq!(run.exits(1).denials(), ["fs.read no-grant /data/f"], "{run}");
        let result = run.json["result"].to_string();
        assert!(result.contains(self.fails) || run.stderr.contains(self.fails), "{} is not in {run}", self.fails);
        assert!(!run.sources().iter().any(|source| source.starts_with("file ")), "{run}");
        assert_eq!(Tree::of(&world.path("work")), before, "{}: nothing is written", self.component);
    }
}

/// Functions at the root of a world, errors as strings, the words of the WIT in the component.
#[test]
fn a_component_with_plain_exports_as_for_wassette_runs_unchanged() {
    let run = inspected(&guest("wassette"));
    assert_eq!(names(&run), ["list-directory", "read-file", "search-file"]);
    assert_eq!(run.json["tools"][1]["description"], "Read the whole of a text file.");
    let (path, pattern) = ("/data/f", "two");
    let reads = |tool, arguments, gives| {
        let fails = "Failed to read /data/f: ";
        Reads { component: "wassette", tool, arguments, gives, fails }.play();
    };
    reads("read-file", json!({ "path": path }), json!("one\ntwo words\n"));
    reads("search-file", json!({"path": path, "pattern": pattern}), json!("2: two words\n"));
    let world = World::new();
    let list = |flags| world.run(&guest("wassette"), "list-directory", &json!({"path": "/data"}), flags).run();
    assert_eq!(structured(list(&["--allow-read={work}::/data"]).exits(0)), &json!({"result": ["[FILE] f"]}));
    assert_eq!(list(&[]).exits(1).json["result"]["isError"], true);
}

#[test]
fn a_javascript_component_of_componentize_js_runs_as_typed_tools() {
    if !built("slug", &|| installed("npm")) {
        return;
    }
    assert_eq!(names(&inspected(&guest("slug"))), ["read-first-line", "slugify"]);
    let run = World::new().run(&guest("slug"), "slugify", &json!({"text": "Ünder the Sea!"}), &[]).run();
    assert_eq!(structured(run.exits(0)), &json!({"result": "ünder-the-sea"}), "{run}");
    let (component, tool, arguments) = ("slug", "read-first-line", json!({"path": "/data/f"}));
    Reads { component, tool, arguments, gives: json!("one"), fails: "/data/f" }.play();
}

#[test]
fn a_python_component_of_componentize_py_runs_as_typed_tools() {
    if !built("fetch-py", &|| installed("python3")) {
        return;
    }
    assert_eq!(names(&inspected(&guest("fetch-py"))), ["fetch", "fetch-header"]);
    let (server, world) = (Server::http(), World::new());
    let arguments = json!({"url": format!("{}/", server.origin())});
    let run = world.run(&guest("fetch-py"), "fetch", &arguments, &[]).run();
    assert_eq!(run.exits(1).denials(), [format!("http.request no-grant GET {}/", server.origin())], "{run}");
    assert_eq!(server.connections(), 0);
    let grant = format!("--allow-net={}", server.origin());
    let run = world.run(&guest("fetch-py"), "fetch", &arguments, &[&grant]).run();
    assert_eq!((&structured(run.exits(0))["status"], server.connections()), (&json!(200), 1), "{run}");
}

#[test]
fn a_c_command_of_preview_1_runs_as_one_tool() {
    if !built("wordcount", &|| installed("clang")) {
        return;
    }
    assert_eq!(names(&inspected(&guest("wordcount"))), ["run"]);
    let world = World::new();
    world.write("work/f", "one\ntwo words\n");
    let call = |flags| world.run(&guest("wordcount"), "run", &json!({"args": ["/data/f"]}), flags).run();
    let run = call(&["--allow-read={work}::/data"]);
    let text = run.exits(0).json["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("\"words\":3") || text.contains("\"words\": 3"), "{run}");
    assert_eq!(call(&[]).exits(1).denials(), ["fs.read no-grant /data/f"]);
}

/// A reactor whose types were put into the core module, as `wasm-tools component embed` and binding generators leave it.
#[test]
fn a_c_reactor_with_types_runs_as_typed_tools() {
    if !built("textstat", &|| installed("clang")) {
        return;
    }
    let run = inspected(&guest("textstat"));
    assert_eq!((names(&run), &run.json["component"]["kind"]), (vec!["count-file", "shout"], &json!("module")), "{run}");
    let (component, tool, arguments) = ("textstat", "count-file", json!({"path": "/data/f"}));
    let gives = json!({"lines": 2, "words": 3, "bytes": 14});
    Reads { component, tool, arguments, gives, fails: "/data/f: " }.play();
    for (text, loud) in [("", ""), ("grün", "GRüN"), ("a\u{0}b", "A\u{0}B")] {
        let run = World::new().run(&guest("textstat"), "shout", &json!({ "text": text }), &[]).run();
        assert_eq!(structured(run.exits(0)), &json!({ "result": loud }), "{run}");
    }
}

#[test]
fn a_rust_command_of_preview_1_runs_as_one_tool() {
    assert_eq!(names(&inspected(&guest("benign-tool"))), ["run"]);
    let world = World::new();
    let call = |flags: &[&str]| {
        let always = ["--env=USER_INPUT=two words", "--env=FILE_TO_READ=f"];
        world.run(&guest("benign-tool"), "run", &json!({}), &[&always, flags].concat()).run()
    };
    let bytes = format!("\"bytes\":{}", world.inside.len());
    let said = |run: &Run| run.exits(0).json["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    let run = call(&["--allow-read={work}::/data"]);
    assert!(said(&run).contains("2 words") && said(&run).contains(&bytes), "{run}");
    let run = call(&[]);
    assert!(said(&run).contains("\"error\":") && !said(&run).contains(&bytes), "{run}");
    run.denied(&["fs.read no-grant /data/f"]);
}

#[test]
fn a_rust_command_of_wasi_0_2_runs_as_one_tool() {
    assert_eq!(names(&inspected(&guest("hello"))), ["run"]);
    let world = World::new();
    let arguments = json!({"args": ["one", "--exit", "3"], "stdin": "abc"});
    let call = |flags| world.run(&guest("hello"), "run", &arguments, flags).env("GREETING", "welcome").run();
    let text = |run: &Run| run.exits(1).json["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    let run = call(&["--allow-env=GREETING"]);
    assert_eq!(text(&run), "arg one\nenv GREETING=welcome\nstdin 3 bytes: abc\n", "{run}");
    assert_eq!(text(&call(&[])), "arg one\nstdin 3 bytes: abc\n");
}

#[test]
fn a_rust_component_of_wit_bindgen_runs_as_typed_tools() {
    assert_eq!(names(&inspected(&guest("notes"))), ["add-note", "read-note", "search"]);
    let world = World::new();
    world.write("work/a.md", "# First\nsome words\n");
    let call = |flags| world.run(&guest("notes"), "read-note", &json!({"path": "/data/a.md"}), flags).run();
    let run = call(&["--allow-read={work}::/data"]);
    assert_eq!((&structured(run.exits(0))["title"], &structured(&run)["words"]), (&json!("First"), &json!(4)), "{run}");
    assert_eq!(structured(call(&[]).exits(1)), &json!({"error": {"not-permitted": "/data/a.md"}}));
}

#[test]
fn a_go_command_of_preview_1_runs_as_one_tool() {
    if !built("lines", &|| checkout().join("guests/target/go/venv/.installed").is_file()) {
        return;
    }
    assert_eq!(names(&inspected(&guest("lines"))), ["run"]);
    let (component, tool, arguments) = ("lines", "run", json!({"args": ["two", "/data/f"]}));
    Reads { component, tool, arguments, gives: json!("2: two words\n"), fails: "/data/f" }.play();
}

/// Both kinds of components of wasm-skill-sandbox: the one needs nothing of its host, the other does.
#[test]
fn a_scanner_of_wasm_skill_sandbox_runs_and_a_skill_is_refused_by_name() {
    let run = inspected(&guest("scancode"));
    assert_eq!(run.json["tools"][0]["inputSchema"]["required"], json!(["code"]), "{run}");
    let run = World::new().run(&guest("scancode"), "scan-code", &json!({"code": "x = 1\neval(x)\n"}), &[]).run();
    let said: Value = serde_json::from_str(structured(run.exits(0))["result"].as_str().unwrap()).unwrap();
    assert_eq!((&said["total_findings"], &said["findings"][0]["line"]), (&json!(1), &json!(2)), "{run}");
    run.denied(&[]);
    refused::by("compat/sandbox-skill", "imports sandbox:skill/filesystem-read, which customs does not provide");
}
