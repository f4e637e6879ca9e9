//! The audit itself: the same twice, nothing changed, nothing left, nothing of a decoy's value told, and bounded.

use super::audit;
use crate::support::{World, guest};

#[test]
fn audit_twice_says_the_same() {
    for name in ["suspect", "evil-prompt-tool"] {
        let said: Vec<String> = (0..2).map(|_| audit(&World::new(), name, &["--inputs", "20"]).run.stdout).collect();
        assert!(!said[0].is_empty() && said[0] == said[1], "{name} differs:\n{}\n{}", said[0], said[1]);
    }
    // And with another seed other inputs are tried.
    let labels = |seed: &str| audit(&World::new(), "notes", &["read-note", "--seed", seed]).run.json["seed"].clone();
    assert_ne!(labels("1"), labels("2"));
}

/// What may be changed is a copy: a tool that adds a note, and one that writes wherever it can, leave the folder as it was.
#[test]
fn audit_of_writing_tools_changes_nothing_that_is_granted() {
    let world = World::new();
    world.write("work/one.md", "# One\n\nkept\n");
    let before = world.tree("");
    let told = audit(&world, "notes", &["add-note", "--allow-write={work}::/data"]);
    told.run.exits(0);
    let deeds = told.run.json["tools"][0]["behaviours"].as_array().unwrap();
    let wrote = deeds.iter().any(|deed| deed["capability"] == "fs.write" && deed["scenarios"]["granted"] == "allowed");
    assert!(wrote, "the tool was let write: {deeds:#?}");
    assert_eq!(before, world.tree(""));
}

/// Nothing of the audit stays in the cache directory, and what one left that was killed an hour ago is gone, too.
#[test]
fn audit_leaves_no_tree_behind() {
    let world = World::new();
    world.dir("cache");
    let cache = world.path("cache");
    world.write("cache/scratch/killed/laid-home/dev/.netrc", "left");
    let killed = std::fs::File::open(cache.join("scratch/killed")).unwrap();
    killed.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(3_600)).unwrap();
    let component = guest("suspect");
    let run = world
        .customs(&["audit", component.to_str().unwrap(), "shout", "--inputs", "5", "--time", "10m"])
        .env("CUSTOMS_CACHE_DIR", &cache)
        .run();
    run.exits(0);
    let left: Vec<_> = std::fs::read_dir(cache.join("scratch")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A granted secret is told by its name.
#[test]
fn audit_never_shows_the_value_of_a_granted_variable() {
    let world = World::new();
    let secret = "k7Qz2mXp9vLr4tWsYb31";
    for format in ["text", "json", "sarif", "html"] {
        let component = guest("hello");
        let run = world
            .customs(&[
                "audit",
                component.to_str().unwrap(),
                "-o",
                format,
                "--inputs",
                "8",
                "--allow-env=MY_SECRET_TOKEN",
                "--time",
                "10m",
            ])
            .env("MY_SECRET_TOKEN", secret)
            .run();
        run.exits(0);
        run.never_shows(secret);
        assert!(run.stdout.contains("MY_SECRET_TOKEN"), "{format}: {run}");
    }
}

#[test]
fn audit_out_of_time_says_what_is_missing() {
    let told = audit(&World::new(), "suspect", &["--time", "1ms", "--inputs", "50"]);
    told.run.exits(0);
    assert_eq!(told.run.json["complete"], false);
    let cuts = told.run.json["cuts"].to_string();
    assert!(cuts.contains("out of time"), "{cuts}");
}

#[test]
fn audit_refuses_what_would_say_nothing() {
    let world = World::new();
    for (more, why) in [
        (&["-A"][..], "-A cannot be audited"),
        (&["no-such-tool"], "has no tool"),
        (&["--args", "{}"], "has several tools"),
        (&["read-note", "--args", "[]"], "must be a JSON object"),
        (&["--fail-on", "score=101"], "0 to 100"),
        (&["--fail-on", "nothing"], "expected denial"),
    ] {
        let told = audit(&world, "notes", more);
        told.run.exits(2);
        assert!(told.run.stderr.contains(why), "{more:?}: {}", told.run);
    }
}

/// The score never falls when a grant is added: what is allowed besides cannot make a tool look better.
#[test]
fn audit_score_does_not_fall_when_more_is_granted() {
    let world = World::new();
    let score = |more: &[&str]| audit(&world, "notes", &[&["search", "--inputs", "20"], more].concat()).score();
    let bare = score(&[]);
    let unused = score(&["--allow-env=UNUSED*", "--allow-net=https://api.example.com"]);
    assert!(unused > bare, "{unused} and {bare}");
}
