//! TCP and UDP: no socket without a grant, every end that one is used with decided and recorded, and the bytes seen. 71 to 73.

use super::{allow, allow_as, pin};
use crate::support::lab::Lab;
use crate::support::servers::{Blackhole, Datagrams, Server, free_port};
use crate::support::watched::{long_script, watched};
use crate::support::{Run, World, canary, hex};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

fn perform(flags: &[&str], script: Value) -> Run {
    super::perform(flags, script)
}

/// Creates a socket and connects it.
fn connect(port: u16) -> Vec<Value> {
    connect_to("127.0.0.1", port)
}

fn connect_to(address: &str, port: u16) -> Vec<Value> {
    let family = if address.contains(':') { "ipv6" } else { "ipv4" };
    vec![
        json!({"op": "tcp-create", "family": family, "as": "s"}),
        json!({"op": "tcp-connect", "handle": "s", "address": address, "port": port, "as-in": "in", "as-out": "out"}),
    ]
}

fn send_and_read(text: &str) -> Vec<Value> {
    vec![
        json!({"op": "stream-blocking-write-and-flush", "handle": "out", "text": text}),
        json!({"op": "stream-blocking-read", "handle": "in", "len": 65_536}),
    ]
}

/// A UDP socket with its two streams, not connected.
fn datagrams() -> Vec<Value> {
    vec![
        json!({"op": "udp-create", "as": "u"}),
        json!({"op": "udp-bind", "handle": "u", "address": "0.0.0.0", "port": 0}),
        json!({"op": "udp-stream", "handle": "u", "as-in": "in", "as-out": "out"}),
    ]
}

fn send_to(port: u16, text: &str) -> Value {
    json!({"op": "udp-send", "handle": "out", "address": "127.0.0.1", "port": port, "text": text})
}

fn receive() -> Value {
    json!({"op": "udp-receive", "handle": "in"})
}

/// The decisions of one operation, as `decision requested`.
fn decided(run: &Run, operation: &str) -> Vec<String> {
    let of = run.ledger.iter().filter(|r| r["event"] == "access" && r["op"] == operation);
    of.map(|r| format!("{} {}", r["decision"].as_str().unwrap(), r["requested"].as_str().unwrap())).collect()
}

/// The sockets among sources or sinks, by bytes and digest.
fn tapped(run: &Run, way: &str) -> Vec<(u64, String)> {
    let rows = run.json[way].as_array().unwrap().iter().filter(|row| row["kind"] == "socket");
    rows.map(|row| (row["bytes"].as_u64().unwrap(), row["sha256"].as_str().unwrap().to_owned())).collect()
}

fn digest(text: &str) -> (u64, String) {
    (text.len() as u64, hex(&Sha256::digest(text.as_bytes())))
}

/// 71
#[test]
fn sockets_cannot_be_made_where_only_http_is_granted() {
    let (server, echo, datagrams) = (Server::http(), Server::echo(), Datagrams::echo());
    let create = |op: &str, family: &str| json!({"op": op, "family": family, "as": "s"});
    let script = [
        vec![create("tcp-create", "ipv6"), create("udp-create", "ipv4"), create("udp-create", "ipv6")],
        connect(server.port()),
    ]
    .concat();
    let run = perform(&[&allow(&server), "--allow-net=http://*", "--dangerously-allow"], json!(script));
    assert_eq!(run.exits(0).said(), ["access-denied", "access-denied", "access-denied", "access-denied", "no-handle"]);
    let denials = run.denials();
    let counts: Vec<u64> =
        run.json["denials"].as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), 4, "{run}");
    assert!(
        denials.iter().all(|row| row.starts_with("tcp.connect no-grant ") || row.starts_with("udp.send no-grant ")),
        "{run}"
    );
    server.untouched();
    assert_eq!(datagrams.heard().len(), 0);
    // The twin, with a rule for each kind of socket.
    let rules =
        [format!("--allow-tcp=127.0.0.1:{}", echo.port()), format!("--allow-udp=127.0.0.1:{}", datagrams.port())];
    let script = [
        connect(echo.port()),
        send_and_read("over tcp"),
        self::datagrams(),
        vec![send_to(datagrams.port(), "over udp"), receive()],
    ]
    .concat();
    let run = perform(&[&rules[0], &rules[1]], json!(script));
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    assert_eq!((echo.heard()[0].body.as_slice(), datagrams.heard()), (&b"over tcp"[..], vec![b"over udp".to_vec()]));
}

