//! What goes over the wire: one well-formed request that says what was decided, and nothing that the guest smuggles in. 54 to 56, 59 to 62, 70.

use super::{allow, allow_as, connected, failures, get, perform, pin, requests};
use crate::support::servers::Server;
use crate::support::{World, guest};
use serde_json::{Value, json};

/// A puppet's request with header fields, as pairs.
fn with(url: &str, headers: Value) -> Value {
    json!({"op": "http", "url": url, "headers": headers})
}

/// 54: an answer is an answer. Where it points to is nobody's business but the guest's.
#[test]
fn redirects_are_handed_to_the_guest_and_not_followed() {
    let (server, canary) = (Server::http(), Server::http());
    let target = canary.origin();
    let url = format!("{}/redirect?{target}/", server.origin());
    let run = perform(&[&allow(&server), &allow(&canary)], json!([get(&url)]));
    let outcome = &run.exits(0).outcomes()[0]["value"];
    assert_eq!((&outcome["status"], &outcome["body"]["text"]), (&json!(302), &json!("elsewhere")), "{run}");
    assert!(outcome["headers"].as_array().unwrap().contains(&json!(["location", format!("{target}/")])), "{run}");
    canary.untouched();
    assert_eq!(server.connections(), 1);
}

/// 54, 55: what a guest follows itself is another request, decided on its own: host, scheme and port.
#[test]
fn a_redirect_that_the_guest_follows_is_decided_on_its_own() {
    let (server, canary) = (Server::http(), Server::http());
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test"), pin("denied.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let port = server.port();
    let world = World::new();
    let follow = |to: &str| {
        let url = format!("http://allowed.test:{port}/redirect?{to}");
        let header = json!({"name": "authorization", "value": "Bearer of-the-guest"});
        let request = json!({"request": {"url": url, "headers": [header], "follow": 3}});
        world.run(&guest("fetch"), "fetch", &request, &flags).run()
    };
    for (to, then) in [
        (format!("http://denied.test:{port}/"), format!("http://denied.test:{port}/")),
        (format!("//denied.test:{port}/x"), format!("http://denied.test:{port}/x")),
        (format!("http://allowed.test:{}/", canary.port()), format!("http://allowed.test:{}/", canary.port())),
        (format!("https://allowed.test:{port}/"), format!("https://allowed.test:{port}/")),
        ("http://127.0.0.1/".to_owned(), "http://127.0.0.1/".to_owned()),
    ] {
        let before = server.connections();
        let run = follow(&to);
        assert_eq!(run.exits(1).denials(), [format!("http.request no-grant GET {then}")], "{run}");
        assert_eq!(server.connections(), before + 1, "{to}: {run}");
    }
    canary.untouched();
    let run = follow("/echo");
    assert_eq!(run.exits(0).denials(), Vec::<String>::new(), "{run}");
    assert!(run.stdout.contains("GET /echo HTTP/1.1"), "{run}");
    assert_eq!(requests(&run).len(), 2, "{run}");
}

/// 55: a header goes with the request that the guest gave it to, and with no other.
#[test]
fn no_header_is_carried_from_one_request_to_the_next() {
    let (server, other) = (Server::http(), Server::http());
    let run = perform(
        &[&allow(&server), &allow(&other)],
        json!([
            with(
                &format!("{}/redirect?{}/", server.origin(), other.origin()),
                json!([["authorization", "Bearer one"], ["cookie", "a=b"], ["x-own", "1"]])
            ),
            get(&other.origin()),
            get(&server.origin()),
        ]),
    );
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    assert_eq!(server.heard()[0].header("authorization"), "Bearer one");
    for heard in [&other.heard_once(), &server.heard()[1]] {
        assert_eq!(
            heard.head.lines().filter(|line| !line.is_empty()).count(),
            2,
            "a request line and a host: {heard:?}"
        );
    }
}

