//! The command line's contract: exit codes, which stream says what, the shape of the JSON (`shape`), and one clear sentence for bad input
//! (`bad_input`).

mod bad_input;
mod shape;

use crate::support::{Customs, World, guest};
use serde_json::json;

fn notes(world: &World) -> String {
    world.write("work/a.md", "# Title\n\nhello world\n");
    guest("notes").to_str().unwrap().to_owned()
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
    let read = |flags: &[&str]| {
        world.run(std::path::Path::new(&notes), "read-note", &json!({"path": "/etc/passwd"}), flags).run()
    };
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
        let arguments: Vec<&str> =
            ["run", &notes, "read-note", "--arg", &argument].into_iter().chain(flags.iter().copied()).collect();
        world.customs(&arguments).run()
    };
    let denied = read(&[]);
    denied.exits(1);
    assert_eq!(denied.stdout, "", "the error of a tool is for stderr: {denied}");
    let grant = denied
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("allow it with "))
        .unwrap_or_else(|| panic!("{denied}"));
    assert_eq!(grant, format!("--allow-read={}", path.display()), "{denied}");
    let allowed = read(&[grant]);
    allowed.exits(0);
    assert_eq!(allowed.stderr, "", "quiet when all is well: {allowed}");
    assert!(allowed.stdout.contains("hello world"), "{allowed}");

    let why = world.customs(&["why", "--read", path.to_str().unwrap()]).run();
    assert!(why.stdout.contains(grant), "why says the same: {why}");
    let program = guest("puppet");
    let script = r#"script=[{"op":"env"}]"#;
    let run =
        world.customs(&["run", program.to_str().unwrap(), "perform", "--arg", script, "--allow-env=NOT_SET"]).run();
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
    let given =
        world.customs(&["run", wordcount, "--allow-read=./work::/w", "--args", r#"{"args":["/w/a.md"]}"#]).run();
    assert_eq!((after.code, &after.stdout), (0, &given.stdout), "{after}{given}");
    let twice = world.customs(&["run", wordcount, "--args", r#"{"args":["a"]}"#, "--", "b"]).run();
    twice.exits(2);
}

/// `--help` and `--version` are results.
#[test]
fn help_and_version_are_results() {
    let world = World::new();
    for arguments in
        [&["--help"][..], &["--version"], &["run", "--help"], &["why", "--help"], &["policy", "show", "--help"]]
    {
        let run = world.customs(arguments).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}: {run}");
        assert!(!run.stdout.is_empty(), "{arguments:?}");
    }
    let run = world.customs(&["run", "--help"]).run();
    for flag in [
        "--allow-read",
        "--deny-read",
        "--allow-env",
        "--allow-net",
        "--timeout",
        "--max-memory",
        "--fuel",
        "--ledger",
        "--fail-on",
        "--policy",
    ] {
        assert!(run.stdout.contains(flag), "run --help does not have {flag}");
    }
}

/// HTTP, sockets and lookups alike, and with the grant the attempt is made.
#[test]
fn nothing_on_the_network_is_reached_without_a_grant_and_each_attempt_is_recorded() {
    let world = World::new();
    let path = guest("puppet");
    let script =
        r#"script=[{"op":"http","url":"http://127.0.0.1:1/"},{"op":"tcp-create"},{"op":"resolve","name":"a.test"}]"#;
    let start = ["run", path.to_str().unwrap(), "perform", "--arg", script, "-o", "json"];
    let run = |more: &[&str]| world.customs(&start.iter().chain(more).copied().collect::<Vec<_>>()).run();
    let plain = run(&[]);
    plain.exits(0);
    assert!(plain.said().iter().all(|word| word != "ok"), "{plain}");
    assert_eq!(plain.json["denials"].as_array().unwrap().len(), 3, "each is recorded: {plain}");
    let allow = "--allow-net=http://127.0.0.1:1";
    assert!(plain.stderr.contains(&format!("allow it with {allow}\n")), "{plain}");
    // Nobody listens there: the request is allowed, and fails by itself.
    let granted = run(&[allow]);
    assert_eq!(granted.json["denials"].as_array().unwrap().len(), 2, "{granted}");
    assert_eq!(granted.said()[0], "connection-refused", "{granted}");
    run(&["--secret=KEY@https://a.test"]).exits(2);
}
