//! Standard streams: what a guest prints is evidence, never the program's own output, and a terminal never obeys it.

use crate::support::{Customs, Run, World, case, guest, program, shared_cache};
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn streams_cases_hold() {
    case::play("streams", &[84, 85, 86, 88, 89]);
}

fn text(world: &World, script: serde_json::Value, flags: &[&str]) -> Customs {
    let script = json!({ "script": script.to_string() }).to_string();
    let path = guest("puppet");
    let arguments: Vec<&str> =
        ["run", path.to_str().unwrap(), "perform", "--args", &script].iter().chain(flags).copied().collect();
    world.customs(&arguments)
}

/// 83: a reply that a guest prints is not on stdout, where a client reads replies.
#[test]
fn a_forged_reply_never_reaches_stdout() {
    let world = World::new();
    let forged = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
    let script = json!([{"op": "stdout", "text": format!("{forged}\n")}]);
    for flags in [&[][..], &["-o", "json"]] {
        let run = text(&world, script.clone(), flags).run();
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.stdout.lines().any(|line| line == forged), "{run}");
        assert_eq!(run.stdout.lines().count(), 1, "the result and nothing else: {run}");
        assert!(run.stderr.contains(&format!("stdout   {forged}")), "a person sees it, under its name: {run}");
    }
}

/// 84: what was cut is said: how much passed, and that it was not all.
#[test]
fn a_flood_is_kept_up_to_the_limit_and_called_incomplete() {
    let world = World::new();
    for (stream, limit) in [("stdout", 1 << 20), ("stderr", 3 << 20)] {
        let run =
            world.perform(&[&format!("--max-output={limit}")], json!([{"op": "flood", "mib": 100, "to": stream}]));
        assert_eq!(run.ending(), "limit output", "{run}");
        let sink = run.json["sinks"].as_array().unwrap().iter().find(|s| s["kind"] == stream).unwrap();
        assert_eq!((&sink["bytes"], &sink["complete"]), (&json!(limit), &json!(false)), "{run}");
        assert_eq!(run.json["complete"], json!(false), "{run}");
        let outcome = run.ledger.iter().find(|r| r["kind"] == stream).unwrap();
        assert_eq!((&outcome["bytes"], &outcome["complete"]), (&json!(limit), &json!(false)), "{run}");
        assert!(run.stderr.len() < 10_000, "a person is shown a part: {} bytes", run.stderr.len());
    }
}

