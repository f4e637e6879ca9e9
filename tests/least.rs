//! Learn mode on real guests: run, learn the least policy from the ledger, run again under it: it passes. Take any line out: a denial comes
//! back. And what people do with policies and records: compare, import, explain.

use crate::support::servers::Server;
use crate::support::{Run, World, guest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What one call of a guest is.
struct Call<'a> {
    world: &'a World,
    component: PathBuf,
    tool: &'static str,
    arguments: Value,
}

impl Call<'_> {
    fn run(&self, flags: &[&str]) -> Run {
        self.world.run(&self.component, self.tool, &self.arguments, flags).run()
    }
}

fn puppet<'a>(world: &'a World, script: &Value) -> Call<'a> {
    let script = world.fill(&script.to_string());
    Call { world, component: guest("puppet"), tool: "perform", arguments: json!({ "script": script }) }
}

/// The ledgers of this world so far.
fn ledgers(world: &World) -> Vec<String> {
    let all = (0..).map(|n| format!("ledgers/{n}.jsonl")).take_while(|name| world.exists(name));
    all.collect()
}

fn learn(world: &World, ledgers: &[String], more: &[&str]) -> Run {
    let ledgers = ledgers.iter().map(String::as_str);
    let arguments: Vec<&str> = ["policy", "least"].into_iter().chain(ledgers).chain(more.iter().copied()).collect();
    world.customs(&arguments).run()
}

/// The grants of a learned policy, as flags.
fn flags(learned: &Run) -> (Vec<String>, Vec<String>) {
    let lines = learned.json["lines"].as_array().unwrap_or_else(|| panic!("no lines: {learned}"));
    let flag = |line: &Value| format!("--{}={}", line["key"].as_str().unwrap(), line["value"].as_str().unwrap());
    let (carried, grants): (Vec<&Value>, Vec<&Value>) = lines.iter().partition(|line| line["carried"] == true);
    (grants.into_iter().map(flag).collect(), carried.into_iter().map(flag).collect())
}

/// Learned from one run, the policy lets it pass again as a file; each grant left out is missed. Gives the grants.
fn is_least(call: &Call<'_>, given: &[&str], prepare: &dyn Fn()) -> Vec<String> {
    let world = call.world;
    prepare();
    let first = call.run(given);
    let ledger = ledgers(world).last().cloned().unwrap();
    let learned = learn(world, std::slice::from_ref(&ledger), &["-o", "json"]);
    assert_eq!((learned.code, &learned.json["unmet"]), (0, &json!([])), "{learned}");

    let number = ledgers(world).len();
    let file = format!("least-{number}.toml");
    learn(world, &[ledger], &["--write", &file]).exits(0);
    prepare();
    let again = call.run(&["--policy", &file]);
    assert_eq!(again.denials(), Vec::<String>::new(), "under {}: {again}", String::from_utf8_lossy(&world.read(&file)));
    // What a puppet says has the times of files in it.
    match call.tool {
        "perform" => assert_eq!(again.said(), first.said(), "the same answers: {again}"),
        _ => assert_eq!(again.json["result"], first.json["result"], "the same answer: {again}"),
    }

    let (grants, carried) = flags(&learned);
    for left_out in 0..grants.len() {
        let rest: Vec<&str> =
            grants.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, flag)| flag.as_str()).collect();
        let rest: Vec<&str> = rest.into_iter().chain(carried.iter().map(String::as_str)).collect();
        prepare();
        let run = call.run(&rest);
        assert!(!run.denials().is_empty(), "{} can be left out of {grants:?}: {run}", grants[left_out]);
    }
    grants
}