/// A rule for TCP is one end, and neither a socket for UDP nor the right to speak HTTP there.
#[test]
fn a_connection_goes_to_the_granted_end_only() {
    let (echo, canary) = (Server::echo(), Server::echo());
    let rule = format!("--allow-tcp=127.0.0.1:{}", echo.port());
    for (address, port) in [
        ("127.0.0.1", canary.port()),
        ("127.0.0.2", echo.port()),
        ("::1", echo.port()),
        ("169.254.169.254", 80),
        ("0.0.0.0", echo.port()),
    ] {
        let run = perform(&[&rule], json!(connect_to(address, port)));
        let said = run.exits(0).said();
        assert!(said[0] == "ok" && said[1] != "ok", "{address}: {run}");
        assert_eq!(run.denials().len(), 1, "{address}: {run}");
    }
    let run = perform(
        &[&rule],
        json!([{"op": "udp-create", "as": "u"}, super::get(&format!("http://127.0.0.1:{}/", echo.port()))]),
    );
    assert_eq!(run.exits(0).said(), ["access-denied", "http-request-denied"], "{run}");
    // An address in IPv6 clothes is no way around either.
    let run = perform(&[&rule], json!(connect_to("::ffff:127.0.0.1", canary.port())));
    assert_ne!(run.exits(0).said()[1], "ok", "{run}");
    canary.untouched();
    echo.untouched();
    let run = perform(&[&rule], json!(connect(echo.port())));
    assert_eq!((run.exits(0).said(), echo.connections()), (vec!["ok".to_owned(); 2], 1), "{run}");
}

/// A deny rule covers what an allow rule covers too.
#[test]
fn a_denied_end_is_denied_to_sockets() {
    let echo = Server::echo();
    let rule = format!("--allow-tcp=127.0.0.1:{}", echo.port());
    for deny in ["127.0.0.0/8".to_owned(), "localhost".to_owned(), format!("127.0.0.1:{}", echo.port())] {
        let run = perform(&[&rule, &format!("--deny-net={deny}")], json!(connect(echo.port())));
        assert_eq!(run.exits(0).said()[1], "access-denied", "{run}");
        assert!(run.denials()[0].starts_with("tcp.connect deny-rule "), "{run}");
    }
    echo.untouched();
    let run = perform(&[&rule, "--deny-net=127.0.0.2/32"], json!(connect(echo.port())));
    assert_eq!(run.exits(0).said(), ["ok"; 2], "{run}");
}

#[test]
fn bytes_of_a_connection_are_recorded_both_ways() {
    let echo = Server::echo();
    let rule = format!("--allow-tcp=127.0.0.1:{}", echo.port());
    let text = canary("TCP");
    let script = [
        connect(echo.port()),
        send_and_read(&text),
        vec![
            json!({"op": "tcp-shutdown", "handle": "s", "how": "send"}),
            json!({"op": "stream-read-all", "handle": "in", "len": 100}),
        ],
    ]
    .concat();
    let run = perform(&[&rule], json!(script));
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    assert_eq!(run.outcomes()[3]["value"]["text"], text, "{run}");
    assert_eq!(tapped(&run, "sinks"), [digest(&text)], "{run}");
    assert_eq!(tapped(&run, "sources"), [digest(&text)], "{run}");
    let heard = echo.heard_once();
    assert_eq!(heard.body, text.as_bytes());
    let end = format!("127.0.0.1:{}", echo.port());
    assert_eq!(decided(&run, "tcp-connect"), [format!("allow {end}")], "{run}");
    assert!(run.sinks().iter().any(|sink| sink.starts_with("socket ") && sink.contains(&end)), "{run}");
}

