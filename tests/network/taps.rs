//! What is recorded of a request and its answer: every part, byte for byte, each with a name of its own.

use super::{allow, allow_as, crossed, get, perform, pin};
use crate::support::certificates::Authority;
use crate::support::http2::Http2;
use crate::support::servers::Server;
use crate::support::{Run, World, canary, guest, hex};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A source or sink has exactly these bytes.
fn holds(run: &Run, way: &str, kind: &str, end: &str, bytes: &[u8]) {
    let row = crossed(run, way, kind, end);
    assert_eq!(row["bytes"], bytes.len(), "{end}: {run}");
    assert_eq!(row["sha256"], hex(&Sha256::digest(bytes)), "{end} is not {:?}: {run}", String::from_utf8_lossy(bytes));
    assert_eq!(row["complete"], true, "{run}");
    // The ledger says the same.
    let name = &row["name"];
    let record =
        run.ledger.iter().find(|r| r["event"] == "outcome" && r["kind"] == kind && r["name"] == *name).unwrap();
    assert_eq!((&record["bytes"], &record["sha256"]), (&row["bytes"], &row["sha256"]), "{run}");
}

#[test]
fn each_part_of_a_request_and_its_answer_is_recorded_with_its_bytes() {
    let server = Server::http();
    let origin = server.origin();
    let text = canary("BODY");
    let run = perform(
        &[&allow(&server)],
        json!([{"op": "http", "url": format!("{origin}/a/b?c=d"), "method": "PUT",
            "headers": [["x-one", "1"], ["X-Two", "2"]], "text": text}]),
    );
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    holds(&run, "sinks", "http-request", "#line", format!("PUT {origin}/a/b?c=d").as_bytes());
    holds(&run, "sinks", "http-request", "#headers", b"x-one: 1\r\nx-two: 2\r\n");
    holds(&run, "sinks", "http-request", "#body", text.as_bytes());
    let head = b"200\r\nserver: test\r\ncontent-length: 5\r\ncontent-type: text/plain\r\nx-server: one\r\n";
    holds(&run, "sources", "http-response", "#head", head);
    holds(&run, "sources", "http-response", "#body", b"hello");
    assert_eq!(server.heard_once().body, text.as_bytes());
    // A query often holds what should not be in a name.
    for name in run.sinks().iter().chain(&run.sources()).filter(|name| name.contains("http-")) {
        assert!(name.contains(&format!("{origin}/a/b#")), "{name}");
    }
    assert_eq!(crossed(&run, "sources", "http-response", "#body")["class"], "untrusted", "{run}");
    // Nothing of it that was not there.
    assert_eq!(run.sinks().iter().filter(|sink| sink.starts_with("http-request")).count(), 3, "{run}");
    assert_eq!(run.sources().iter().filter(|source| source.starts_with("http-response")).count(), 2, "{run}");
}

#[test]
fn a_request_without_headers_and_body_has_a_line_and_no_more() {
    let server = Server::http();
    let run = perform(&[&allow(&server)], json!([get(&server.origin())]));
    let sent: Vec<String> = run.exits(0).sinks().into_iter().filter(|sink| sink.starts_with("http-request")).collect();
    assert_eq!(sent, [format!("http-request {}/#line", server.origin())], "{run}");
}

#[test]
fn trailers_of_an_answer_are_given_to_the_guest_and_recorded() {
    let server = Server::http();
    let run = perform(&[&allow(&server)], json!([get(&format!("{}/trailers", server.origin()))]));
    let value = &run.exits(0).outcomes()[0]["value"];
    assert_eq!(value["trailers"], json!([["x-after", "said at the end"]]), "{run}");
    assert_eq!(value["body"]["text"], "one two", "{run}");
    holds(&run, "sources", "http-response", "#trailers", b"x-after: said at the end\r\n");
    holds(&run, "sources", "http-response", "#body", b"one two");
}

