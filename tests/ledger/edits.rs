//! What others do to a ledger afterwards: bytes turned, records dropped, ends cut off, whole ledgers made up.

use super::{limited, said, sample, verdict};
use crate::support::{World, program};
use customs_ledger::{Verdict, verify};
use serde_json::json;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

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
        Verdict::Altered { seq } => assert!((at as u64).abs_diff(seq) <= 1, "{what} {at}: seq {seq}"),
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
        for (what, edited) in [("dropped", dropped), ("doubled", doubled), ("swapped", swapped), ("inserted", inserted)]
        {
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
    world.write(
        "self",
        format!("{{\"v\":1,\"seq\":0,\"event\":\"outcome\",\"of\":0,\"prev\":\"{}\"}}\n", "0".repeat(64)),
    );
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
    let run = world.customs(&["verify", "nothing"]).run();
    assert_eq!(run.code, 1, "no record is no ledger: {run}");
}