/// A name in a rule is the addresses that a lookup of it gave, no more.
#[test]
fn a_connection_by_name_goes_to_what_the_lookup_gave() {
    let (echo, canary) = (Server::echo(), Server::echo());
    let flags = [format!("--allow-tcp=allowed.test:{}", echo.port()), pin("allowed.test")];
    let resolve = json!({"op": "resolve", "name": "allowed.test"});
    let script = [vec![resolve.clone()], connect(echo.port()), send_and_read("by name")].concat();
    let run = perform(&[&flags[0], &flags[1]], json!(script));
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    assert_eq!(run.outcomes()[0]["value"], json!(["127.0.0.1"]), "{run}");
    assert_eq!(echo.heard_once().body, b"by name");
    for (address, port) in [("127.0.0.1", canary.port()), ("127.0.0.2", echo.port())] {
        let script = [vec![resolve.clone()], connect_to(address, port)].concat();
        let run = perform(&[&flags[0], &flags[1]], json!(script));
        assert_ne!(run.exits(0).said()[2], "ok", "{run}");
        assert_eq!(run.denials().len(), 1, "{run}");
    }
    assert_eq!((echo.connections(), canary.connections()), (1, 0));
}

/// A name that leads to a local address is no way to one.
#[test]
fn a_name_does_not_open_local_addresses_to_sockets() {
    let echo = Server::echo();
    let lab = Lab::new(&[("allowed.test", &["127.0.0.1"])]);
    let rule = format!("--allow-tcp=allowed.test:{}", echo.port());
    let script = [vec![json!({"op": "resolve", "name": "allowed.test"})], connect(echo.port())].concat();
    let call = lab.perform(&[&rule], json!(script));
    assert_ne!(call.said()[2], "ok", "{call}");
    assert_eq!(lab.resolver.queries(), ["allowed.test"]);
    echo.untouched();
}

/// 72: the right to one end is not the right to another, connected or not.
#[test]
fn datagrams_go_to_granted_ends_only_whichever_way_they_are_sent() {
    let (granted, other) = (Datagrams::echo(), Datagrams::echo());
    let rule = format!("--allow-udp=127.0.0.1:{}", granted.port());
    let connected = |port: u16| {
        vec![
            json!({"op": "udp-create", "as": "u"}),
            json!({"op": "udp-bind", "handle": "u", "address": "0.0.0.0", "port": 0}),
            json!({"op": "udp-stream", "handle": "u", "address": "127.0.0.1", "port": port, "as-in": "in", "as-out": "out"}),
            json!({"op": "udp-send", "handle": "out", "text": "one"}),
            json!({"op": "udp-send", "handle": "out", "address": "127.0.0.1", "port": port, "text": "two"}),
        ]
    };
    let run = perform(&[&rule], json!(connected(other.port())));
    let said = run.exits(0).said();
    assert!(said[..2].iter().all(|word| word == "ok") && said[2..].iter().all(|word| word != "ok"), "{run}");
    assert!(
        run.denials().iter().all(|row| row.starts_with("udp.send no-grant ")) && !run.denials().is_empty(),
        "{run}"
    );
    // Connected to the one, sent to the other; and the stream changed in between.
    let run = perform(
        &[&rule],
        json!(
            [
                connected(granted.port()),
                vec![send_to(other.port(), "three")],
                vec![
                    json!({"op": "drop", "handle": "in"}),
                    json!({"op": "drop", "handle": "out"}),
                    json!({"op": "udp-stream", "handle": "u", "as-in": "in", "as-out": "out"}),
                    send_to(other.port(), "four"),
                    send_to(granted.port(), "five")
                ]
            ]
            .concat()
        ),
    );
    let said = run.exits(0).said();
    assert_ne!(said[5], "ok", "{run}");
    assert!(said[8] == "ok" && said[9] != "ok" && said[10] == "ok", "{run}");
    // Not connected.
    let run = perform(
        &[&rule],
        json!([datagrams(), vec![send_to(other.port(), "six"), send_to(granted.port(), "seven"), receive()]].concat()),
    );
    let said = run.exits(0).said();
    assert_ne!(said[3], "ok", "{run}");
    assert_eq!(said[4..], ["ok", "ok"], "{run}");
    assert_eq!(other.heard(), Vec::<Vec<u8>>::new(), "no datagram at the other end");
    let heard = granted.heard();
    assert!(heard.contains(&b"one".to_vec()) && heard.contains(&b"seven".to_vec()), "{heard:?}");
}

