//! The file: which ones are accepted, what is in it when, and what happens when it cannot be written.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod sample;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt, OpenOptions};
use customs_ledger::{Ledger, LedgerError, Verdict, verify};
use std::io::Read;
use std::os::unix::net::UnixStream;

fn room() -> (tempfile::TempDir, Dir) {
    let held = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(held.path(), ambient_authority()).unwrap();
    (held, dir)
}

fn verdict(dir: &Dir, name: &str) -> Verdict {
    verify(dir.open(name).unwrap(), None).unwrap().verdict
}

fn refusal(dir: &Dir, name: &str) -> String {
    let error = Ledger::create(dir, name).map(drop).unwrap_err();
    assert!(error.is_refused(), "{error}");
    error.to_string()
}

#[test]
fn create_new_file_is_private_and_holds_the_whole_ledger_after_close() {
    let (_held, dir) = room();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    sample::fill(&mut ledger);
    let head = ledger.close().unwrap();
    assert_eq!(dir.metadata("run.jsonl").unwrap().mode() & 0o7777, 0o600);
    let (expected, expected_head) = sample::closed();
    assert_eq!(dir.read("run.jsonl").unwrap(), expected);
    assert_eq!(head, expected_head);
    assert_eq!(verify(dir.open("run.jsonl").unwrap(), Some(head.hash)).unwrap().verdict, Verdict::Ok);
}

#[test]
fn create_on_an_empty_regular_file_is_accepted() {
    let (_held, dir) = room();
    dir.create("run.jsonl").unwrap();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    sample::fill(&mut ledger);
    ledger.close().unwrap();
    assert_eq!(verdict(&dir, "run.jsonl"), Verdict::Ok);
}

#[test]
fn create_on_anything_else_is_refused_and_nothing_is_touched() {
    let (held, dir) = room();
    dir.write("full", "history").unwrap();
    dir.create("empty").unwrap();
    dir.symlink("empty", "link").unwrap();
    dir.symlink("new", "dangling").unwrap();
    dir.create_dir("dir").unwrap();
    rustix::fs::mkfifoat(&dir, "fifo", rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(held.path().join("socket")).unwrap();
    for (name, why) in [
        ("full", "exists and is not empty: what was recorded is never written over or added to"),
        ("link", "is a symbolic link, and links are not followed"),
        ("dangling", "is a symbolic link, and links are not followed"),
        ("dir", "is a directory"),
        ("fifo", "is not a regular file"),
        ("socket", "is not a regular file"),
        ("a/b", "is not a file name"),
        ("..", "is not a file name"),
        ("", "is not a file name"),
    ] {
        assert_eq!(refusal(&dir, name), format!("the ledger {name} {why}"));
    }
    let devices = Dir::open_ambient_dir("/dev", ambient_authority()).unwrap();
    assert_eq!(refusal(&devices, "full"), "the ledger full is not a regular file");
    assert_eq!(dir.read("full").unwrap(), b"history");
    assert_eq!(dir.read("empty").unwrap(), b"");
    assert!(!dir.exists("new"));
}

#[test]
fn create_name_with_terminal_escapes_is_shown_escaped() {
    let (_held, dir) = room();
    dir.write("a\u{1b}[2J", "x").unwrap();
    assert!(refusal(&dir, "a\u{1b}[2J").starts_with(r"the ledger a\u{1b}[2J exists"));
}

#[test]
fn create_while_another_writer_has_the_file_is_refused_until_it_is_done() {
    let (_held, dir) = room();
    let first = Ledger::create(&dir, "run.jsonl").unwrap();
    let second = Ledger::create(&dir, "run.jsonl").map(drop).unwrap_err();
    assert!(second.is_busy(), "{second}");
    drop(first);
    assert!(Ledger::create(&dir, "run.jsonl").is_ok(), "nothing was written, so the file is still empty");
}

#[test]
fn create_again_after_a_run_never_rewrites_its_history() {
    let (_held, dir) = room();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    sample::fill(&mut ledger);
    drop(ledger);
    let before = dir.read("run.jsonl").unwrap();
    refusal(&dir, "run.jsonl");
    assert_eq!(dir.read("run.jsonl").unwrap(), before);
}

#[test]
fn barrier_when_it_returns_every_record_is_in_the_file() {
    let (_held, dir) = room();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    ledger.append(&sample::opening(&[])).unwrap();
    for n in 1..=1000 {
        let path = format!("/data/{n}");
        ledger.append(&sample::allowed(&path)).unwrap();
        ledger.barrier().unwrap();
        let written = dir.metadata("run.jsonl").unwrap().len();
        if n % 100 == 0 {
            let text = dir.read_to_string("run.jsonl").unwrap();
            assert!(text.lines().last().unwrap().contains(&format!("\"{path}\"")));
            assert_eq!(text.len() as u64, written);
        }
    }
    ledger.close().unwrap();
    assert_eq!(verdict(&dir, "run.jsonl"), Verdict::Ok);
}

#[test]
fn append_without_barrier_reaches_the_file_by_the_buffer_at_most() {
    let (_held, dir) = room();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    ledger.append(&sample::opening(&[])).unwrap();
    assert_eq!(dir.metadata("run.jsonl").unwrap().len(), 0, "reads wait for an effect");
    for _ in 0..1000 {
        ledger.append(&sample::allowed("/data/a.txt")).unwrap();
    }
    let held_back = 64 << 10;
    assert!(dir.metadata("run.jsonl").unwrap().len() > 1000 * 150 - held_back);
}

#[test]
fn drop_without_close_leaves_every_record_and_no_close() {
    let (_held, dir) = room();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    sample::fill(&mut ledger);
    drop(ledger);
    let report = verify(dir.open("run.jsonl").unwrap(), None).unwrap();
    assert_eq!((report.verdict, report.events), (Verdict::Unclosed, 9));
}

#[test]
fn killed_writer_leaves_what_was_before_the_last_barrier() {
    let (_held, dir) = room();
    let mut ledger = Ledger::create(&dir, "run.jsonl").unwrap();
    sample::fill(&mut ledger);
    ledger.barrier().unwrap();
    ledger.append(&sample::allowed("/lost")).unwrap();
    std::mem::forget(ledger);
    let report = verify(dir.open("run.jsonl").unwrap(), None).unwrap();
    assert_eq!((report.verdict, report.events), (Verdict::Unclosed, 9));
}

fn assert_poisoned(ledger: &mut Ledger, why: &str) {
    let says = format!("the ledger cannot be written ({why}), and nothing is done unrecorded");
    let mut tries: Vec<LedgerError> = Vec::new();
    tries.extend(ledger.append(&sample::allowed("/x")).err());
    tries.extend(ledger.barrier().err());
    tries.extend(ledger.close().err());
    assert_eq!(tries.len(), 3, "every later use fails");
    assert!(tries.iter().all(LedgerError::is_write), "{tries:?}");
    assert!(tries.iter().all(|e| e.to_string() == says), "{tries:?}");
}

#[test]
fn ledger_on_a_full_disk_fails_closed_at_the_barrier() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut ledger = Ledger::over(full);
    ledger.append(&sample::opening(&[])).unwrap();
    assert!(ledger.barrier().unwrap_err().is_write());
    assert_poisoned(&mut ledger, "no space left on device");
}

