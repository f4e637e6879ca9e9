//! Components: what is loaded, what is refused, and that loading costs what it may.

use crate::support::{World, case, checkout, guest};
use serde_json::json;
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

#[test]
fn loading_cases_hold() {
    case::play("loading", &[90, 91, 93, 94, 97, 102, 103, 104, 105]);
}

/// 90: a component cut anywhere, or with any bit turned, is refused or is another component; it is never a crash.
#[test]
fn components_that_are_damaged_are_refused_in_one_sentence() {
    let world = World::new();
    let whole = std::fs::read(guest("hostile/name-collisions")).unwrap();
    let inspect = || {
        let began = Instant::now();
        let run = world.customs(&["inspect", "t.wasm"]).run();
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}: {run}", began.elapsed());
        run
    };
    world.write("t.wasm", &whole);
    inspect().exits(0);
    for n in 0..32 {
        world.write("t.wasm", &whole[..whole.len() * n / 32]);
        let run = inspect();
        let refused = run.code == 2 && run.stderr.starts_with("error    t.wasm ") && run.stderr.lines().count() == 1;
        // Cut between sections what is left is a smaller component, that offers what it has.
        assert!(refused || run.code == 0, "cut at {n}/32: {run}");
    }
    for n in 0..32 {
        let mut turned = whole.clone();
        let at = turned.len() * n / 32;
        turned[at] ^= 1 << (n % 8);
        world.write("t.wasm", &turned);
        let run = inspect();
        assert!(
            run.code == 0 || (run.code == 2 && run.stderr.lines().count() == 1),
            "bit {} of byte {at}: {run}",
            n % 8
        );
    }
}

/// 92: the size is looked at first.
#[test]
fn a_file_of_a_gibibyte_is_refused_before_it_is_read() {
    let world = World::new();
    let file = std::fs::File::create(world.path("large.wasm")).unwrap();
    file.write_all_at(b"\0asm\x0d\0\x01\0", 0).unwrap();
    file.set_len(1 << 30).unwrap();
    let began = Instant::now();
    let run = world.customs(&["inspect", "large.wasm"]).run();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("large.wasm") && run.stderr.lines().count() == 1, "{run}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// 93: 50,000 blocks in one another take seconds to compile and end.
#[test]
fn deep_blocks_are_compiled_or_refused_in_bounds() {
    let world = World::new();
    let began = Instant::now();
    let run = world.run(&guest("hostile/blocks-nested-50000"), "run", &json!({}), &[]).run();
    assert!(run.code == 0 || run.code == 2, "{run}");
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
}

/// 97: what toolchains write into a component is shown escaped and bounded, and what is odd about it is said.
#[test]
fn metadata_that_a_terminal_would_obey_is_escaped_and_told() {
    let world = World::new();
    let inspect = |name: &str, more: &[&str]| {
        let path = guest(name);
        let arguments: Vec<&str> = ["inspect", path.to_str().unwrap()].iter().chain(more).copied().collect();
        let run = world.customs(&arguments).run();
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stdout.len() < 20_000, "{} bytes of {name}", run.stdout.len());
        let raw = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{e0000}'..='\u{e007f}');
        assert!(!run.stdout.contains(raw) && !run.stderr.contains(raw), "{name}: {run}");
        run
    };
    let odd = inspect("hostile/producers-hostile", &[]);
    assert!(odd.stdout.contains("warning") && odd.stdout.contains("invisible"), "{odd}");
    assert_eq!(inspect("hostile/producers-hostile", &["-o", "json"]).json["oddText"], json!(true));
    assert_eq!(inspect("hello", &["-o", "json"]).json["oddText"], json!(false));
    inspect("hostile/custom-section-10mb", &[]);
    inspect("hostile/producers-lying", &[]);
    inspect("hostile/long-name-10000", &[]);
}