/// 72, the other way: a stranger's datagram does not reach the guest, and that it came is recorded.
#[test]
fn datagrams_from_strangers_are_not_handed_over() {
    let (granted, stranger) = (Datagrams::echo(), Datagrams::echo());
    let rule = format!("--allow-udp=127.0.0.1:{}", granted.port());
    let script = json!(
        [
            datagrams(),
            vec![
                send_to(granted.port(), "hello"),
                receive(),
                send_to(granted.port(), "more"),
                json!({"op": "sleep", "ns": 700_000_000}),
                json!({"op": "udp-receive", "handle": "in", "wait": false}),
            ]
        ]
        .concat()
    );
    let run = std::thread::scope(|scope| {
        let running = scope.spawn(|| perform(&[&rule], script.clone()));
        let guest = granted.wait_for_a_sender();
        let to = SocketAddr::from(([127, 0, 0, 1], guest.port()));
        for _ in 0..5 {
            stranger.send(b"you do not know me", to);
        }
        running.join().unwrap()
    });
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    let received = format!("{} {}", run.outcomes()[4]["value"], run.outcomes()[7]["value"]);
    assert!(received.contains("hello") && received.contains("more"), "{run}");
    assert!(!received.contains("you do not know me"), "{run}");
    assert!(
        decided(&run, "udp-receive")
            .iter()
            .any(|row| row.starts_with("deny ") && row.contains(&stranger.port().to_string())),
        "{run}"
    );
    assert!(tapped(&run, "sources").iter().all(|(bytes, _)| *bytes <= 9), "{run}");
}

#[test]
fn bytes_of_datagrams_are_recorded_both_ways() {
    let echo = Datagrams::echo();
    let text = canary("UDP");
    let rule = format!("--allow-udp=127.0.0.1:{}", echo.port());
    let run = perform(&[&rule], json!([datagrams(), vec![send_to(echo.port(), &text), receive()]].concat()));
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    assert_eq!(run.outcomes()[4]["value"][0]["data"]["text"], text, "{run}");
    assert_eq!(tapped(&run, "sinks"), [digest(&text)], "{run}");
    assert_eq!(tapped(&run, "sources"), [digest(&text)], "{run}");
    assert_eq!(decided(&run, "udp-send"), [format!("allow 127.0.0.1:{}", echo.port())], "{run}");
    assert_eq!(decided(&run, "udp-receive"), [format!("allow 127.0.0.1:{}", echo.port())], "{run}");
}

/// Whether anybody listens on a port of the loopback.
fn listens(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_millis(500)).is_ok()
}

fn listen(address: &str, port: u16) -> Vec<Value> {
    vec![
        json!({"op": "tcp-create", "as": "l"}),
        json!({"op": "tcp-bind", "handle": "l", "address": address, "port": port}),
        json!({"op": "tcp-listen", "handle": "l"}),
    ]
}

/// 73
#[test]
fn listening_is_denied_unless_that_end_is_granted() {
    let echo = Server::echo();
    let port = free_port();
    let tcp = format!("--allow-tcp=127.0.0.1:{}", echo.port());
    let udp = "--allow-udp=127.0.0.1:9";
    // No rule at all, rules for connecting only, a rule for another port, and everything that is not named.
    let other = format!("--allow-listen=127.0.0.1:{}", if port == 65_535 { 1 } else { port + 1 });
    for flags in [&[][..], &[tcp.as_str(), udp], &[other.as_str()], &["-A"]] {
        let run = std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let script = [listen("127.0.0.1", port), vec![json!({"op": "sleep", "ns": 100_000_000})]].concat();
                perform(flags, json!(script))
            });
            while !running.is_finished() {
                assert!(!listens(port), "{flags:?}");
            }
            running.join().unwrap()
        });
        let said = run.exits(0).said();
        assert!(said[1] != "ok" && said[2] != "ok", "{flags:?}: {run}");
        assert!(!run.denials().is_empty(), "{run}");
    }
    // Without a bind the system would pick the end: that is listening on all of them.
    for flags in [&[tcp.as_str()][..], &[other.as_str()]] {
        let run = perform(flags, json!([{"op": "tcp-create", "as": "l"}, {"op": "tcp-listen", "handle": "l"}]));
        assert_ne!(run.exits(0).said()[1], "ok", "{run}");
        let run = perform(flags, json!(listen("0.0.0.0", 0)));
        assert_ne!(run.exits(0).said()[2], "ok", "{run}");
    }
    for address in ["0.0.0.0", "127.0.0.2"] {
        let run = perform(&[&format!("--allow-listen=127.0.0.1:{port}")], json!(listen(address, port)));
        assert_ne!(run.exits(0).said()[1], "ok", "{address}: {run}");
    }
    assert!(!listens(port), "nothing listens afterwards");
}

