//! The command line's contract: exit codes, which stream says what, the shape of the JSON, and one clear sentence for bad input.

use crate::support::{Customs, Run, World, guest};
use serde_json::{Value, json};

fn notes(world: &World) -> String {
    world.write("work/a.md", "# Title\n\nhello world\n");
    guest("notes").to_str().unwrap().to_owned()
}

/// No panic, no backtrace, nothing on stdout, and at most as many lines as a usage error has.
fn one_sentence(what: &str, run: &Run) {
    for word in ["panicked", "RUST_BACKTRACE", "stack backtrace", "os error"] {
        assert!(!run.stderr.contains(word), "{what} says {word}: {run}");
    }
    let lines = run.stderr.lines().count();
    let usage = run.stderr.starts_with("error: ") && lines <= 12;
    assert!(usage || (run.stderr.starts_with("error    ") && lines == 1), "{what}: one sentence, not {lines} lines: {run}");
    assert_eq!(run.stdout, "", "{what}: {run}");
}

/// Junk, wrong names, wrong types: each is refused with exit 2 and says what is wrong.
#[test]
fn bad_input_of_run_is_refused_in_one_clear_sentence() {
    let world = World::new();
    let notes = notes(&world);
    world.write("junk.wasm", "this is not wasm");
    world.write("deep.json", format!("{{\"path\":{}", "[".repeat(200_000)));
    world.write("latin1.json", b"{\"path\":\"\xe9\"}");
    world.write("broken.toml", "[tool");
    rustix::fs::mknodat(rustix::fs::CWD, world.path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let read: Vec<&str> = vec!["run", &notes, "read-note"];
    let search: Vec<&str> = vec!["run", &notes, "search", "--arg", "query=x"];
    let with = |start: &[&str], more: &[&str]| start.iter().chain(more).map(|s| (*s).to_owned()).collect::<Vec<String>>();
    let table: Vec<(Vec<String>, &str)> = vec![
        (with(&["run"], &[]), "<COMPONENT>"),
        (with(&["run", "nowhere.wasm"], &[]), "nowhere.wasm: no such file or directory"),
        (with(&["run", "work"], &[]), "work: is a directory"),
        (with(&["run", "fifo"], &[]), "fifo: is not a regular file"),
        (with(&["run", "/dev/zero"], &[]), "/dev/zero: is not a regular file"),
        (with(&["run", "junk.wasm"], &[]), "junk.wasm is not a WebAssembly file"),
        (with(&["run", &notes], &[]), "has several tools, name one: add-note, read-note, search"),
        (with(&["run", &notes, "read_note"], &[]), "has no tool \"read_note\"; it has add-note, read-note, search"),
        (with(&["run", &notes, ""], &[]), "has no tool"),
        (with(&["run", &notes, "../read-note"], &[]), "has no tool"),
        (with(&read, &[]), "/path: missing, expected a string"),
        (with(&read, &["--args", "{"]), "--args: the arguments are not JSON"),
        (with(&read, &["--args", "[1]"]), "--args: the arguments must be a JSON object"),
        (with(&read, &["--args", ""]), "--args: the arguments are not JSON"),
        (with(&read, &["--args", "{\"path\":1}"]), "/path: expected a string, got 1"),
        (with(&read, &["--args", "{\"path\":null}"]), "/path: expected a string"),
        (with(&read, &["--args", "{\"path\":\"a\",\"x\":1}"]), "/x: unknown"),
        (with(&read, &["--args", "{\"path\":\"\\ud800\"}"]), "--args: the arguments are not JSON"),
        (with(&read, &["--args", "@nowhere.json"]), "nowhere.json: no such file or directory"),
        (with(&read, &["--args", "@work"]), "work: is a directory"),
        (with(&read, &["--args", "@fifo"]), "fifo: is not a regular file"),
        (with(&read, &["--args", "@deep.json"]), "deep.json: the arguments are not JSON"),
        (with(&read, &["--args", "@latin1.json"]), "latin1.json: the arguments are not JSON"),
        (with(&read, &["--args", "{\"path\":\"a\"}", "--arg", "path=b"]), "the argument path is given twice"),
        (with(&read, &["--arg", "path"]), "--arg needs NAME=VALUE"),
        (with(&read, &["--arg", "path=a", "--", "x"]), "arguments after -- are for commands"),
        (with(&search, &["--arg", "limit=-1"]), "/limit: expected an integer from 0 to 4294967295, got -1"),
        (with(&search, &["--arg", "limit=4294967296"]), "/limit: expected an integer from 0 to 4294967295"),
        (with(&search, &["--arg", "limit=1.5"]), "/limit: expected an integer"),
        (with(&search, &["--arg", "limit=many"]), "/limit: expected an integer"),
        (with(&read, &["--arg", "path=a", "--policy", "nowhere.toml"]), "nowhere.toml: no such file or directory"),
        (with(&read, &["--arg", "path=a", "--policy", "work"]), "work: is a directory"),
        (with(&read, &["--arg", "path=a", "--policy", "broken.toml"]), "broken.toml:1"),
        (with(&read, &["--arg", "path=a", "--allow-read=nowhere"]), "--allow-read=nowhere"),
        (with(&read, &["--arg", "path=a", "--ledger", "nowhere/l"]), "nowhere/l: its directory: no such file or directory"),
        (with(&read, &["--arg", "path=a", "--timeout", "soon"]), "--timeout=soon"),
        (with(&read, &["--arg", "path=a", "--fail-on", "nothing"]), "denial, limit, finding, high, medium"),
        (with(&read, &["--arg", "path=a", "-o", "xml"]), "text, json"),
        (with(&read, &["--arg", "path=a", "--allow-everything"]), "--allow-everything"),
        (with(&["help"], &[]), "help"),
        (with(&["fly"], &[]), "fly"),
    ];
    for (arguments, tells) in table {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = world.customs(&arguments).run();
        let what = arguments.join(" ");
        assert_eq!(run.code, 2, "{what}: {run}");
        one_sentence(&what, &run);
        assert!(run.stderr.contains(tells), "{what} does not say {tells:?}: {run}");
    }
    // The twin of all of them.
    let good = with(&read, &["--arg", "path=/data/a.md", "--allow-read=./work::/data"]);
    world.customs(&good.iter().map(String::as_str).collect::<Vec<_>>()).run().exits(0);
}

#[test]
fn bad_input_of_the_other_commands_is_refused_in_one_clear_sentence() {
    let world = World::new();
    world.write("broken.toml", "[tool");
    world.write("junk.wasm", "this is not wasm");
    world.write("empty", "");
    for (arguments, tells) in [
        (&["inspect"][..], "<COMPONENT>"),
        (&["inspect", "nowhere.wasm"], "nowhere.wasm: no such file or directory"),
        (&["inspect", "work"], "work: is a directory"),
        (&["inspect", "junk.wasm"], "junk.wasm is not a WebAssembly file"),
        (&["verify"], "<LEDGER>"),
        (&["verify", "nowhere"], "nowhere: no such file or directory"),
        (&["verify", "work"], "work: is a directory"),
        (&["verify", "/dev/zero"], "/dev/zero: is not a regular file"),
        (&["verify", "empty", "--head", "zz"], "--head must be 64 hexadecimal digits"),
        (&["policy", "check", "nowhere"], "nowhere: no such file or directory"),
        (&["policy", "check", "broken.toml"], "broken.toml:1"),
        (&["policy", "show", "broken.toml"], "broken.toml:1"),
        (&["policy", "show", "empty", "--tool", "t"], "there is no [tool.t]"),
        (&["why"], "--read"),
        (&["why", "--read=a", "--write=b"], "--read"),
        (&["why", "--read=a", "--allow-read=nowhere"], "--allow-read=nowhere"),
        (&["why", "--read=a", "--policy=nowhere"], "nowhere: no such file or directory"),
        (&["policy"], "check"),
    ] {
        let run = world.customs(arguments).run();
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        if arguments != ["policy"] {
            one_sentence(&arguments.join(" "), &run);
        }
        assert!(run.stderr.contains(tells), "{arguments:?} does not say {tells:?}: {run}");
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "text" => value.is_string(),
        "text or null" => value.is_string() || value.is_null(),
        "number" => value.is_u64(),
        "flag" => value.is_boolean(),
        "list" => value.is_array(),
        "object" => value.is_object(),
        "object or null" => value.is_object() || value.is_null(),
        "hex" => value.as_str().is_some_and(|t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_hexdigit())),
        "hex or null" => value.is_null() || is(value, "hex"),
        other => panic!("no such kind {other}"),
    }
}

