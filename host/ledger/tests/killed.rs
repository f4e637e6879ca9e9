//! A writer that is killed: what it was told had reached the OS is there, and the file says that it was not closed.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod sample;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use customs_ledger::{Ledger, Verdict, verify};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The process that is killed: the same test program, told on stdin where to write.
#[test]
#[ignore = "run by killed_writer_at_any_moment_leaves_a_sound_start"]
fn writer_that_is_killed() {
    let mut place = String::new();
    std::io::stdin().read_line(&mut place).unwrap();
    let Ok(dir) = Dir::open_ambient_dir(place.trim_end(), ambient_authority()) else { return };
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    let mut promised = dir.create("promised").unwrap();
    ledger.append(&sample::opening(&[])).unwrap();
    for n in 0..1_000_000_u32 {
        let seq = ledger.append(&sample::allowed("/data/a.txt")).unwrap();
        if n % 7 == 0 {
            ledger.barrier().unwrap();
            promised.write_all(&seq.to_le_bytes()).unwrap();
        }
    }
}

#[test]
fn killed_writer_at_any_moment_leaves_a_sound_start() {
    let mut had_promises = 0;
    for round in 0..30 {
        let held = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(held.path(), ambient_authority()).unwrap();
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer_that_is_killed", "--ignored"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(writer.stdin.take().unwrap(), "{}", held.path().display()).unwrap();
        // The first rounds hit the start of the process, the others the middle of its writing, however slow the machine.
        while round >= 10 && dir.read("promised").map_or(0, |bytes| bytes.len()) < 8 {
            std::thread::sleep(Duration::from_micros(100));
        }
        std::thread::sleep(Duration::from_micros(200 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();

        let Ok(file) = dir.open("run.jsonl") else { continue };
        let report = verify(file, None).unwrap();
        assert!(matches!(report.verdict, Verdict::Unclosed | Verdict::Torn), "{report:?}");
        let promised = dir.read("promised").unwrap_or_default();
        if let Some(last) = promised.as_chunks::<8>().0.last() {
            had_promises += 1;
            assert!(report.events > u64::from_le_bytes(*last), "{report:?}");
        }
    }
    assert!(had_promises >= 20, "{had_promises} of 30 got far enough to mean anything");
}