/// 73: binding is decided for UDP too; only an end that the system picks is free.
#[test]
fn a_socket_for_datagrams_is_bound_to_nothing_in_particular() {
    let echo = Datagrams::echo();
    let rule = format!("--allow-udp=127.0.0.1:{}", echo.port());
    let bind = |address: &str, port: u16| {
        json!([
            {"op": "udp-create", "as": "u"},
            {"op": "udp-bind", "handle": "u", "address": address, "port": port},
        ])
    };
    for (address, port) in [("127.0.0.1", 0), ("0.0.0.0", free_port()), ("127.0.0.1", free_port())] {
        let run = perform(&[&rule], bind(address, port));
        assert_eq!(run.exits(0).said()[1], "access-denied", "{address}:{port} {run}");
        assert!(run.denials()[0].starts_with("udp.send no-grant "), "{run}");
        assert!(port == 0 || UdpSocket::bind((address, port)).is_ok(), "the port is free");
    }
    assert_eq!(perform(&[&rule], bind("0.0.0.0", 0)).exits(0).said(), ["ok"; 2]);
}

/// 73, the twin: a granted end is listened on, who comes is recorded, what crosses is seen, and all of it ends with the call.
#[test]
fn a_granted_end_is_listened_on_and_who_comes_is_recorded() {
    let port = free_port();
    let rule = format!("--allow-listen=127.0.0.1:{port}");
    let script = [
        listen("127.0.0.1", port),
        vec![
            json!({"op": "tcp-accept", "handle": "l", "as": "s", "as-in": "in", "as-out": "out"}),
            json!({"op": "stream-blocking-read", "handle": "in", "len": 100}),
            json!({"op": "stream-blocking-write-and-flush", "handle": "out", "text": "served"}),
        ],
    ]
    .concat();
    let (run, peer) = std::thread::scope(|scope| {
        let running = scope.spawn(|| perform(&[&rule, "--timeout=20s"], json!(script)));
        let began = Instant::now();
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(_) => {
                    assert!(began.elapsed() < Duration::from_secs(10) && !running.is_finished(), "nothing listens")
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let peer = stream.local_addr().unwrap();
        stream.write_all(b"asked").unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let run = running.join().unwrap();
        assert_eq!(answer, b"served", "{read:?}: {run}");
        (run, peer)
    });
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    run.denied(&[]);
    let end = format!("allow 127.0.0.1:{port}");
    assert_eq!(decided(&run, "tcp-bind"), [end.as_str()], "{run}");
    assert_eq!(decided(&run, "tcp-listen"), [end.as_str()], "{run}");
    assert_eq!(decided(&run, "tcp-accept"), [format!("allow {peer}")], "{run}");
    assert_eq!(
        (tapped(&run, "sources"), tapped(&run, "sinks")),
        (vec![digest("asked")], vec![digest("served")]),
        "{run}"
    );
    assert!(!listens(port), "it ends with the call");
}

/// 73: a port that the system picks is granted as such, and `localhost` is both of its addresses.
#[test]
fn a_port_that_the_system_picks_is_granted_by_zero_only() {
    let port = free_port();
    let picked = "--allow-listen=127.0.0.1:0";
    let run = perform(&[picked], json!(listen("127.0.0.1", 0)));
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    assert_ne!(run.outcomes()[1]["value"]["port"], 0, "{run}");
    for script in [listen("127.0.0.1", port), listen("0.0.0.0", 0), listen("127.0.0.2", 0)] {
        let run = perform(&[picked], json!(script));
        assert_ne!(run.exits(0).said()[2], "ok", "{run}");
    }
    let six = vec![
        json!({"op": "tcp-create", "family": "ipv6", "as": "l"}),
        json!({"op": "tcp-bind", "handle": "l", "address": "::1", "port": port}),
        json!({"op": "tcp-listen", "handle": "l"}),
    ];
    let run = perform(&[&format!("--allow-listen=localhost:{port}")], json!(six));
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    let run = perform(&[&format!("--allow-listen=127.0.0.1:{port}")], json!(six));
    assert_ne!(run.exits(0).said()[1], "ok", "{run}");
}

/// Connects from an address of one's choice, and sends a word.
fn visit(from: &str, port: u16, word: &'static [u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let Ok(stream) = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await else { return };
        while let Err(e) = stream.try_write(word) {
            assert_eq!(e.kind(), std::io::ErrorKind::WouldBlock);
            stream.writable().await.unwrap();
        }
        stream.readable().await.ok();
    });
}