/// Every key is there, with its type.
fn has(what: &str, value: &Value, keys: &[(&str, &str)]) {
    for (key, kind) in keys {
        let found = value.get(*key).unwrap_or_else(|| panic!("{what} has no {key}: {value}"));
        assert!(is(found, kind), "{what}: {key} is not {kind}: {found}");
    }
}

const RUN: [(&str, &str); 14] = [
    ("schema", "text"),
    ("component", "object"),
    ("tool", "text or null"),
    ("result", "object or null"),
    ("ending", "object"),
    ("denials", "list"),
    ("sources", "list"),
    ("sinks", "list"),
    ("findings", "list"),
    ("methods", "list"),
    ("complete", "flag"),
    ("suppressed", "object"),
    ("limits", "object"),
    ("ledger", "object or null"),
];

fn shape(run: &Run) {
    let json = &run.json;
    has("the run", json, &RUN);
    assert_eq!(json["schema"], "customs.run/1");
    has("component", &json["component"], &[("path", "text"), ("sha256", "hex or null")]);
    has("ending", &json["ending"], &[("kind", "text")]);
    if !json["result"].is_null() {
        has("result", &json["result"], &[("isError", "flag"), ("content", "list")]);
        for block in json["result"]["content"].as_array().unwrap() {
            has("content", block, &[("type", "text")]);
        }
    }
    for row in json["denials"].as_array().unwrap() {
        let keys = [("seq", "number"), ("capability", "text"), ("operation", "text"), ("requested", "text"),
            ("resolved", "text or null"), ("code", "text"), ("count", "number")];
        has("a denial", row, &keys);
    }
    for row in json["sources"].as_array().unwrap() {
        let keys = [("id", "number"), ("kind", "text"), ("name", "text"), ("class", "text"), ("bytes", "number"),
            ("sha256", "hex"), ("complete", "flag")];
        has("a source", row, &keys);
    }
    for row in json["sinks"].as_array().unwrap() {
        has("a sink", row, &[("id", "number"), ("kind", "text"), ("name", "text"), ("bytes", "number"), ("sha256", "hex")]);
    }
    if !json["ledger"].is_null() {
        has("ledger", &json["ledger"], &[("path", "text or null"), ("head", "hex"), ("events", "number")]);
    }
}

