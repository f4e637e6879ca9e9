//! `customs serve --http`: who is answered, what a client can make the server hold, and how calls and the server end.

use crate::support::http_client::{Http, receive};
use crate::support::mcp::ledgers;
use crate::support::{Customs, World, guest};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

const TOKEN: &str = "0123456789abcdef";

fn bench(world: &World, flags: &[&str]) -> Customs {
    let mut customs = world.customs(&["serve", "--http=127.0.0.1:0"]).arg(guest("bench"));
    for flag in flags {
        customs = customs.arg(world.fill(flag));
    }
    customs
}

fn echo(server: &Http, more: &[(&str, &str)]) -> u16 {
    let answer = server.call("echo", json!({"text": "hello"}), more);
    if answer.status == 200 {
        assert_eq!(answer.message()["result"]["structuredContent"]["result"], "hello", "{}", answer.body);
    } else {
        assert!(!answer.body.contains("hello") && answer.body.lines().count() == 1, "{}", answer.body);
    }
    answer.status
}

#[test]
fn a_request_is_answered_for_the_hosts_that_were_named_only() {
    let world = World::new();
    let server = Http::start(bench(&world, &["--allow-host=tools.example"]));
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:1234", 200),
        ("tools.example", 200),
        ("tools.examplf", 403),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
    ] {
        assert_eq!(echo(&server, &[("host", host)]), status, "{host}");
        let health = server.request("GET /health", &[("host", host)], "");
        assert_eq!(health.status, status, "{host}");
    }
    assert_eq!(echo(&server, &[("host", "-")]), 400);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_web_page_is_answered_where_its_origin_was_named() {
    let world = World::new();
    let server = Http::start(bench(&world, &["--allow-origin=https://app.example"]));
    for (origin, status) in
        [("https://app.example", 200), ("https://app.examplf", 403), ("http://app.example", 403), ("null", 403)]
    {
        assert_eq!(echo(&server, &[("origin", origin)]), status, "{origin}");
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type, x-own, mcp-method"),
        ];
        let may = server.request("OPTIONS /mcp", &asked, "");
        assert_eq!(may.status, if status == 200 { 204 } else { 403 }, "{origin}");
        assert_eq!(may.header("access-control-allow-origin"), (status == 200).then_some(origin));
        let headers = (status == 200).then_some("content-type, mcp-method");
        assert_eq!(may.header("access-control-allow-headers"), headers);
    }
    assert_eq!(echo(&server, &[]), 200);
}

#[test]
fn with_a_token_nothing_but_health_is_answered_without_it() {
    let world = World::new();
    world.write("token", format!("{TOKEN}\n"));
    for customs in [bench(&world, &["--token-file={world}/token"]), bench(&world, &[]).env("CUSTOMS_TOKEN", TOKEN)] {
        let server = Http::start(customs);
        let right = format!("Bearer {TOKEN}");
        let wrong = "Bearer 0123456789abcdeg";
        assert_eq!(echo(&server, &[("authorization", &right)]), 200);
        assert_eq!(echo(&server, &[("authorization", wrong)]), 401);
        let without = server.call("echo", json!({"text": "hello"}), &[]);
        assert_eq!((without.status, without.header("www-authenticate")), (401, Some("Bearer realm=\"customs\"")));
        assert_eq!(server.get("/metrics").status, 401);
        assert_eq!(server.request("GET /metrics", &[("authorization", &right)], "").status, 200);
        assert_eq!(server.get("/health").status, 200);
        let ended = server.stop();
        assert!(!ended.stderr.contains(TOKEN), "{}", ended.stderr);
    }
}

#[test]
fn beyond_this_machine_there_is_no_server_without_a_token() {
    let world = World::new();
    let everywhere = || world.customs(&["serve", "--http=0.0.0.0:0"]).arg(guest("bench"));
    let refused = everywhere().run();
    refused.exits(2);
    assert!(refused.stderr.contains("--token-file") && refused.stderr.lines().count() == 1, "{refused}");
    let short = everywhere().env("CUSTOMS_TOKEN", &TOKEN[1..]).run();
    short.exits(2);
    assert!(!short.stderr.contains(&TOKEN[1..]), "{short}");
    let server = Http::start(everywhere().env("CUSTOMS_TOKEN", TOKEN));
    let right = format!("Bearer {TOKEN}");
    let here = ("host", "localhost");
    assert_eq!(echo(&server, &[here, ("authorization", &right)]), 200);
    assert_eq!(echo(&server, &[here]), 401);
    assert_eq!(server.request("GET /health", &[here], "").status, 401);
    assert_eq!(server.request("GET /health", &[here, ("authorization", &right)], "").status, 200);
}

