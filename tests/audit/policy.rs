//! Under a policy: what it lacks, what it has too much, the least of it, and exit codes for CI.

use super::audit;
use crate::support::{World, guest};

fn notes() -> World {
    let world = World::new();
    world.write("work/shopping.md", "# Shopping\n\nbread and milk\n");
    world.write("work/garage.md", "# Garage\n\nbrakes\n");
    world
}

#[test]
fn audit_exit_codes_follow_what_was_seen_and_each_has_a_twin() {
    let world = World::new();
    for (name, kinds, code) in [
        ("suspect shout", "decoy", 4),
        ("suspect words", "decoy", 0),
        ("suspect shout", "high", 4),
        ("suspect words", "high", 0),
        ("suspect shout", "score=50", 4),
        ("suspect words", "score=50", 0),
        ("hostile/spin", "limit", 4),
        ("hostile/trap", "limit", 0),
        ("suspect shout", "finding,medium", 4),
    ] {
        let (guest, tool) = name.split_once(' ').map_or((name, None), |(guest, tool)| (guest, Some(tool)));
        let mut more = vec!["--fail-on", kinds, "--inputs", "6"];
        more.extend(tool);
        if guest.starts_with("hostile") {
            more.extend(["--timeout", "50ms"]);
        }
        let told = audit(&world, guest, &more);
        assert_eq!(told.run.code, code, "{name} --fail-on {kinds}: {}", told.run);
    }
}

#[test]
fn audit_denial_fails_only_where_the_policy_denies() {
    let world = notes();
    let denied = audit(&world, "notes", &["search", "--allow-read={ro}::/elsewhere", "--fail-on", "denial"]);
    denied.run.exits(4);
    let granted = audit(&world, "notes", &["search", "--allow-read={work}::/data", "--fail-on", "denial"]);
    granted.run.exits(0);
}

/// The least policy that an audit writes passes its own check, and a check against less does not.
#[test]
fn audit_writes_a_policy_that_passes_its_own_check() {
    let world = notes();
    let policy = world.path("least.toml");
    let written = audit(
        &world,
        "notes",
        &[
            "search",
            "--allow-read={work}::/data",
            "--allow-net=https://api.example.com",
            "--write-policy",
            policy.to_str().unwrap(),
        ],
    );
    written.run.exits(0);
    let text = String::from_utf8(world.read("least.toml")).unwrap();
    assert!(text.contains("allow-read") && !text.contains("allow-net"), "{text}");

    let checked = audit(&world, "notes", &["search", "--check", policy.to_str().unwrap()]);
    checked.run.exits(0);
    assert_eq!(checked.run.json["beyond"].as_array().map(Vec::len), Some(0), "{}", checked.run);

    // Without its grant the same calls want more.
    let less: String = text
        .lines()
        .filter(|line| !line.contains("::/data") && !line.starts_with("allow-read") && *line != "]")
        .map(|line| format!("{line}\n"))
        .collect();
    world.write("less.toml", less);
    let beyond = audit(&world, "notes", &["search", "--check", world.path("less.toml").to_str().unwrap()]);
    beyond.run.exits(4);
    beyond.issue("CUA221", "/data");
    assert!(!beyond.run.json["beyond"].as_array().unwrap().is_empty());

    // It is not written over.
    let again = audit(&world, "notes", &["search", "--write-policy", policy.to_str().unwrap()]);
    again.run.exits(2);
    assert_eq!(String::from_utf8(world.read("least.toml")).unwrap(), text);
}

#[test]
fn audit_names_a_grant_that_nothing_used() {
    let world = notes();
    let told = audit(&world, "notes", &["search", "--allow-read={work}::/data", "--allow-net=https://api.example.com"]);
    assert!(told.has("CUA132"), "{:?}", told.issues());
    let row = |told: &super::Audit| {
        let rows = told.run.json["capabilities"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["capability"] == "http.request").unwrap()
    };
    assert_eq!(row(&told)["exercised"]["allowed"], 0);
    let narrow = audit(&world, "notes", &["search", "--allow-read={work}::/data"]);
    assert!(!narrow.has("CUA132"), "{:?}", narrow.issues());
}

/// Three columns for a tool that says one thing and does another.
#[test]
fn audit_surprise_is_what_neither_description_nor_grant_speaks_of() {
    let world = World::new();
    let column = |tool: &str, capability: &str| {
        let told = audit(&world, "suspect", &[tool]);
        let rows = told.run.json["capabilities"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["capability"] == capability).unwrap()["verdict"].clone()
    };
    assert_eq!(column("measure", "http.request"), "surprise");
    assert_ne!(column("words", "http.request"), "surprise");
}

#[test]
fn audit_checks_of_the_policy_are_all_there() {
    let world = notes();
    let told = audit(&world, "notes", &["search", "--allow-read={work}::/data"]);
    let checks = told.run.json["checks"].as_array().unwrap();
    let ids: Vec<String> = (1..=16).map(|n| format!("W{n}")).collect();
    assert_eq!(checks.iter().map(|check| check["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    world.write("work/.env", "TOKEN=x\n");
    let secret = audit(&world, "notes", &["search", "--allow-read={work}::/data"]);
    let verdicts = |told: &super::Audit| told.run.json["checks"].to_string();
    assert_ne!(verdicts(&told), verdicts(&secret), "a folder with a .env is another matter");
}

/// A component that the policy pins to other bytes is not run.
#[test]
fn audit_of_other_bytes_than_the_policy_pins_is_refused() {
    let world = World::new();
    let component = guest("notes");
    let policy =
        format!("[tool.notes]\ncomponent = {:?}\nsha256 = \"{}\"\n", component.to_str().unwrap(), "0".repeat(64));
    world.write("pin.toml", policy);
    let told = audit(&world, "notes", &["--policy", world.path("pin.toml").to_str().unwrap()]);
    told.run.exits(2);
    assert!(told.run.stderr.contains("sha256"), "{}", told.run);
}
