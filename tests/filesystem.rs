//! Files and directories. Most promises are data, in `fixtures/cases/filesystem.toml`; here is what needs a host that does something.

use crate::support::{Run, World, case, guest};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const BOX: &[&str] = &["--allow-write={work}::/box"];

#[test]
fn filesystem_cases_hold() {
    case::play("filesystem", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 18, 19, 20, 21, 23, 24, 139]);
}

#[test]
fn open_of_a_chain_of_sixty_links_ends_with_an_error_and_of_thirty_is_followed() {
    let world = World::new();
    world.link("work/l0", "f");
    for at in 1..60 {
        world.link(&format!("work/l{at}"), &format!("l{}", at - 1));
    }
    let open = |name: &str, write: bool| json!({"op": "open", "dir": "/box", "path": name, "write": write});
    let script = json!([open("l59", false), open("l59", true), open("l29", false), open("l29", true)]);
    let run = world.perform(BOX, script);
    assert_eq!(run.exits(0).said(), ["loop", "loop", "ok", "ok"], "{run}");
    run.denied(&[]);
}

#[test]
fn open_of_overlong_names_ends_with_an_error() {
    let world = World::new();
    let (component, path, huge) = ("n".repeat(256), "d/".repeat(2_500), "x".repeat(300_000));
    let script: Vec<Value> = [component.as_str(), &path, &huge, "f"]
        .iter()
        .map(|name| json!({"op": "open", "dir": "/box", "path": name}))
        .collect();
    let run = world.perform(BOX, json!(script));
    assert_eq!(run.exits(0).said(), ["name-too-long", "name-too-long", "name-too-long", "ok"], "{run}");
    let longest = run.accesses("fs.read").iter().map(|r| r.to_string().len()).max().unwrap();
    assert!(longest < 20_000, "a record has {longest} bytes");
}

#[test]
fn listing_of_a_name_that_is_not_text_ends_with_an_error_and_shows_the_others() {
    let world = World::new();
    let name = std::ffi::OsStr::from_bytes(b"bad\xff\xfename");
    std::fs::write(world.path("work").join(name), "x").unwrap();
    let script = json!([
        {"op": "entries", "handle": "/box", "as": "l"},
        {"op": "next-entry", "handle": "l"},
        {"op": "next-entry", "handle": "l"},
        {"op": "next-entry", "handle": "l"},
        {"op": "open", "dir": "/box", "path": "f"},
    ]);
    let run = world.perform(BOX, script);
    let mut said = run.exits(0).said();
    said.sort();
    assert_eq!(said, ["illegal-byte-sequence", "ok", "ok", "ok", "ok"], "{run}");
    assert_eq!(run.outcomes().iter().filter(|o| o["value"]["name"] == "f").count(), 1);
}

#[test]
fn denied_name_with_control_characters_is_escaped_where_a_person_or_a_line_sees_it() {
    let world = World::new();
    let name = "a\u{1b}[31m\u{202e}\u{2028}\n\",\"decision\":\"allow";
    let run = world.perform(BOX, json!([{"op": "open", "dir": "/", "path": name}]));
    assert_eq!(run.exits(0).said(), ["access"]);
    run.denied(&[&format!("fs.read no-grant /{name}")]);
    let record = run.accesses("fs.read")[0];
    assert_eq!((&record["decision"], &record["requested"]), (&json!("deny"), &json!(format!("/{name}"))));
    for hidden in ['\u{1b}', '\u{202e}', '\u{2028}'] {
        assert!(!run.stderr.contains(hidden), "{hidden:?} is on stderr: {:?}", run.stderr);
    }
}

#[test]
fn open_of_a_denied_file_by_a_hard_link_is_denied() {
    let world = World::new();
    world.write("work/secret.txt", "kept back");
    world.write("work/other.txt", "kept back");
    std::fs::hard_link(world.path("work/secret.txt"), world.path("work/second-name")).unwrap();
    std::fs::hard_link(world.path("work/other.txt"), world.path("work/second-namf")).unwrap();
    let flags: &[&str] = &["--allow-write={work}::/box", "--deny-read={work}/secret.txt"];
    let open = |name: &str, write: bool| json!({"op": "open", "dir": "/box", "path": name, "read": !write, "write": write, "truncate": write});
    let before = world.tree("work");
    let run = world
        .perform(flags, json!([open("second-name", false), open("second-name", true), open("second-namf", false)]));
    assert_eq!(run.exits(0).said(), ["access", "access", "ok"], "{run}");
    run.denied(&["fs.read deny-rule /box/second-name", "fs.write deny-rule /box/second-name"]);
    assert_eq!(world.read("work/secret.txt"), b"kept back");
    assert_eq!(before.differences(&world.tree("work")), Vec::<String>::new());
}

