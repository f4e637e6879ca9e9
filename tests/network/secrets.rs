//! Secrets that the guest never holds: a placeholder in its environment, the value in the headers of one origin, and nothing of it anywhere
//! else. 68, and the leaks that the mechanism itself could have.
//!
//! Every call of a [`Lab`] is searched for the value by the lab itself: result, ledger, and every byte that was recorded of what crossed.

use super::{allow, allow_as, get, perform, pin, requests};
use crate::support::certificates::Authority;
use crate::support::lab::{Call, Lab};
use crate::support::servers::Server;
use crate::support::{Run, World, canary, guest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const NAME: &str = "API_KEY";

/// A script that asks for its environment, as a guest must that knows its placeholder, and goes on.
fn knowing(rest: Vec<Value>) -> Value {
    Value::Array([vec![json!({"op": "env"})], rest].concat())
}

fn with(url: &str, headers: Value) -> Value {
    json!({"op": "http", "url": url, "headers": headers})
}

/// The sinks that a placeholder was found in, as `kind name`.
fn found(call: &Call) -> Vec<String> {
    call.found("CUS201")
}

fn secret_for(server: &Server) -> String {
    format!("--secret={NAME}@{}", server.origin())
}

#[test]
fn the_environment_has_a_placeholder_that_is_new_in_each_run() {
    let server = Server::http();
    let mut seen = Vec::new();
    for (length, class) in [(1, 16), (16, 16), (17, 32), (40, 64), (100, 128), (200, 256), (1_000, 256)] {
        let value: String = canary("SECRET").chars().cycle().take(length).collect();
        let world = World::new();
        let script =
            world.script(&[&allow(&server), &secret_for(&server)], json!([{"op": "env"}, {"op": "env-pairs"}]));
        let run = script.env(NAME, &value).run();
        let placeholder = run.exits(0).outcomes()[0]["value"][NAME].as_str().unwrap().to_owned();
        assert_eq!(placeholder.len(), class, "of {length}: {run}");
        assert!(placeholder.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{run}");
        assert_eq!(run.outcomes()[1]["value"], json!([[NAME, placeholder]]), "{run}");
        assert_eq!(run.sources(), ["argument /script", "env API_KEY"], "{run}");
        if length > 8 {
            run.never_shows(&value);
        }
        assert!(!seen.contains(&placeholder), "{seen:?}");
        seen.push(placeholder);
    }
    // The same value twice.
    let world = World::new();
    let ask = || {
        let script = world.script(&[&allow(&server), &secret_for(&server)], json!([{"op": "env"}]));
        script.env(NAME, "the-same-value-1").run().outcomes()[0]["value"][NAME].clone()
    };
    assert_ne!(ask(), ask());
    server.untouched();
}

/// The program, a tool in Rust, and two servers that are both granted: one may have the secret, the other not.
#[test]
fn the_value_reaches_its_origin_in_a_header_and_no_other() {
    let (server, other) = (Server::http(), Server::http());
    let value = canary("SECRET");
    let world = World::new();
    let flags = [allow(&server), allow(&other), secret_for(&server)];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let send = |to: &Server, header: &str| -> Run {
        let arguments = json!({"url": to.origin(), "header": header, "variable": NAME});
        let run = world.run(&guest("fetch"), "fetch-header", &arguments, &flags).env(NAME, &value).run();
        run.never_shows(&value);
        run
    };
    let run = send(&server, "authorization");
    run.exits(0).denied(&[]);
    let found = |run: &Run| -> Vec<Value> {
        let findings = run.json["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["rule"] == "CUS201").cloned().collect()
    };
    assert_eq!(found(&run), Vec::<Value>::new(), "{run}");
    assert_eq!(server.heard_once().header("authorization"), format!("Bearer {value}"));

    let run = send(&other, "authorization");
    run.exits(0);
    let sent = other.heard_once();
    let sent = sent.header("authorization");
    assert!(sent.starts_with("Bearer ") && !sent.contains(&value), "{sent}");
    let findings = found(&run);
    assert_eq!((findings.len(), &findings[0]["severity"]), (1, &json!("high")), "{run}");
    let sink = super::crossed(&run, "sinks", "http-request", "#headers");
    assert_eq!(findings[0]["sink"], sink["id"], "{run}");
    assert!(run.stderr.contains("finding") && run.stderr.contains("CUS201"), "{run}");
    assert!(run.ledger.iter().any(|r| r["event"] == "finding"), "{run}");
    assert!(
        !run.stdout.contains(sent.trim_start_matches("Bearer ")),
        "the placeholder is not shown whole either: {run}"
    );
    // In a header of any name.
    send(&server, "x-api-key").exits(0);
    assert_eq!(server.heard()[1].header("x-api-key"), format!("Bearer {value}"));
}

/// Which ends are the origin, and which are not.
#[test]
fn the_origin_is_scheme_host_and_port() {
    let authority = Authority::new();
    let tls = Server::https(&authority.certificate(&["allowed.test", "other.test", "127.0.0.1"]));
    let (plain, second) = (Server::http(), Server::http());
    let value = canary("SECRET");
    let lab = Lab::new(&[]).secret(NAME, &value).trusting(authority.roots());
    let secret = format!("--secret={NAME}@{}", tls.origin_as("allowed.test"));
    let grants = [
        allow_as(&tls, "allowed.test"),
        allow_as(&tls, "other.test"),
        allow(&tls),
        allow_as(&plain, "allowed.test"),
        allow_as(&second, "allowed.test"),
        pin("allowed.test"),
        pin("other.test"),
        secret,
    ];
    let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
    let urls = [
        tls.origin_as("allowed.test"),
        tls.origin_as("ALLOWED.TEST."),
        tls.origin_as("other.test"),
        tls.origin(),
        plain.origin_as("allowed.test"),
        second.origin_as("allowed.test"),
    ];
    let call = lab.perform_with(&grants, |placeholders| {
        let header = json!([["authorization", format!("Bearer {}", placeholders[NAME])]]);
        knowing(urls.iter().map(|url| with(url, header.clone())).collect())
    });
    assert_eq!(call.said(), ["ok"; 7], "{call}");
    let real = format!("Bearer {value}");
    let got =
        |server: &Server| server.heard().iter().map(|heard| heard.header("authorization") == real).collect::<Vec<_>>();
    assert_eq!(got(&tls), [true, true, false, false], "{:?}", tls.heard());
    assert_eq!((got(&plain), got(&second)), (vec![false], vec![false]));
    assert_eq!(found(&call).iter().filter(|row| row.contains("#headers")).count(), 4, "{:?} {call}", found(&call));
}

/// 68: everywhere but in the headers of its origin the placeholder stays what it is, and is a finding for each place.
#[test]
fn a_placeholder_in_any_other_place_stays_one_and_is_a_finding() {
    let (server, other) = (Server::http(), Server::http());
    let world = World::new();
    let value = canary("SECRET");
    let lab = Lab::new(&[]).secret(NAME, &value);
    let write = world.fill("--allow-write={work}::/box");
    let flags = [allow(&server), allow(&other), secret_for(&server), write];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let call = lab.perform_with(&flags, |placeholders| {
        let placeholder = &placeholders[NAME];
        let (here, there) = (server.origin(), other.origin());
        knowing(vec![
            json!({"op": "http", "url": format!("{here}/q?key={placeholder}")}),
            json!({"op": "http", "url": format!("{here}/p/{placeholder}")}),
            json!({"op": "http", "url": format!("{here}/body"), "method": "POST", "text": placeholder}),
            json!({"op": "http", "url": format!("{there}/h"), "headers": [["x-key", placeholder]]}),
            json!({"op": "http", "url": format!("{there}/q?key={placeholder}")}),
            json!({"op": "http", "url": format!("{here}/t"), "method": "POST", "headers": [["trailer", "x-key"]], "text": "x",
                "trailers": [["x-key", placeholder]]}),
            json!({"op": "open", "dir": "/box", "path": "kept", "create": true, "write": true, "as": "file"}),
            json!({"op": "write", "handle": "file", "text": placeholder}),
            json!({"op": "stderr", "text": placeholder}),
        ])
    });
    assert_eq!(call.said(), ["ok"; 10], "{call}");
    for heard in server.heard().iter().chain(&other.heard()) {
        assert!(!heard.trailers.contains(&value), "{heard:?}");
        assert!(!heard.head.contains(&value) && !String::from_utf8_lossy(&heard.body).contains(&value), "{heard:?}");
    }
    let place = |end: &str| found(&call).iter().filter(|row| row.ends_with(end)).count();
    for end in ["/q#line", "/body#body", "/t#trailers", "/h#headers", "kept", "stderr", "return /result"] {
        assert!(place(end) > 0, "{end}: {:#?} {call}", found(&call));
    }
    assert_eq!(place("/q#line"), 2, "{:#?}", found(&call));
    assert!(found(&call).iter().any(|row| row.contains("/p/") && row.ends_with("#line")), "{:#?}", found(&call));
    // The twin has nothing to find: the header of its own origin.
    let call = lab
        .perform_with(&flags, |placeholders| json!([with(&server.origin(), json!([["x-key", placeholders[NAME]]]))]));
    assert_eq!(found(&call), Vec::<String>::new(), "{call}");
    assert_eq!(server.heard().last().unwrap().header("x-key"), value);
}

/// 68: a name that is looked up leaves the machine too, in whatever spelling.
#[test]
fn a_placeholder_in_a_name_is_a_finding() {
    let value = canary("SECRET");
    let lab = Lab::new(&[]).secret(NAME, &value);
    let flags = ["--allow-net=http://*.allowed.test", "--secret=API_KEY@http://origin.test"];
    let resolve = lab.perform_with(&flags, |placeholders| {
        knowing(vec![json!({"op": "resolve", "name": format!("{}.allowed.test", placeholders[NAME])})])
    });
    assert!(found(&resolve).iter().any(|row| row.starts_with("dns ")), "{:?} {resolve}", found(&resolve));
    let request = lab.perform_with(&flags, |placeholders| {
        knowing(vec![get(&format!("http://{}.allowed.test/", placeholders[NAME]))])
    });
    assert_eq!(lab.resolver.queries().len(), 2, "{request}");
    assert!(found(&request).iter().any(|row| row.starts_with("dns ")), "{:?} {request}", found(&request));
}

/// 68: a host has one spelling, and a granted value that stands in it must not get into the record by being spelled so.
#[test]
fn a_granted_value_in_a_host_name_is_covered_in_every_spelling() {
    let world = World::new();
    let value = "AbCdEf123456XyZw";
    let urls = [format!("http://{value}.allowed.test:9/"), format!("http://{value}.denied.test/")];
    let script = json!([{"op": "env"}, get(&urls[0]), get(&urls[1])]);
    let flags = [
        "--allow-env=TOKEN",
        "--allow-net=http://*.allowed.test:9",
        "--resolve=abcdef123456xyzw.allowed.test=127.0.0.1",
    ];
    let run = world.script(&flags, script).env("TOKEN", value).run();
    assert_eq!(requests(run.exits(0)).len(), 2, "{run}");
    for record in run.ledger.iter().filter(|record| record["event"] != "open") {
        assert!(!record.to_string().to_lowercase().contains(&value.to_lowercase()), "{record}");
    }
    for row in [&run.json["denials"], &run.json["sinks"]] {
        assert!(!row.to_string().to_lowercase().contains(&value.to_lowercase()), "{row}");
    }
    assert!(!run.stderr.to_lowercase().contains(&value.to_lowercase()), "{run}");
}

#[test]
fn the_value_is_put_into_every_header_that_has_the_placeholder_also_into_basic_credentials() {
    let server = Server::http();
    let (value, second) = (canary("SECRET"), canary("SECOND"));
    let lab = Lab::new(&[]).secret(NAME, &value).secret("PASSWORD", &second);
    let both = [allow(&server), secret_for(&server), format!("--secret=PASSWORD@{}", server.origin())];
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    let call = lab.perform_with(&both, |placeholders| {
        let (key, password) = (&placeholders[NAME], &placeholders["PASSWORD"]);
        let basic = STANDARD.encode(format!("{key}:{password}"));
        json!([
            with(
                &server.origin(),
                json!([
                    ["authorization", format!("Bearer {key}")],
                    ["x-alone", key],
                    ["x-twice", format!("{key},{key}")],
                    ["x-within", format!("a{key}b")],
                    ["x-both", format!("{key}/{password}")],
                    ["x-none", "nothing"],
                    ["x-one", key],
                    ["x-one", password],
                    ["cookie", format!("session={key}; x=y")],
                    ["x-half", &key[..8]],
                ])
            ),
            with(&server.origin(), json!([["authorization", format!("Basic {basic}")]])),
            with(&server.origin(), json!([["authorization", format!("basic  {basic}")]])),
        ])
    });
    assert_eq!(call.said(), ["ok"; 3], "{call}");
    let heard = server.heard();
    let first = &heard[0];
    assert_eq!(first.header("authorization"), format!("Bearer {value}"));
    assert_eq!(first.header("x-alone"), value);
    assert_eq!(first.header("x-twice"), format!("{value},{value}"));
    assert_eq!(first.header("x-within"), format!("a{value}b"));
    assert_eq!(first.header("x-both"), format!("{value}/{second}"));
    assert_eq!(first.header("x-none"), "nothing");
    assert_eq!(first.headers("x-one"), [value.as_str(), second.as_str()]);
    assert_eq!(first.header("cookie"), format!("session={value}; x=y"));
    assert_eq!(first.header("x-half").len(), 8, "a part of a placeholder is no placeholder");
    let basic = format!("Basic {}", STANDARD.encode(format!("{value}:{second}")));
    assert_eq!(heard[1].header("authorization"), basic);
    assert_eq!(heard[2].header("authorization"), basic);
    // What is recorded of the headers is what the guest wrote, or a name for it: no digest of the value.
    assert!(call.report.denials.is_empty(), "{call}");
}

/// An origin that says the secret back says it to nobody.
#[test]
fn a_secret_that_the_origin_sends_back_is_masked_and_recorded() {
    let (server, other) = (Server::http(), Server::http());
    let value = canary("SECRET");
    let lab = Lab::new(&[]).secret(NAME, &value);
    let flags = [allow(&server), allow(&other), secret_for(&server)];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let call = lab.perform_with(&flags, |placeholders| {
        let header = json!([["x-key", placeholders[NAME]]]);
        json!([with(&format!("{}/reflect?x-key", server.origin()), header)])
    });
    let answer = &call.outcomes()[0]["value"];
    let mask = "*".repeat(value.len());
    assert_eq!(answer["body"]["text"], format!("reflected: {mask}\n"), "{call}");
    assert!(answer["headers"].as_array().unwrap().contains(&json!(["x-reflected", mask])), "{call}");
    let masked = call.denials();
    assert!(
        !masked.is_empty() && masked.iter().all(|row| row.starts_with("http.request secret-masked ")),
        "{masked:?}"
    );
    assert_eq!(server.heard_once().header("x-key"), value);
    // The twin: what only looks like it comes through as it is.
    let like = format!("{}x", &value[..value.len() - 1]);
    let call =
        lab.perform(&flags, json!([with(&format!("{}/reflect?x-key", server.origin()), json!([["x-key", like]]))]));
    assert_eq!(call.outcomes()[0]["value"]["body"]["text"], format!("reflected: {like}\n"), "{call}");
    assert_eq!(call.denials(), Vec::<String>::new(), "{call}");
}

/// The same for credentials that the boundary itself encoded: their decoding would be the secret.
#[test]
fn basic_credentials_that_the_origin_sends_back_are_masked_too() {
    let server = Server::http();
    let value = canary("SECRET");
    let lab = Lab::new(&[]).secret(NAME, &value);
    for user in ["", "a", "ab", "abc"] {
        let call = lab.perform_with(&[&allow(&server), &secret_for(&server)], |placeholders| {
            let basic = STANDARD.encode(format!("{user}:{}", placeholders[NAME]));
            json!([with(
                &format!("{}/reflect?authorization", server.origin()),
                json!([["authorization", format!("Basic {basic}")]])
            )])
        });
        let answer = call.outcomes()[0]["value"].to_string();
        let sent = STANDARD.encode(format!("{user}:{value}"));
        assert!(server.heard().last().unwrap().header("authorization").ends_with(&sent));
        assert!(!answer.contains(&sent), "the guest can decode what it got: {answer}");
        // Nor a part of it that is long enough to be one.
        let inner = sent.trim_end_matches('=');
        let part = &inner[inner.len() / 3..inner.len() * 2 / 3];
        assert!(!answer.contains(part), "{answer}");
    }
}

/// A secret that is asked for is not also handed over, and one that cannot be is said before anything runs.
#[test]
fn secrets_that_cannot_be_kept_are_refused_before_the_tool_runs() {
    let server = Server::http();
    let world = World::new();
    let value = canary("SECRET");
    let ask = |flags: &[&str], value: Option<&str>| {
        let script = world.script(flags, json!([{"op": "env"}]));
        match value {
            Some(value) => script.env(NAME, value).run(),
            None => script.run(),
        }
    };
    let (grant, secret) = (allow(&server), secret_for(&server));
    for bad in [None, Some(""), Some("two\nlines"), Some("carriage\rreturn"), Some("ünicode-of-some-length")] {
        let run = ask(&[&grant, &secret], bad);
        assert_eq!(run.exits(2).ledger.len(), 0, "{run}");
        assert!(run.stderr.contains(NAME), "the variable is named: {run}");
        if let Some(bad) = bad.filter(|bad| !bad.is_empty()) {
            assert!(!run.stderr.contains(bad) && !run.stdout.contains(bad), "and its value is not: {run}");
        }
    }
    // Both ways at once: whatever becomes of it, the value is not handed over.
    let run = ask(&[&grant, &secret, "--allow-env=API_KEY"], Some(&value));
    run.never_shows(&value);
    // Denied: it is not even there as a placeholder.
    let run = ask(&[&grant, &secret, "--deny-env=API_KEY"], Some(&value));
    if run.code == 0 {
        assert_eq!(run.outcomes()[0]["value"], json!({}), "{run}");
    }
    run.never_shows(&value);
    let run = ask(&[&grant, &secret], Some(&value));
    assert_eq!(run.exits(0).outcomes()[0]["value"].as_object().unwrap().len(), 1, "{run}");
}

/// The right to have a secret put in is no right to make the request.
#[test]
fn a_secret_grants_no_request() {
    let server = Server::http();
    let world = World::new();
    let arguments = json!({"url": server.origin(), "header": "authorization", "variable": NAME});
    let run = world
        .run(&guest("fetch"), "fetch-header", &arguments, &[&secret_for(&server)])
        .env(NAME, "value-1-of-it")
        .run();
    assert_eq!(run.exits(1).denials(), [format!("http.request no-grant GET {}/", server.origin())], "{run}");
    assert!(run.stderr.contains("warning"), "a secret that can go nowhere is said: {run}");
    server.untouched();
    let run = world
        .run(&guest("fetch"), "fetch-header", &arguments, &[&secret_for(&server), &allow(&server)])
        .env(NAME, "value-1-of-it")
        .run();
    run.exits(0).denied(&[]);
}

/// A redirect that a tool follows with its header takes the placeholder along, and nothing else.
#[test]
fn a_secret_does_not_follow_a_redirect_to_another_origin() {
    let (server, other) = (Server::http(), Server::http());
    let value = canary("SECRET");
    let lab = Lab::new(&[]).secret(NAME, &value);
    let flags = [allow(&server), allow(&other), secret_for(&server)];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let call = lab.perform_with(&flags, |placeholders| {
        let header = json!([["x-key", placeholders[NAME]]]);
        let redirect = format!("{}/redirect?{}/", server.origin(), other.origin());
        json!([with(&redirect, header.clone()), with(&other.origin(), header)])
    });
    assert_eq!(call.said(), ["ok"; 2], "{call}");
    assert_eq!(server.heard_once().header("x-key"), value);
    assert_ne!(other.heard_once().header("x-key"), value);
}

/// Two runs that send the same secret cannot be told from their ledgers to have sent the same one, or a short one be guessed from a digest.
#[test]
fn no_digest_in_the_ledger_is_that_of_the_value() {
    use sha2::{Digest as _, Sha256};
    let server = Server::http();
    let world = World::new();
    let value = "hunter2";
    let url = format!("{}/reflect?authorization", server.origin());
    let arguments = json!({"url": url, "header": "authorization", "variable": NAME});
    let run = world
        .run(&guest("fetch"), "fetch-header", &arguments, &[&allow(&server), &secret_for(&server)])
        .env(NAME, value)
        .run();
    run.exits(0);
    assert_eq!(server.heard_once().header("authorization"), "Bearer hunter2");
    run.never_shows(value);
    let text = run.ledger.iter().map(Value::to_string).collect::<String>();
    let port = server.port();
    for guess in [
        value.to_owned(),
        format!("Bearer {value}"),
        format!("authorization: Bearer {value}\r\n"),
        format!("reflected: Bearer {value}\n"),
        format!("host: 127.0.0.1:{port}\r\nauthorization: Bearer {value}\r\n"),
    ] {
        let digest = crate::support::hex(&Sha256::digest(guess.as_bytes()));
        assert!(!text.contains(&digest), "{guess:?}: {run}");
    }
}

/// What a person sees of a secret, and what a policy says of it, is its name.
#[test]
fn a_secret_is_shown_by_its_name() {
    let server = Server::http();
    let world = World::new();
    let value = canary("SECRET");
    let secret = secret_for(&server);
    for arguments in [vec!["policy", "show", &secret], vec!["why", "--env", NAME, &secret]] {
        let run = world.customs(&arguments).env(NAME, &value).run();
        assert!(run.stdout.contains(NAME), "{run}");
        run.never_shows(&value);
    }
    let run = perform(&[&allow(&server)], json!([get(&server.origin())]));
    run.exits(0);
}
