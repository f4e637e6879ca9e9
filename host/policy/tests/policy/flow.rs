//! Flow rules: which action, which texts are refused, and that what a rule promises can be kept.

use customs_policy::FlowAction::{Allow, Block, Redact, Warn};
use customs_policy::FlowDefaults::{Run, Serve};
use customs_policy::file::parse;
use customs_policy::{FlowAction, FlowDefaults, FlowEnds, Policy, PolicyError, RawFlow};
use proptest::prelude::*;

use crate::world::{BASE, World, layer};

type Written<'a> = (&'a str, &'a str, &'a str);

fn try_flows(rules: &[Written<'_>]) -> Result<Policy, PolicyError> {
    let mut layer = layer::<&str>(&[]);
    layer.raw.flow = rules
        .iter()
        .map(|(from, to, action)| RawFlow { from: (*from).into(), to: (*to).into(), action: (*action).into() })
        .collect();
    Policy::build(&[layer], &World::new())
}

fn flows(rules: &[Written<'_>]) -> Policy {
    try_flows(rules).unwrap()
}

fn class(kind: &str) -> &'static str {
    match kind {
        "env" => "secret",
        "http-response" | "socket" => "untrusted",
        "stdin" | "argument" => "public",
        _ => "private",
    }
}

/// `kind:name` of a source and of a sink, as the ledger has them.
fn ends<'a>(source: &'a str, sink: &'a str) -> FlowEnds<'a> {
    let (source_kind, source_name) = source.split_once(':').unwrap();
    let (sink_kind, sink_name) = sink.split_once(':').unwrap();
    FlowEnds { class: class(source_kind), source_kind, source_name, sink_kind, sink_name }
}

fn action(rules: &[Written<'_>], source: &str, sink: &str, defaults: FlowDefaults) -> FlowAction {
    flows(rules).flow(&ends(source, sink), defaults).0
}

const KEY: &str = "env:API_KEY";
const FILE: &str = "file:/data/a";
const DEBUG: &str = "return:/debug";
const BODY: &str = "http-request:https://api.test/v1#body";

/// The table in the documentation.
#[test]
fn flow_strictest_matching_rule_decides_in_every_order() {
    let cases: [(&[Written<'_>], FlowAction); 13] = [
        (&[], Warn),
        (&[("secret", "return", "allow")], Allow),
        (&[("secret", "return", "warn")], Warn),
        (&[("secret", "return", "redact")], Redact),
        (&[("secret", "return", "block")], Block),
        (&[("private", "return", "block")], Warn),
        (&[("secret", "error", "block")], Warn),
        (&[("secret", "return", "allow"), ("env", "return", "warn")], Warn),
        (&[("secret", "return", "redact"), ("env:API_KEY", "return:/debug", "allow")], Redact),
        (&[("secret", "return", "allow"), ("env:API_KEY", "return:/debug", "redact")], Redact),
        (&[("*", "*", "allow"), ("env:API_*", "return", "block"), ("*", "return", "redact")], Block),
        (&[("*", "*", "allow"), ("env:API_", "return", "block")], Allow),
        (&[("*", "*", "allow"), ("*", "*", "allow"), ("env:*", "*", "warn")], Warn),
    ];
    for (rules, expected) in cases {
        let reversed: Vec<_> = rules.iter().rev().copied().collect();
        for rules in [rules, &reversed] {
            assert_eq!(action(rules, KEY, DEBUG, Run), expected, "{rules:?}");
        }
    }
}

#[test]
fn flow_defaults_hold_where_no_rule_matches() {
    for (source, sink, run, serve) in [
        (KEY, DEBUG, Warn, Redact),
        (KEY, BODY, Warn, Block),
        (KEY, "error:/message", Warn, Redact),
        (KEY, "dns:a.example.com", Warn, Block),
        (KEY, "stdout:stdout", Warn, Warn),
        (FILE, DEBUG, Warn, Warn),
        (FILE, BODY, Warn, Warn),
    ] {
        for rules in [&[][..], &[("socket", "*", "allow")]] {
            assert_eq!(action(rules, source, sink, Run), run, "{source} {sink}");
            assert_eq!(action(rules, source, sink, Serve), serve, "{source} {sink}");
        }
        // A rule replaces a default, a milder one too: that is how a key is let through to its service.
        assert_eq!(action(&[("*", "*", "allow")], source, sink, Serve), Allow);
        assert_eq!(action(&[("*", "*", "warn")], source, sink, Serve), Warn);
    }
    let policy = flows(&[]);
    assert_eq!(policy.flow(&ends(KEY, DEBUG), Serve).1, None);
    for (sink, run, serve) in [
        ("return", false, true),
        ("http-request", false, true),
        ("error", false, true),
        ("dns", false, true),
        ("progress", false, false),
    ] {
        assert_eq!(
            (policy.may_stop_flows_to(sink, Run), policy.may_stop_flows_to(sink, Serve)),
            (run, serve),
            "{sink}"
        );
    }
    let policy = flows(&[("file", "error:/x", "redact"), ("file", "return", "warn")]);
    assert!(policy.may_stop_flows_to("error", Run) && !policy.may_stop_flows_to("return", Run));
}

#[test]
fn flow_class_is_that_of_the_source_and_not_of_its_kind() {
    let policy = flows(&[("secret", "return", "block")]);
    let as_secret = FlowEnds { class: "secret", ..ends(FILE, DEBUG) };
    assert_eq!(policy.flow(&as_secret, Run).0, Block);
    assert_eq!(policy.flow(&ends(FILE, DEBUG), Run).0, Warn);
}

/// Each name with one that it covers and the nearest one that it does not.
#[test]
fn flow_names_cover_what_they_say_and_nothing_beside() {
    for (from, covered, beside) in [
        ("env", "env:API_KEY", "file:/env"),
        ("env:API_KEY", "env:API_KEY", "env:API_KEY2"),
        ("env:API_*", "env:API_", "env:API"),
        ("env:API_*", "env:API_KEY", "env:api_KEY"),
        ("file:/data/*", "file:/data/a", "file:/data"),
        ("file:/data/a", "file:/data/a", "file:/data/ab"),
        ("file:/data", "file:/data/a", "file:/database"),
        ("file:/", "file:/data/a", "listing:/data/a"),
        ("file://data//./a/", "file:/data/a", "file:/data/b"),
        ("listing:/data", "listing:/data", "file:/data"),
        (
            "http-response:https://api.test/*",
            "http-response:https://api.test/x#body",
            "http-response:http://api.test/x#body",
        ),
        (
            "http-response:https://API.Test:443/*",
            "http-response:https://api.test/x#head",
            "http-response:https://api.test:444/x#head",
        ),
        (
            "http-response:https://api.test/v1",
            "http-response:https://api.test/v1#body",
            "http-response:https://api.test/v10#body",
        ),
        (
            "http-response:https://api.test/v1#body",
            "http-response:https://api.test/v1#body",
            "http-response:https://api.test/v1#head",
        ),
        ("http-response:https:*", "http-response:https://a.test/#body", "http-response:http://a.test/#body"),
        ("socket:tcp://DB.test:5432", "socket:tcp://db.test:5432", "socket:tcp://db.test:543"),
        ("socket:tcp://db.test:*", "socket:tcp://db.test:1", "socket:udp://db.test:1"),
        ("socket:tcp://[0::1]:5*", "socket:tcp://[::1]:5", "socket:tcp://[::1]:4"),
        ("socket:dns:API.test.", "socket:dns:api.test", "socket:dns:api.test.evil"),
        ("untrusted", "socket:tcp://db.test:1", "file:/x"),
    ] {
        assert_eq!(action(&[(from, "return", "redact")], covered, DEBUG, Run), Redact, "{from} covers {covered}");
        assert_eq!(action(&[(from, "return", "redact")], beside, DEBUG, Run), Warn, "{from} does not cover {beside}");
    }
    for (to, covered, beside) in [
        ("return", DEBUG, "error:/debug"),
        ("return:/debug", DEBUG, "return:/debugger"),
        ("return:/debug", "return:/debug/0/x", "return:/bug"),
        ("return:/debug", "return:/debug#key", "return:/"),
        ("return:/content/0/text", "return:/content/0/text#/result/note", "return:/content/1/text"),
        ("return:/debug*", "return:/debugger", "return:/debu"),
        ("return:/a~0b", "return:/a~0b", "return:/a~1b"),
        ("error:/message", "error:/message", "return:/message"),
        ("http-request:https://api.test/v1*", BODY, "http-request:https://api.test/v#body"),
        ("dns:API.test", "dns:api.test", "dns:x.api.test"),
        ("dns:api*", "dns:api.test", "dns:ap.test"),
    ] {
        assert_eq!(action(&[("secret", to, "block")], KEY, covered, Run), Block, "{to} covers {covered}");
        assert_eq!(action(&[("secret", to, "block")], KEY, beside, Run), Warn, "{to} does not cover {beside}");
    }
}

/// Names are partly the guest's choice: where it is unclear what one means, a rule binds, and loosens nothing.
#[test]
fn flow_in_doubt_a_rule_binds_and_does_not_loosen() {
    for (to, doubtful, clear) in [
        ("http-request:https://api.test/v1", "http-request:https://api.test/v%31#body", BODY),
        ("http-request:https://api.test/v%31", BODY, "http-request:https://api.test/v%31#body"),
        (
            "http-request:https://api.test/v1/*",
            "http-request:https://api.test/%76%31/x#line",
            "http-request:https://api.test/v1/x#line",
        ),
        (
            "http-request:https://api.test*",
            "http-request:https://api.test.evil/#body",
            "http-request:https://api.test/#body",
        ),
        (
            "http-request:https://api.test*",
            "http-request:https://api.test:8443/#body",
            "http-request:https://api.test/#body",
        ),
        ("http-request:https://api.test/v1", "http-request:https://api.test/v1/x#body", BODY),
        ("return:/debug", "return:/debug/x", DEBUG),
        // More texts than are told apart: the whole is recorded without a name.
        ("return:/debug", "return:", DEBUG),
        ("return:/debug*", "return:", DEBUG),
    ] {
        assert_eq!(action(&[("secret", to, "block")], KEY, doubtful, Run), Block, "{to}: {doubtful}");
        assert_eq!(action(&[("secret", to, "allow")], KEY, doubtful, Run), Warn, "{to}: {doubtful}");
        assert_eq!(action(&[("secret", to, "allow")], KEY, clear, Run), Allow, "{to}: {clear}");
        // A warning is more than silence, and less than what `serve` does by itself.
        let both = [("secret", "*", "allow"), ("secret", to, "warn")];
        assert_eq!(action(&both, KEY, doubtful, Run), Warn, "{to}: {doubtful}");
        let sink = ends(KEY, doubtful).sink_kind;
        let default = if matches!(sink, "return" | "error") { Redact } else { Block };
        assert_eq!(action(&[("secret", to, "warn")], KEY, doubtful, Serve), default, "{to}: {doubtful}");
        assert_eq!(action(&[("secret", to, "warn")], KEY, clear, Serve), Warn, "{to}: {clear}");
    }
    // With nothing of a host before the star, every host is meant.
    for (from, clear) in
        [("http-response:https://*", "http-response:https://a.test/#body"), ("socket:tcp://*", "socket:tcp://a.test:1")]
    {
        assert_eq!(action(&[(from, "return", "allow")], clear, DEBUG, Run), Allow, "{from}: {clear}");
    }
    for (from, doubtful, clear) in [
        ("file:/data", "file:/data/a", "file:/data"),
        ("socket:tcp://db.test*", "socket:tcp://db.test.evil:1", "socket:tcp://db.test:1"),
        (
            "http-response:https://api.test*",
            "http-response:https://api.test.evil/#body",
            "http-response:https://api.test/#body",
        ),
    ] {
        assert_eq!(action(&[(from, "return", "redact")], doubtful, DEBUG, Run), Redact, "{from}: {doubtful}");
        assert_eq!(action(&[(from, "return", "allow")], doubtful, DEBUG, Run), Warn, "{from}: {doubtful}");
        assert_eq!(action(&[(from, "return", "allow")], clear, DEBUG, Run), Allow, "{from}: {clear}");
    }
}

fn from_file(text: &str) -> Result<Policy, String> {
    let file = parse(text.as_bytes(), "customs.toml").map_err(|error| error.to_string())?;
    Policy::build(&[file.layer("t", BASE.into()).unwrap()], &World::new()).map_err(|error| error.to_string())
}

#[test]
fn flow_rules_are_named_as_written_with_file_and_line() {
    let policy = from_file(
        "[tool.t]\ntimeout = '1s'\n[[tool.t.flow]]\nfrom = 'secret'\nto = 'return'\ndo = 'redact'\n\n\
         [[tool.t.flow]]\ndo = 'block'\nto = 'http-request:https://API.test/*'\nfrom = 'env:*'\n",
    )
    .unwrap();
    let (action, rule) = policy.flow(&ends(KEY, DEBUG), Run);
    assert_eq!((action, rule.map(|rule| &**rule)), (Redact, Some("flow secret -> return: redact (customs.toml:3)")));
    assert_eq!(
        policy.grants(),
        ["flow env:* -> http-request:https://API.test/*: block", "flow secret -> return: redact"]
    );
    let rules: Vec<_> = policy.flow_rules().iter().map(|rule| (rule.from(), rule.to(), rule.action())).collect();
    assert_eq!(
        rules,
        [
            ("secret".to_owned(), "return".to_owned(), Redact),
            ("env".to_owned(), "http-request:https://api.test/*".to_owned(), Block)
        ]
    );
    assert_eq!(
        &**policy.flow_rules()[1].rule(),
        "flow env:* -> http-request:https://API.test/*: block (customs.toml:8)"
    );
    let inline = from_file("[tool.t]\nflow = [\n{ from = 'secret', to = 'return', do = 'redact' }]").unwrap();
    assert_eq!(&**inline.flow_rules()[0].rule(), "flow secret -> return: redact (customs.toml:3)");
    assert!(from_file("[tool.t]\nflow = []").unwrap().flow_rules().is_empty());
}

#[test]
fn flow_rule_that_is_named_is_the_first_one_that_decides() {
    let named = |rules: &[Written<'_>], sink: &str| {
        let policy = flows(rules);
        policy.flow(&ends(KEY, sink), Run).1.map(|rule| rule.to_string())
    };
    let two = [("secret", "return", "redact"), ("env", "return", "redact")];
    assert_eq!(named(&two, DEBUG).as_deref(), Some("flow secret -> return: redact"));
    assert_eq!(named(&[two[1], two[0]], DEBUG).as_deref(), Some("flow env -> return: redact"));
    assert_eq!(named(&[("env", "return", "warn"), two[0]], DEBUG).as_deref(), Some("flow secret -> return: redact"));
    // One that may be about another place allows nothing, and is not said to.
    let two = [("secret", "return:/debug", "allow"), ("env", "return", "allow")];
    assert_eq!(named(&two, "return:/debug/x").as_deref(), Some("flow env -> return: allow"));
    assert_eq!(named(&two[..1], "return:/debug/x"), None);
}

#[test]
fn flow_digest_is_about_meaning_not_spelling_or_order() {
    let digest = |rules: &[Written<'_>]| flows(rules).digest();
    let (a, b) = (("env:*", "return", "redact"), ("file:/a", "http-request:https://A.test/x", "block"));
    let base = digest(&[a, b]);
    assert_eq!(base, digest(&[b, a, a]));
    assert_eq!(
        base,
        digest(&[("env", "return:*", "redact"), ("file://a/", "http-request:https://a.test:443/x", "block")])
    );
    for other in [
        &[][..],
        &[a],
        &[b],
        &[("secret", "return", "redact"), b],
        &[("env", "error", "redact"), b],
        &[("env", "return", "block"), b],
        &[a, ("file:/a*", b.1, b.2)],
        &[a, ("file:/a -> http-request:https://a.test/x", "http-request", "block")],
    ] {
        assert_ne!(base, digest(other), "{other:?}");
    }
    assert_eq!(digest(&[]), crate::world::policy::<&str>(&[]).digest());
}

#[test]
fn flow_of_two_layers_counts_together_and_contradicts_across_them() {
    let file = |action: &str| {
        let text = format!("[tool.t]\n[[tool.t.flow]]\nfrom = 'secret'\nto = 'return'\ndo = '{action}'");
        parse(text.as_bytes(), "customs.toml").unwrap().layer("t", BASE.into()).unwrap()
    };
    let policy = Policy::build(&[layer(&["-A"]), file("redact"), file("redact")], &World::new()).unwrap();
    assert_eq!(policy.flow_rules().len(), 1);
    let error = Policy::build(&[file("redact"), file("block")], &World::new()).unwrap_err();
    let expected =
        "customs.toml:5: tool.t.flow.do: block: this contradicts flow secret -> return: redact (customs.toml:2)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn flow_mistakes_are_refused_with_line_and_key() {
    for (entry, expected) in [
        ("from = 'secret'\nto = 'return'", "3: tool.t.flow: do is missing"),
        ("from = 'secret'\ndo = 'warn'", "3: tool.t.flow: to is missing"),
        ("to = 'return'\ndo = 'warn'", "3: tool.t.flow: from is missing"),
        ("", "3: tool.t.flow: from is missing"),
        ("frm = 'secret'", "4: tool.t.flow.frm: unknown key (did you mean from?)"),
        ("from = 'secret'\nto = 'return'\ndo = 'warn'\nnote = 'x'", "7: tool.t.flow.note: unknown key"),
        ("from = 'secret'\nto = 1", "5: tool.t.flow.to: expected a text, got a number"),
        ("from = ['secret']", "4: tool.t.flow.from: expected a text, got a list"),
    ] {
        let text = format!("[tool.t]\n\n[[tool.t.flow]]\n{entry}");
        assert_eq!(from_file(&text).unwrap_err(), format!("customs.toml:{expected}"), "{entry}");
    }
    for (text, expected) in [
        (
            "[tool.t]\nflow = 'secret -> return'",
            "2: tool.t.flow: expected a list of tables: [[tool.NAME.flow]] with from, to and do, got a text",
        ),
        (
            "[tool.t.flow]\nfrom = 'secret'",
            "1: tool.t.flow: expected a list of tables: [[tool.NAME.flow]] with from, to and do, got a table",
        ),
        (
            "[tool.t]\nflow = [\n'x']",
            "3: tool.t.flow: expected a list of tables: [[tool.NAME.flow]] with from, to and do, got a text",
        ),
        ("[[flow]]\nfrom = 'secret'", "1: flow: this key belongs into a [tool.NAME] table"),
    ] {
        assert_eq!(from_file(text).unwrap_err(), format!("customs.toml:{expected}"), "{text}");
    }
}

/// Each with its twin, the nearest text that is accepted.
#[test]
fn flow_texts_that_mean_nothing_are_refused_and_their_twins_are_not() {
    for (from, reason, twin) in [
        ("", "it is empty; * stands for everything", "*"),
        (
            "sekret",
            "from is a class (secret, private, untrusted, public), a kind (env, file, listing, metadata, link, http-response, stdin, argument, socket), KIND:NAME, or *",
            "secret",
        ),
        ("Secret", "from is a class", "secret"),
        (" secret", "from is a class", "secret"),
        ("return", "from is a class", "env"),
        ("secret:API_KEY", "a class has no name; write secret, or a kind with a name such as env:API_*", "env:API_KEY"),
        ("env:", "the name is empty; write env for all of the kind", "env"),
        ("env:*_KEY", "* can only be the end of a name", "env:KEY*"),
        ("env:A**", "* can only be the end of a name", "env:A*"),
        ("*:A", "* can only be the end of a name", "env:A"),
        ("en*", "from is a class", "env"),
        ("env:A=B", "no variable has = in its name", "env:A_B"),
        ("env:A\nB", "no name in a rule has a control character; end it before that with *", "env:A*"),
        ("stdin:stdin", "there is only one stdin; write stdin", "stdin"),
        ("file:data", "a guest path starts with /", "file:/data"),
        ("file:/data/../x", "a guest path has no ..", "file:/data/..x"),
        ("file:/data/../x*", "a guest path has no ..", "file:/data/..x*"),
        (
            "argument:city",
            "a place in a result or in arguments is a JSON Pointer, which starts with /",
            "argument:/city",
        ),
        ("http-response:api.test", "a URL starts with http:// or https://", "http-response:https://api.test/"),
        ("http-response:api.test*", "a URL starts with http:// or https://", "http-response:https://api.test*"),
        ("http-response:ftp://a.test/", "a URL starts with http:// or https://", "http-response:http://a.test/"),
        (
            "http-response:https://a.test",
            "the path is missing; write /* after the host for all that is there",
            "http-response:https://a.test/*",
        ),
        (
            "http-response:https://A.test*",
            "a host that * completes is written in lower case",
            "http-response:https://a.test*",
        ),
        (
            "http-response:https://a.test:8*",
            "a host that * completes is written in lower case",
            "http-response:https://a.test:8/*",
        ),
        (
            "http-response:https://a@b.test/",
            "a user name or password cannot be part of a rule",
            "http-response:https://b.test/",
        ),
        (
            "http-response:https://a.test:99999/",
            "a port is a number from 1 to 65535",
            "http-response:https://a.test:9999/",
        ),
        ("http-response:https://a.test/x?y", "the query is in no name", "http-response:https://a.test/x"),
        (
            "http-response:https://a.test/x y",
            "write the path as it is in a request",
            "http-response:https://a.test/x%20y",
        ),
        (
            "http-response:https://a.test/x#line",
            "the parts of http-response are #head, #body, #trailers",
            "http-response:https://a.test/x#head",
        ),
        ("socket:db.test:1", "a socket is tcp://HOST:PORT or udp://HOST:PORT", "socket:tcp://db.test:1"),
        ("socket:tcp://db.test", "the port is missing", "socket:tcp://db.test:1"),
        ("socket:tcp://DB.test*", "a host that * completes is written in lower case", "socket:tcp://db.test*"),
        ("socket:dns:10.0.0.1", "an address is not looked up", "socket:dns:a.test"),
    ] {
        let error = try_flows(&[(from, "return", "warn")]).unwrap_err();
        assert_eq!(error.place(), "--flow.from");
        assert!(error.reason().contains(&format!(": {reason}")), "{from}: {error}");
        assert!(try_flows(&[(twin, "return", "warn")]).is_ok(), "{twin}");
    }
    for (to, reason, twin) in [
        ("", "it is empty; * stands for everything", "*"),
        (
            "secret",
            "to is a kind (return, error, http-request, dns, file, stdout, stderr, progress, log, socket), KIND:NAME, or *",
            "return",
        ),
        ("env", "to is a kind", "return"),
        ("return:debug", "a place in a result or in arguments is a JSON Pointer, which starts with /", "return:/debug"),
        ("return:/a~b", "in a JSON Pointer ~ is written ~0", "return:/a~0b"),
        ("return:/a~", "in a JSON Pointer ~ is written ~0", "return:/a~*"),
        ("stdout:stdout", "there is only one stdout; write stdout", "stdout"),
        ("dns:10.0.0.1", "an address is not looked up", "dns:a.test"),
        ("dns:A*", "a host that * completes is written in lower case", "dns:a*"),
        ("socket:dns:a.test", "a socket is tcp://HOST:PORT", "socket:tcp://a.test:1"),
        (
            "http-request:https://a.test/x#head",
            "the parts of http-request are #line, #headers, #body, #trailers",
            "http-request:https://a.test/x#headers",
        ),
    ] {
        let error = try_flows(&[("secret", to, "warn")]).unwrap_err();
        assert_eq!(error.place(), "--flow.to");
        assert!(error.reason().contains(&format!(": {reason}")), "{to}: {error}");
        assert!(try_flows(&[("secret", twin, "warn")]).is_ok(), "{twin}");
    }
    for wrong in ["deny", "", "Redact", "redacted"] {
        let error = try_flows(&[("secret", "return", wrong)]).unwrap_err().to_string();
        assert_eq!(error, format!("--flow.do: {wrong}: do is allow, warn, redact or block"));
    }
}

#[test]
fn flow_promises_that_could_not_be_kept_are_refused() {
    let enforceable = |sink: &str, action: &str| match action {
        "redact" => ["return", "error"].contains(&sink),
        "block" => ["return", "error", "http-request", "dns"].contains(&sink),
        _ => true,
    };
    for sink in ["return", "error", "http-request", "dns", "file", "stdout", "stderr", "progress", "log", "socket", "*"]
    {
        for action in ["allow", "warn", "redact", "block"] {
            let built = try_flows(&[("secret", sink, action)]);
            assert_eq!(built.is_ok(), enforceable(sink, action), "{action} to {sink}");
            if let Err(error) = built {
                let sinks =
                    if action == "redact" { "return or error" } else { "return or error or http-request or dns" };
                let reason =
                    format!("--flow.do: {action}: this cannot be enforced for {sink}; write a rule to {sinks}");
                assert_eq!(error.to_string(), reason);
            }
        }
    }
    assert!(try_flows(&[("secret", "file:/out", "block")]).is_err());
    assert!(try_flows(&[("secret", "return:/out", "block")]).is_ok());
    for (from, stops) in [("public", false), ("argument:/a", false), ("stdin", false), ("*", true), ("file", true)] {
        for action in ["redact", "block"] {
            assert_eq!(try_flows(&[(from, "return", action)]).is_ok(), stops, "{from}");
        }
        assert!(try_flows(&[(from, "return", "allow")]).is_ok(), "{from}");
    }
    assert!(try_flows(&[("secret", "dns:a*", "allow")]).is_err());
    assert!(try_flows(&[("secret", "dns:a.test", "allow"), ("secret", "dns:a*", "block")]).is_ok());
}

#[test]
fn flow_rules_that_contradict_exactly_are_refused_and_a_repeated_one_is_one() {
    for (from, to) in [
        ("env", "env:*"),
        ("env:A", "env:A"),
        ("file:/a", "file://a/."),
        ("http-response:https://a.test/", "http-response:https://A.test:443/"),
    ]
    .map(|(one, other)| ((one, "return", "redact"), (other, "return:*", "allow")))
    {
        let error = try_flows(&[from, to]).unwrap_err().to_string();
        assert!(error.contains(&format!("this contradicts flow {} -> return: redact", from.0)), "{error}");
        assert_eq!(flows(&[from, (to.0, to.1, "redact")]).flow_rules().len(), 1);
    }
    assert!(try_flows(&[("env", "return", "redact"), ("secret", "return", "allow")]).is_ok());
}

#[test]
fn flow_many_rules_are_read_and_decided() {
    let text: String =
        (0..10_000).map(|n| format!("{{ from = 'env:K{n}', to = 'return', do = 'redact' }},\n")).collect();
    let policy = from_file(&format!("[tool.t]\nflow = [{text}]")).unwrap();
    let (action, rule) = policy.flow(&ends("env:K9999", DEBUG), Run);
    assert_eq!(
        (action, rule.map(|rule| &**rule)),
        (Redact, Some("flow env:K9999 -> return: redact (customs.toml:10001)"))
    );
}

const FROMS: &[&str] = &[
    "*",
    "secret",
    "private",
    "untrusted",
    "env",
    "env:API_*",
    "env:API_KEY",
    "file:/data",
    "file:/data/*",
    "file:/data/a",
    "http-response:https://api.test*",
    "http-response:https://api.test/v1",
    "socket:tcp://db.test*",
    "public",
];
const TOS: &[&str] = &[
    "*",
    "return",
    "return:/debug",
    "return:/debug*",
    "error",
    "http-request",
    "http-request:https://api.test*",
    "http-request:https://api.test/v1",
    "dns",
    "dns:api.test",
    "file",
    "file:/data/*",
    "stdout",
    "log",
    "socket",
];
const SOURCES: &[&str] = &[
    KEY,
    "env:API_",
    "env:OTHER",
    FILE,
    "file:/data",
    "listing:/data",
    "http-response:https://api.test/v1#body",
    "http-response:https://api.test.evil/#head",
    "socket:tcp://db.test:1",
    "argument:/city",
    "new:thing",
];
const SINKS: &[&str] = &[
    DEBUG,
    "return:",
    "return:/debug/x",
    "return:/note",
    "error:/debug",
    BODY,
    "http-request:https://api.test/v%31#body",
    "http-request:https://api.test.evil/#line",
    "dns:api.test",
    "dns:x",
    "file:/data/a",
    "stdout:stdout",
    "log:log",
    "socket:tcp://db.test:1",
    "new:thing",
];

fn rule() -> impl Strategy<Value = Written<'static>> {
    let select = |list: &'static [&'static str]| proptest::sample::select(list);
    let any = (select(FROMS), select(TOS), select(&["allow", "warn", "redact", "block"]));
    any.prop_filter("it can be enforced", |rule| try_flows(&[*rule]).is_ok())
}

fn rules() -> impl Strategy<Value = Vec<Written<'static>>> {
    proptest::collection::vec(rule(), 0..5)
        .prop_filter("they do not contradict each other", |rules| try_flows(rules).is_ok())
}

fn every_flow(mut check: impl FnMut(FlowEnds<'_>, FlowDefaults)) {
    for source in SOURCES {
        for sink in SINKS {
            for defaults in [Run, Serve] {
                check(ends(source, sink), defaults);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn flow_rule_more_never_weakens_what_a_rule_said_and_a_stricter_one_weakens_nothing(rules in rules(), more in rule()) {
        let mut all = rules.clone();
        all.push(more);
        let Ok(after) = try_flows(&all) else { return Ok(()) };
        let (before, added) = (flows(&rules), flows(&[more]).flow_rules()[0].action());
        every_flow(|ends, defaults| {
            let (was, by) = before.flow(&ends, defaults);
            let (is, _) = after.flow(&ends, defaults);
            assert!(is >= was || (by.is_none() && added < was), "{all:?} {ends:?} {defaults:?}: {was} to {is}");
        });
    }

    #[test]
    fn flow_answer_can_be_enforced_and_was_announced_whatever_the_order(rules in rules()) {
        let policy = flows(&rules);
        let reversed: Vec<_> = rules.iter().rev().copied().collect();
        let reversed = flows(&reversed);
        prop_assert_eq!(policy.digest(), reversed.digest());
        every_flow(|ends, defaults| {
            let (action, rule) = policy.flow(&ends, defaults);
            assert_eq!(action, reversed.flow(&ends, defaults).0, "{rules:?} {ends:?}");
            assert!(action < Redact || policy.may_stop_flows_to(ends.sink_kind, defaults), "{rules:?} {ends:?}");
            let possible: &[&str] = match action {
                Allow | Warn => return,
                Redact => &["return", "error"],
                Block => &["return", "error", "http-request", "dns"],
            };
            assert!(possible.contains(&ends.sink_kind), "{rules:?} {ends:?}");
            assert!(rule.is_none_or(|rule| rule.ends_with(action.as_str())), "{rules:?} {ends:?}");
        });
    }

    #[test]
    fn flow_rules_of_any_text_must_not_panic_and_what_is_read_reads_back(
        from in "(secret|env|file|http-response|socket|argument)?:?(https?://|tcp://|dns:|/)?[a-bA~%#.:/\\[\\]*1 \u{e9}\0]{0,8}",
        to in "(return|error|dns|http-request|socket)?:?(https?://|udp://|/)?[a-bA~%#.:/\\[\\]*1 \u{e9}\0]{0,8}",
        name in "(https?://|/)?[a-b~%#.:/1\u{e9}\0]{0,12}",
    ) {
        for (from, to) in [(&*from, "return"), ("env", &*to)] {
            match try_flows(&[(from, to, "warn")]) {
                Err(error) => prop_assert!(!error.to_string().contains('\n'), "{}", error),
                Ok(policy) => {
                    let rule = &policy.flow_rules()[0];
                    let again = flows(&[(&rule.from(), &rule.to(), "warn")]);
                    prop_assert_eq!(again.digest(), policy.digest());
                    let source_kind = from.split(':').next().unwrap();
                    let sink_kind = to.split(':').next().unwrap();
                    let ends = FlowEnds { class: "private", source_kind, source_name: &name, sink_kind, sink_name: &name };
                    prop_assert!(policy.flow(&ends, Run).0 == Warn);
                }
            }
        }
    }

    /// What a closed name says is a name in the ledger's spelling: the rule matches it.
    #[test]
    fn flow_rule_for_a_name_matches_that_name(end in proptest::sample::select(SOURCES), sink in proptest::sample::select(SINKS)) {
        if let Ok(policy) = try_flows(&[(end, sink, "allow")]) {
            let (action, rule) = policy.flow(&ends(end, sink), Run);
            prop_assert_eq!((action, rule.is_some()), (Allow, true), "{} {}", end, sink);
        }
    }
}