/// 85: the host's stdin is the client's, not the guest's; a command gets what the call gives it.
#[test]
fn the_hosts_stdin_is_not_the_guests() {
    let world = World::new();
    let run = text(&world, json!([{"op": "stdin"}]), &["-o", "json"]).stdin(world.outside.clone()).run();
    assert_eq!(run.outcomes()[0]["value"], json!({"len": 0, "text": ""}), "{run}");
    assert_eq!(run.sources(), ["argument /script"], "{run}");

    let run = world.run(&guest("wordcount"), "run", &json!({}), &[]).stdin("one two three").run();
    assert!(run.json["result"]["content"][0]["text"].as_str().unwrap().contains(r#""words":0"#), "{run}");
    let run = world.run(&guest("wordcount"), "run", &json!({"stdin": "one two three"}), &[]).run();
    assert!(run.json["result"]["content"][0]["text"].as_str().unwrap().contains(r#""words":3"#), "{run}");
    assert!(run.sources().contains(&"stdin stdin".to_owned()), "{run}");
}

/// 86: every place where a guest's text reaches a person.
#[test]
fn guest_text_never_moves_a_cursor() {
    let world = World::new();
    let odd = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\u{9b}31m\u{202e}\u{2028}\u{e0041}";
    let scripts = [
        ("printed", json!([{"op": "stderr", "text": odd}, {"op": "stdout", "text": odd}])),
        ("panic", json!([{"op": "panic", "message": odd}])),
        ("path", json!([{"op": "open", "dir": "/", "path": odd}])),
        ("error of the tool", json!([{"op": odd}])),
    ];
    for (place, script) in scripts {
        let run = text(&world, script, &[]).run();
        let raw = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2028}' | '\u{e0041}');
        assert!(!run.stderr.contains(raw), "{place}: {run}");
        assert!(run.stderr.contains("owned"), "it is shown and not dropped: {place}: {run}");
    }
    let run = text(&world, json!([]), &["--arg", &format!("{odd}=1")]).run();
    assert_eq!(run.code, 2, "{run}");
    assert!(!run.stderr.contains('\u{1b}'), "{run}");
}

/// Runs the program with a terminal on all three streams, as `script` makes one. What the terminal got is returned.
fn on_a_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    assert!(Path::new("/usr/bin/script").exists(), "util-linux has script, and every Debian has util-linux");
    let quoted: Vec<String> = arguments.iter().map(|a| format!("'{a}'")).collect();
    let mut script = Command::new("/usr/bin/script");
    script.env_clear().env("PATH", "/usr/bin:/bin").env("CUSTOMS_CACHE_DIR", shared_cache()).env("SHELL", "/bin/sh");
    script.env("TERM", "xterm").envs(variables.iter().copied());
    script.args(["-qec", &format!("'{}' {}", program().display(), quoted.join(" ")), "/dev/null"]);
    script.stdin(Stdio::null()).stderr(Stdio::null());
    String::from_utf8_lossy(&script.output().unwrap().stdout).into_owned()
}

/// 86 and 88 with a real terminal: guests do not see it, and it is not obeyed.
#[test]
fn a_terminal_on_the_host_is_not_the_guests_and_gets_escaped_text() {
    let path = guest("puppet");
    let script = r#"[{"op":"terminals"},{"op":"stderr","text":"\u001b[31mred"}]"#;
    let arguments = ["run", path.to_str().unwrap(), "perform", "--arg", &format!("script={script}")];
    let shown = on_a_terminal(&arguments, &[]);
    assert!(shown.contains(r#""value":{"stdin":false,"stdout":false,"stderr":false}"#), "{shown:?}");
    assert!(shown.contains(r"\u{1b}[31mred") && !shown.contains("\u{1b}[31mred"), "{shown:?}");

    let path = guest("wordcount");
    let hello = guest("hello");
    let odd = ["run", hello.to_str().unwrap(), "--", "\u{1b}[2Jowned"];
    let shown = on_a_terminal(&odd, &[]);
    assert!(!shown.contains("\u{1b}[2J"), "a command's stdout too: {shown:?}");

    // Colour is for terminals, and for people who want it.
    let denied = ["run", path.to_str().unwrap(), "--", "x"];
    let colour = "\u{1b}[33mdenied";
    assert!(on_a_terminal(&denied, &[]).contains(colour));
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = on_a_terminal(&denied, &[plain]);
        assert!(shown.contains("denied") && !shown.contains('\u{1b}'), "{plain:?}: {shown:?}");
    }
    let world = World::new();
    let piped = world.customs(&denied).run();
    assert!(piped.stderr.contains("denied") && !piped.stderr.contains('\u{1b}'), "{piped}");
}

/// 4.1: stdout carries the result and nothing else, also where the command fails or the reader has gone.
#[test]
fn stdout_of_a_command_is_what_it_printed() {
    let world = World::new();
    let run = |arguments: &[&str]| -> Run { world.customs(arguments).run() };
    let wordcount = guest("wordcount");
    let wordcount = wordcount.to_str().unwrap();
    let good = run(&["run", wordcount, "--allow-read={work}::/w", "--", "/w/f"]);
    good.exits(0);
    assert_eq!(good.stderr, "", "quiet when all is well: {good}");
    let bad = run(&["run", wordcount, "--allow-read={work}::/w", "--", "/w/nothing"]);
    bad.exits(1);
    assert!(!bad.stdout.contains("exit code"), "{bad}");
    assert!(bad.stderr.contains("error    run: exit code 1"), "{bad}");

    let mut child = Command::new(program())
        .env_clear()
        .env("CUSTOMS_CACHE_DIR", shared_cache())
        .args(["run", guest("puppet").to_str().unwrap(), "big-list", "--arg", "n=200000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("panicked"), "a reader that has gone is no error: {said}");
}

/// A result that cannot be written is our fault, and no success.
#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(program())
        .env_clear()
        .env("CUSTOMS_CACHE_DIR", shared_cache())
        .args(["run", guest("puppet").to_str().unwrap(), "big-list", "--arg", "n=3"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    let mut seen = Vec::new();
    seen.write_all(&output.stderr).unwrap();
    assert!(String::from_utf8(seen).unwrap().starts_with("fault    the result could not be written"));
}