#[test]
fn ledger_on_a_full_disk_fails_closed_when_the_buffer_is_full() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut ledger = Ledger::over(full);
    ledger.append(&sample::opening(&[])).unwrap();
    let failed_at = (0..10_000).find(|_| ledger.append(&sample::allowed("/x")).is_err());
    assert!(failed_at.is_some_and(|n| n < 1000), "{failed_at:?}");
    assert_poisoned(&mut ledger, "no space left on device");
}

#[test]
fn ledger_on_a_descriptor_that_cannot_be_written_fails_closed() {
    let (_held, dir) = room();
    dir.create("run.jsonl").unwrap();
    let read_only = dir.open_with("run.jsonl", OpenOptions::new().read(true)).unwrap().into_std();
    let mut ledger = Ledger::over(read_only);
    ledger.append(&sample::opening(&[])).unwrap();
    assert!(ledger.barrier().is_err());
    assert_poisoned(&mut ledger, "bad file descriptor");
}

#[test]
fn write_that_fails_half_way_is_never_repeated() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let mut ledger = Ledger::over(ours);
    let mut whole = Ledger::memory_keeping();
    for ledger in [&mut ledger, &mut whole] {
        ledger.append(&sample::opening(&[])).unwrap();
        let _ = (0..10_000).find(|_| ledger.append(&sample::allowed("/data/a.txt")).is_err());
    }
    let error = ledger.barrier().unwrap_err().to_string();
    assert!(error.contains("unavailable"), "{error}");
    // Now there is room again, and what the buffer held must still not come.
    let mut got = vec![0; 1 << 24];
    theirs.set_nonblocking(true).unwrap();
    let mut length = 0;
    while let Ok(n @ 1..) = theirs.read(&mut got[length..]) {
        length += n;
    }
    assert!(ledger.append(&sample::allowed("/x")).is_err());
    drop(ledger);
    assert_eq!(theirs.read(&mut got[length..]).unwrap(), 0, "nothing more was written");
    assert!(length > 0 && whole.kept().starts_with(&got[..length]), "a prefix, no byte twice");
    let verdict = verify(&got[..length], None).unwrap().verdict;
    assert!(matches!(verdict, Verdict::Torn | Verdict::Unclosed), "{verdict:?}");
}