/// 56: whatever is in the path, the request line has a path.
#[test]
fn an_absolute_url_as_the_path_does_not_choose_another_host() {
    let (server, canary) = (Server::http(), Server::http());
    let authority = format!("127.0.0.1:{}", server.port());
    let to = |path: &str| json!({"op": "http", "scheme": "http", "authority": authority, "path": path});
    let paths = [
        format!("{}/x", canary.origin()),
        format!("http://denied.test:{}/x", canary.port()),
        format!("denied.test:{}", canary.port()),
        "*".to_owned(),
        "x".to_owned(),
        "@denied.test/".to_owned(),
        format!(":{}/", canary.port()),
        "\\\\denied.test\\x".to_owned(),
        "/x y".to_owned(),
        "/x\r\nhost: denied.test\r\n\r\n".to_owned(),
        "/x HTTP/1.1\r\nx: y".to_owned(),
    ];
    let run = perform(&[&allow(&server)], paths.iter().map(|path| to(path)).collect());
    run.exits(0);
    for heard in server.heard() {
        let target = heard.line().split(' ').nth(1).unwrap();
        assert!(heard.line().split(' ').count() == 3 && target.starts_with('/'), "in origin form: {heard:?}");
        assert_eq!(heard.header("host"), authority, "{heard:?}");
    }
    canary.untouched();
    for (path, outcome) in paths.iter().zip(run.outcomes()) {
        assert_eq!(outcome["ok"], false, "{path:?} {run}");
    }
    // Twins: what is odd in a path and still one, and a path that only looks like an address.
    let server = Server::http();
    let authority = format!("127.0.0.1:{}", server.port());
    let to = |path: &str| json!({"op": "http", "scheme": "http", "authority": authority, "path": path});
    let paths = [
        "/",
        "/http://denied.test/x",
        "//denied.test/x",
        "/x?y=http://denied.test/",
        "/%0d%0ahost:%20x",
        "/a@b:c;d",
        "/z#@denied.test/",
    ];
    let run = perform(&[&allow(&server)], paths.iter().map(|path| to(path)).collect());
    assert_eq!(run.exits(0).said(), ["ok"; 7], "{run}");
    let lines: Vec<String> = server.heard().iter().map(|heard| heard.line().to_owned()).collect();
    // A fragment is for the client alone.
    assert_eq!(lines, paths.map(|path| format!("GET {} HTTP/1.1", path.trim_end_matches("#@denied.test/"))), "{run}");
}

/// 59
#[test]
fn headers_that_belong_to_the_connection_cannot_be_set() {
    let server = Server::http();
    let forbidden = [
        "host",
        "Host",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "transfer-encoding",
        "Transfer-Encoding",
        "upgrade",
        "http2-settings",
    ];
    let script: Value = forbidden.iter().map(|name| with(&server.origin(), json!([[name, "x"]]))).collect();
    let run = perform(&[&allow(&server)], script);
    assert_eq!(run.exits(0).said(), ["header-forbidden"; 11], "{run}");
    let odd = [
        ["x-a", "one\r\nhost: denied.test"],
        ["x-a", "one\ntwo"],
        ["x-a", "nul\u{0}"],
        ["x-a: b\r\nhost", "denied.test"],
        ["x a", "b"],
        ["", "b"],
        [":path", "/other"],
        [":authority", "denied.test"],
    ];
    let script: Value = odd.iter().map(|pair| with(&server.origin(), json!([pair]))).collect();
    let run = perform(&[&allow(&server)], script);
    assert_eq!(run.exits(0).said(), ["header-invalid-syntax"; 8], "{run}");
    server.untouched();
    let twin = with(&server.origin(), json!([["hosts", "x"], ["x-a", "one two"], ["te", "trailers"]]));
    assert_eq!(perform(&[&allow(&server)], json!([twin])).said(), ["ok"]);
    let heard = server.heard_once();
    assert_eq!((heard.header("host"), heard.header("hosts")), (server.origin().trim_start_matches("http://"), "x"));
}

/// 59, 60: one `host`, and of the framing only what the body has.
#[test]
fn the_request_has_one_host_and_one_length() {
    let server = Server::http();
    let url = format!("{}/echo", server.origin());
    let run = perform(
        &[&allow(&server)],
        json!([
            {"op": "http", "url": url, "method": "POST", "headers": [["content-length", "5"]], "text": "12345"},
            {"op": "http", "url": url, "method": "POST", "text": "12345"},
            get(&url),
        ]),
    );
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    let heard = server.heard();
    assert_eq!(heard.len(), 3, "{heard:#?}");
    for (heard, body) in heard.iter().zip(["12345", "12345", ""]) {
        assert_eq!(heard.headers("host").len(), 1, "{heard:?}");
        assert_eq!(heard.body, body.as_bytes(), "{heard:?}");
        assert!(heard.headers("content-length").len() + heard.headers("transfer-encoding").len() <= 1, "{heard:?}");
        assert!(heard.whole, "{heard:?}");
    }
}