/// Trailers that a guest sends are told apart from its headers, and seen like them.
#[test]
fn trailers_of_a_request_are_sent_and_recorded() {
    let server = Server::http();
    let request = json!({"op": "http", "url": format!("{}/echo", server.origin()), "method": "POST",
        "headers": [["trailer", "x-after"]], "text": "a body", "trailers": [["x-after", "said by the guest"]]});
    let run = perform(&[&allow(&server)], json!([request]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    let heard = server.heard_once();
    assert_eq!(
        (heard.body.as_slice(), heard.trailers.as_str()),
        (&b"a body"[..], "x-after: said by the guest\r\n"),
        "{heard:?}"
    );
    holds(&run, "sinks", "http-request", "#trailers", b"x-after: said by the guest\r\n");
    holds(&run, "sinks", "http-request", "#body", b"a body");
}

/// A file that goes into a request by splice has never been in the guest: it is the same bytes on both sides all the same.
#[test]
fn a_file_that_is_spliced_into_a_request_is_a_source_and_a_sink_with_one_digest() {
    let (server, world) = (Server::http(), World::new());
    let content: Vec<u8> = (0..300_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    world.write("work/large", &content);
    let arguments = json!({"path": "/box/large", "url": format!("{}/upload", server.origin())});
    let flags = ["--allow-read={work}::/box", &allow(&server)];
    let run = world.run(&guest("fetch"), "upload-file", &arguments, &flags).run();
    run.exits(0);
    holds(&run, "sources", "file", "/box/large", &content);
    holds(&run, "sinks", "http-request", "/upload#body", &content);
    let heard = server.heard_once();
    assert!(heard.whole && heard.body == content, "{heard:?}");
    // One word more in the rule, and not a byte leaves.
    let run = world.run(
        &guest("fetch"),
        "upload-file",
        &arguments,
        &["--allow-read={work}::/box", "--allow-net=http://127.0.0.1:1"],
    );
    assert_eq!(run.run().exits(1).denials().len(), 1);
    assert_eq!(server.connections(), 1);
}

#[test]
fn the_same_parts_are_recorded_over_http_2() {
    let authority = Authority::new();
    let server = Http2::new(&authority.certificate(&["allowed.test"]));
    let world = World::new();
    world.write("roots.pem", authority.pem());
    let origin = server.origin_as("allowed.test");
    let flags = [format!("--allow-net={origin}"), pin("allowed.test"), "--tls-roots={world}/roots.pem".to_owned()];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let text = canary("BODY");
    let request = json!({"op": "http", "url": format!("{origin}/a?b"), "method": "POST",
        "headers": [["x-one", "1"]], "text": text, "trailers": [["x-after", "said by the guest"]]});
    let run = world.perform(&flags, json!([request]));
    let value = &run.exits(0).outcomes()[0]["value"];
    assert_eq!(value["body"]["text"], "understood /a", "{run}");
    assert_eq!(value["trailers"], json!([["x-after", "said at the end"]]), "{run}");
    let heard = server.heard();
    assert_eq!((heard.len(), heard[0].version.as_str()), (1, "HTTP/2.0"), "{heard:#?}");
    assert_eq!((heard[0].uri.as_str(), heard[0].method.as_str()), (format!("{origin}/a?b").as_str(), "POST"));
    assert_eq!(heard[0].body, text.as_bytes());
    assert_eq!(heard[0].headers.get("host"), None, "{heard:#?}");
    assert_eq!(heard[0].trailers.as_ref().and_then(|trailers| trailers.get("x-after")).unwrap(), "said by the guest");
    holds(&run, "sinks", "http-request", "#line", format!("POST {origin}/a?b").as_bytes());
    holds(&run, "sinks", "http-request", "#headers", b"x-one: 1\r\n");
    holds(&run, "sinks", "http-request", "#body", text.as_bytes());
    holds(&run, "sinks", "http-request", "#trailers", b"x-after: said by the guest\r\n");
    holds(&run, "sources", "http-response", "#body", b"understood /a");
    holds(&run, "sources", "http-response", "#trailers", b"x-after: said at the end\r\n");
}

/// HTTP/2 is bounded like HTTP/1.1: what is large arrives whole, what has no end is stopped, too long a head is an error.
#[test]
fn answers_over_http_2_are_whole_or_stopped() {
    let authority = Authority::new();
    let server = Http2::new(&authority.certificate(&["allowed.test"]));
    let world = World::new();
    world.write("roots.pem", authority.pem());
    let origin = server.origin_as("allowed.test");
    let flags = [format!("--allow-net={origin}"), pin("allowed.test"), "--tls-roots={world}/roots.pem".to_owned()];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let perform = |more: &str, path: &str| {
        let script = json!([{"op": "http", "url": format!("{origin}{path}"), "quiet": true}]);
        world.perform(&[&flags[..], &[more]].concat(), script)
    };
    let run = perform("--timeout=20s", "/long-header");
    assert_ne!(run.exits(0).said(), ["ok"], "{run}");
    let run = perform("--timeout=700ms", "/silent");
    assert_eq!(run.exits(3).ending(), "limit time", "{run}");
    let run = perform("--max-input=10MiB", "/large");
    assert_eq!(run.exits(0).outcomes()[0]["value"]["body"]["len"], 5 << 20, "{run}");
    assert_eq!(crossed(&run, "sources", "http-response", "#body")["bytes"], 5 << 20, "{run}");
    let run = perform("--max-input=2MiB", "/endless");
    assert_eq!(run.exits(3).ending(), "limit input", "{run}");
    // The other way round.
    let content: Vec<u8> = (0..500_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    world.write("work/large", &content);
    let arguments = json!({"path": "/box/large", "url": format!("{origin}/upload")});
    let upload = |more: &str| {
        let flags = [&flags[..], &["--allow-read={work}::/box", more]].concat();
        world.run(&guest("fetch"), "upload-file", &arguments, &flags).run()
    };
    let run = upload("--max-output=4MiB");
    holds(run.exits(0), "sinks", "http-request", "/upload#body", &content);
    assert!(server.heard().pop().unwrap().body == content);
    let heard = server.heard().len();
    let run = upload("--max-output=1MiB");
    assert_eq!(run.exits(3).ending(), "limit output", "{run}");
    assert_eq!(server.heard().len(), heard, "half a request is none");
}

/// What crossed before it broke is recorded as far as it came.
#[test]
fn half_an_answer_is_half_a_source() {
    let server = Server::http();
    let run = perform(&[&allow(&server)], json!([get(&format!("{}/half", server.origin()))]));
    assert_ne!(run.exits(0).said(), ["ok"], "{run}");
    let body = crossed(&run, "sources", "http-response", "#body");
    assert_eq!(body["bytes"], "only half of what was said, if that".len(), "{run}");
}

/// The parts of two requests to one place are four sinks, and each knows its own access.
#[test]
fn two_requests_to_one_place_are_told_apart() {
    let server = Server::http();
    let send = |text: &str| json!({"op": "http", "url": server.origin(), "method": "POST", "text": text});
    let run = perform(&[&allow(&server)], json!([send("one"), send("two two")]));
    run.exits(0);
    let access: Vec<&Value> = run.accesses("http.request").into_iter().filter(|r| r["op"] == "handle").collect();
    for (access, bytes) in access.iter().zip([3, 7]) {
        let of = &access["seq"];
        let body = run.ledger.iter().find(|r| {
            r["of"] == *of && r["name"].as_str().is_some_and(|n| n.ends_with("#body")) && r["kind"] == "http-request"
        });
        assert_eq!(body.unwrap()["bytes"], bytes, "{run}");
    }
    assert_eq!(access.len(), 2, "{run}");
}

/// A record of each step before it is taken: the decision, the lookup, the connection, and how each came out.
#[test]
fn every_step_of_a_request_is_recorded_before_it_is_taken() {
    let server = Server::http();
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test")];
    let run = perform(&[&flags[0], &flags[1]], json!([get(&server.origin_as("allowed.test"))]));
    run.exits(0);
    let at = |op: &str| run.ledger.iter().position(|r| r["event"] == "access" && r["op"] == op).unwrap();
    let line = run.ledger.iter().position(|r| r["name"].as_str().is_some_and(|n| n.ends_with("#line"))).unwrap();
    let head = run.ledger.iter().position(|r| r["name"].as_str().is_some_and(|n| n.ends_with("#head"))).unwrap();
    assert!(at("handle") < at("connect") && at("connect") < line && line < head, "{run}");
    let connect = &run.ledger[at("connect")];
    assert_eq!(connect["resolved"], format!("127.0.0.1:{}", server.port()), "{run}");
    assert!(connect["rule"].as_str().unwrap().starts_with("--allow-net="), "{run}");
    let outcome = run.ledger.iter().find(|r| r["event"] == "outcome" && r["of"] == connect["seq"]).unwrap();
    assert_eq!(outcome["ok"], true, "{run}");
}
