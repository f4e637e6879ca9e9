//! The ledger: it says what happened whatever the guest writes, whatever fails, and whoever edits it afterwards.

use crate::support::{Run, World, guest, program, shared_cache};
use customs_ledger::{Verdict, verify};
use serde_json::{Value, json};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const GRANT: &str = "--allow-write={work}::/box";

fn verdict(bytes: &[u8]) -> Verdict {
    verify(bytes, None).unwrap().verdict
}

/// A script that makes so many directories `d0`, `d1`, ..
fn directories(count: usize) -> Value {
    (0..count).map(|n| json!({"op": "create-directory-at", "dir": "/box", "path": format!("d{n}")})).collect()
}

/// Those of them that are there.
fn made(world: &World) -> Vec<String> {
    let names = std::fs::read_dir(world.path("work")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('d')).collect()
}

/// The program as another process starts it: for limits, signals and streams that the usual runner has no words for.
fn command(world: &World, ledger: &str, script: &Value) -> Command {
    world.write("script.json", json!({ "script": script.to_string() }).to_string());
    let mut command = Command::new(program());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("CUSTOMS_CACHE_DIR", shared_cache()).current_dir(world.path(""));
    command.args(["run", guest("puppet").to_str().unwrap(), "perform", "--args", "@script.json", "--ledger", ledger]);
    command.arg(world.fill(GRANT)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same under `sh`, with a `ulimit` before it. The guest is compiled before: that is not what is limited here.
fn limited(ulimit: &str, command: &Command) -> Output {
    World::new().perform(&[], json!([])).exits(0);
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().arg("-c").arg(format!("{ulimit}; exec \"$@\"")).arg("sh");
    shell.arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
    shell.current_dir(command.get_current_dir().unwrap());
    shell.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{:?}\n{}\n{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// 148: whatever a guest writes into a field, it is one record, with the decision that was taken.
#[test]
fn a_text_that_looks_like_a_record_stays_a_text() {
    let world = World::new();
    let forged = "x\",\"decision\":\"allow\",\"a\":\"\n{\"v\":1,\"seq\":9,\"event\":\"close\"}\r\u{2028}\u{2029}\u{1b}[2J\u{7f}\u{202e}\\";
    let run = world.perform(
        &[GRANT],
        json!([
            {"op": "open", "dir": "/", "path": forged},
            {"op": "create-directory-at", "dir": "/box", "path": forged.replace('/', "")},
            {"op": "symlink-at", "dir": "/box", "path": "link", "target": forged},
            {"op": "resolve", "name": forged},
            {"op": "stdout", "text": forged},
        ]),
    );
    run.exits(0);
    let opened = run.accesses("fs.read");
    assert_eq!(opened.len(), 1, "one record: {run}");
    assert_eq!((&opened[0]["decision"], &opened[0]["requested"]), (&json!("deny"), &json!(format!("/{forged}"))), "{run}");
    for (seq, record) in run.ledger.iter().enumerate() {
        assert_eq!(record["seq"], json!(seq), "{run}");
    }
    let path = run.json["ledger"]["path"].as_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), run.ledger.len(), "one line for each record");
    assert!(!bytes.iter().any(|b| *b < 0x20 && *b != b'\n' || *b == 0x7f), "no control character is written as it is");
}

/// 149: a text of a mebibyte is a beginning, a length and a digest.
#[test]
fn a_text_without_end_is_recorded_by_its_length_and_digest() {
    use sha2::{Digest as _, Sha256};
    let world = World::new();
    let long = "x".repeat(1 << 20);
    let run = world.perform(&[GRANT], json!([{"op": "open", "dir": "/", "path": long}, {"op": "resolve", "name": long}]));
    run.exits(0);
    let requested = format!("/{long}");
    let record = run.accesses("fs.read")[0];
    assert_eq!(record["requested_bytes"], json!(requested.len()), "{run}");
    assert_eq!(record["requested_sha256"], json!(crate::support::hex(&Sha256::digest(&requested))), "{run}");
    let size = std::fs::metadata(run.json["ledger"]["path"].as_str().unwrap()).unwrap().size();
    assert!(size < 20_000, "{size} bytes");
    assert!(run.stderr.len() < 20_000 && run.json["denials"].to_string().len() < 20_000, "what is shown is bounded too");
}

/// A whole ledger of some length, as bytes.
fn sample(world: &World) -> Vec<u8> {
    let run = world.perform(&[GRANT], directories(8));
    run.exits(0);
    std::fs::read(run.json["ledger"]["path"].as_str().unwrap()).unwrap()
}

/// 150: every edit is found, and the first record that is wrong is named.
#[test]
fn every_edit_of_a_ledger_is_found() {
    let world = World::new();
    let whole = sample(&world);
    assert_eq!(verdict(&whole), Verdict::Ok);
    for at in (0..whole.len()).step_by(7) {
        let mut edited = whole.clone();
        edited[at] ^= 0x20;
        assert_ne!(verdict(&edited), Verdict::Ok, "byte {at}");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    let changed = |what: &str, at: usize, lines: Vec<&[u8]>| match verdict(&lines.concat()) {
        Verdict::Altered { seq } => assert!(seq as usize <= at + 1 && seq as usize + 1 >= at, "{what} {at}: seq {seq}"),
        other => panic!("{what} {at}: {other:?}"),
    };
    for at in 0..lines.len() - 1 {
        let mut dropped = lines.clone();
        dropped.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        let mut inserted = lines.clone();
        inserted.insert(at, lines[1]);
        for (what, edited) in [("dropped", dropped), ("doubled", doubled), ("swapped", swapped), ("inserted", inserted)] {
            changed(what, at, edited);
        }
    }

    let seq = lines.len() / 2;
    let text = String::from_utf8(whole.clone()).unwrap().replacen("\"decision\":\"allow\"", "\"decision\":\"deny\"", 1);
    world.write("edited", text);
    let run = world.customs(&["verify", "edited", "-o", "json"]).run();
    assert_eq!((run.code, &run.json["verdict"]), (1, &json!("altered")), "{run}");
    assert!(run.json["seq"].as_u64().unwrap() <= seq as u64, "{run}");
    let run = world.customs(&["verify", "edited"]).run();
    assert!(run.code == 1 && run.stdout.starts_with("altered  edited  record "), "{run}");
}

/// 151: a ledger without its end is never called whole, and one whose end was made up is not the one of its head.
#[test]
fn a_ledger_cut_at_a_record_is_unclosed_and_never_ok() {
    let world = World::new();
    let whole = sample(&world);
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    for kept in 1..lines.len() {
        let report = verify(&*lines[..kept].concat(), None).unwrap();
        assert_eq!((report.verdict, report.events), (Verdict::Unclosed, kept as u64), "{kept} records");
    }
    world.write("whole", &whole);
    world.write("cut", lines[..lines.len() - 1].concat());
    world.write("short", lines[..2].concat());
    let head = world.customs(&["verify", "whole", "-o", "json"]).run().json["head"].as_str().unwrap().to_owned();
    for (name, more, word, code) in [
        ("whole", &["--head", &head][..], "ok", 0),
        ("whole", &["--head", &"0".repeat(64)], "mismatch", 1),
        ("cut", &[], "unclosed", 1),
        ("cut", &["--head", &head], "mismatch", 1),
        ("short", &[], "unclosed", 1),
    ] {
        let arguments: Vec<&str> = ["verify", name].iter().chain(more).copied().collect();
        let run = world.customs(&arguments).run();
        assert_eq!((run.code, run.stdout.split(' ').next()), (code, Some(word)), "{arguments:?}: {run}");
    }
}

/// 153: a writer that is killed leaves a ledger that is torn or unclosed, not altered, with everything in it that was done.
#[test]
fn a_run_that_is_killed_leaves_a_ledger_that_is_cut_and_not_altered() {
    let world = World::new();
    let whole = sample(&world);
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for at in last + 1..whole.len() {
        assert_eq!(verdict(&whole[..at]), Verdict::Torn, "cut at byte {at} of {}", whole.len());
    }
    assert_eq!(verdict(&whole[..last]), Verdict::Unclosed);

    let script = directories(400);
    let mut cut = 0;
    for n in 0..40_u64 {
        let world = World::new();
        let mut child = command(&world, "l", &script).spawn().unwrap();
        // A random moment is what is tested here, not something to wait for.
        std::thread::sleep(Duration::from_micros(10_000 + n * 2_500));
        child.kill().unwrap();
        child.wait().unwrap();
        if !world.exists("l") {
            assert!(made(&world).is_empty(), "nothing is done without a ledger");
            continue;
        }
        let bytes = world.read("l");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let verdict = verdict(&bytes);
        assert!(matches!(verdict, Verdict::Ok | Verdict::Unclosed | Verdict::Torn), "{verdict:?}: {text}");
        cut += usize::from(verdict != Verdict::Ok && !bytes.is_empty());
        for name in made(&world) {
            assert!(text.contains(&format!("\"requested\":\"/box/{name}\"")), "{name} was made and is not recorded: {text}");
        }
        // History is never written over.
        if !bytes.is_empty() {
            let again = command(&world, "l", &json!([])).output().unwrap();
            assert_eq!(again.status.code(), Some(2), "{}", said(&again));
            assert_eq!(world.read("l"), bytes);
        }
    }
    assert!(cut > 0, "no run was killed while it wrote");
}

/// 154: where the ledger cannot be written the guarded operation is not done, the call ends, and nothing is returned.
#[test]
fn a_ledger_that_cannot_be_written_stops_the_call_before_the_effect() {
    let world = World::new();
    let script = directories(200);
    // The size limit of a file, in units of 512 bytes: some records fit, not all.
    let output = limited("ulimit -f 16", &command(&world, "l", &script));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(output.stdout.is_empty(), "a call that was stopped returns nothing: {}", said(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("fault    the ledger cannot be written"), "{}", said(&output));
    assert_eq!(stderr.lines().count(), 1, "{}", said(&output));
    let bytes = world.read("l");
    assert!(matches!(verdict(&bytes), Verdict::Torn | Verdict::Unclosed), "{:?}", verdict(&bytes));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let made = made(&world);
    assert!(!made.is_empty() && made.len() < 200, "{} were made", made.len());
    for name in &made {
        assert!(text.contains(&format!("\"requested\":\"/box/{name}\"")), "{name} was made and is not recorded");
    }

    // The twin: with room for it all of it is done.
    let world = World::new();
    let output = limited("ulimit -f 100000", &command(&world, "l", &script));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(self::made(&world).len(), 200);
    assert_eq!(verdict(&world.read("l")), Verdict::Ok);
}

/// 154: the JSON of a run that failed like this is no result either.
#[test]
fn a_ledger_that_cannot_be_written_gives_no_json_result() {
    let world = World::new();
    let mut command = command(&world, "l", &directories(200));
    command.args(["-o", "json"]);
    let output = limited("ulimit -f 16", &command);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0), "{}", said(&output));
}

/// 154: closed streams are no reason to lose a record.
#[test]
fn closed_streams_lose_no_record() {
    let world = World::new();
    let output = limited("exec <&- >&- 2>&-", &command(&world, "l", &directories(3)));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(verdict(&world.read("l")), Verdict::Ok);
    assert_eq!(made(&world).len(), 3);
}

/// 156: at the moment a file is there, the record of its making can be read.
#[test]
fn an_effect_is_never_there_before_its_record() {
    let world = World::new();
    let mut child = command(&world, "l", &directories(1_000)).spawn().unwrap();
    let mut seen = 0;
    loop {
        let over = child.try_wait().unwrap().is_some();
        // First what was done, then what was recorded: the other way round it would prove nothing.
        let made = made(&world);
        if !made.is_empty() {
            let text = String::from_utf8_lossy(&world.read("l")).into_owned();
            for name in &made {
                assert!(text.contains(&format!("\"requested\":\"/box/{name}\"")), "{name} is there before its record");
            }
            seen += usize::from(made.len() < 1_000);
        }
        if over {
            break;
        }
    }
    assert_eq!(made(&world).len(), 1_000);
    assert!(seen > 0, "the run was over before it was looked at");
}

/// 157: a flood of denials is counted to the last one and recorded up to a bound.
#[test]
fn a_flood_of_denials_is_bounded_and_counted_exactly() {
    let world = World::new();
    let flood = |times: u64| {
        let began = Instant::now();
        let open = json!({"op": "open", "dir": "/", "path": "etc/passwd"});
        let run = world.perform(&[], json!([{"op": "repeat", "times": times, "ops": [open]}]));
        run.exits(0);
        (run, began.elapsed())
    };
    let (run, took) = flood(20_000);
    let denied = run.ledger.iter().filter(|r| r["decision"] == "deny").count() as u64;
    let suppressed: u64 = run.ledger.iter().filter(|r| r["event"] == "suppressed").map(|r| r["count"].as_u64().unwrap()).sum();
    assert_eq!(denied + suppressed, 20_000, "{run}");
    assert_eq!(denied, 1_000, "{run}");
    assert_eq!(run.ledger.iter().filter(|r| r["event"] == "suppressed").count(), 1, "one for each kind");
    assert_eq!(run.json["denials"][0]["count"], json!(20_000), "{run}");
    assert_eq!((&run.json["complete"], run.json["suppressed"].as_object().unwrap().len()), (&json!(false), 1), "{run}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(run.stderr.lines().count() < 30, "{run}");

    let (run, _) = flood(1_000);
    assert_eq!((&run.json["complete"], &run.json["suppressed"]), (&json!(true), &json!({})), "{run}");
}

/// 157: denials that are all different are bounded too.
#[test]
fn a_flood_of_different_denials_is_bounded_and_counted() {
    let world = World::new();
    let script: Value = (0..3_000).map(|n| json!({"op": "open", "dir": "/", "path": format!("etc/{n}")})).collect();
    let run = world.perform(&[], script);
    run.exits(0);
    let rows = run.json["denials"].as_array().unwrap().len();
    assert!((1..=1_000).contains(&rows), "{rows} rows");
    assert!(run.stderr.lines().count() < 60, "{}", run.stderr.lines().count());
    let denied = run.ledger.iter().filter(|r| r["decision"] == "deny").count();
    let suppressed: u64 = run.ledger.iter().filter(|r| r["event"] == "suppressed").map(|r| r["count"].as_u64().unwrap()).sum();
    assert_eq!(denied as u64 + suppressed, 3_000, "{run}");
}

/// 159: one writer at a time, and order is the order of the records.
#[test]
fn a_second_writer_is_refused() {
    let world = World::new();
    world.write("l", "");
    let held = std::fs::OpenOptions::new().append(true).open(world.path("l")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let refused = command(&world, "l", &directories(1)).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(world.read("l").is_empty() && made(&world).is_empty(), "nothing is written and nothing is run");
    drop(held);
    let output = command(&world, "l", &directories(1)).output().unwrap();
    assert_eq!((output.status.code(), made(&world).len()), (Some(0), 1), "{}", said(&output));
}

/// 160: a ledger is a new file, or an empty one.
#[test]
fn places_that_are_no_place_for_a_ledger_are_refused_and_untouched() {
    let world = World::new();
    world.write("foreign", "not a ledger\n");
    world.write("target", "");
    world.link("link", "target");
    world.link("dangling", "nowhere");
    world.dir("directory");
    rustix::fs::mknodat(rustix::fs::CWD, world.path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for place in ["foreign", "link", "dangling", "directory", "fifo", "/dev/full", "/dev/null", "nowhere/l", ".", "directory/.."] {
        let output = command(&world, place, &directories(1)).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{place}: {}", said(&output));
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1, "{place}: {}", said(&output));
        assert!(made(&world).is_empty(), "{place}: nothing ran");
    }
    assert_eq!(world.read("foreign"), b"not a ledger\n");
    assert!(world.read("target").is_empty() && !world.exists("nowhere"));

    world.write("empty", "");
    for place in ["new", "empty"] {
        let output = command(&world, place, &json!([])).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{place}: {}", said(&output));
        assert_eq!(verdict(&world.read(place)), Verdict::Ok, "{place}");
    }
    assert_eq!(std::fs::metadata(world.path("new")).unwrap().mode() & 0o777, 0o600, "a ledger is for its owner only");
}

/// 161: what a granted variable holds is in no record and no report, wherever the guest puts it, and its digest cannot be guessed.
#[test]
fn values_of_granted_variables_are_in_no_record() {
    use sha2::{Digest as _, Sha256};
    let world = World::new();
    let secret = crate::support::canary("Tok3n");
    let script = json!([
        {"op": "env", "quiet": true},
        {"op": "open", "dir": "/", "path": format!("etc/{secret}")},
        {"op": "open", "dir": "/box", "path": secret, "create": true, "write": true},
        {"op": "resolve", "name": format!("{secret}.evil.test")},
        {"op": "symlink-at", "dir": "/box", "path": "l", "target": secret},
        {"op": "stderr", "text": format!("key is {secret}\n")},
        {"op": "env-into-stderr"},
    ]);
    let run = world.script(&[GRANT, "--allow-env=API_KEY"], script.clone()).env("API_KEY", &secret).run();
    run.exits(0);
    let path = run.json["ledger"]["path"].as_str().unwrap();
    let ledger = std::fs::read_to_string(path).unwrap();
    assert!(!ledger.contains(&secret), "{ledger}");
    assert!(!run.stderr.contains(&secret), "{run}");
    assert!(run.stderr.contains("key is [env:API_KEY]"), "it says what stood there: {run}");
    let mut report = run.json.clone();
    // What the tool returned is the person's; the rest is what was observed.
    report.as_object_mut().unwrap().remove("result");
    assert!(!report.to_string().contains(&secret), "{report}");
    let plain = crate::support::hex(&Sha256::digest(&secret));
    assert!(!ledger.contains(&plain) && !run.stdout.contains(&plain), "the digest of a secret is keyed: {run}");
    let source = run.json["sources"].as_array().unwrap().iter().find(|s| s["kind"] == "env").unwrap();
    assert_eq!((&source["name"], &source["class"], &source["bytes"]), (&json!("API_KEY"), &json!("secret"), &json!(secret.len())));
    let again = world.script(&[GRANT, "--allow-env=API_KEY"], json!([{"op": "env"}])).env("API_KEY", &secret).run();
    let other = again.json["sources"].as_array().unwrap().iter().find(|s| s["kind"] == "env").unwrap();
    assert_ne!(source["sha256"], other["sha256"], "and with another key in each run");

    let shown = world.script(&["--allow-env=API_KEY", "--reveal"], json!([script[5]])).env("API_KEY", &secret).run();
    assert!(shown.stderr.contains(&format!("key is {secret}")), "who asks for it sees it: {shown}");
}

/// 162: a ledger that somebody made up is judged in bounds, in time and memory.
#[test]
fn hostile_ledgers_are_judged_in_bounds() {
    let world = World::new();
    let sparse = |name: &str, size: u64| {
        let file = std::fs::File::create(world.path(name)).unwrap();
        file.write_all_at(b"{\"v\":1,", 0).unwrap();
        file.set_len(size).unwrap();
    };
    sparse("one-line", 1 << 30);
    world.write("deep", format!("{}\n", "[".repeat(1_000_000)));
    world.write("deep-object", format!("{}\n", "{\"a\":".repeat(100_000)));
    world.write("binary", (0..=255_u8).cycle().take(100_000).collect::<Vec<_>>());
    world.write("blank", "\n".repeat(100_000));
    world.write("future", format!("{{\"v\":2,\"seq\":0,\"event\":\"open\",\"prev\":\"{}\"}}\n", "0".repeat(64)));
    world.write("numbers", format!("{{\"v\":1,\"seq\":1e400,\"event\":\"open\",\"prev\":\"{}\"}}\n", "0".repeat(64)));
    world.write("self", format!("{{\"v\":1,\"seq\":0,\"event\":\"outcome\",\"of\":0,\"prev\":\"{}\"}}\n", "0".repeat(64)));
    for name in ["one-line", "deep", "deep-object", "binary", "blank", "future", "numbers", "self"] {
        let mut verify = Command::new(program());
        verify.env_clear().args(["verify", name]).current_dir(world.path(""));
        let began = Instant::now();
        // In a gibibyte of address space, of which half is code and stacks.
        let output = limited("ulimit -v 1000000", &verify);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", said(&output));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(stdout.starts_with("altered  ") || stdout.starts_with("torn     "), "{name}: {}", said(&output));
        assert!(output.stderr.is_empty() && stdout.lines().count() == 1, "{name}: {}", said(&output));
        assert!(began.elapsed() < Duration::from_secs(20), "{name}: {:?}", began.elapsed());
    }
    world.write("nothing", "");
    let run: Run = world.customs(&["verify", "nothing"]).run();
    assert_eq!(run.code, 1, "no record is no ledger: {run}");
}

/// A component that lists its own tools has run by the time a call of it is refused: that is recorded, and the record is whole.
#[test]
fn a_refusal_after_guest_code_ran_leaves_a_whole_ledger() {
    let world = World::new();
    let call = |tool: &str, args: Value| world.run(&guest("dynamic"), tool, &args, &[]).run();
    let run = call("no-such-tool", json!({}));
    assert_eq!((run.code, run.ending()), (2, "refused".to_owned()), "{run}");
    assert!(run.ledger.iter().any(|r| r["event"] == "call" && r["tool"] == "list-tools"), "{run}");
    let run = call("greet", json!({"name": "World"}));
    assert!(run.code <= 1, "{run}");
    assert_eq!(run.ledger.iter().filter(|r| r["event"] == "call").count(), 2, "{run}");
}

/// Without `--ledger` there is none, and the head is told all the same.
#[test]
fn a_run_without_a_ledger_leaves_no_file() {
    let world = World::new();
    let before = world.tree("");
    let run = world.customs(&["run", guest("puppet").to_str().unwrap(), "big-list", "--arg", "n=3", "-o", "json"]).run();
    assert_eq!(run.json["ledger"]["path"], Value::Null, "{run}");
    assert_eq!(run.json["ledger"]["head"].as_str().unwrap().len(), 64, "{run}");
    assert!(before.differences(&world.tree("")).is_empty());
    assert!(Path::new(&world.path("work/f")).exists());
}
