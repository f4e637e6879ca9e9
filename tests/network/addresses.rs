//! Which addresses a name may lead to, and that a connection goes to exactly those that were decided. 47, 49 to 51, 74.

use super::{allow_as, connected, get, perform};
use crate::support::lab::{Call, Lab};
use crate::support::servers::{Blackhole, Server};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An address that counts as public and that no packet ever reaches: ORCHIDs (RFC 7343) are names of hosts in the form of addresses.
const PUBLIC: &str = "2001:20::1";

/// A request that does not wait for a connection for long.
fn brief(url: &str) -> Value {
    json!({"op": "http", "url": url, "connect-timeout": 300_000_000})
}

/// The name was looked up, its address refused, and nobody called.
fn refused(call: &Call, url: &str, address: &str) {
    assert_eq!(call.denials(), [format!("http.request prohibited-address {url} -> {address}")], "{call}");
    assert_eq!(call.said(), ["destination-ip-prohibited"], "{call}");
    assert_eq!(call.led_to("connect"), Vec::<String>::new(), "{call}");
}

/// 49, 50: whatever a granted name says of itself, it does not lead into this machine or its network.
#[test]
fn a_name_that_leads_to_a_local_address_is_denied_after_one_lookup() {
    let server = Server::http();
    let addresses = [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fd00::1",
        "fe80::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001::7f00:1",
    ];
    for address in addresses {
        let lab = Lab::new(&[("allowed.test", &[address])]);
        let url = server.origin_as("allowed.test");
        for grant in [allow_as(&server, "allowed.test"), allow_as(&server, "*.test.example,http://allowed.test")] {
            let call = lab.perform(&[&grant], json!([get(&url)]));
            let shown = address.parse::<std::net::IpAddr>().unwrap().to_canonical().to_string();
            refused(&call, &url, &shown);
        }
        assert_eq!(lab.resolver.queries().len(), 2, "one lookup each");
    }
    server.untouched();
}

/// 49: the address of the cloud's metadata, by number and by name, under a rule for every public host.
#[test]
fn the_metadata_address_is_denied_under_a_rule_for_every_host() {
    let lab = Lab::new(&[("metadata.test", &["169.254.169.254"]), ("public.test", &[PUBLIC])]);
    let table = "--allow-net=http://*";
    let script = json!([get("http://169.254.169.254/latest/"), get("http://metadata.test/latest/")]);
    let ask = |script| lab.perform(&[table, "--dangerously-allow=true"], script);
    let call = ask(script);
    assert_eq!(
        call.denials(),
        [
            "http.request prohibited-address GET http://169.254.169.254/latest/",
            "http.request prohibited-address http://metadata.test -> 169.254.169.254"
        ],
        "{call}"
    );
    assert_eq!(lab.resolver.queries(), ["metadata.test"]);
    assert_eq!(call.led_to("connect"), Vec::<String>::new(), "{call}");
    let call = ask(json!([brief("http://public.test/latest/")]));
    assert_eq!(call.led_to("connect"), [format!("[{PUBLIC}]:80")], "{call}");
}

/// 50: one bad address among good ones refuses them all, wherever it stands.
#[test]
fn a_name_with_a_local_address_among_others_is_denied() {
    let server = Server::http();
    for answer in ["2001:20::1 127.0.0.1", "127.0.0.1 2001:20::1", "2001:20::1 2001:20::2 ::1"] {
        let lab = Lab::new(&[("allowed.test", &[answer])]);
        let call = lab.perform(&[&allow_as(&server, "allowed.test")], json!([get(&server.origin_as("allowed.test"))]));
        assert_eq!(call.said(), ["destination-ip-prohibited"], "{call}");
        assert_eq!(call.led_to("connect"), Vec::<String>::new(), "{call}");
    }
    server.untouched();
    let lab = Lab::new(&[("allowed.test", &["2001:20::1 2001:20::2"])]);
    let call = lab.perform(&["--allow-net=http://allowed.test:9"], json!([brief("http://allowed.test:9/")]));
    assert_eq!(call.led_to("connect")[0], "[2001:20::1]:9", "{call}");
    assert!(call.report.denials.is_empty(), "{call}");
}