/// 60: a length that the body does not have is an error, and no byte of it becomes another request.
#[test]
fn a_length_that_does_not_fit_the_body_is_an_error_and_smuggles_nothing() {
    let server = Server::http();
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nhost: {}\r\n\r\n", server.origin().trim_start_matches("http://"));
    let send = |lengths: &[&str], text: &str| {
        let headers: Vec<[&str; 2]> = lengths.iter().map(|length| ["content-length", *length]).collect();
        json!({"op": "http", "method": "POST", "url": server.origin(), "headers": headers, "text": text})
    };
    let run = perform(
        &[&allow(&server), "--timeout=10s"],
        json!([
            send(&["0"], &smuggled),
            send(&["3"], &format!("abc{smuggled}")),
            send(&["100000"], &smuggled),
            send(&["3", "6"], "abc"),
            send(&["3", "3"], "abc"),
            send(&["-1"], "abc"),
            send(&["+3"], "abc"),
            send(&["3 "], "abc"),
            send(&["3, 3"], "abc"),
            send(&["0x3"], "abc"),
            send(&["99999999999999999999"], "abc"),
            get(&server.origin()),
        ]),
    );
    let said = run.exits(0).said();
    assert_eq!(said.last().map(String::as_str), Some("ok"), "{run}");
    let heard = server.heard();
    assert!(heard.iter().all(|heard| !heard.line().contains("smuggled")), "{heard:#?}");
    for (at, heard) in heard.iter().enumerate() {
        let connections = heard.connection;
        assert!(heard.headers("content-length").len() <= 1, "{heard:?}");
        assert!(
            heard.headers("content-length").is_empty() || heard.headers("transfer-encoding").is_empty(),
            "{heard:?}"
        );
        assert!(at == 0 || connections != server.heard()[at - 1].connection, "one request a connection: {heard:?}");
    }
    // Where the whole request was "no body" the answer to that is one; the guest is told that its body did not go.
    let outcomes = run.outcomes();
    assert!(said[0] != "ok" || outcomes[0]["value"]["body-error"].is_string(), "{run}");
    assert!(said[1..4].iter().all(|word| word != "ok"), "{run}");
    assert!(heard.iter().all(|heard| heard.length <= 49), "{heard:#?}");
}

