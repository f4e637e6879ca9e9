//! What cannot be called, each with the sentence that says why.

use super::{inspected, names};
use crate::support::{World, guest};
use serde_json::json;

/// `inspect` and `run` refuse it before anything of it runs, both in this one sentence.
pub(super) fn by(component: &str, sentence: &str) {
    let (world, path) = (World::new(), guest(component));
    for arguments in [vec!["inspect"], vec!["run"], vec!["run", "--ledger={world}/run.jsonl"]] {
        let run = world.customs(&arguments).arg(&path).run();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!((run.code, run.stderr.as_str()), (2, format!("error    {name} {sentence}\n").as_str()), "{run}");
        assert_eq!(run.stdout, "");
    }
    assert!(!world.exists("run.jsonl"), "there was no run to record");
}

#[test]
fn a_server_of_http_requests_is_listed_as_such_and_has_nothing_to_call() {
    let path = guest("compat/http-server");
    let run = inspected(&path);
    let why = "it is a server of HTTP requests, and customs calls functions";
    let name = "wasi:http/incoming-handler@0.2.12";
    assert_eq!(run.json["unusable"], json!([{"name": name, "why": why}]), "{run}");
    assert_eq!(names(&run), [""; 0]);
    let run = World::new().customs(&["run"]).arg(&path).run();
    let sentence = format!("error    http-server.wasm has no tool that can be called ({name}: {why})\n");
    assert_eq!((run.code, run.stderr), (2, sentence));
}

#[test]
fn async_functions_and_streams_of_wasi_0_3_are_refused_by_that_name() {
    for component in ["compat/async-export", "hostile/returns-stream"] {
        by(component, "uses async functions or streams of WASI 0.3; this version runs WASI 0.2");
    }
}

#[test]
fn a_command_of_wasi_0_3_is_refused_by_that_name() {
    by("compat/run-0.3", "exports wasi:cli/run@0.3.0; this version runs commands of WASI 0.2");
    // Its twin: the same of 0.2.
    assert_eq!(names(&inspected(&guest("hello"))), ["run"]);
}

/// Handles live in one instance, and every call has its own.
#[test]
fn functions_with_resources_are_listed_with_the_reason_and_the_others_work() {
    let component = guest("hostile/returns-resource");
    let run = inspected(&component);
    let unusable = &run.json["unusable"][0];
    assert_eq!((&unusable["name"], names(&run)), (&json!("open"), vec!["plain"]), "{run}");
    assert!(unusable["why"].as_str().unwrap().contains("resource"), "{run}");
    let world = World::new();
    let refused = world.run(&component, "open", &json!({}), &[]).run();
    assert_eq!((refused.code, refused.json["ending"]["kind"].as_str()), (2, Some("refused")), "{refused}");
    world.run(&component, "plain", &json!({}), &[]).run().exits(0);
}

#[test]
fn an_import_that_no_host_of_wasi_has_is_refused_by_name() {
    by("hostile/unknown-import", &sentence("hostile/unknown-import"));
}

/// The sentence for it, which names the import.
fn sentence(component: &str) -> String {
    let run = World::new().customs(&["inspect"]).arg(guest(component)).run();
    let said = run.stderr.trim_end().split_once(".wasm ").unwrap().1.to_owned();
    assert!(said.starts_with("imports ") && said.ends_with(", which customs does not provide"), "{run}");
    said
}
