//! Where a request may go: scheme, host and port, in all the ways that a guest can spell them. 41 to 47, 53, 57, 58.

use super::{allow, allow_as, connected, get, perform, pin, requests};
use crate::support::World;
use crate::support::lab::Lab;
use crate::support::servers::Server;
use serde_json::{Value, json};

/// Requests for each URL are refused with this code, and nobody is touched. Then the twin, which is the same but for its URL, arrives.
fn each_is_denied(flags: &[&str], code: &str, urls: &[String], twin: &str, servers: &[&Server]) {
    let script: Value = urls.iter().map(|url| get(url)).collect();
    let run = perform(flags, script);
    let wanted: Vec<String> = urls.iter().map(|url| format!("http.request {code} GET {url}")).collect();
    assert_eq!(run.exits(0).denials(), wanted, "{run}");
    assert!(run.said().iter().all(|word| word != "ok"), "{run}");
    assert_eq!(connected(&run), Vec::<String>::new(), "{run}");
    servers.iter().for_each(|server| server.untouched());
    let run = perform(flags, json!([get(twin)]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    run.denied(&[]);
    assert_eq!(servers[0].connections(), 1, "{run}");
    assert!(servers[1..].iter().all(|other| other.connections() == 0));
}

/// 41
#[test]
fn request_to_another_host_asks_no_resolver_and_connects_to_nobody() {
    let canary = Server::http();
    let lab = Lab::new(&[("allowed.test", &["127.0.0.1"]), ("denied.test", &["127.0.0.1"])]);
    let call = lab.perform(
        &[&allow_as(&canary, "allowed.test")],
        json!([get(&canary.origin_as("denied.test")), {"op": "resolve", "name": "denied.test"}]),
    );
    let requested = format!("http.request no-grant GET {}/", canary.origin_as("denied.test"));
    assert_eq!(call.denials(), [requested.as_str(), "dns.lookup no-grant denied.test"], "{call}");
    assert_eq!(call.said(), ["http-request-denied", "access-denied"], "{call}");
    assert_eq!(lab.resolver.queries(), Vec::<String>::new());
    canary.untouched();
    // One word of the rule changed, and the resolver is asked. (It says that the name is local, which is another matter.)
    let call = lab.perform(&[&allow_as(&canary, "denied.test")], json!([get(&canary.origin_as("denied.test"))]));
    assert_eq!(lab.resolver.queries(), ["denied.test"], "{call}");
    assert_eq!(call.sinks()[0], "dns denied.test", "{call}");
}

/// 41: to the program a name of another host leads nowhere, though it is known where it would lead.
#[test]
fn request_to_another_host_does_not_arrive() {
    let (server, canary) = (Server::http(), Server::http());
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test"), pin("denied.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let denied = [
        format!("{}/", canary.origin_as("denied.test")),
        format!("{}/", server.origin_as("denied.test")),
        format!("{}/", canary.origin_as("allowed.test")),
        format!("{}/", server.origin()),
    ];
    each_is_denied(&flags, "no-grant", &denied, &format!("{}/", server.origin_as("allowed.test")), &[&server, &canary]);
}

/// 42
#[test]
fn hosts_that_look_like_the_granted_one_are_denied() {
    let server = Server::http();
    let hosts = ["allowed.test.evil.test", "evil-allowed.test", "xallowed.test", "allowed.testx", "allowed", "test"];
    let mut flags = vec![allow_as(&server, "allowed.test"), pin("allowed.test")];
    flags.extend(hosts.iter().map(|host| pin(host)));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let urls: Vec<String> = hosts.iter().map(|host| format!("{}/", server.origin_as(host))).collect();
    each_is_denied(&flags, "no-grant", &urls, &format!("{}/", server.origin_as("allowed.test")), &[&server]);
}

/// 42, 43: a wildcard is every name below its suffix, at any depth, and neither the suffix nor a name that only ends like it.
#[test]
fn wildcard_covers_what_is_below_it_and_nothing_beside_it() {
    let server = Server::http();
    let beside = ["allowed.test", "evilallowed.test", "allowed.test.evil.test", "a.xallowed.test"];
    let below = ["a.allowed.test", "a.b.allowed.test"];
    let mut flags = vec![allow_as(&server, "*.allowed.test")];
    flags.extend(beside.iter().chain(&below).map(|host| pin(host)));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let urls: Vec<String> = beside.iter().map(|host| format!("{}/", server.origin_as(host))).collect();
    each_is_denied(&flags, "no-grant", &urls, &format!("{}/", server.origin_as(below[0])), &[&server]);
    let run = perform(&flags, json!([get(&server.origin_as(below[1]))]));
    assert_eq!((run.said(), server.connections()), (vec!["ok".to_owned()], 2), "{run}");
}

/// 44
#[test]
fn case_and_a_dot_at_the_end_are_another_spelling_of_the_same_host() {
    let server = Server::http();
    let (allowed, pinned) = (allow_as(&server, "allowed.test"), pin("allowed.test"));
    let port = server.port();
    let spellings = ["allowed.test", "ALLOWED.TEST", "allowed.test.", "Allowed.Test."];
    let script: Value = spellings.iter().map(|host| get(&format!("http://{host}:{port}/"))).collect();
    let run = perform(&[&allowed, &pinned], script.clone());
    assert_eq!(run.exits(0).said(), ["ok"; 4], "{run}");
    let seen: Vec<String> = spellings
        .iter()
        .map(|host| format!("allow GET http://{host}:{port}/ -> http://allowed.test:{port}/"))
        .collect();
    assert_eq!(requests(&run), seen, "the ledger has both spellings: {run}");
    for heard in server.heard() {
        assert_eq!(heard.header("host"), format!("allowed.test:{port}"), "the wire has the decided one");
    }
    // A denial covers them all in the same way, and so does a rule that is spelled oddly itself.
    let before = server.connections();
    let run = perform(&[&allowed, &pinned, "--deny-net=allowed.TEST."], script.clone());
    assert_eq!(run.said(), ["http-request-denied"; 4], "{run}");
    assert_eq!(server.connections(), before);
    let run = perform(&[&allow_as(&server, "Allowed.TEST."), &pinned], script);
    assert_eq!(run.exits(0).said(), ["ok"; 4], "{run}");
}

/// 45
#[test]
fn user_names_in_an_authority_are_refused() {
    let (server, canary) = (Server::http(), Server::http());
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test"), pin("denied.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let port = server.port();
    let urls = [
        format!("http://allowed.test@denied.test:{}/", canary.port()),
        format!("http://allowed.test:{port}@denied.test:{}/", canary.port()),
        format!("http://u:p@allowed.test:{port}/"),
        format!("http://u@allowed.test:{port}/"),
        format!("http://@allowed.test:{port}/"),
        format!("http://denied.test@allowed.test:{port}/"),
    ];
    each_is_denied(&flags, "bad-request", &urls, &format!("http://allowed.test:{port}/"), &[&server, &canary]);
}

/// 46
#[test]
fn every_spelling_of_an_address_is_that_address() {
    let server = Server::http();
    let port = server.port();
    let spellings = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "0x7f.1", "127.0.1", "0.0.0.0"];
    let (local, all) = (&spellings[..7], &spellings[..]);
    let url = |host: &&str| format!("http://{host}:{port}/");
    // A rule for a name, and one for every public host: none of them is in either.
    let urls: Vec<String> = all.iter().map(url).collect();
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    each_is_denied(&flags, "no-grant", &urls, &url(&"allowed.test"), &[&server]);
    let wide = [format!("--allow-net=http://*:{port}"), "--dangerously-allow".to_owned()];
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    let run = perform(&wide, urls.iter().map(|url| get(url)).collect());
    let wanted: Vec<String> = urls.iter().map(|url| format!("http.request prohibited-address GET {url}")).collect();
    assert_eq!(run.exits(0).denials(), wanted, "{run}");
    assert_eq!(server.connections(), 1);
    // The rule that names the address, in whichever way, covers each of its spellings.
    for rule in ["127.0.0.1", "0x7f.1"] {
        let flag = format!("--allow-net=http://{rule}:{port}");
        let run = perform(&[&flag], local.iter().map(|host| get(&url(host))).collect());
        assert_eq!(run.exits(0).said(), ["ok"; 7], "{run}");
        assert!(connected(&run).iter().all(|to| *to == format!("127.0.0.1:{port}")), "{run}");
    }
    let heard = server.heard();
    assert_eq!(heard.len(), 15);
    assert!(heard[1..].iter().all(|heard| heard.header("host") == format!("127.0.0.1:{port}")), "{heard:#?}");
}

/// 47
#[test]
fn an_ipv4_address_in_ipv6_clothes_is_that_address() {
    let server = Server::http();
    let port = server.port();
    let mapped = ["[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[::FFFF:7F00:0001]"];
    let url = |host: &&str| format!("http://{host}:{port}/");
    let urls: Vec<String> = mapped.iter().map(url).collect();
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    each_is_denied(&flags, "no-grant", &urls, &url(&"allowed.test"), &[&server]);
    let run = perform(&[&allow(&server)], urls.iter().map(|url| get(url)).collect());
    assert_eq!(run.exits(0).said(), ["ok"; 3], "{run}");
    assert_eq!(
        connected(&run),
        [format!("127.0.0.1:{port}"), format!("127.0.0.1:{port}"), format!("127.0.0.1:{port}")]
    );
    // Other ways of carrying it are not the address, and not public either.
    let carried = ["[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::ffff:0:7f00:1]"];
    let wide = format!("--allow-net=http://*:{port}");
    let run = perform(&[&wide, "--dangerously-allow"], carried.iter().map(|host| get(&url(host))).collect());
    assert!(run.denials().iter().all(|row| row.starts_with("http.request prohibited-address ")), "{run}");
    assert_eq!(run.denials().len(), 4, "{run}");
    assert_eq!(server.connections(), 4);
}

/// 53
#[test]
fn another_port_or_scheme_is_another_origin() {
    let (server, canary) = (Server::http(), Server::http());
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let urls = [
        format!("http://allowed.test:{}/", canary.port()),
        format!("https://allowed.test:{}/", server.port()),
        "http://allowed.test/".to_owned(),
        "https://allowed.test/".to_owned(),
    ];
    each_is_denied(&flags, "no-grant", &urls, &format!("http://allowed.test:{}/", server.port()), &[&server, &canary]);
}

/// 53: the usual port of a scheme may be said or left out, in the rule and in the request.
#[test]
fn the_usual_port_is_the_same_said_or_not() {
    // Where the connection would go; whether anything answers there is no matter.
    let pinned = "--resolve=allowed.test=2001:20::1";
    let ask = |url: &str| json!({"op": "http", "url": url, "connect-timeout": 300_000_000});
    for rule in ["http://allowed.test", "http://allowed.test:80"] {
        let flag = format!("--allow-net={rule}");
        let run = perform(&[&flag, pinned], json!([ask("http://allowed.test/"), ask("http://allowed.test:80/")]));
        run.exits(0).denied(&[]);
        assert_eq!(connected(&run), ["[2001:20::1]:80", "[2001:20::1]:80"], "{run}");
        let same: Vec<String> = requests(&run).iter().map(|row| row.split(" -> ").nth(1).unwrap().to_owned()).collect();
        assert_eq!(same, ["http://allowed.test/", "http://allowed.test/"], "{run}");
        let run = perform(&[&flag, pinned], json!([ask("https://allowed.test/"), ask("https://allowed.test:80/")]));
        assert_eq!((run.denials().len(), connected(&run).len()), (2, 0), "{run}");
    }
}

/// A rule for a method and a prefix of URLs is just that.
#[test]
fn a_rule_for_a_method_and_a_prefix_covers_nothing_else() {
    let server = Server::http();
    let rule = format!("--allow-http=GET {}/v1/items", server.origin());
    let ask =
        |method: &str, path: &str| json!({"op": "http", "method": method, "url": format!("{}{path}", server.origin())});
    let denied = [
        ("POST", "/v1/items", "no-grant"),
        ("HEAD", "/v1/items", "no-grant"),
        ("get", "/v1/items", "no-grant"),
        ("GET", "/v1/item", "no-grant"),
        ("GET", "/v1/itemsx", "no-grant"),
        ("GET", "/V1/items", "no-grant"),
        ("GET", "/", "no-grant"),
        ("GET", "/v1/items/../admin", "bad-request"),
        ("GET", "/v1/items/%2e%2e/admin", "bad-request"),
        ("GET", "/v1/items%2f..%2fadmin", "bad-request"),
        ("GET", "/v1/items/./x", "bad-request"),
        ("GET", "/v1//items", "bad-request"),
        ("GET", "//v1/items", "bad-request"),
    ];
    let run = perform(&[&rule], denied.iter().map(|(method, path, _)| ask(method, path)).collect());
    let wanted: Vec<String> = denied
        .iter()
        .map(|(method, path, code)| format!("http.request {code} {method} {}{path}", server.origin()))
        .collect();
    assert_eq!(run.exits(0).denials(), wanted, "{run}");
    server.untouched();
    let allowed = ["/v1/items", "/v1/items/", "/v1/items/7", "/v1/items?x=/../y", "/v1/items/a%20b"];
    let run = perform(&[&rule], allowed.iter().map(|path| ask("GET", path)).collect());
    assert_eq!(run.exits(0).said(), ["ok"; 5], "{run}");
    let lines: Vec<String> = server.heard().iter().map(|heard| heard.line().to_owned()).collect();
    assert_eq!(lines, allowed.map(|path| format!("GET {path} HTTP/1.1")), "what was decided is what was sent");
}

/// What is in a policy file is enforced as what is in flags, and they add up.
#[test]
fn a_policy_file_grants_and_denies_like_flags() {
    let (server, other) = (Server::http(), Server::http());
    let world = World::new();
    let port = server.port();
    world.write(
        "customs.toml",
        format!(
            "[tool.puppet]\nallow-net = [\"http://allowed.test:{port}\", \"{}\"]\nresolve = [\"allowed.test=127.0.0.1\"]\n\
            deny-net = [\"127.0.0.1:{}\"]\nmax-requests = 3\n",
            other.origin(),
            other.port()
        ),
    );
    let urls = [format!("http://allowed.test:{port}/"), format!("{}/", other.origin())];
    let run = world.perform(&["--policy={world}/customs.toml"], json!([get(&urls[0]), get(&urls[1]), get(&urls[0])]));
    assert_eq!(run.exits(0).said(), ["ok", "http-request-denied", "ok"], "{run}");
    run.denied(&[&format!("http.request deny-rule GET {}", urls[1])]);
    let run = world.perform(&["--policy={world}/customs.toml", &allow(&other)], json!([get(&urls[1])]));
    assert_eq!(run.exits(0).said(), ["http-request-denied"], "a flag digs no hole: {run}");
    let run = world.perform(
        &["--policy={world}/customs.toml"],
        json!([get(&urls[0]), get(&urls[0]), get(&urls[0]), get(&urls[0])]),
    );
    assert_eq!(run.exits(3).ending(), "limit requests", "{run}");
    other.untouched();
    assert_eq!(server.connections(), 5);
}

/// 57: what two parsers could read differently is read by nobody.
#[test]
fn authorities_that_parsers_disagree_about_are_refused() {
    let (server, canary) = (Server::http(), Server::http());
    let (port, other) = (server.port(), canary.port());
    let authorities = [
        format!("denied.test\\@allowed.test:{port}"),
        format!("denied.test:{other}\\allowed.test:{port}"),
        format!("allowed.test:{port}#@denied.test:{other}"),
        format!("allowed.test:{port}?@denied.test:{other}"),
        format!("allowed.test:{port}/@denied.test:{other}"),
        format!("allowed.test%00.denied.test:{other}"),
        format!("allowed%2etest:{port}"),
        format!("allowed.test%2f.denied.test:{other}"),
        format!("allowed.test\t:{port}"),
        format!("allowed.test\n:{port}"),
        format!("allowed.test\r\nhost: denied.test:{port}"),
        format!("allowed .test:{port}"),
        format!(" allowed.test:{port}"),
        format!("allowed.test :{port}"),
        format!("allowed.test:{port} "),
        format!("allowed.test\0:{port}"),
        format!("allowed.test:{port}:{other}"),
        format!("allowed.test::{port}"),
        "allowed.test:".to_owned(),
        "allowed.test:0".to_owned(),
        "allowed.test:99999".to_owned(),
        format!("allowed.test:+{port}"),
        format!("allowed.test:{port}x"),
        format!("[allowed.test]:{port}"),
        format!("[::1]allowed.test:{port}"),
        format!("allowed.test..:{port}"),
        format!(".allowed.test:{port}"),
        format!("allowed..test:{port}"),
        format!("allowed\u{3002}test:{port}"),
        format!("allowed.test,denied.test:{port}"),
        format!("allowed.test;denied.test:{port}"),
        format!("//allowed.test:{port}"),
        String::new(),
        format!(":{port}"),
    ];
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test"), pin("denied.test")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let script: Vec<Value> = authorities
        .iter()
        .map(|authority| json!({"op": "http", "scheme": "http", "authority": authority, "path": "/"}))
        .collect();
    let run = perform(&flags, json!(script));
    let outcomes = run.exits(0).outcomes();
    for (authority, outcome) in authorities.iter().zip(&outcomes) {
        assert_eq!(outcome["ok"], false, "{authority:?}: {outcome} {run}");
    }
    assert_eq!(connected(&run), Vec::<String>::new(), "{run}");
    assert!(requests(&run).iter().all(|row| row.starts_with("deny ")), "{run}");
    server.untouched();
    canary.untouched();
    let run = perform(
        &flags,
        json!([{"op": "http", "scheme": "http", "authority": format!("allowed.test:{port}"), "path": "/"}]),
    );
    assert_eq!((run.said(), server.connections()), (vec!["ok".to_owned()], 1), "{run}");
}

/// 57: a request without one of its parts goes nowhere.
#[test]
fn a_request_without_a_host_is_refused_and_recorded() {
    let server = Server::http();
    let run = perform(
        &[&allow(&server)],
        json!([
            {"op": "http", "scheme": "http", "path": "/"},
            {"op": "http"},
            {"op": "http", "scheme": "ftp", "authority": format!("127.0.0.1:{}", server.port()), "path": "/"},
            {"op": "http", "scheme": "http\u{0}", "authority": format!("127.0.0.1:{}", server.port()), "path": "/"},
        ]),
    );
    assert!(run.exits(0).said().iter().all(|word| word != "ok"), "{run}");
    server.untouched();
    let twin =
        json!({"op": "http", "scheme": "http", "authority": format!("127.0.0.1:{}", server.port()), "path": "/"});
    assert_eq!(perform(&[&allow(&server)], json!([twin])).said(), ["ok"]);
}

/// 58
#[test]
fn an_international_name_is_its_punycode_and_a_look_alike_is_another() {
    let server = Server::http();
    let port = server.port();
    let flags = [
        format!("--allow-net=http://exämple.test:{port}"),
        "--resolve=exämple.test=127.0.0.1".to_owned(),
        // with a Cyrillic letter
        "--resolve=xn--xmple-gra550d.test=127.0.0.1".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let run = perform(&flags, json!([get(&format!("http://xn--exmple-cua.test:{port}/"))]));
    assert_eq!(run.exits(0).said(), ["ok"], "{run}");
    assert_eq!(server.heard_once().header("host"), format!("xn--exmple-cua.test:{port}"));

    // The same letters but for a Cyrillic "е": nothing is asked, and what is said of it cannot be taken for the other.
    let run = perform(
        &flags,
        json!([
            get(&format!("http://xn--xmple-gra550d.test:{port}/")),
            get(&format!("http://\u{435}xämple.test:{port}/"))
        ]),
    );
    assert!(run.exits(0).said().iter().all(|word| word != "ok"), "{run}");
    assert_eq!(connected(&run), Vec::<String>::new(), "{run}");
    assert_eq!(server.connections(), 1);
    assert!(!run.stderr.contains('\u{435}'), "a look-alike is shown escaped or in punycode: {run}");
}