/// 50: an address that a rule denies is denied to names too.
#[test]
fn a_denied_range_holds_for_names_that_lead_there() {
    let lab = Lab::new(&[("allowed.test", &[PUBLIC])]);
    let url = "http://allowed.test:9";
    let grant = "--allow-net=http://allowed.test:9";
    for deny in ["2001:20::/28", "[2001:20::1]:9", "2001:20::1/128", "http://[2001:20::1]:9"] {
        let call = lab.perform(&[grant, &format!("--deny-net={deny}")], json!([brief(url)]));
        assert_eq!(call.denials(), [format!("http.request deny-rule {url} -> {PUBLIC}")], "{call}");
        assert_eq!(call.led_to("connect"), Vec::<String>::new(), "{call}");
    }
    let call = lab.perform(&[grant, "--deny-net=2001:30::/28"], json!([brief(url)]));
    assert_eq!(call.led_to("connect"), [format!("[{PUBLIC}]:9")], "{call}");
}

/// 51: what was checked is what is connected to. A second answer is never asked for.
#[test]
fn a_name_that_changes_its_address_is_looked_up_once_for_each_request() {
    let canary = Server::http();
    let lab = Lab::new(&[("allowed.test", &[PUBLIC, "127.0.0.1", "127.0.0.1"])]);
    let (grant, url) = (allow_as(&canary, "allowed.test"), canary.origin_as("allowed.test"));
    let call = lab.perform(&[&grant], json!([brief(&url)]));
    assert_eq!(lab.resolver.queries(), ["allowed.test"], "{call}");
    assert_eq!(call.led_to("connect"), [format!("[{PUBLIC}]:{}", canary.port())], "{call}");
    canary.untouched();
    // The next request is another question, and its answer is checked again.
    let call = lab.perform(&[&grant], json!([brief(&url)]));
    refused(&call, &url, "127.0.0.1");
    assert_eq!(lab.resolver.queries().len(), 2, "{call}");
    canary.untouched();
}

/// 51, the other way round: the local address that the person named is where it goes, and nobody is asked.
#[test]
fn a_pinned_name_is_not_looked_up_and_may_be_local() {
    let server = Server::http();
    let lab = Lab::new(&[("allowed.test", &[PUBLIC])]);
    let url = server.origin_as("allowed.test");
    let call =
        lab.perform(&[&allow_as(&server, "allowed.test"), "--resolve=allowed.test=127.0.0.1"], json!([get(&url)]));
    assert_eq!(call.said(), ["ok"], "{call}");
    assert_eq!(lab.resolver.queries(), Vec::<String>::new());
    assert_eq!(call.led_to("connect"), [format!("127.0.0.1:{}", server.port())], "{call}");
    assert_eq!(call.led_to("resolve"), Vec::<String>::new(), "no question left: {call}");
    assert_eq!(server.connections(), 1);
}

/// `localhost` is this machine whatever a resolver says, and only under a rule that names it.
#[test]
fn localhost_is_never_looked_up() {
    let server = Server::http();
    let lab = Lab::new(&[("localhost", &["10.0.0.1"]), ("app.localhost", &["10.0.0.1"])]);
    for name in ["localhost", "app.localhost"] {
        let url = server.origin_as(name);
        let call = lab.perform(&[&allow_as(&server, name)], json!([get(&url)]));
        assert_eq!(call.said(), ["ok"], "{call}");
        let call = lab.perform(&["--allow-net=http://localhos.test"], json!([get(&url)]));
        assert_eq!(call.said(), ["http-request-denied"], "{call}");
    }
    assert_eq!(lab.resolver.queries(), Vec::<String>::new());
    assert_eq!(server.connections(), 2);
}