/// 103: tools of one component have names of their own.
#[test]
fn names_of_tools_are_unique() {
    let world = World::new();
    for name in ["hostile/name-collisions", "hostile/many-exports-1000", "shapes", "notes", "puppet"] {
        let run = world.customs(&["inspect", guest(name).to_str().unwrap(), "-o", "json"]).run();
        let tools = run.json["tools"].as_array().unwrap();
        let names: BTreeSet<&str> = tools.iter().map(|t| t["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), tools.len(), "{name}: {run}");
        assert!(names.iter().all(|n| !n.is_empty() && n.len() <= 128), "{name}: {names:?}");
    }
}

/// Nothing of a component runs when it is inspected, not even its start function.
#[test]
fn inspecting_runs_nothing() {
    let world = World::new();
    for name in ["hostile/start-loop", "hostile/p1-start-section", "hostile/spin", "dynamic"] {
        let began = Instant::now();
        world.customs(&["inspect", guest(name).to_str().unwrap()]).run().exits(0);
        assert!(began.elapsed() < Duration::from_secs(20), "{name}: {:?}", began.elapsed());
    }
}

/// Every guest there is can be inspected: with exit 0 and tools, or refused in one sentence.
#[test]
fn every_guest_is_inspected_or_refused_in_one_sentence() {
    let world = World::new();
    let hostile = checkout().join("guests/dist/hostile");
    // Those that take seconds, or are hundreds of megabytes, have tests of their own.
    let slow = ["blocks-nested-50000", "data-segment-100mb"];
    let files = std::fs::read_dir(hostile).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|p| p.extension().is_some_and(|e| e == "wasm")) {
        if slow.contains(&path.file_stem().unwrap().to_str().unwrap()) {
            continue;
        }
        let run = world.customs(&["inspect", path.to_str().unwrap(), "-o", "json"]).run();
        match run.code {
            0 => assert_eq!(run.json["schema"], "customs.inspect/1", "{}: {run}", path.display()),
            2 => assert!(
                run.stderr.starts_with("error    ") && run.stderr.lines().count() == 1,
                "{}: {run}",
                path.display()
            ),
            _ => panic!("{}: {run}", path.display()),
        }
    }
}

/// Compiled code is trusted without limit, so that a place where others could put some is not used; the run goes on without it.
#[test]
fn a_cache_that_others_could_write_is_not_used_and_costs_only_time() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let run = |cache: &str| {
        let call = ["run", "t.wasm", "fine"];
        world.customs(&call).env("CUSTOMS_CACHE_DIR", world.path(cache)).run()
    };
    std::fs::copy(guest("hostile/trap"), world.path("t.wasm")).unwrap();
    for (mode, used) in [(0o777, false), (0o755, false), (0o700, true)] {
        let cache = format!("cache-{mode:o}");
        world.dir(&format!("{cache}/code"));
        std::fs::set_permissions(world.path(&format!("{cache}/code")), std::fs::Permissions::from_mode(mode)).unwrap();
        let first = run(&cache);
        assert_eq!((first.code, first.stdout.as_str()), (0, "1\n"), "mode {mode:o}: {first}");
        assert_eq!(first.stderr.contains("cache is not used: others may enter"), !used, "mode {mode:o}: {first}");
        let kept = std::fs::read_dir(world.path(&format!("{cache}/code"))).unwrap().count();
        assert_eq!(kept > 0, used, "mode {mode:o} keeps {kept} files");
    }
    let file = run("t.wasm");
    assert_eq!((file.code, file.stdout.as_str()), (0, "1\n"), "{file}");
    assert!(file.stderr.starts_with("warning  compiled code is not kept"), "{file}");
    let mut homeless = world.customs(&["run", "t.wasm", "fine"]);
    homeless.command.env_remove("CUSTOMS_CACHE_DIR");
    let run = homeless.run();
    assert!(run.code == 0 && run.stderr.contains("there is no home directory"), "{run}");
}

/// The empty directory that stands for the root of a guest is listed to guests: with something in it nothing runs.
#[test]
fn an_empty_directory_that_is_not_empty_stops_the_program() {
    let world = World::new();
    let run = || {
        let arguments = ["run", guest("hostile/trap").to_str().unwrap(), "fine"].map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        world.customs(&arguments).env("CUSTOMS_CACHE_DIR", world.path("cache")).unchecked().run()
    };
    run().exits(0);
    world.write("cache/empty/planted", "x");
    let refused = run();
    assert_eq!(refused.code, 5, "{refused}");
    assert!(refused.stdout.is_empty() && refused.stderr.lines().count() == 1, "{refused}");
}

/// 100: a component that changes between two runs is compiled anew: what was cached belongs to other bytes.
#[test]
fn code_of_other_bytes_is_never_run_for_a_changed_component() {
    let world = World::new();
    let count = |from: &str| {
        std::fs::copy(guest(from), world.path("t.wasm")).unwrap();
        world.customs(&["inspect", "t.wasm", "-o", "json"]).run().json["tools"].as_array().unwrap().len()
    };
    assert_eq!((count("hostile/trap"), count("hostile/spin"), count("hostile/trap")), (5, 1, 5));
}
