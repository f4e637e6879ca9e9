//! TLS: the right certificate or no request. 77.

use super::{connected, failures, get, pin};
use crate::support::World;
use crate::support::certificates::{Authority, Certificate};
use crate::support::http2::Http2;
use crate::support::lab::Lab;
use crate::support::servers::Server;
use serde_json::json;

/// The flags to reach a server as `allowed.test`, with the authority's root trusted.
fn flags(world: &World, origin: &str, authority: &Authority) -> Vec<String> {
    world.write("roots.pem", authority.pem());
    vec![format!("--allow-net={origin}"), pin("allowed.test"), world.fill("--tls-roots={world}/roots.pem")]
}

fn strs(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

/// The first bytes of a TLS client's hello: a record of the handshake.
const HELLO: [u8; 2] = [22, 3];

/// 77
#[test]
fn a_certificate_that_is_wrong_in_any_way_ends_the_request_and_nothing_is_sent_in_clear() {
    let authority = Authority::new();
    let wrong = [
        ("wrong name", authority.certificate(&["denied.test"]), "not valid for name"),
        ("a name that only ends like it", authority.certificate(&["xallowed.test"]), "not valid for name"),
        ("the address and not the name", authority.certificate(&["127.0.0.1"]), "not valid for name"),
        ("expired", authority.expired(&["allowed.test"]), "expired"),
        ("self-signed", Certificate::self_signed(&["allowed.test"]), "certificate"),
        ("of another authority", Authority::new().certificate(&["allowed.test"]), "certificate"),
    ];
    let world = World::new();
    for (what, certificate, reason) in wrong {
        let server = Server::https(&certificate);
        let flags = flags(&world, &server.origin_as("allowed.test"), &authority);
        let run = world.perform(&strs(&flags), json!([get(&server.origin_as("allowed.test"))]));
        assert_eq!(run.exits(0).said(), ["tls-certificate-error"], "{what}: {run}");
        assert!(
            failures(&run).iter().any(|why| why.starts_with("tls: ") && why.to_lowercase().contains(reason)),
            "{what}: {run}"
        );
        assert_eq!(connected(&run).len(), 1, "{what} is not tried again: {run}");
        let first = server.first_bytes();
        assert!(first.len() == 1 && first[0].starts_with(&HELLO), "{what}: {first:?}");
        assert!(server.heard().is_empty(), "{what}: {:?}", server.heard());
        // Nothing of the request was sent, so nothing of it is a sink.
        assert!(run.sinks().iter().all(|sink| !sink.starts_with("http-request")), "{what}: {run}");
    }
}

#[test]
fn the_right_certificate_is_for_the_host_that_was_decided() {
    let authority = Authority::new();
    let world = World::new();
    for names in [&["a.allowed.test"][..], &["*.allowed.test"], &["denied.test", "a.allowed.test"]] {
        let server = Server::https(&authority.certificate(names));
        let origin = server.origin_as("a.allowed.test");
        let flags = [&flags(&world, &origin, &authority)[..], &[pin("a.allowed.test")]].concat();
        let run = world.perform(&strs(&flags), json!([get(&origin), get(&server.origin_as("A.ALLOWED.test."))]));
        assert_eq!(run.exits(0).said(), ["ok"; 2], "{names:?}: {run}");
        assert_eq!(server.heard().len(), 2);
    }
    // An address is a host too.
    let server = Server::https(&authority.certificate(&["127.0.0.1"]));
    let run = world.perform(&strs(&flags(&world, &server.origin(), &authority)), json!([get(&server.origin())]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
}

/// What a platform trusts is not what a test made up a moment ago.
#[test]
fn an_unknown_authority_is_trusted_only_where_its_root_was_given() {
    let authority = Authority::new();
    let server = Server::https(&authority.certificate(&["allowed.test"]));
    let world = World::new();
    let flags = flags(&world, &server.origin_as("allowed.test"), &authority);
    let script = json!([get(&server.origin_as("allowed.test"))]);
    let run = world.perform(&strs(&flags[..2]), script.clone());
    assert_eq!(run.exits(0).said(), ["tls-certificate-error"], "{run}");
    assert!(server.heard().is_empty());
    assert_eq!(world.perform(&strs(&flags), script).said(), ["ok"]);
}

#[test]
fn a_file_of_roots_that_is_none_is_refused_before_the_tool_runs() {
    let world = World::new();
    world.write("text.pem", "no certificate at all");
    world.write("empty.pem", "");
    world.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    world.write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    world.write("good.pem", Authority::new().pem());
    world.dir("directory");
    for file in ["text.pem", "empty.pem", "broken.pem", "key.pem", "missing.pem", "directory"] {
        let run = world.perform(&[&format!("--tls-roots={{world}}/{file}")], json!([]));
        assert_eq!(run.exits(2).ledger.len(), 0, "{file}: {run}");
        assert!(run.stderr.contains(file), "{file}: {run}");
    }
    world.perform(&["--tls-roots={world}/good.pem"], json!([])).exits(0);
}

/// TLS on a port that speaks HTTP, and HTTP on a port that speaks TLS.
#[test]
fn the_scheme_is_spoken_whatever_the_server_speaks() {
    let authority = Authority::new();
    let (plain, tls) = (Server::http(), Server::https(&authority.certificate(&["allowed.test"])));
    let world = World::new();
    let spoken = format!("https://allowed.test:{}", plain.port());
    let run = world.perform(&strs(&flags(&world, &spoken, &authority)), json!([get(&spoken)]));
    assert_ne!(run.exits(0).said(), ["ok"], "{run}");
    assert!(failures(&run).iter().any(|why| why.starts_with("tls: ")), "{run}");
    for heard in plain.heard() {
        assert!(heard.head.as_bytes().first() == Some(&22) && !heard.head.contains("HTTP"), "{heard:?}");
    }
    let spoken = format!("http://allowed.test:{}", tls.port());
    let run = world.perform(&strs(&flags(&world, &spoken, &authority)), json!([get(&spoken)]));
    assert_ne!(run.exits(0).said(), ["ok"], "{run}");
    assert!(tls.heard().is_empty() && tls.connections() == 1);
}

/// HTTP/2 where it is offered, HTTP/1.1 where it is not, and never without TLS.
#[test]
fn http_2_is_spoken_where_the_server_offers_it() {
    let authority = Authority::new();
    let two = Http2::new(&authority.certificate(&["allowed.test"]));
    let one = Server::https(&authority.certificate(&["allowed.test"]));
    let lab = Lab::new(&[]).trusting(authority.roots());
    let origins = [two.origin_as("allowed.test"), one.origin_as("allowed.test")];
    let flags = [format!("--allow-net={}", origins[0]), format!("--allow-net={}", origins[1]), pin("allowed.test")];
    let call = lab.perform(&strs(&flags), json!([get(&origins[0]), get(&origins[1]), get(&origins[0])]));
    assert_eq!(call.said(), ["ok"; 3], "{call}");
    assert!(two.heard().iter().all(|heard| heard.version == "HTTP/2.0"), "{:?}", two.heard());
    assert_eq!((two.heard().len(), two.connections()), (2, 2));
    assert_eq!(one.heard_once().line(), "GET / HTTP/1.1");
    // What belongs to a connection is refused here as there, and what was decided is whom it names.
    let request = json!({"op": "http", "url": origins[0], "headers": [["te", "trailers"], ["x-a", "b"]]});
    let call = lab.perform(&strs(&flags), json!([request]));
    assert_eq!(call.said(), ["ok"], "{call}");
    let heard = two.heard().pop().unwrap();
    assert_eq!(heard.uri, format!("{}/", origins[0]));
    assert_eq!(heard.headers.get("x-a").unwrap(), "b");
}
