//! Bad input: one clear sentence, exit code 2, and nothing else.

use super::notes;
use crate::support::{Run, World};

/// No panic, no backtrace, nothing on stdout, and at most as many lines as a usage error has.
fn one_sentence(what: &str, run: &Run) {
    for word in ["panicked", "RUST_BACKTRACE", "stack backtrace", "os error"] {
        assert!(!run.stderr.contains(word), "{what} says {word}: {run}");
    }
    let lines = run.stderr.lines().count();
    let usage = run.stderr.starts_with("error: ") && lines <= 12;
    assert!(
        usage || (run.stderr.starts_with("error    ") && lines == 1),
        "{what}: one sentence, not {lines} lines: {run}"
    );
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
    let with =
        |start: &[&str], more: &[&str]| start.iter().chain(more).map(|s| (*s).to_owned()).collect::<Vec<String>>();
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
        (
            with(&read, &["--arg", "path=a", "--ledger", "nowhere/l"]),
            "nowhere/l: its directory: no such file or directory",
        ),
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