#[test]
fn a_tool_cannot_be_shown_the_token() {
    let world = World::new();
    world.write("work/token", TOKEN);
    world.write("token", TOKEN);
    let seen = bench(&world, &["--token-file={work}/token", "--allow-read={work}::/box"]).run();
    seen.exits(2);
    let granted = bench(&world, &["--allow-env=CUSTOMS_*"]).env("CUSTOMS_TOKEN", TOKEN).run();
    granted.exits(2);
    assert!(!granted.stderr.contains(TOKEN), "{granted}");
    drop(Http::start(bench(&world, &["--token-file={world}/token", "--allow-read={work}::/box"])));
    drop(Http::start(
        bench(&world, &["--allow-env=CUSTOMS_*", "--deny-env=CUSTOMS_TOKEN"]).env("CUSTOMS_TOKEN", TOKEN),
    ));
}

#[test]
fn a_body_larger_than_any_arguments_may_be_is_not_read() {
    let world = World::new();
    let server = Http::start(bench(&world, &["--max-input=100KiB"]));
    let most = 100 * 1024 / 3 * 4 + 64 * 1024;
    for (length, status) in [(most + 10, 413), (most - 10, 415)] {
        let length = length.to_string();
        let headers = [
            ("content-length", length.as_str()),
            ("accept", "application/json, text/event-stream"),
            ("content-type", "application/json"),
        ];
        let body = if status == 413 { String::new() } else { " ".repeat(most - 10) };
        assert_eq!(server.request("POST /mcp", &headers, &body).status, status, "{length}");
    }
    // Nor where its length is not said.
    let mut stream = server.connect();
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\naccept: application/json, text/event-stream\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..most / 4096 + 1 {
        stream.write_all(format!("1000\r\n{}\r\n", " ".repeat(4096)).as_bytes()).unwrap();
    }
    assert_eq!(receive(stream).status, 413);
    assert_eq!(echo(&server, &[]), 200);
}

#[test]
fn health_and_metrics_tell_what_is_and_what_was() {
    let world = World::new();
    let puppet = world.customs(&["serve", "--http=127.0.0.1:0"]).arg(guest("puppet")).arg(guest("bench"));
    let server = Http::start(puppet);
    let health = server.get("/health");
    let said: Value = serde_json::from_str(&health.body).unwrap();
    assert_eq!((health.status, &said["status"]), (200, &json!("ok")));
    assert_eq!(
        said["tools"],
        server.ask("tools/list", json!({}), &[]).message()["result"]["tools"].as_array().unwrap().len()
    );
    assert_eq!(server.request("POST /health", &[], "").status, 405);
    assert_eq!(server.get("/").status, 404);

    let script = json!([{"op": "open", "dir": "/", "path": "etc/passwd"}]).to_string();
    server.call("perform", json!({ "script": script }), &[]);
    echo(&server, &[]);
    echo(&server, &[]);
    server.call("echo", json!({"text": 1}), &[]);
    echo(&server, &[("host", "evil.example")]);
    let numbers = server.get("/metrics");
    assert_eq!(numbers.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "customs_calls_total{component=\"bench\",tool=\"echo\",ending=\"returned\"} 2",
        "customs_calls_total{component=\"bench\",tool=\"echo\",ending=\"invalid\"} 1",
        "customs_calls_total{component=\"puppet\",tool=\"perform\",ending=\"returned\"} 1",
        "customs_call_duration_seconds_count{component=\"bench\",tool=\"echo\"} 2",
        "customs_http_refused_total{reason=\"host\"} 1",
        "customs_calls_in_flight 0",
        "customs_http_requests_in_flight 0",
        "customs_up 1",
    ] {
        assert!(numbers.body.lines().any(|l| l == line), "{line} is not in\n{}", numbers.body);
    }
    let denials = numbers.body.lines().filter(|l| l.starts_with("customs_denials_total{capability=\"fs.")).count();
    assert!(denials > 0, "{}", numbers.body);
    // What tools and clients say is no label.
    for word in ["passwd", "hello", "evil"] {
        assert!(!numbers.body.contains(word), "{word} is in\n{}", numbers.body);
    }
}

#[test]
fn older_revisions_have_sessions_and_two_clients_are_two() {
    let world = World::new();
    let server = Http::start(bench(&world, &[]));
    let hello = |revision: &str| {
        let params =
            json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let hello = server.older("", &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
        assert_eq!(hello.message()["result"]["protocolVersion"], revision);
        let session = hello.header("mcp-session-id").unwrap().to_owned();
        let said = server.older(&session, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_eq!(said.status, 202);
        session
    };
    let (one, other) = (hello("2025-11-25"), hello("2025-06-18"));
    assert_ne!(one, other);
    let echo = |session: &str, text: &str| {
        let params = json!({"name": "echo", "arguments": {"text": text}});
        server.older(session, &json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}))
    };
    std::thread::scope(|scope| {
        for (session, text) in [(&one, "one"), (&other, "other")] {
            let echo = &echo;
            scope.spawn(move || {
                for _ in 0..20 {
                    let answer = echo(session, text).message();
                    assert_eq!(answer["result"]["structuredContent"]["result"], text, "{answer}");
                }
            });
        }
    });
    assert!(server.get("/metrics").body.contains("customs_http_sessions 2\n"));
    assert_eq!(server.request("DELETE /mcp", &[("mcp-session-id", &one)], "").status, 202);
    assert_eq!(echo(&one, "gone").status, 404);
    assert_eq!(echo(&other, "here").status, 200);
    assert_eq!(echo("no-such-session", "x").status, 404);
}