/// 4.2: the object of a run that returned, failed, was stopped, exited, or was refused.
#[test]
fn json_of_a_run_has_every_key_with_its_type() {
    let world = World::new();
    let notes = notes(&world);
    let path = std::path::Path::new(&notes);
    let grants = ["--allow-read=./work::/data", "--allow-env=NOTES_DIR"];
    let read = |path_in: &str| world.run(path, "read-note", &json!({"path": path_in}), &grants).env("NOTES_DIR", "/data").run();

    let run = read("a.md");
    assert_eq!((run.code, run.ending()), (0, "returned".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["tool"], "read-note");
    assert_eq!(run.json["result"]["isError"], false);
    assert_eq!(run.json["result"]["structuredContent"]["title"], "Title");
    let sources = run.sources();
    for source in ["file /data/a.md", "env NOTES_DIR", "argument /path"] {
        assert!(sources.contains(&source.to_owned()), "no source {source}: {run}");
    }
    let classes: Vec<(&str, &str)> = run.json["sources"].as_array().unwrap().iter()
        .map(|s| (s["kind"].as_str().unwrap(), s["class"].as_str().unwrap()))
        .collect();
    for class in [("file", "private"), ("env", "secret"), ("argument", "public")] {
        assert!(classes.contains(&class), "{class:?} in {classes:?}");
    }
    assert!(run.sinks().contains(&"return /title".to_owned()) && run.sinks().contains(&"return /body".to_owned()), "{run}");
    let head = run.json["ledger"]["head"].as_str().unwrap();
    let ledger = run.json["ledger"]["path"].as_str().unwrap();
    assert_eq!(run.json["ledger"]["events"], run.ledger.len() - 1, "the close record is not counted: {run}");
    let verified = world.customs(&["verify", ledger, "--head", head]).run();
    assert_eq!(verified.code, 0, "{verified}");

    let run = read("/etc/passwd");
    assert_eq!((run.code, run.ending()), (1, "error".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["result"]["isError"], true);
    run.denied(&["fs.read no-grant /etc/passwd"]);

    let run = world.run(&guest("hostile/trap"), "unreachable", &json!({}), &[]).run();
    assert_eq!((run.code, run.ending()), (3, "trap".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["result"], Value::Null);

    let run = world.perform(&[], json!([{"op": "exit"}]));
    assert_eq!((run.code, run.ending()), (3, "exit".to_owned()), "{run}");
    shape(&run);

    let run = world.run(path, "no-such-tool", &json!({}), &[]).run();
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{run}");
    shape(&run);
    assert!(run.ledger.is_empty(), "nothing ran: {run}");

    let run = world.run(&world.path("nowhere.wasm"), "x", &json!({}), &[]).run();
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{run}");
    shape(&run);
    assert_eq!(run.json["component"]["sha256"], Value::Null);
}

/// 4.3: the records of a ledger, and what each says.
#[test]
fn ledger_has_the_records_of_the_contract() {
    let world = World::new();
    let notes = notes(&world);
    let run = world.run(std::path::Path::new(&notes), "read-note", &json!({"path": "/data/a.md"}), &["--allow-read=./work::/data"]).run();
    run.exits(0);
    for (seq, record) in run.ledger.iter().enumerate() {
        assert_eq!((&record["v"], &record["seq"]), (&json!(1), &json!(seq)), "{run}");
        has("a record", record, &[("event", "text"), ("prev", "hex")]);
        match record["event"].as_str().unwrap() {
            "open" => has("open", record, &[("run", "text"), ("time", "text"), ("customs", "text"), ("wasmtime", "text"),
                ("component", "object"), ("policy", "hex"), ("grants", "list")]),
            "access" => {
                has("access", record, &[("cap", "text"), ("op", "text"), ("requested", "text"), ("decision", "text")]);
                let why = if record["decision"] == "allow" { "rule" } else { "code" };
                has("access", record, &[(why, "text")]);
            }
            "outcome" => has("outcome", record, &[("of", "number"), ("ok", "flag")]),
            "call" | "end" | "close" => {}
            other => panic!("an unknown record {other}: {run}"),
        }
    }
    let events: Vec<&str> = run.ledger.iter().map(|r| r["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], events[1]), ("open", "call"), "{run}");
    assert_eq!(events[events.len() - 2..], ["end", "close"], "{run}");
    assert_eq!(run.ledger[0]["grants"], json!(["--allow-read=./work::/data"]), "{run}");
    let read = run.accesses("fs.read");
    assert!(read.iter().any(|r| r["requested"] == "/data/a.md" && r["decision"] == "allow"), "{run}");
}

/// 4.1: `--fail-on` wins over 0, 1 and 3, and only where its kind occurred.
#[test]
fn fail_on_decides_the_exit_code_where_its_kind_occurred() {
    let world = World::new();
    let denied = json!([{"op": "open", "dir": "/", "path": "etc/passwd"}]);
    let clean = json!([{"op": "args"}]);
    let limit = json!([{"op": "sleep", "ns": "max"}]);
    let trap = json!([{"op": "trap"}]);
    let both = json!([{"op": "open", "dir": "/", "path": "etc/passwd"}, {"op": "trap"}]);
    for (script, flags, code) in [
        (&denied, &[][..], 0),
        (&denied, &["--fail-on=denial"], 4),
        (&denied, &["--fail-on=limit"], 0),
        (&denied, &["--fail-on=limit,denial"], 4),
        (&denied, &["--fail-on=limit", "--fail-on=denial"], 4),
        (&clean, &["--fail-on=denial,limit,finding,high,medium"], 0),
        (&limit, &["--timeout=100ms"], 3),
        (&limit, &["--timeout=100ms", "--fail-on=limit"], 4),
        (&limit, &["--timeout=100ms", "--fail-on=denial"], 3),
        (&trap, &["--fail-on=limit,denial"], 3),
        (&both, &["--fail-on=denial"], 4),
    ] {
        let run = world.perform(flags, script.clone());
        assert_eq!(run.code, code, "{flags:?}: {run}");
    }
    let notes = notes(&world);
    let read = |flags: &[&str]| world.run(std::path::Path::new(&notes), "read-note", &json!({"path": "/etc/passwd"}), flags).run();
    assert_eq!((read(&[]).code, read(&["--fail-on=denial"]).code), (1, 4));
    let refused = world.run(std::path::Path::new(&notes), "nothing", &json!({}), &["--fail-on=denial,limit"]).run();
    assert_eq!(refused.code, 2, "what was refused is not what failed: {refused}");
}

/// 4.1 and 4.8: the smallest grant that would allow it is named, and it does allow it.
#[test]
fn the_grant_that_a_denial_names_allows_it() {
    let world = World::new();
    let notes = notes(&world);
    let path = world.path("work/a.md");
    let read = |flags: &[&str]| {
        let argument = format!("path={}", path.display());
        let arguments: Vec<&str> = ["run", &notes, "read-note", "--arg", &argument].into_iter().chain(flags.iter().copied()).collect();
        world.customs(&arguments).run()
    };
    let denied = read(&[]);
    denied.exits(1);
    assert_eq!(denied.stdout, "", "the error of a tool is for stderr: {denied}");
    let grant = denied.stderr.lines().find_map(|line| line.trim().strip_prefix("allow it with ")).unwrap_or_else(|| panic!("{denied}"));
    assert_eq!(grant, format!("--allow-read={}", path.display()), "{denied}");
    let allowed = read(&[grant]);
    allowed.exits(0);
    assert_eq!(allowed.stderr, "", "quiet when all is well: {allowed}");
    assert!(allowed.stdout.contains("hello world"), "{allowed}");

    let why = world.customs(&["why", "--read", path.to_str().unwrap()]).run();
    assert!(why.stdout.contains(grant), "why says the same: {why}");
    let program = guest("puppet");
    let script = r#"script=[{"op":"env"}]"#;
    let run = world.customs(&["run", program.to_str().unwrap(), "perform", "--arg", script, "--allow-env=NOT_SET"]).run();
    run.exits(0);
}

/// Arguments come as JSON, from a file, from standard input, or one by one; a command's after `--`.
#[test]
fn arguments_come_in_every_way_and_mean_the_same() {
    let world = World::new();
    let notes = notes(&world);
    world.write("arguments.json", r#"{"query":"hello","limit":1}"#);
    let search = |more: &[&str]| -> Customs {
        let start = ["run", &notes, "search", "--allow-read=./work::/data"];
        world.customs(&start.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let expected = search(&["--args", r#"{"query":"hello","limit":1}"#]).run();
    expected.exits(0);
    assert!(expected.stdout.contains("hello world"), "{expected}");
    for run in [
        search(&["--args", "@arguments.json"]).run(),
        search(&["--args", "-"]).stdin(r#"{"query":"hello","limit":1}"#).run(),
        search(&["--arg", "query=hello", "--arg", "limit=1"]).run(),
        search(&["--args", r#"{"limit":1}"#, "--arg", "query=hello"]).run(),
    ] {
        assert_eq!((run.code, &run.stdout), (0, &expected.stdout), "{run}");
    }
    let wordcount = guest("wordcount");
    let wordcount = wordcount.to_str().unwrap();
    let after = world.customs(&["run", wordcount, "--allow-read=./work::/w", "--", "/w/a.md"]).run();
    let given = world.customs(&["run", wordcount, "--allow-read=./work::/w", "--args", r#"{"args":["/w/a.md"]}"#]).run();
    assert_eq!((after.code, &after.stdout), (0, &given.stdout), "{after}{given}");
    let twice = world.customs(&["run", wordcount, "--args", r#"{"args":["a"]}"#, "--", "b"]).run();
    twice.exits(2);
}

/// Every guest of the repository is inspected: its tools have schemas, and its digest is that of its bytes.
#[test]
fn inspect_shows_every_guest_with_schemas_and_digest() {
    use sha2::{Digest as _, Sha256};
    let world = World::new();
    for (name, form) in [
        ("notes", "typed"),
        ("hello", "command"),
        ("wordcount", "command"),
        ("puppet", "typed"),
        ("shapes", "typed"),
        ("bench", "typed"),
        ("dynamic", "dynamic"),
        ("benign-tool", "command"),
        ("evil-prompt-tool", "command"),
        ("fs-violation", "command"),
        ("tool-return-microbench", "command"),
    ] {
        let path = guest(name);
        let run = world.customs(&["inspect", path.to_str().unwrap(), "-o", "json"]).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}: {run}");
        let keys = [("schema", "text"), ("component", "object"), ("form", "text"), ("tools", "list"), ("imports", "list"), ("capabilities", "list")];
        has(name, &run.json, &keys);
        assert_eq!(run.json["form"], form, "{name}");
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(run.json["component"]["sha256"], crate::support::hex(&Sha256::digest(&bytes)), "{name}");
        assert_eq!(run.json["component"]["size"], bytes.len(), "{name}");
        let tools = run.json["tools"].as_array().unwrap();
        assert!(form == "dynamic" || !tools.is_empty(), "{name}: {run}");
        for tool in tools {
            has(name, tool, &[("name", "text"), ("inputSchema", "object"), ("signature", "text")]);
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}: {tool}");
        }
        let text = world.customs(&["inspect", path.to_str().unwrap()]).run();
        assert!(text.stdout.contains("may use") && text.stdout.lines().all(|l| l.len() < 1_000), "{name}: {text}");
    }
}

/// `--help` and `--version` are results.
#[test]
fn help_and_version_are_results() {
    let world = World::new();
    for arguments in [&["--help"][..], &["--version"], &["run", "--help"], &["why", "--help"], &["policy", "show", "--help"]] {
        let run = world.customs(arguments).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}: {run}");
        assert!(!run.stdout.is_empty(), "{arguments:?}");
    }
    let run = world.customs(&["run", "--help"]).run();
    for flag in ["--allow-read", "--deny-read", "--allow-env", "--allow-net", "--timeout", "--max-memory", "--fuel", "--ledger", "--fail-on", "--policy"] {
        assert!(run.stdout.contains(flag), "run --help does not have {flag}");
    }
}