#[test]
fn least_of_reading_a_note_is_that_note_and_the_variable() {
    let world = World::new();
    world.write("notes/a.md", "# A\n\nalpha");
    world.write("notes/b.md", "# B\n\nbeta");
    let call = Call { world: &world, component: guest("notes"), tool: "read-note", arguments: json!({"path": "a.md"}) };
    let given = ["--allow-write=./notes", "--env=NOTES_DIR=/notes"];
    // The value of a variable that was written as a flag is not in the ledger: it is given again.
    call.run(&given).denied(&[]);
    let alone = learn(&world, &["ledgers/0.jsonl".to_owned()], &[]);
    assert!(alone.code == 1 && alone.stderr.contains("NOTES_DIR"), "{alone}");
    let more = ["--allow-write=./notes", "--env=NOTES_DIR=/notes", "-o", "json"];
    let learned = learn(&world, &["ledgers/0.jsonl".to_owned()], &more);
    assert_eq!((learned.code, learned.stderr.as_str()), (0, ""), "{learned}");
    let (grants, _) = flags(&learned);
    assert_eq!(grants, ["--allow-read=./notes/a.md", "--env=NOTES_DIR=/notes"], "{learned}");
    let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
    call.run(&grants).denied(&[]).exits(0);
    call.run(&grants[..1]).denied(&["fs.read no-grant /data/a.md"]);
    let other = Call { arguments: json!({"path": "b.md"}), ..call };
    other.run(&grants).denied(&["fs.read no-grant /notes/b.md"]);
}

#[test]
fn least_of_searching_and_adding_notes_is_the_folder_for_reading_or_writing() {
    let world = World::new();
    let prepare = || {
        world.write("data/sub/b.md", "# B\n\nbeta");
        world.write("data/a.md", "# A\n\nalpha");
        let _ = std::fs::remove_file(world.path("data").join("new.md"));
    };
    let search = Call { world: &world, component: guest("notes"), tool: "search", arguments: json!({"query": "beta"}) };
    let given = ["--allow-write=./data", "--deny-read=./data/private", "--deny-write=./other"];
    assert_eq!(is_least(&search, &given, &prepare), ["--allow-read=./data"]);
    let add = json!({"title": "new", "body": "x", "tags": []});
    let add = Call { world: &world, component: guest("notes"), tool: "add-note", arguments: add };
    assert_eq!(is_least(&add, &given, &prepare), ["--allow-write=./data"]);
    // Both together: what is written is for reading too. What was denied inside stays so.
    let ran: Vec<String> = ledgers(&world);
    let both = [ran[0].clone(), ran[ran.len() / 2 + 1].clone()];
    let learned = learn(&world, &both, &["--allow-write=./data", "--deny-read=./data/private", "--deny-write=./other"]);
    assert!(learned.stdout.contains("deny-read = [\n  \"./data/private\""), "{learned}");
    assert!(!learned.stdout.contains("./other"), "{learned}");
}

#[test]
fn least_of_a_request_is_its_method_origin_and_path() {
    let (world, server) = (World::new(), Server::http());
    let origin = server.origin();
    let ask = |method: &str, path: &str| {
        let request = json!({"method": method, "url": format!("{origin}{path}"), "headers": []});
        Call { world: &world, component: guest("fetch"), tool: "fetch", arguments: json!({ "request": request }) }
    };
    let given = format!("--allow-net={origin}");
    let grants = is_least(&ask("GET", "/echo"), &[&given], &|| {});
    assert_eq!(grants, [format!("--allow-http=GET {origin}/echo")]);
    let before = server.connections();
    // One letter away: another method, another path. Nobody comes.
    ask("PUT", "/echo").run(&[&grants[0]]).denied(&[&format!("http.request no-grant PUT {origin}/echo")]);
    ask("GET", "/echoes").run(&[&grants[0]]).denied(&[&format!("http.request no-grant GET {origin}/echoes")]);
    assert_eq!(server.connections(), before);
    ask("GET", "/echo/more").run(&[&grants[0]]).denied(&[]);
    assert_eq!(server.connections(), before + 1);
}