/// 73: a visitor whom a rule denies is not let in, and the one behind it is.
#[test]
fn a_denied_visitor_is_turned_away_and_recorded() {
    let port = free_port();
    let rules = [format!("--allow-listen=127.0.0.1:{port}"), "--deny-net=127.0.0.9/32".to_owned()];
    let script = [
        listen("127.0.0.1", port),
        vec![
            json!({"op": "sleep", "ns": 600_000_000}),
            json!({"op": "tcp-accept", "handle": "l", "as": "s", "as-in": "in", "as-out": "out"}),
            json!({"op": "stream-blocking-read", "handle": "in", "len": 100}),
        ],
    ]
    .concat();
    let run = std::thread::scope(|scope| {
        let running = scope.spawn(|| perform(&[&rules[0], &rules[1], "--timeout=20s"], json!(script)));
        while !listening(port) {
            assert!(!running.is_finished(), "nothing listens");
            std::thread::sleep(Duration::from_millis(2));
        }
        let visitors = scope.spawn(move || visit("127.0.0.9", port, b"let me in"));
        std::thread::sleep(Duration::from_millis(50));
        scope.spawn(move || visit("127.0.0.8", port, b"good day"));
        let run = running.join().unwrap();
        visitors.join().unwrap();
        run
    });
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    assert_eq!(run.outcomes()[5]["value"]["text"], "good day", "{run}");
    let accepted = decided(&run, "tcp-accept");
    assert!(accepted.iter().any(|row| row.starts_with("deny 127.0.0.9:")), "{accepted:?}");
    assert!(
        accepted.iter().filter(|row| row.starts_with("allow ")).all(|row| row.starts_with("allow 127.0.0.8:")),
        "{accepted:?}"
    );
    assert_eq!(tapped(&run, "sources"), [digest("good day")], "{run}");
}

/// Whether somebody listens on a port of 127.0.0.1, without a visit that they would notice.
fn listening(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some(&format!("0100007F:{port:04X}")) && fields.nth(1) == Some("0A")
    })
}

/// IPv6 sockets are sockets.
#[test]
fn a_connection_over_ipv6_is_decided_like_another() {
    let server = Server::http_on("[::1]");
    let run = perform(&[&format!("--allow-tcp=[::1]:{}", server.port())], json!(connect_to("::1", server.port())));
    assert_eq!(run.exits(0).said(), ["ok"; 2], "{run}");
    let run = perform(&[&format!("--allow-tcp=[::2]:{}", server.port())], json!(connect_to("::1", server.port())));
    assert_ne!(run.exits(0).said()[1], "ok", "{run}");
    assert_eq!(server.connections(), 1);
}

/// All uses of an address, each with a record of its own.
#[test]
fn each_use_of_an_address_is_decided_and_recorded() {
    let (tcp, udp) = (Server::echo(), Datagrams::echo());
    let port = free_port();
    let rules = [
        format!("--allow-tcp=127.0.0.1:{}", tcp.port()),
        format!("--allow-udp=127.0.0.1:{}", udp.port()),
        format!("--allow-listen=127.0.0.1:{port}"),
    ];
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    // The tool is its own visitor: it may connect to what it listens on where a rule says so.
    let own = format!("--allow-tcp=127.0.0.1:{port}");
    let script = [
        listen("127.0.0.1", port),
        connect(port),
        vec![json!({"op": "tcp-accept", "handle": "l", "as": "a"})],
        datagrams(),
        vec![send_to(udp.port(), "x"), receive()],
    ]
    .concat();
    let run = perform(&[&rules[..], &[&own]].concat(), json!(script));
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
    for operation in ["tcp-bind", "tcp-listen", "tcp-accept", "tcp-connect", "udp-bind", "udp-send", "udp-receive"] {
        let rows = decided(&run, operation);
        assert!(!rows.is_empty() && rows.iter().all(|row| row.starts_with("allow ")), "{operation}: {rows:?} {run}");
    }
}

