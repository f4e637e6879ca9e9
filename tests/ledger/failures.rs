//! Writers that are killed, disks that are full, places that are no place for a ledger: nothing is done unrecorded.

use super::{command, directories, limited, made, said, sample, verdict};
use crate::support::World;
use customs_ledger::Verdict;
use serde_json::json;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

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
    for n in 0..80_u64 {
        let world = World::new();
        let mut child = command(&world, "l", &script).spawn().unwrap();
        // A random moment is what is tested here, not something to wait for.
        std::thread::sleep(Duration::from_micros(10_000 + n * 1_500));
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
            assert!(
                text.contains(&format!("\"requested\":\"/box/{name}\"")),
                "{name} was made and is not recorded: {text}"
            );
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
    let done = made(&world);
    assert!(!done.is_empty() && done.len() < 200, "{} were made", done.len());
    for name in &done {
        assert!(text.contains(&format!("\"requested\":\"/box/{name}\"")), "{name} was made and is not recorded");
    }

    // The twin: with room for it all of it is done.
    let world = World::new();
    let output = limited("ulimit -f 100000", &command(&world, "l", &script));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(made(&world).len(), 200);
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
        let done = made(&world);
        if !done.is_empty() {
            let text = String::from_utf8_lossy(&world.read("l")).into_owned();
            for name in &done {
                assert!(text.contains(&format!("\"requested\":\"/box/{name}\"")), "{name} is there before its record");
            }
            seen += usize::from(done.len() < 1_000);
        }
        if over {
            break;
        }
    }
    assert_eq!(made(&world).len(), 1_000);
    assert!(seen > 0, "the run was over before it was looked at");
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
    for place in
        ["foreign", "link", "dangling", "directory", "fifo", "/dev/full", "/dev/null", "nowhere/l", ".", "directory/.."]
    {
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
