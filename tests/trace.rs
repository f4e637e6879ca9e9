//! `customs run --trace`: which bytes of what leaves come from which source, through computation that matching cannot see.

mod composed;
mod dynamic;
mod network;
mod passes;
mod readback;

use crate::support::{Run, World, guest};
use serde_json::{Value, json};

const SECRET: &str = "k7Qz2mXpLw93vRt5";

/// A call of the guest that changes what it reads, with a file and a variable to read.
fn apply(transform: &str, source: &str, flags: &[&str]) -> (World, Run) {
    let world = World::new();
    world.write("box/secret.txt", SECRET);
    let (variable, change, from) =
        (format!("KEY={SECRET}"), format!("transform={transform}"), format!("source={source}"));
    let component = guest("transforms");
    let mut arguments =
        vec!["run", component.to_str().unwrap(), "apply", "--arg", &change, "--arg", &from, "-o", "json"];
    arguments.extend(["--env", &variable, "--allow-write=./box::/box"]);
    arguments.extend(flags);
    let run = world.customs(&arguments).unchecked().run();
    (world, run)
}

/// `method strength source -> sink ranges`
fn found(run: &Run) -> Vec<String> {
    let row = |rows: &str, id: &Value| {
        let rows = run.json[rows].as_array().unwrap();
        let row = rows.iter().find(|row| row["id"] == *id).unwrap();
        format!("{} {}", row["kind"].as_str().unwrap(), row["name"].as_str().unwrap())
    };
    let line = |f: &Value| {
        let (method, strength) = (f["method"].as_str().unwrap(), f["strength"].as_str().unwrap());
        let (source, sink) = (row("sources", &f["source"]), row("sinks", &f["sink"]));
        format!("{method} {strength} {source} -> {sink} {}", f["sink_ranges"])
    };
    run.json["findings"].as_array().unwrap().iter().map(line).collect()
}

/// `sink from-to strength source, ..`
fn traced(run: &Run) -> Vec<String> {
    let row = |rows: &str, id: &Value| {
        let row = run.json[rows].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap();
        format!("{} {}", row["kind"].as_str().unwrap(), row["name"].as_str().unwrap())
    };
    let mut lines = Vec::new();
    for sink in run.json["traced"].as_array().unwrap() {
        let mut last = 0;
        for range in sink["ranges"].as_array().unwrap() {
            let (from, to) = (range["from"].as_u64().unwrap(), range["to"].as_u64().unwrap());
            assert!(last <= from && from < to, "{sink}");
            last = to;
            let of = |strength: &str| {
                let ids = range[strength].as_array().unwrap().iter();
                ids.map(|id| format!("{strength} {}", row("sources", id))).collect::<Vec<_>>()
            };
            let sources = [of("strong"), of("weak")].concat().join(", ");
            lines.push(format!("{} {from}-{to} {sources}", row("sinks", &sink["sink"])));
        }
    }
    lines
}

#[test]
fn a_key_of_ones_own_hides_a_variable_from_matching_and_not_from_a_trace() {
    let (_world, run) = apply("xor", "env:KEY", &["--trace"]);
    assert_eq!(found(run.exits(0)), ["trace strong env KEY -> return /pieces/1/bytes [[0,24]]"], "{run}");
    assert_eq!(run.json["methods"], json!(["match", "trace"]), "{run}");
    assert_eq!(traced(&run), ["return /pieces/1/bytes 0-24 strong env KEY"], "{run}");
    let (_world, run) = apply("xor", "env:KEY", &[]);
    assert_eq!((found(run.exits(0)), &run.json["methods"]), (Vec::new(), &json!(["match"])), "{run}");
    assert!(run.json.get("traced").is_none(), "{run}");
}

#[test]
fn a_trace_finds_the_bytes_of_a_file_in_what_is_printed_written_returned_and_in_errors() {
    let file = "trace strong file /box/secret.txt";
    for (transform, expected) in [
        ("split", format!("{file} -> return /text [[5,13],[15,23]]")),
        ("print", format!("{file} -> stdout stdout [[1,17]]")),
        ("write", format!("{file} -> file /box/secret.txt.out [[6,22]]")),
        ("note", format!("{file} -> return /note [[6,22]]")),
        ("error", format!("{file} -> error /error/unknown [[8,24]]")),
    ] {
        let (_world, run) = apply(transform, "file:/box/secret.txt", &["--trace"]);
        assert!(found(&run).contains(&expected), "{transform}: {expected}\n{:?}\n{run}", found(&run));
    }
}

#[test]
fn an_answer_that_no_source_has_part_in_has_no_finding_of_a_trace() {
    let (_world, run) = apply("untouched", "file:/box/secret.txt", &["--trace"]);
    assert_eq!(found(run.exits(0)), Vec::<String>::new(), "{run}");
    // What the caller gave comes back: that is no finding.
    let (_world, run) = apply("reverse", "as the caller wrote it", &["--trace"]);
    assert_eq!(found(run.exits(0)), Vec::<String>::new(), "{run}");
}