/// 61: too much of headers is an error or a limit, and the host stands.
#[test]
fn more_headers_than_a_request_may_have_are_refused() {
    let server = Server::http();
    let many: Vec<Value> = (0..40_000).map(|n| json!([format!("x-{n}"), "v"])).collect();
    let long = json!([["x-long", "v".repeat(1 << 20)]]);
    for headers in [json!(many), long] {
        let run = perform(&[&allow(&server)], json!([with(&server.origin(), headers)]));
        assert!(run.code == 0 || run.code == 3, "{run}");
        if run.code == 0 {
            assert_ne!(run.said(), ["ok"], "{run}");
        }
    }
    server.untouched();
    let some: Vec<Value> = (0..90).map(|n| json!([format!("x-{n}"), "v".repeat(500)])).collect();
    let run = perform(&[&allow(&server)], json!([with(&server.origin(), json!(some))]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    assert_eq!(server.heard_once().head.lines().filter(|line| line.starts_with("x-")).count(), 90);
}

/// 61, from the other side: a server that sends too much of headers.
#[test]
fn more_headers_than_an_answer_may_have_are_an_error() {
    let server = Server::http();
    let run = perform(
        &[&allow(&server)],
        json!([
            get(&format!("{}/many-headers?40000", server.origin())),
            get(&format!("{}/long-header?5000000", server.origin())),
            get(&format!("{}/many-headers?100", server.origin())),
            get(&format!("{}/long-header?5000", server.origin())),
        ]),
    );
    let said = run.exits(0).said();
    assert!(said[0] != "ok" && said[1] != "ok", "{run}");
    assert_eq!(said[2..], ["ok", "ok"], "{run}");
    assert_eq!(failures(&run).len(), 2, "{run}");
}

/// 62
#[test]
fn a_very_long_url_is_sent_whole_or_refused() {
    let server = Server::http();
    for (length, tail) in [(70_000, "?"), (70_000, ""), (60_000, "?q"), (1_000, "?q")] {
        let url = format!("{}/{}{tail}", server.origin(), "a".repeat(length));
        let run = perform(&[&allow(&server)], json!([get(&url)]));
        run.exits(0);
        let heard = server.heard();
        if run.said() == ["ok"] {
            assert_eq!(requests(&run).len(), 1, "{run}");
            let line = heard.last().unwrap().line();
            assert_eq!(line, format!("GET /{}{tail} HTTP/1.1", "a".repeat(length)), "cut on its way");
        } else {
            assert!(length > 60_000, "{run}");
            assert_eq!(requests(&run).len(), 0, "what cannot be a path is no request: {run}");
        }
    }
    assert_eq!(server.heard().len(), 2, "the shorter ones");
}

/// 70
#[test]
fn methods_that_open_tunnels_are_refused_in_every_spelling() {
    let server = Server::http();
    let by = |method: &str| json!({"op": "http", "method": method, "url": server.origin()});
    let run = perform(
        &[&allow(&server)],
        json!([
            by("CONNECT"),
            by("TRACE"),
            by("connect"),
            by("Trace"),
            by("CONNECT "),
            by("GET /x HTTP/1.1\r\nhost: x\r\n\r\nGET"),
            by("G T"),
            by("")
        ]),
    );
    assert!(run.exits(0).said().iter().all(|word| word != "ok"), "{run}");
    let denials = run.denials();
    assert_eq!(
        denials[..4],
        ["CONNECT", "TRACE", "connect", "Trace"]
            .map(|m| format!("http.request not-supported {m} {}", server.origin() + "/")),
        "{run}"
    );
    server.untouched();
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "CONNECTX"];
    let run = perform(&[&allow(&server)], methods.iter().map(|m| by(m)).collect());
    assert_eq!(run.exits(0).said(), ["ok"; 9], "{run}");
    let lines: Vec<String> = server.heard().iter().map(|heard| heard.line().to_owned()).collect();
    assert_eq!(lines, methods.map(|method| format!("{method} / HTTP/1.1")), "{run}");
}

/// 70: a server that offers another protocol is left.
#[test]
fn a_switch_of_protocols_is_an_error_and_the_connection_ends() {
    let server = Server::http();
    let url = format!("{}/upgrade", server.origin());
    let run = perform(&[&allow(&server)], json!([{"op": "http", "url": url, "method": "POST", "text": "body"}]));
    assert_ne!(run.exits(0).said(), ["ok"], "{run}");
    assert!(!run.stdout.contains("tunnelled"), "{run}");
    assert!(failures(&run).iter().any(|why| why.contains("101")), "{run}");
    assert_eq!(server.heard_once().body, b"body");
    assert_eq!(perform(&[&allow(&server)], json!([get(&server.origin())])).said(), ["ok"]);
}

/// Answers that are none, or only half of one, are errors with a reason.
#[test]
fn broken_answers_are_errors_with_their_reason() {
    let server = Server::http();
    let at = |path: &str| get(&format!("{}{path}", server.origin()));
    let run = perform(&[&allow(&server)], json!([at("/hang-up"), at("/garbage"), at("/half"), at("/")]));
    let said = run.exits(0).said();
    assert!(said[..3].iter().all(|word| word != "ok"), "{run}");
    assert_eq!(said[3], "ok", "{run}");
    assert!(failures(&run).len() >= 2, "{run}");
    assert_eq!(connected(&run).len(), 4, "nothing is tried again: {run}");
    assert_eq!(server.connections(), 4);
}

/// What the host does not do, it does not undo either: compressed bytes arrive as they are.
#[test]
fn nothing_is_asked_for_or_decoded_on_behalf_of_the_guest() {
    let server = Server::http();
    let url = format!("{}/gzip", server.origin());
    let run = perform(&[&allow(&server)], json!([{"op": "http", "url": url, "as-hex": true}]));
    let value = &run.exits(0).outcomes()[0]["value"];
    assert!(value["body"]["hex"].as_str().unwrap().starts_with("1f8b"), "{run}");
    assert!(value["headers"].as_array().unwrap().contains(&json!(["content-encoding", "gzip"])), "{run}");
    let heard = server.heard_once();
    assert_eq!(
        heard.headers("accept-encoding").len() + heard.headers("user-agent").len() + heard.headers("accept").len(),
        0
    );
}

/// Answers without a body, and answers before the answer, are what they are.
#[test]
fn answers_without_a_body_are_answers() {
    let server = Server::http();
    let run = perform(
        &[&allow(&server), "--timeout=10s"],
        json!([
            {"op": "http", "url": server.origin(), "method": "HEAD"},
            get(&format!("{}/no-content", server.origin())),
            get(&format!("{}/informed?3", server.origin())),
        ]),
    );
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    let bodies: Vec<Value> = run.outcomes().iter().map(|outcome| outcome["value"]["body"]["text"].clone()).collect();
    assert_eq!(bodies, ["", "", "late"], "{run}");
    assert_eq!(run.sources().iter().filter(|source| source.ends_with("#body")).count(), 1, "{run}");
}