#[test]
fn least_of_what_a_tool_does_with_files_is_as_narrow_as_each_operation() {
    let world = World::new();
    let prepare = || {
        for path in ["work/made", "work/moved", "work/dir"] {
            let _ = std::fs::remove_dir_all(world.path("").join(path));
        }
        world.write("work/sub/old", "old");
        world.write("work/sub/keep", "keep");
        world.write("work/f", &world.inside);
    };
    let given = ["--allow-write=./work::/box"];
    let least = |script: Value| is_least(&puppet(&world, &script), &given, &prepare);
    let open = |path: &str| json!({"op": "open", "dir": "/", "path": path, "as": "h"});
    // Read, its metadata, written in place, cut.
    assert_eq!(least(json!([open("box/f"), {"op": "read", "handle": "h"}])), ["--allow-read=./work/f::/box/f"]);
    assert_eq!(least(json!([{"op": "stat-at", "dir": "/", "path": "box/f"}])), ["--allow-read=./work/f::/box/f"]);
    let write = json!({"op": "open", "dir": "/", "path": "box/f", "write": true, "truncate": true, "as": "h"});
    assert_eq!(least(json!([write, {"op": "write", "handle": "h", "text": "x"}])), ["--allow-write=./work/f::/box/f"]);
    // Listed, created, removed, moved: the directory of the names.
    let list = json!([{"op": "open", "dir": "/", "path": "box/sub", "directory": true, "as": "h"}, {"op": "read-directory", "handle": "h"}]);
    assert_eq!(least(list), ["--allow-read=./work/sub::/box/sub"]);
    let create = json!([{"op": "open", "dir": "/", "path": "box/sub/new", "write": true, "create": true}]);
    assert_eq!(least(create), ["--allow-write=./work/sub::/box/sub"]);
    let _ = std::fs::remove_file(world.path("work/sub/new"));
    let remove = json!([{"op": "unlink-file-at", "dir": "/", "path": "box/sub/old"}]);
    assert_eq!(least(remove), ["--allow-write=./work/sub::/box/sub"]);
    let rename =
        json!([{"op": "rename-at", "dir": "/", "path": "box/sub/old", "to-dir": "/", "to-path": "box/sub/newer"}]);
    assert_eq!(least(rename), ["--allow-write=./work/sub::/box/sub"]);
    // A directory that it made, and a file in that: the one that was there before.
    let made = json!([{"op": "create-directory-at", "dir": "/", "path": "box/dir"},
        {"op": "open", "dir": "/", "path": "box/dir/x", "write": true, "create": true}]);
    assert_eq!(least(made), ["--allow-write=./work::/box"]);
    // What is not there can be granted by its directory only.
    assert_eq!(least(json!([open("box/sub/missing")])), ["--allow-read=./work/sub::/box/sub"]);
    // Two files are two grants; a directory where that is asked for.
    let two = [open("box/sub/old"), open("box/sub/keep")];
    assert_eq!(
        least(json!(two)),
        ["--allow-read=./work/sub/keep::/box/sub/keep", "--allow-read=./work/sub/old::/box/sub/old"]
    );
    let passed = |name: &String| {
        let text = String::from_utf8(world.read(name)).unwrap();
        text.contains("/keep") && !text.contains("\"deny\"")
    };
    let ledger = ledgers(&world).into_iter().find(passed).unwrap();
    let wide = learn(&world, &[ledger], &["--allow-write=./work::/box", "--generalize", "-o", "json"]);
    assert_eq!(flags(&wide).0, ["--allow-read=./work/sub::/box/sub"], "{wide}");
}