/// What is true of requests is true of sockets: time, bytes and number are bounded.
#[test]
fn sockets_are_stopped_by_the_limits_of_the_call() {
    let (server, echo, hole) = (Server::http(), Server::echo(), Blackhole::new());
    let world = World::new();
    let rule = |origin: &str| format!("--allow-tcp={}", origin.split("://").nth(1).unwrap());
    let to_server = rule(&server.origin());
    let endless = [
        connect(server.port()),
        vec![
            json!({"op": "stream-blocking-write-and-flush", "handle": "out", "text": "GET /endless HTTP/1.1\r\n\r\n"}),
            json!({"op": "stream-drain", "handle": "in"}),
        ],
    ]
    .concat();
    let (run, peak) = watched(&world, || world.script(&[&to_server, "--max-input=2MiB"], json!(endless)));
    assert_eq!(run.exits(3).ending(), "limit input", "{run}");
    assert!(peak.memory < 200 << 10, "{peak:?}");
    let head = "POST /swallow HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n";
    let fill = json!({"op": "stream-blocking-write-and-flush", "handle": "out", "fill": 4096});
    let flood = [
        connect(server.port()),
        vec![
            json!({"op": "stream-blocking-write-and-flush", "handle": "out", "text": head}),
            json!({"op": "repeat", "times": 10_000, "ops": [fill]}),
        ],
    ]
    .concat();
    let (run, _) = watched(&world, || world.script(&[&to_server, "--max-output=1MiB"], json!(flood)));
    assert_eq!(run.exits(3).ending(), "limit output", "{run}");
    let run = world.perform(
        &[&rule(&echo.origin()), "--timeout=700ms"],
        json!([connect(echo.port()), vec![json!({"op": "stream-blocking-read", "handle": "in"})]].concat()),
    );
    assert_eq!(run.exits(3).ending(), "limit time", "{run}");
    let port = hole.origin().rsplit(':').next().unwrap().parse().unwrap();
    let run = world.perform(&[&rule(&hole.origin()), "--timeout=700ms"], json!(connect(port)));
    assert_eq!(run.exits(3).ending(), "limit time", "{run}");
    let run =
        world.perform(&[&rule(&echo.origin())], json!([connect(echo.port()), send_and_read("still there")].concat()));
    assert!(run.exits(0).said().iter().all(|word| word == "ok"), "{run}");
}

/// Sockets that are kept are bounded, and a call that takes all of them stops itself and not the program.
#[test]
fn a_flood_of_sockets_is_bounded() {
    let echo = Server::echo();
    let world = World::new();
    let rules = [format!("--allow-tcp=127.0.0.1:{}", echo.port()), format!("--allow-udp=127.0.0.1:{}", echo.port())];
    for op in ["tcp-create", "udp-create"] {
        let script: Vec<Value> = (0..3_000).map(|n| json!({"op": op, "as": format!("s{n}")})).collect();
        let (run, peak) = watched(&world, || long_script(&world, &[&rules[0], &rules[1]], &json!(script)));
        assert!(run.code == 0 || run.code == 3, "{run}");
        assert!(peak.files < 1_024, "{op}: {peak:?}");
    }
    let script = json!([{"op": "repeat", "times": 3_000, "ops": [{"op": "tcp-create"}, {"op": "udp-create"}]}]);
    let (run, peak) = watched(&world, || world.script(&[&rules[0], &rules[1]], script.clone()));
    assert_eq!(run.exits(0).outcomes()[0]["value"]["outcomes"], json!({"ok": 6_000}), "{run}");
    assert!(peak.files < 64, "{peak:?}");
}

/// A rule for HTTP covers looking its name up, and a rule for TCP does not cover a request.
#[test]
fn rules_for_requests_and_for_sockets_are_two_things() {
    let server = Server::http();
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test")];
    let script = [vec![json!({"op": "resolve", "name": "allowed.test"})], connect(server.port())].concat();
    let run = perform(&[&flags[0], &flags[1]], json!(script));
    assert_eq!(run.exits(0).said(), ["ok", "access-denied", "no-handle"], "{run}");
    let tcp = format!("--allow-tcp=allowed.test:{}", server.port());
    let run = perform(&[&tcp, &flags[1]], json!([super::get(&server.origin_as("allowed.test"))]));
    assert_eq!(run.exits(0).said(), ["http-request-denied"], "{run}");
    server.untouched();
}
