//! A peer that answers in place of the network: what the guest hears of it, what is recorded, and that nothing reaches anybody.

use super::get;
use crate::support::lab::Lab;
use crate::support::servers::{Datagrams, Server};
use customs_boundary::network::{Answered, Asked, Peer};
use serde_json::json;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Answers everything, and remembers what it was asked.
#[derive(Default)]
struct Sinkhole {
    asked: Mutex<Vec<Asked>>,
    names: Mutex<Vec<String>>,
}

impl Peer for Sinkhole {
    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        self.names.lock().unwrap().push(name.to_owned());
        if name == "unknown.test" { Vec::new() } else { vec!["93.184.215.14".parse().unwrap()] }
    }

    fn answer(&self, request: &Asked) -> Answered {
        self.asked.lock().unwrap().push(request.clone());
        let headers = vec![("x-script".to_owned(), b"yes".to_vec()), ("not a header".to_owned(), Vec::new())];
        Answered { status: 201, headers, body: "scripted".into() }
    }
}

#[test]
fn peer_answers_requests_and_lookups_and_everything_is_recorded_as_usual() {
    let peer = Arc::new(Sinkhole::default());
    let lab = Lab::new(&[]).answered_by(Arc::clone(&peer) as Arc<dyn Peer>);
    let flags = ["--allow-net=https://allowed.test,http://unknown.test", "--allow-tcp=allowed.test:7"];
    let call = lab.perform(
        &flags,
        json!([
            {"op": "http", "url": "https://allowed.test/a?b=c", "method": "POST", "text": "a body", "headers": {"x": "y"}},
            get("http://unknown.test/"),
            get("https://denied.test/"),
            {"op": "resolve", "name": "allowed.test"},
        ]),
    );
    assert_eq!(call.said(), ["ok", "dns-error", "http-request-denied", "ok"], "{call}");
    let answer = &call.outcomes()[0]["value"];
    assert_eq!((&answer["status"], &answer["body"]["text"]), (&json!(201), &json!("scripted")), "{answer}");
    assert_eq!(call.outcomes()[3]["value"], json!(["93.184.215.14"]));
    let asked = peer.asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].url.as_str()), ("POST", "https://allowed.test/a?b=c"));
    assert_eq!(asked[0].body, "a body");
    assert!(asked[0].headers.contains(&("x".to_owned(), b"y".to_vec())), "{:?}", asked[0].headers);
    // Only what the policy allowed was asked.
    assert_eq!(*peer.names.lock().unwrap(), ["allowed.test", "unknown.test", "allowed.test"]);
    assert_eq!(call.denials(), ["http.request no-grant GET https://denied.test/"]);
    assert!(call.sinks().iter().any(|sink| sink.ends_with("/a#body")), "{:?}", call.sinks());
    assert!(lab.resolver.queries().is_empty());
}

#[test]
fn raw_sockets_reach_nobody_where_a_peer_answers() {
    let (server, datagrams) = (Server::echo(), Datagrams::echo());
    let (tcp, udp) = (server.port(), datagrams.port());
    let flags = [
        format!("--allow-tcp=127.0.0.1:{tcp}"),
        format!("--allow-udp=127.0.0.1:{udp}"),
        "--allow-listen=127.0.0.1:0".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let script = json!([
        {"op": "tcp-create", "as": "s"},
        {"op": "tcp-connect", "handle": "s", "address": "127.0.0.1", "port": tcp, "as-in": "i", "as-out": "o"},
        {"op": "udp-create", "as": "u"},
        {"op": "udp-bind", "handle": "u", "address": "0.0.0.0", "port": 0},
        {"op": "udp-stream", "handle": "u", "as-in": "in", "as-out": "out"},
        {"op": "udp-send", "handle": "out", "address": "127.0.0.1", "port": udp, "text": "a secret"},
        {"op": "tcp-create", "as": "l"},
        {"op": "tcp-bind", "handle": "l", "address": "127.0.0.1"},
        {"op": "tcp-listen", "handle": "l"},
    ]);
    let lab = Lab::new(&[]).answered_by(Arc::new(Sinkhole::default()));
    let call = lab.perform(&flags, script.clone());
    let said = call.said();
    assert_eq!(
        (said[1].as_str(), said[5].as_str(), said[8].as_str()),
        ("connection-refused", "ok", "not-supported"),
        "{call}"
    );
    assert_eq!((server.connections(), datagrams.heard().len()), (0, 0));
    // What was swallowed is seen and recorded.
    assert!(call.sinks().iter().any(|sink| sink.starts_with("socket udp://127.0.0.1")), "{:?}", call.sinks());
    // And without a peer both are reached.
    let twin = Lab::new(&[]).perform(&flags, script);
    assert_eq!(twin.said().iter().filter(|word| *word != "ok").count(), 0, "{twin}");
    assert_eq!((server.connections(), datagrams.heard().len()), (1, 1));
}
