//! What `customs new` writes builds, and what it prints works as printed. What `customs docs` adds is there afterwards.
//!
//! The projects are built with what the guests are built with, so that nothing is fetched: cargo's downloads, `guests/js/node_modules`, and the
//! Python of `guests/target/python`.

use crate::support::{Customs, Run, World, checkout, guest, shared_cache};
use std::process::Command;

/// Who builds the project.
#[derive(Clone, Copy, PartialEq)]
enum Language {
    Rust,
    Js,
    Python,
}

/// A shell in this place that finds the compilers of this machine and no network.
fn shell(world: &World, place: &str, script: &str) -> Run {
    let mut shell = Customs::shell(world, &format!("set -e\n{script}")).cwd(&world.path(place));
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            shell = shell.env(name, value);
        }
    }
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    shell
        .env("PATH", path)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_BUILD_BUILD_DIR", checkout().join("guests/target/new"))
        .env("npm_config_offline", "true")
        .env("PIP_NO_INDEX", "1")
        .run()
}

fn copied(world: &World, from: &str, to: &str) -> bool {
    let from = checkout().join(from);
    // Links where the file system allows: it is a few hundred megabytes.
    let copy = |how| Command::new("cp").arg(how).arg(&from).arg(world.path(to)).output().unwrap().status.success();
    from.exists() && (copy("-al") || copy("-a"))
}

/// Puts what the language's tool would fetch into the project. False where this machine did not build guests of that language.
fn prepared(world: &World, language: Language) -> bool {
    match language {
        Language::Rust => {
            // Debian's way, see guests/toolchain.sh: cargo is told where to find the sources of std.
            let env = checkout().join("guests/.toolchain/env");
            if std::fs::read_to_string(&env).is_ok_and(|text| text.contains("-Zbuild-std")) {
                let env = env.display();
                world.write("bin/cargo", format!("#!/bin/sh\n. '{env}'\nexec \"$CARGO\" \"$@\" $guest_cargo_args\n"));
                assert!(Command::new("chmod").arg("+x").arg(world.path("bin/cargo")).status().unwrap().success());
            }
            true
        }
        Language::Js => copied(world, "guests/js/node_modules", "greeter/node_modules"),
        Language::Python => copied(world, "guests/target/python/venv", "greeter/venv"),
    }
}

/// What the guide tells to add to a typed project, put where it says. Each language has one place for it.
fn changed_as_the_guide_says(world: &World, language: Language) {
    let guide = std::fs::read_to_string(checkout().join("docs/authoring.md")).unwrap();
    let section = guide.split_once("\n## Change it\n").unwrap().1.split_once("\n## ").unwrap().0;
    let block = |kind: &str| section.split_once(&format!("```{kind}\n")).unwrap().1.split_once("```").unwrap().0;
    let insert = |path: &str, after: &str, end: &str, kind: &str| {
        let text = String::from_utf8(world.read(&format!("greeter/{path}"))).unwrap();
        let (start, rest) = text.split_once(after).unwrap();
        let (inside, rest) = rest.split_once(end).unwrap();
        world.write(&format!("greeter/{path}"), format!("{start}{after}{inside}{}{end}{rest}", block(kind)));
    };
    insert("wit/greeter.wit", "greet: func", "}\n\nworld", "wit");
    match language {
        Language::Rust => insert("src/lib.rs", "fn greet", "}\n\n///", "rust"),
        Language::Js => insert("tool.js", "greet(", "};\n\n/**", "js"),
        Language::Python => insert("src/app.py", "def greet", "\n\ndef read", "python"),
    }
}

/// The function that the guide adds.
fn counts(world: &World) {
    let policy = world.path("greeter/customs.toml");
    let count = |template: &str| {
        let run = ["run", "greeter/greeter.wasm", "count", "--arg", template, "--policy", policy.to_str().unwrap()];
        world.customs(&run).run()
    };
    assert_eq!(count("template=/templates/hello.txt").exits(0).stdout.trim_end(), "1");
    let refused = count("template=/etc/passwd");
    assert!(refused.exits(1).stderr.contains("not permitted (/etc/passwd)"), "{refused}");
}