#[test]
fn open_of_pipes_sockets_and_devices_is_denied_without_waiting() {
    let world = World::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.path("work/fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.path("work/socket")).unwrap();
    let open =
        |name: &str, write: bool| json!({"op": "open", "dir": "/box", "path": name, "write": write, "read": !write});
    let script =
        json!([open("fifo", false), open("fifo", true), open("socket", false), open("socket", true), open("f", true)]);
    let run = world.perform(BOX, script);
    assert_eq!(run.exits(0).said(), ["access", "access", "access", "access", "ok"], "{run}");
    run.denied(&[
        "fs.read special-file /box/fifo",
        "fs.write special-file /box/fifo",
        "fs.read special-file /box/socket",
        "fs.write special-file /box/socket",
    ]);
}

/// Flips names between what is granted and links that lead out, as fast as the machine can, while a script runs.
fn while_flipping(world: &World, pairs: &[(&str, &str)], during: impl FnOnce() -> Run) -> (Run, u64) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let (done, flips) = (AtomicBool::new(false), AtomicU64::new(0));
    let paths: Vec<_> = pairs.iter().map(|(a, b)| (world.path(a), world.path(b))).collect();
    let run = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (a, b) in &paths {
                    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
                    flips.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        done.store(true, Ordering::Relaxed);
        run.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    (run, flips.into_inner())
}

#[test]
fn read_while_the_host_flips_links_never_leaves_the_grant() {
    let world = World::new();
    world.write("work/d/canary", &world.inside);
    world.link("work/d-out", "../outside");
    world.write("work/l", &world.inside);
    world.link("work/l-out", "../outside/canary");
    let ops = |path: &str| json!([{"op": "open", "dir": "/box", "path": path, "as": "h"}, {"op": "read", "handle": "h"}, {"op": "drop", "handle": "h"}]);
    let script = json!([{"op": "repeat", "times": 4_000, "ops": ops("d/canary")}, {"op": "repeat", "times": 4_000, "ops": ops("l")}]);
    let (run, flips) =
        while_flipping(&world, &[("work/d", "work/d-out"), ("work/l", "work/l-out")], || world.perform(BOX, script));
    assert!(flips > 100, "only {flips} flips: there was no race");
    let digest = crate::support::hex(&Sha256::digest(world.inside.as_bytes()));
    let sources = run.exits(0).json["sources"].as_array().unwrap();
    let read: Vec<&Value> = sources.iter().filter(|s| s["kind"] == "file").collect();
    assert!(read.len() > 10, "only {} reads came through", read.len());
    assert!(read.iter().all(|s| s["sha256"] == digest.as_str()), "something else was read");
    // A link was met too, or nothing was tried.
    assert!(run.denials().iter().any(|row| row.contains("outside-grant")), "{run}");
}

#[test]
fn write_while_the_host_flips_links_never_leaves_the_grant() {
    let world = World::new();
    world.dir("work/d");
    world.link("work/d-out", "../outside");
    world.write("work/l", &world.inside);
    world.link("work/l-out", "../outside/canary");
    let before = world.tree("outside");
    let write = |path: &str| json!({"op": "open", "dir": "/box", "path": path, "write": true, "create": true, "truncate": true});
    let script = json!([{"op": "repeat", "times": 1_500, "ops": [
        write("d/new"), write("l"),
        {"op": "create-directory-at", "dir": "/box", "path": "d/dir"},
        {"op": "symlink-at", "dir": "/box", "target": "x", "path": "d/link"},
        {"op": "rename-at", "dir": "/box", "path": "d/new", "to-path": "d/newer"},
        {"op": "unlink-file-at", "dir": "/box", "path": "d/link"},
        {"op": "unlink-file-at", "dir": "/box", "path": "d/canary"},
        {"op": "set-times-at", "dir": "/box", "path": "l", "modification": {"seconds": 1, "nanoseconds": 0}, "access": "no-change"},
    ]}]);
    let (run, flips) =
        while_flipping(&world, &[("work/d", "work/d-out"), ("work/l", "work/l-out")], || world.perform(BOX, script));
    assert!(flips > 100, "only {flips} flips: there was no race");
    run.exits(0);
    let differences = before.differences(&world.tree("outside"));
    assert!(differences.is_empty(), "{differences:#?}");
    let inside = world.path("work/d").join("newer").exists() || world.path("work/d-out").join("newer").exists();
    assert!(inside, "nothing was written inside either: {run}");
}

#[test]
fn flood_of_new_files_is_stopped_by_a_limit() {
    let world = World::new();
    let script = json!([{"op": "repeat", "times": 200_000, "ops": [
        {"op": "open", "dir": "/box", "path": "new", "write": true, "create": true, "exclusive": true},
        {"op": "unlink-file-at", "dir": "/box", "path": "new"},
    ]}]);
    let run = world.perform(BOX, script);
    run.exits(3);
    let ending = run.ending();
    assert!(["limit events", "limit flows", "limit time"].contains(&ending.as_str()), "{ending}");
    assert!(run.ledger.len() < 110_000, "{} records", run.ledger.len());
}

#[test]
fn grant_of_the_whole_machine_is_refused_unless_it_is_asked_for_by_name() {
    let world = World::new();
    world.dir("home");
    let home = world.path("home");
    for flag in
        ["--allow-read=/", "--allow-read=/proc", "--allow-read=/sys", "--allow-read=/dev", "--allow-read={world}/home"]
    {
        let start = |flags: &[&str]| {
            world.run(&guest("puppet"), "perform", &json!({"script": "[]"}), flags).env("HOME", &home).run()
        };
        let refused = start(&[flag]);
        refused.exits(2);
        assert!(refused.stderr.contains("--dangerously-allow"), "{refused}");
        assert!(refused.ledger.is_empty(), "nothing ran");

        let warned = start(&[flag, "--dangerously-allow"]);
        warned.exits(0);
        let open = &warned.ledger[0];
        assert!(!open["warnings"].as_array().unwrap().is_empty(), "{warned}");
    }
    let plain = world.run(&guest("puppet"), "perform", &json!({"script": "[]"}), BOX).env("HOME", &home).run();
    plain.exits(0);
    assert_eq!(plain.ledger[0]["warnings"], json!([]));
}