/// Waits until a ledger of the directory has a record like this.
fn recorded(world: &World, wanted: impl Fn(&Value) -> bool) -> Duration {
    let begin = Instant::now();
    loop {
        for file in std::fs::read_dir(world.path("ledgers")).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            if text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()).any(|record| wanted(&record)) {
                return begin.elapsed();
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "it is not recorded");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn in_flight(server: &Http, calls: usize) {
    let begin = Instant::now();
    let line = format!("customs_calls_in_flight {calls}\n");
    while !server.get("/metrics").body.contains(&line) {
        assert!(begin.elapsed() < Duration::from_secs(20), "there are not {calls} calls");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn spinning(world: &World) -> Http {
    world.dir("ledgers");
    let customs = world.customs(&["serve", "--http=127.0.0.1:0", "--timeout=60s", "--ledger={world}/ledgers"]);
    Http::start(customs.arg(guest("hostile/spin")).arg(guest("bench")))
}

#[test]
fn a_call_ends_when_its_client_goes_and_others_go_on() {
    let world = World::new();
    let server = spinning(&world);
    let call = server.asking("tools/call", json!({"name": "spin", "arguments": {}}), &[]);
    in_flight(&server, 1);
    assert_eq!(echo(&server, &[]), 200);
    in_flight(&server, 1);
    drop(call);
    let took = recorded(&world, |record| record["event"] == "end" && record["ending"] == "cancelled");
    assert!(took < Duration::from_secs(5), "{took:?}");
    in_flight(&server, 0);
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(ledgers(&world.path("ledgers")).len(), 2);
}

#[test]
fn asked_to_stop_it_ends_soon_with_whole_ledgers() {
    let world = World::new();
    let server = spinning(&world);
    let mut call = server.asking("tools/call", json!({"name": "spin", "arguments": {}}), &[]);
    in_flight(&server, 1);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    assert_eq!(ledgers(&world.path("ledgers")).len(), 2);
    recorded(&world, |record| record["event"] == "end" && record["ending"] == "cancelled");
    call.read_to_end(&mut Vec::new()).ok();
}

#[test]
fn connections_and_heads_are_bounded_and_others_are_told_so() {
    let world = World::new();
    let server = Http::start(bench(&world, &[]));
    let long = "x".repeat(200 << 10);
    let mut stream = server.connect();
    // It may be closed before all of it is written.
    stream.write_all(format!("GET /health HTTP/1.1\r\nhost: localhost\r\nlong: {long}\r\n\r\n").as_bytes()).ok();
    assert_eq!(receive(stream).status, 431);
    let idle: Vec<_> = (0..256).map(|_| server.connect()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let told = server.get("/health");
    assert_eq!((told.status, told.header("retry-after")), (503, Some("1")), "{}", told.body);
    drop(idle);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn the_trace_that_a_call_belongs_to_is_in_its_record() {
    let world = World::new();
    let server = Http::start(bench(&world, &[]));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let other = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let record = |meta: Option<&str>, header: Option<&str>| {
        let mut params = json!({"name": "echo", "arguments": {"text": "x"}});
        if let Some(meta) = meta {
            params["_meta"]["traceparent"] = json!(meta);
        }
        let headers: Vec<_> = header.map(|header| ("traceparent", header)).into_iter().collect();
        let answer = server.ask("tools/call", params, &headers).message();
        let evidence = &answer["result"]["_meta"]["io.modelcontextprotocol/trust-annotations"]["evidenceRef"];
        let uri = evidence["ref"].as_str().unwrap();
        let read = server.ask("resources/read", json!({ "uri": uri }), &[("mcp-name", uri)]).message();
        let text = read["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{read}"));
        serde_json::from_str::<Value>(text).unwrap()["traceparent"].clone()
    };
    assert_eq!(record(Some(trace), None), trace);
    assert_eq!(record(None, Some(trace)), trace);
    assert_eq!(record(Some(trace), Some(other)), trace);
    assert_eq!(record(Some("<script>"), None), Value::Null);
    assert_eq!(record(None, None), Value::Null);
}