#[test]
fn least_grants_nothing_that_was_denied_and_tells_it() {
    let world = World::new();
    let script = json!([{"op": "open", "dir": "/", "path": "etc/passwd"}, {"op": "open", "dir": "/", "path": "box/f"},
        {"op": "open", "dir": "/", "path": "box/\u{202e}x\n[tool.evil]"}]);
    puppet(&world, &script).run(&["--allow-read=./work/f::/box/f"]);
    let learned = learn(&world, &ledgers(&world), &[]);
    assert_eq!(learned.code, 0, "{learned}");
    assert!(learned.stdout.contains("allow-read = [\n  \"./work/f::/box/f\","), "{learned}");
    assert!(
        learned.stdout.contains("# not granted") && learned.stdout.contains("open-at /etc/passwd: no-grant"),
        "{learned}"
    );
    // What a guest wrote makes no line and is not shown as it is.
    assert!(
        !learned.stdout.contains('\u{202e}') && !learned.stdout.lines().any(|l| l.starts_with("[tool.evil")),
        "{learned}"
    );
    world.write("learned.toml", &learned.stdout);
    world.customs(&["policy", "check", "learned.toml"]).run().exits(0);
}

#[test]
fn a_policy_is_not_learned_from_a_ledger_that_was_changed_or_of_another_component() {
    let world = World::new();
    puppet(&world, &json!([{"op": "open", "dir": "/", "path": "box/f"}])).run(&["--allow-read=./work::/box"]);
    let ledger = String::from_utf8(world.read("ledgers/0.jsonl")).unwrap();
    world.write("changed.jsonl", ledger.replace("/box/f", "/box/g"));
    let changed = learn(&world, &["changed.jsonl".to_owned()], &[]);
    assert!(changed.code == 2 && changed.stderr.contains("no policy is made from it"), "{changed}");
    learn(&world, &["ledgers/0.jsonl".to_owned()], &[]).exits(0);
    let notes = Call { world: &world, component: guest("notes"), tool: "read-note", arguments: json!({"path": "a"}) };
    notes.run(&[]);
    let two = learn(&world, &ledgers(&world), &[]);
    assert!(two.code == 2 && two.stderr.contains("learn a policy for each"), "{two}");
    // A file that is there is never written over.
    world.write("mine.toml", "mine");
    let write = ["--write", "mine.toml"];
    learn(&world, &["ledgers/0.jsonl".to_owned()], &write).exits(2);
    assert_eq!(world.read("mine.toml"), b"mine");
}

#[test]
fn why_explains_a_record_by_its_number() {
    let world = World::new();
    let script = json!([{"op": "open", "dir": "/", "path": "etc/passwd"},
        {"op": "open", "dir": "/", "path": "box/f", "as": "h"}, {"op": "read", "handle": "h"}]);
    let run = puppet(&world, &script).run(&["--allow-read=./work::/box"]);
    let seq = |what: &dyn Fn(&Value) -> bool| {
        run.ledger.iter().find(|r| what(r)).unwrap()["seq"].as_u64().unwrap().to_string()
    };
    let denied = seq(&|r| r["decision"] == "deny");
    let allowed = seq(&|r| r["decision"] == "allow" && r["requested"] == "/box/f");
    let finding = seq(&|r| r["event"] == "finding");
    let why = |seq: &str, more: &[&str]| {
        let arguments: Vec<&str> =
            ["why", "ledgers/0.jsonl", "--seq", seq].into_iter().chain(more.iter().copied()).collect();
        world.customs(&arguments).run()
    };
    let told = why(&denied, &[]);
    assert!(told.code == 0 && told.stdout.contains("denied   no-grant: no grant covers it"), "{told}");
    assert!(told.stdout.contains("allow    it with --allow-read=/etc/passwd"), "{told}");
    let told = why(&allowed, &[]);
    assert!(told.stdout.contains("allowed  by --allow-read=./work::/box"), "{told}");
    assert!(told.stdout.contains("bytes came in: file /box/f, private"), "{told}");
    assert!(told.stdout.contains(&format!("record {finding}")), "the finding that it is the source of: {told}");
    let told = why(&finding, &[]);
    assert!(told.stdout.contains("bytes came in: file /box/f") && told.stdout.contains("bytes went out"), "{told}");
    let json = why(&denied, &["-o", "json"]).json;
    assert_eq!(
        (&json["schema"], &json["suggestion"]),
        (&json!("customs.why-record/1"), &json!("--allow-read=/etc/passwd"))
    );
    for record in &run.ledger {
        why(&record["seq"].to_string(), &[]).exits(0);
    }
    let none = why("999", &[]);
    assert!(none.code == 2 && none.stderr.contains("there is no record 999"), "{none}");
    // One question at a time.
    why(&denied, &["--read", "/x"]).exits(2);
    why(&denied, &["--allow-read=./work"]).exits(2);
    world.customs(&["why", "ledgers/0.jsonl"]).run().exits(2);
}