/// Everything is not everything: what is local has to be named.
#[test]
fn everything_granted_is_everything_public() {
    let server = Server::http();
    let url = server.origin();
    let run = perform(
        &["-A"],
        json!([get(&url), get(&server.origin_as("localhost")), {"op": "tcp-create", "as": "s"},
        {"op": "tcp-connect", "handle": "s", "address": "127.0.0.1", "port": server.port()}]),
    );
    assert_eq!(run.exits(0).denials().len(), 3, "{run}");
    assert!(run.denials().iter().all(|row| row.contains(" prohibited-address ")), "{run}");
    server.untouched();
    let run = perform(&["-A", &format!("--allow-net={url}")], json!([get(&url)]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    // Nor does a name lead there.
    let lab = Lab::new(&[("any.test", &["127.0.0.1"]), ("public.test", &[PUBLIC])]);
    let url = server.origin_as("any.test");
    refused(&lab.perform(&["--allow-all=true"], json!([get(&url)])), &url, "127.0.0.1");
    let call = lab.perform(&["--allow-all=true"], json!([brief("http://public.test/")]));
    assert_eq!(call.led_to("connect"), [format!("[{PUBLIC}]:80")], "{call}");
    assert_eq!(server.connections(), 1);
}

/// `localhost` is two addresses, not a network.
#[test]
fn a_rule_for_localhost_is_for_its_two_addresses() {
    let server = Server::http_on("127.0.0.2");
    let (url, port) = (server.origin(), server.port());
    let run = perform(&[&format!("--allow-net=http://localhost:{port}")], json!([get(&url)]));
    assert_eq!(run.exits(0).denials(), [format!("http.request no-grant GET {url}/")], "{run}");
    server.untouched();
    assert_eq!(perform(&[&format!("--allow-net={url}")], json!([get(&url)])).said(), ["ok"]);
}

/// IPv6 in brackets is an origin like any other.
#[test]
fn an_ipv6_origin_is_reached_and_only_that() {
    let server = Server::http_on("[::1]");
    let url = server.origin();
    let run = perform(&[&format!("--allow-net={url}")], json!([get(&url)]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    assert_eq!(server.heard_once().header("host"), format!("[::1]:{}", server.port()));
    let run = perform(&[&format!("--allow-net=http://[::2]:{}", server.port())], json!([get(&url)]));
    assert_eq!((run.said(), server.connections()), (vec!["http-request-denied".to_owned()], 1), "{run}");
}

/// A name whose first address does not answer is reached at its second.
#[test]
fn the_next_address_is_tried_where_the_first_refuses() {
    let server = Server::http_on("[::1]");
    let port = server.port();
    let flags = [allow_as(&server, "allowed.test"), "--resolve=allowed.test=127.0.0.1,allowed.test=[::1]".to_owned()];
    let run = perform(&[&flags[0], &flags[1]], json!([get(&server.origin_as("allowed.test"))]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    assert_eq!(connected(&run), [format!("127.0.0.1:{port}"), format!("[::1]:{port}")], "{run}");
    assert_eq!(super::failures(&run), ["connection refused"], "{run}");
}

/// 74
#[test]
fn a_lookup_is_for_granted_names_only_and_is_recorded_as_leaving() {
    let lab = Lab::new(&[("allowed.test", &["2001:20::1 2001:20::2"]), ("denied.test", &[PUBLIC])]);
    let resolve = |name: &str| json!({"op": "resolve", "name": name});
    let grant = "--allow-net=http://allowed.test:8080";
    let call =
        lab.perform(&[grant], json!([resolve("x.denied.test"), resolve("denied.test"), resolve("x.allowed.test")]));
    assert_eq!(
        call.denials(),
        ["dns.lookup no-grant x.denied.test", "dns.lookup no-grant denied.test", "dns.lookup no-grant x.allowed.test"],
        "{call}"
    );
    assert_eq!(call.said(), ["access-denied"; 3], "{call}");
    assert_eq!(lab.resolver.queries(), Vec::<String>::new());
    assert!(call.sinks().iter().all(|sink| !sink.starts_with("dns ")), "{call}");

    let call = lab.perform(&[grant], json!([resolve("Allowed.TEST.")]));
    assert_eq!(lab.resolver.queries(), ["allowed.test"]);
    assert_eq!(call.outcomes()[0]["value"], json!(["2001:20::1", "2001:20::2"]), "{call}");
    assert_eq!(call.sinks()[0], "dns allowed.test", "{call}");
    assert_eq!(call.led_to("resolve").len() + call.led_to("resolve-addresses").len(), 1, "{call}");
}

/// 74: a lookup of an address is its own answer, for a granted one.
#[test]
fn a_lookup_of_an_address_asks_nobody() {
    let lab = Lab::new(&[]);
    let resolve = |name: &str| json!({"op": "resolve", "name": name});
    let call = lab.perform(
        &["--allow-tcp=127.0.0.1:9"],
        json!([resolve("127.0.0.1"), resolve("127.0.0.2"), resolve("10.0.0.1")]),
    );
    assert_eq!(call.said(), ["ok", "access-denied", "access-denied"], "{call}");
    assert_eq!(call.outcomes()[0]["value"], json!(["127.0.0.1"]), "{call}");
    assert_eq!(lab.resolver.queries(), Vec::<String>::new());
}

/// 74: a lookup says nothing of the local network either.
#[test]
fn a_lookup_does_not_tell_local_addresses() {
    let lab = Lab::new(&[("allowed.test", &["10.9.8.7"]), ("public.test", &[PUBLIC])]);
    let resolve = |name: &str| json!([{"op": "resolve", "name": name}]);
    let call = lab.perform(&["--allow-net=allowed.test"], resolve("allowed.test"));
    assert_ne!(call.said(), ["ok"], "{call}");
    assert!(!format!("{:?}", call.outcomes()).contains("10.9.8.7"), "{call}");
    let call = lab.perform(&["--allow-net=public.test"], resolve("public.test"));
    assert_eq!(call.outcomes()[0]["value"], json!([PUBLIC]), "{call}");
}

/// A resolver that knows nothing is an error for the guest and a reason in the record.
#[test]
fn a_name_that_does_not_resolve_is_an_error_with_its_reason() {
    let lab = Lab::new(&[]);
    let call = lab.perform(&["--allow-net=http://allowed.test"], json!([get("http://allowed.test/")]));
    assert_eq!(call.said(), ["dns-error"], "{call}");
    let reasons: Vec<&Value> = call.ledger.iter().filter(|r| r["event"] == "outcome" && r["ok"] == false).collect();
    assert!(reasons.iter().any(|r| r["error"].as_str().unwrap().contains("cannot be resolved")), "{call}");
}

/// The call's time is up, whatever it is waiting for: a resolver that never answers, or a connection that is never made.
#[test]
fn waiting_for_a_name_or_a_connection_ends_with_the_call() {
    let lab = Lab::new(&[("allowed.test", &[])]);
    let began = Instant::now();
    let call =
        lab.perform(&["--allow-net=http://allowed.test", "--timeout=500ms"], json!([get("http://allowed.test/")]));
    assert_eq!(call.ending(), "limit time", "{call}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let call = lab.perform(
        &["--allow-net=http://allowed.test", "--timeout=20s"],
        json!([{"op": "http", "url": "http://allowed.test/", "connect-timeout": 300_000_000}]),
    );
    assert_eq!(call.said(), ["connection-timeout"], "the guest's own patience may be less: {call}");

    let hole = Blackhole::new();
    let began = Instant::now();
    let run = perform(&[&format!("--allow-net={}", hole.origin()), "--timeout=1s"], json!([get(&hole.origin())]));
    assert_eq!(run.exits(3).ending(), "limit time", "{run}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(connected(&run).len(), 1, "the attempt is recorded: {run}");
    let run = perform(&[&format!("--allow-net={}", hole.origin())], json!([brief(&hole.origin())]));
    assert_eq!(run.exits(0).said(), ["connection-timeout"], "{run}");

    // A server that takes the connection and says nothing to the handshake.
    let mute = Server::mute();
    let run = perform(&[&super::allow(&mute), "--timeout=700ms"], json!([get(&mute.origin())]));
    assert_eq!(run.exits(3).ending(), "limit time", "{run}");
    let run = perform(&[&super::allow(&mute)], json!([brief(&mute.origin())]));
    assert_eq!(run.exits(0).said(), ["connection-timeout"], "{run}");
}