/// Makes the project, types what was printed, and looks that the test of the project tells a grant from none.
#[allow(clippy::print_stderr, reason = "who reads the output of the tests should know what was not tested")]
fn works_as_printed(language: Language, kind: &str, answer: &str) {
    // One after the other, also across processes: each keeps all processors busy, and compiling has a deadline.
    let turn = std::fs::File::create(shared_cache().with_file_name("new.lock")).unwrap();
    turn.lock().unwrap();
    let world = World::new();
    let word = match language {
        Language::Rust => "rust",
        Language::Js => "js",
        Language::Python => "python",
    };
    let made = world.customs(&["new", "greeter", "--lang", word, "--world", kind]).run();
    made.exits(0);
    if !prepared(&world, language) {
        eprintln!("skipped: no guest in {word} was built here, so there is nothing to build with");
        return;
    }
    // An engine takes long to build and to compile: those projects are built once, with the change already in them.
    let typed = kind == "typed";
    if typed && language != Language::Rust {
        changed_as_the_guide_says(&world, language);
    }
    let run = shell(&world, "", &made.stdout);
    run.exits(0);
    for wanted in ["test: ok", answer, "claude mcp add"] {
        assert!(run.stdout.contains(wanted), "{wanted}: {run}");
    }

    let inspected = world.customs(&["inspect", "greeter/greeter.wasm", "-o", "json"]).run();
    inspected.exits(0);
    if typed {
        if language == Language::Rust {
            changed_as_the_guide_says(&world, language);
            shell(&world, "greeter", "export CUSTOMS=\"$0\"; sh build.sh").exits(0);
        }
        counts(&world);
        let tools = inspected.json["tools"].as_array().unwrap();
        let greet = tools.iter().find(|tool| tool["name"] == "greet").unwrap();
        let about = greet["description"].as_str().unwrap_or_default();
        assert!(about.starts_with("Greet somebody by name.\n"), "the words of the WIT are in the component: {about:?}");
    }

    let policy = String::from_utf8(world.read("greeter/customs.toml")).unwrap();
    let test = format!("export CUSTOMS=\"$0\"; sh {}", world.path("greeter/test.sh").display());
    for (grants, complaint) in [("[]", "refused"), (r#"["./templates", "/etc/passwd"]"#, "outside of the grants")] {
        world.write("greeter/customs.toml", policy.replace(r#"["./templates"]"#, grants));
        let run = shell(&world, "", &test);
        assert!(run.code == 1 && run.stderr.contains(complaint), "{grants}: {run}");
    }
    world.write("greeter/customs.toml", policy);
    shell(&world, "", &test).exits(0);
}

const TYPED: &str = r#"{"text":"Hello, Ada!","template":"/templates/hello.txt"}"#;
const CUSTOMS: &str = r#"{"greetings":["Hello, Ada!","Hello, Bob!"]}"#;

#[test]
fn a_typed_project_in_rust_works_as_printed() {
    works_as_printed(Language::Rust, "typed", TYPED);
}

#[test]
fn a_typed_project_in_javascript_works_as_printed() {
    works_as_printed(Language::Js, "typed", TYPED);
}

#[test]
fn a_typed_project_in_python_works_as_printed() {
    works_as_printed(Language::Python, "typed", TYPED);
}

#[test]
fn a_project_that_describes_itself_in_rust_works_as_printed() {
    works_as_printed(Language::Rust, "customs", CUSTOMS);
}

#[test]
fn a_project_that_describes_itself_in_javascript_works_as_printed() {
    works_as_printed(Language::Js, "customs", CUSTOMS);
}

#[test]
fn a_project_that_describes_itself_in_python_works_as_printed() {
    works_as_printed(Language::Python, "customs", CUSTOMS);
}

#[test]
fn a_directory_with_something_in_it_is_left_as_it_is_and_an_empty_one_is_filled() {
    let world = World::new();
    world.write("full/.hidden", "mine");
    world.dir("empty");
    world.write("file", "mine");
    world.link("away", "/nowhere");
    for (name, complaint) in [("full", "not empty"), ("file", "not a directory"), ("away", "away"), ("a/b", "no name")]
    {
        let before = world.tree("");
        let run = world.customs(&["new", name, "--lang", "rust"]).run();
        run.exits(2);
        assert!(run.stderr.contains(complaint) && run.stderr.lines().count() == 1 && run.stdout.is_empty(), "{run}");
        assert_eq!(world.tree(""), before, "{name}");
    }
    world.customs(&["new", "empty", "--lang", "rust"]).run().exits(0);
    assert!(world.exists("empty/src/lib.rs") && world.exists("empty/customs.toml"));
}

#[test]
fn what_is_printed_says_customs_where_a_shell_finds_this_program_by_that_name() {
    let world = World::new();
    let program = crate::support::program();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let found = world.customs(&["new", "a", "--lang", "js"]).env("PATH", path).run();
    assert!(found.stdout.contains("\ncustoms run a.wasm") && !found.stdout.contains("CUSTOMS"), "{found}");
    // Another program of that name comes first.
    world.write("bin/customs", "");
    let path = format!("{}:{}", world.path("bin").display(), program.parent().unwrap().display());
    let other = world.customs(&["new", "b", "--lang", "js"]).env("PATH", path).run();
    assert!(
        other.stdout.contains("\nexport CUSTOMS=/") && other.stdout.contains("\n\"$CUSTOMS\" run b.wasm"),
        "{other}"
    );
}

#[test]
fn words_of_a_wit_go_into_a_component_and_nothing_else_of_it_changes() {
    let world = World::new();
    world.write("notes.wit", "package customs:notes; interface notes { /// Fetch it.\n read-note: func(); }");
    let before = std::fs::read(guest("notes")).unwrap();
    world.write("notes.wasm", &before);
    world.customs(&["docs", "notes.wasm", "--wit", "notes.wit", "--out", "out.wasm"]).run().exits(0);
    assert_eq!(world.read("notes.wasm"), before, "with --out the component stays");
    world.customs(&["docs", "notes.wasm", "--wit", "notes.wit"]).run().exits(0);
    assert_eq!(world.read("notes.wasm"), world.read("out.wasm"), "without --out it is changed in place");
    world.customs(&["docs", "notes.wasm", "--wit", "notes.wit"]).run().exits(0);
    assert_eq!(world.read("notes.wasm"), world.read("out.wasm"), "the second time changes nothing");

    // Moved away from the WIT, whose words would be found beside it.
    world.dir("alone");
    std::fs::rename(world.path("out.wasm"), world.path("alone/out.wasm")).unwrap();
    let tools = world.customs(&["inspect", "alone/out.wasm", "-o", "json"]).run();
    let described = |name: &str| {
        let tools = tools.json["tools"].as_array().unwrap();
        tools.iter().find(|tool| tool["name"] == name).unwrap()["description"].as_str().map(str::to_owned)
    };
    assert_eq!((described("read-note").as_deref(), described("search")), (Some("Fetch it."), None));
    world.write("work/a.md", "# A");
    let arguments = serde_json::json!({"path": "/box/a.md"});
    world.run(&world.path("alone/out.wasm"), "read-note", &arguments, &["--allow-read={work}::/box"]).run().exits(0);
}

#[test]
fn what_has_no_words_or_can_take_none_is_refused_and_left_as_it_is() {
    let world = World::new();
    world.write("good.wit", "package a:b; interface i { /// It does.\n f: func(); }");
    world.write("mute.wit", "package a:b; interface i { f: func(); }");
    world.write("no.wit", "It does.");
    let module = std::fs::read(guest("benign-tool")).unwrap();
    let component = std::fs::read(guest("notes")).unwrap();
    world.write("module.wasm", &module);
    world.write("cut.wasm", &component[..component.len() - 1]);
    world.write("good.wasm", &component);
    for (wasm, wit, complaint) in [
        ("module.wasm", "good.wit", "module.wasm: is no component"),
        ("cut.wasm", "good.wit", "cut.wasm: is cut short"),
        ("good.wasm", "mute.wit", "mute.wit: says nothing"),
        ("good.wasm", "no.wit", "no.wit: says nothing"),
        ("good.wasm", "none.wit", "none.wit: no such file"),
    ] {
        let before = world.tree("");
        let run = world.customs(&["docs", wasm, "--wit", wit]).run();
        run.exits(2);
        assert!(run.stderr.contains(complaint), "{run}");
        assert_eq!(world.tree(""), before, "{wasm} {wit}");
    }
    world.customs(&["docs", "good.wasm", "--wit", "good.wit"]).run().exits(0);
}