#[test]
fn policy_diff_says_what_each_file_allows_and_exits_with_1_where_they_differ() {
    let world = World::new();
    world.write("desk/f", "text");
    world.write("a.toml", "[tool.a]\nallow-read = [\"./desk\"]\n[tool.b]\n");
    world.write(
        "b.toml",
        "[tool.a]\nallow-read = [\"./desk/f\"]\nallow-net = [\"https://api.example.com\"]\n[tool.b]\n",
    );
    world.write("c.toml", "[tool.b]\n[tool.a]\nallow-read = [\"desk/::/desk\"]\n");
    let diff = |one: &str, other: &str, more: &[&str]| {
        let arguments: Vec<&str> = ["policy", "diff", one, other].into_iter().chain(more.iter().copied()).collect();
        world.customs(&arguments).run()
    };
    let told = diff("a.toml", "b.toml", &[]);
    assert_eq!(told.code, 1, "{told}");
    let expected =
        "tool     a\nnarrower fs.read  /desk, but for /desk/f\nadded    http.request  https://api.example.com\n";
    assert_eq!(told.stdout, expected, "{told}");
    let equal = diff("a.toml", "c.toml", &["-o", "json"]);
    assert_eq!((equal.code, &equal.json["equal"]), (0, &json!(true)), "{equal}");
    diff("a.toml", "b.toml", &["--tool", "b"]).exits(0);
    diff("a.toml", "b.toml", &["--tool", "z"]).exits(2);
    world.write("d.toml", "[tool.a]\nallow-read = [\"./desk\"]\n");
    let only = diff("a.toml", "d.toml", &[]);
    assert!(only.code == 1 && only.stdout.contains("tool     b  only in the first file"), "{only}");
}

#[test]
fn policy_import_carries_over_what_it_can_and_says_what_it_cannot() {
    let world = World::new();
    world.write("desk/f", "text");
    let yaml = "version: \"1.0\"\npermissions:\n  storage:\n    allow:\n    - uri: \"fs://desk/**\"\n      access: [\"read\"]\n";
    world.write("policy.yaml", yaml);
    let run = world.customs(&["policy", "import", "policy.yaml", "--tool", "files"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    world.write("customs.toml", &run.stdout);
    world.customs(&["policy", "check", "customs.toml"]).run().exits(0);
    world.customs(&["why", "--read", "/desk/f", "--policy", "customs.toml"]).run().exits(0);
    world.customs(&["why", "--write", "/desk/f", "--policy", "customs.toml"]).run().exits(1);
    world.write("policy.yaml", format!("{yaml}  network:\n    allow:\n    - cidr: \"10.0.0.0/8\"\n"));
    let run = world.customs(&["policy", "import", "policy.yaml"]).run();
    assert!(run.code == 1 && run.stderr.contains("line 9 is not carried over: 10.0.0.0/8"), "{run}");
    world.write("policy.yaml", yaml.replace("[\"read\"]", "&x [\"read\"]"));
    let run = world.customs(&["policy", "import", "policy.yaml"]).run();
    assert!(run.code == 2 && run.stderr.contains("policy.yaml:6"), "{run}");
    assert!(Path::new(&world.path("policy.yaml")).is_file());
}