/// Nothing that matters can come, so that arguments have the labels; where files may come they have none.
#[test]
fn arguments_are_traced_where_no_other_source_can_need_the_label() {
    let world = World::new();
    world.dir("box");
    let run = |flags: &[&str]| {
        let arguments = json!({"transform": "split", "source": "as the caller wrote it"});
        let run =
            world.run(&guest("transforms"), "apply", &arguments, &[&["--trace"], flags].concat()).unchecked().run();
        assert_eq!((run.code, &run.json["findings"]), (0, &json!([])), "{run}");
        traced(&run)
    };
    let halves = ["return /text 5-16 strong argument /source", "return /text 18-29 strong argument /source"];
    assert_eq!(run(&[]), halves);
    assert_eq!(run(&["--allow-read=./box::/box"]), Vec::<String>::new());
}

#[test]
fn words_and_input_of_a_command_are_traced_to_what_it_prints() {
    let world = World::new();
    world.dir("box");
    let run = |flags: &[&str]| {
        let arguments = json!({"args": ["one", "two"], "stdin": "alpha beta"});
        let run = world.run(&guest("hello"), "run", &arguments, &[&["--trace"], flags].concat()).unchecked().run();
        assert_eq!((run.code, &run.json["findings"]), (0, &json!([])), "{run}");
        traced(&run)
    };
    let printed = |sink: &str| {
        let words = [(4, 7, "argument /args/0"), (12, 15, "argument /args/1"), (32, 42, "stdin stdin")];
        words.map(|(from, to, source)| format!("{sink} {from}-{to} strong {source}")).to_vec()
    };
    // "arg one", "arg two", "stdin 10 bytes: alpha beta"; and the same again as the answer.
    assert_eq!(run(&[]), [printed("stdout stdout"), printed("return /content/0/text")].concat());
    // Files may come, and need the labels.
    assert_eq!(run(&["--allow-read=./box::/box"]), Vec::<String>::new());
}

/// A copy by `if` and constants, which a trace of data cannot see.
#[test]
fn a_copy_by_branches_alone_is_found_where_branches_are_followed_and_only_there() {
    let branch = |flags: &[&str]| {
        let (_world, run) = apply("branch", "file:/box/secret.txt", flags);
        if flags != ["--trace=branch"] {
            run.exits(0);
        }
        run
    };
    let copied = "trace weak file /box/secret.txt -> return /text [[0,16]]".to_owned();
    let run = branch(&["--trace=branches"]);
    assert!(found(&run).contains(&copied), "{:?}\n{run}", found(&run));
    let run = branch(&["--trace=data"]);
    assert!(!found(&run).iter().any(|line| line.starts_with("trace")), "{:?}\n{run}", found(&run));
    assert_eq!(branch(&["--trace=branch"]).code, 2);
}

/// A module of WASI preview 1 is traced as the component that it becomes.
#[test]
fn a_command_of_preview_1_is_traced_through_the_adapter() {
    let world = World::new();
    world.write("box/secret.txt", "one two three");
    let component = guest("benign-tool");
    let run = world.customs(&["run", component.to_str().unwrap(), "-o", "json", "--trace", "--allow-read=./box::/box"]);
    let plain = world.customs(&["run", component.to_str().unwrap(), "-o", "json", "--allow-read=./box::/box"]);
    let (traced, plain) = (run.unchecked().run(), plain.unchecked().run());
    assert_eq!(traced.json["result"], plain.json["result"], "{traced}");
    assert_eq!(traced.json["ending"], plain.json["ending"], "{traced}");
}

/// The limit is the guest's own: the shadow of its memory is not counted.
#[test]
fn memory_is_counted_as_the_guest_has_it_without_its_shadow() {
    let peak = |flags: &[&str]| {
        let (_world, run) = apply("plain", "file:/box/secret.txt", flags);
        run.exits(0).json["limits"]["peak-memory"].as_u64().unwrap()
    };
    assert_eq!(peak(&["--trace"]), peak(&[]));
}

#[test]
fn a_component_through_which_labels_cannot_be_followed_is_refused_with_the_reason() {
    let component = guest("hostile/two-memories");
    let run = |flags: &[&str]| {
        let arguments = [&["run", component.to_str().unwrap(), "answer"], flags].concat();
        World::new().customs(&arguments).unchecked().run()
    };
    let refused = run(&["--trace"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("cannot be traced: a core module of it uses more than one memory"), "{refused}");
    assert_eq!(run(&[]).code, 0);
}

/// The run goes at full speed; which bytes came from where is asked later.
#[test]
fn a_recorded_run_is_traced_when_it_is_replayed_and_is_the_same_run() {
    let (world, run) = apply("xor", "env:KEY", &["--record", "run.rec"]);
    assert_eq!(found(run.exits(0)), Vec::<String>::new(), "{run}");
    let replayed = world.customs(&["replay", "run.rec", "--trace", "-o", "json"]).unchecked().run();
    assert_eq!(found(replayed.exits(0)), ["trace strong env KEY -> return /pieces/1/bytes [[0,24]]"], "{replayed}");
    assert_eq!(replayed.json["result"], run.json["result"], "{replayed}");
    assert_eq!(world.customs(&["replay", "run.rec", "-o", "json"]).unchecked().run().code, 0);
}
