//! Network rules as decisions; nothing here opens a connection.

use customs_policy::{Host, Request, decide, suggest};

use crate::world::{answer, http, policy, refusal};

/// grant, URL, answer
fn check(cases: &[(&str, &str, &str)]) {
    for (grant, url, expected) in cases {
        assert_eq!(http(&policy(&[grant]), url), *expected, "{grant} asked for {url}");
    }
}

#[test]
fn net_exact_host_permits_only_itself() {
    let rule = "--allow-net=https://allowed.test";
    check(&[
        (rule, "https://allowed.test/", "permit"),
        (rule, "https://allowed.test", "permit"),
        (rule, "https://allowed.test?q", "permit"),
        (rule, "https://denied.test/", "no-grant"),
        (rule, "https://allowed.test.evil.test/", "no-grant"),
        (rule, "https://evil-allowed.test/", "no-grant"),
        (rule, "https://xallowed.test/", "no-grant"),
        (rule, "https://allowed.testx/", "no-grant"),
        (rule, "https://a.allowed.test/", "no-grant"),
    ]);
}

#[test]
fn net_wildcard_permits_any_depth_below_but_not_the_apex() {
    let rule = "--allow-net=https://*.allowed.test";
    check(&[
        (rule, "https://a.allowed.test/", "permit"),
        (rule, "https://a.b.allowed.test/", "permit"),
        (rule, "https://allowed.test/", "no-grant"),
        (rule, "https://evilallowed.test/", "no-grant"),
        (rule, "https://a.allowed.test.evil.test/", "no-grant"),
        (rule, "https://.allowed.test/", "bad-request"),
    ]);
}

#[test]
fn net_trailing_dot_and_case_are_the_same_host() {
    for rule in ["--allow-net=allowed.test", "--allow-net=ALLOWED.test.", "--allow-net=HTTPS://Allowed.Test:443"] {
        check(&[
            (rule, "https://allowed.test./", "permit"),
            (rule, "https://ALLOWED.TEST/", "permit"),
            (rule, "HTTPS://allowed.test/", "permit"),
            (rule, "https://allowed.test../", "bad-request"),
        ]);
    }
}

#[test]
fn net_userinfo_is_malformed() {
    let rule = "--allow-net=http://allowed.test";
    check(&[
        (rule, "http://allowed.test/", "permit"),
        (rule, "http://allowed.test@denied.test/", "bad-request"),
        (rule, "http://u:p@allowed.test/", "bad-request"),
        (rule, "http://@allowed.test/", "bad-request"),
        (rule, "http://allowed.test/@x", "permit"),
    ]);
}

#[test]
fn net_numeric_hosts_are_the_address_they_mean() {
    let spellings = [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
    ];
    for host in spellings {
        let url = format!("http://{host}:8080/");
        check(&[
            ("--allow-net=http://127.0.0.1:8080", &url, "permit"),
            ("--allow-net=http://0x7f.1:8080", &url, "permit"),
            ("--allow-net=http://127.0.0.2:8080", &url, "no-grant"),
            ("-A", &url, "prohibited-address"),
        ]);
    }
}

#[test]
fn net_local_addresses_need_a_rule_that_names_them() {
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "[::1]",
        "[fd00::1]",
        "0.0.0.0",
        "localhost",
        "a.localhost",
    ] {
        let url = format!("https://{host}/");
        let everything = policy(&["--allow-net=*", "--dangerously-allow"]);
        assert_eq!(http(&everything, &url), "prohibited-address", "{host}");
        check(&[(&format!("--allow-net={host}"), &url, "permit")]);
    }
    assert_eq!(http(&policy(&["--allow-net=*", "--dangerously-allow"]), "https://8.8.8.8/"), "permit");
    check(&[
        ("--allow-net=localhost", "https://127.0.0.1/", "permit"),
        ("--allow-net=localhost", "https://[::1]/", "permit"),
        ("--allow-net=localhost", "https://127.0.0.2/", "no-grant"),
        ("--allow-net=localhost", "https://10.0.0.1/", "no-grant"),
        ("--allow-net=127.0.0.1", "https://localhost/", "no-grant"),
    ]);
}

#[test]
fn net_scheme_and_port_are_part_of_the_rule() {
    let rule = "--allow-net=http://allowed.test:8080";
    check(&[
        (rule, "http://allowed.test:8080/", "permit"),
        (rule, "http://allowed.test:8081/", "no-grant"),
        (rule, "https://allowed.test:8080/", "no-grant"),
        (rule, "http://allowed.test/", "no-grant"),
        ("--allow-net=http://allowed.test", "http://allowed.test:80/", "permit"),
        ("--allow-net=http://allowed.test:80", "http://allowed.test/", "permit"),
        ("--allow-net=allowed.test", "https://allowed.test:443/", "permit"),
        ("--allow-net=allowed.test", "http://allowed.test/", "no-grant"),
        ("--allow-net=allowed.test:8443", "https://allowed.test:8443/", "permit"),
        ("--allow-net=allowed.test:8443", "http://allowed.test:8443/", "no-grant"),
    ]);
}

#[test]
fn net_urls_that_parsers_read_differently_are_malformed() {
    let rule = "--allow-net=http://allowed.test";
    for url in [
        "http://denied.test\\@allowed.test/",
        "http://allowed.test#@denied.test/",
        "http://allowed.test%00.denied.test/",
        "http://allowed.test\t/",
        "http://allo\nwed.test/",
        "http://allowed.test /",
        "http://allowed%2etest/",
        "http:allowed.test/",
        "http:/allowed.test/",
        "http:///allowed.test/",
        "//allowed.test/",
        "allowed.test",
        "ftp://allowed.test/",
        "file:///etc/passwd",
        "",
        "http://",
        "http://:80/",
        "http://allowed.test:/",
        "http://allowed.test:0/",
        "http://allowed.test:99999/",
        "http://allowed.test:+80/",
        "http://allowed.test:80:80/",
        "http://[::1/",
        "http://a..test/",
        "http://*.allowed.test/",
        " http://allowed.test/",
        "http://allowed.test/a b",
        "http://allowed.test/#f",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://*/",
    ] {
        check(&[(rule, url, "bad-request"), ("-A", url, "bad-request")]);
    }
}

#[test]
fn net_international_names_compare_in_punycode() {
    check(&[
        ("--allow-net=http://exämple.test", "http://xn--exmple-cua.test/", "permit"),
        ("--allow-net=http://xn--exmple-cua.test", "http://EXÄMPLE.test/", "permit"),
        ("--allow-net=http://apple.test", "http://\u{430}pple.test/", "no-grant"),
        ("--allow-net=http://allowed.test", "http://ａｌｌｏｗｅｄ.test/", "permit"),
    ]);
    let look_alike = Request::Http { method: "GET", url: "https://\u{430}pple.test/x" };
    assert_eq!(suggest(&policy::<&str>(&[]), &look_alike).as_deref(), Some("--allow-net=https://xn--pple-43d.test"));
}

#[test]
fn net_host_patterns_that_mean_nothing_or_too_much_are_refused() {
    for (pattern, reason) in [
        ("", "empty"),
        ("*", "--dangerously-allow"),
        ("http://*", "--dangerously-allow"),
        ("*.", "needs a name"),
        ("*.com", "two labels"),
        ("*.localhost", "two labels"),
        ("*allowed.test", "whole labels"),
        ("a.*.test", "whole labels"),
        ("*.127.0.0.1", "before an address"),
        ("http://", "host is missing"),
        ("ftp://allowed.test", "http or https"),
        ("allowed.test/path", "a path cannot"),
        ("allowed.test/", "a path cannot"),
        ("allowed.test?q", "a query cannot"),
        ("allowed.test#f", "a fragment cannot"),
        ("u@allowed.test", "user name"),
        ("allowed%2etest", "percent"),
        ("allowed.test:0", "1 to 65535"),
        ("allowed.test:99999", "1 to 65535"),
        ("allowed.test:", "1 to 65535"),
        ("allowed.test:http", "1 to 65535"),
        ("allowed.test:+1", "1 to 65535"),
        ("[::1", "IPv6"),
        ("::1", "brackets"),
        ("1.2.3.4.5", "malformed"),
        ("a..test", "not a host name"),
        ("allowed test", "no host has"),
        ("10.0.0.0/33", "0 to 32"),
        ("10.0.0.0/x", "0 to 32"),
        ("::/129", "0 to 128"),
        ("10.0.0.0/8", "can be denied but not allowed"),
    ] {
        let refused = refusal(&[format!("--allow-net={pattern}")]);
        assert!(refused.contains(reason), "{pattern:?}: {refused}");
        if !["*", "http://*", "*.com", "*.localhost", "10.0.0.0/8"].contains(&pattern) {
            assert!(refusal(&[format!("--deny-net={pattern}")]).contains(reason), "deny {pattern:?}");
        }
    }
}

#[test]
fn net_deny_covers_hosts_ports_and_ranges() {
    let with = |deny: &str| {
        policy(&[
            "--allow-net=https://a.test,http://a.test,http://10.1.2.3,http://localhost".to_owned(),
            format!("--deny-net={deny}"),
        ])
    };
    for (deny, url, expected) in [
        ("a.test", "https://a.test/", "deny-rule"),
        ("a.test", "http://a.test/", "deny-rule"),
        ("http://a.test", "http://a.test/", "deny-rule"),
        ("http://a.test", "https://a.test/", "permit"),
        ("http://a.test:443", "https://a.test/", "permit"),
        ("https://a.test:443", "https://a.test/", "deny-rule"),
        ("a.test:80", "http://a.test/", "deny-rule"),
        ("a.test:80", "https://a.test/", "permit"),
        ("*", "https://a.test/", "deny-rule"),
        ("*.test", "https://a.test/", "deny-rule"),
        ("10.0.0.0/8", "http://10.1.2.3/", "deny-rule"),
        ("11.0.0.0/8", "http://10.1.2.3/", "permit"),
        ("0.0.0.0/0", "http://10.1.2.3/", "deny-rule"),
        ("::ffff:0:0/96", "http://10.1.2.3/", "deny-rule"),
        ("127.0.0.0/8", "http://localhost/", "deny-rule"),
        ("127.0.0.1", "http://localhost/", "deny-rule"),
        ("localhost", "http://127.0.0.1/", "deny-rule"),
        ("b.test", "https://a.test/", "permit"),
    ] {
        assert_eq!(http(&with(deny), url), expected, "{deny} asked for {url}");
    }
}

#[test]
fn net_url_rule_matches_method_and_whole_path_segments() {
    let rule = "--allow-http=GET https://api.test/v1/items";
    check(&[
        (rule, "https://api.test/v1/items", "permit"),
        (rule, "https://api.test/v1/items/", "permit"),
        (rule, "https://api.test/v1/items/7?x=1", "permit"),
        (rule, "https://api.test/v1/items?x=../", "permit"),
        (rule, "https://api.test/v1/itemsx", "no-grant"),
        (rule, "https://api.test/v1", "no-grant"),
        (rule, "https://api.test/", "no-grant"),
        (rule, "https://other.test/v1/items", "no-grant"),
        (rule, "http://api.test/v1/items", "no-grant"),
        ("--allow-http=GET https://api.test", "https://api.test/x", "permit"),
        ("--allow-http=GET https://api.test/", "https://api.test/x", "permit"),
        ("--allow-http=* https://api.test/v1", "https://api.test/v1", "permit"),
        ("--allow-http=POST https://api.test/v1", "https://api.test/v1", "no-grant"),
    ]);
    let lower = decide(&policy(&[rule]), &Request::Http { method: "get", url: "https://api.test/v1/items" });
    assert_eq!(answer(&lower), "no-grant");
}

#[test]
fn net_url_rule_is_not_tricked_by_path_spellings() {
    let rule = "--allow-http=GET https://api.test/v1/items";
    for path in [
        "/v1/items/../admin",
        "/v1/items/..",
        "/v1/items/./x",
        "/v1/items/%2e%2e/admin",
        "/v1/items/%2E./admin",
        "/v1/items/..%2fadmin",
        "/v1/items//x",
        "/v1/items/..;x/admin",
        "/x/../v1/items",
        "/v1/items/%5c",
        "/v1/items/%00",
    ] {
        check(&[
            (rule, &format!("https://api.test{path}"), "bad-request"),
            ("--allow-net=api.test", &format!("https://api.test{path}"), "permit"),
        ]);
    }
}

#[test]
fn net_url_rule_junk_is_refused() {
    for (rule, reason) in [
        ("https://api.test/v1", "a method and a URL prefix"),
        ("get https://api.test", "in capitals"),
        ("G(T https://api.test", "in capitals"),
        ("GET api.test/v1", "starts with http"),
        ("GET ftp://api.test/v1", "http or https"),
        ("GET https://api.test/v1?x", "query"),
        ("GET https://api.test/a/../b", ". or .."),
        ("GET https://api.test//b", ". or .."),
        ("GET https://api.test/a%2fb", ". or .."),
        ("GET https://api.test/a b", "percent encoding"),
        ("GET https://*.com/a", "two labels"),
        ("GET https://*/a", "--dangerously-allow"),
        ("GET https://u@api.test/a", "user name"),
    ] {
        let refused = refusal(&[format!("--allow-http={rule}")]);
        assert!(refused.contains(reason), "{rule}: {refused}");
    }
}

#[test]
fn net_methods_that_tunnel_or_echo_are_not_offered() {
    let policy = policy(&["-A"]);
    for (method, expected) in [
        ("GET", "permit"),
        ("PURGE", "permit"),
        ("CONNECT", "not-supported"),
        ("connect", "not-supported"),
        ("TRACE", "not-supported"),
        ("", "bad-request"),
        ("G T", "bad-request"),
        ("GET\r\nX", "bad-request"),
    ] {
        assert_eq!(answer(&decide(&policy, &Request::Http { method, url: "https://a.test/" })), expected, "{method:?}");
    }
}

#[test]
fn net_lookup_is_only_for_hosts_that_some_rule_covers() {
    let policy = policy(&[
        "--allow-net=https://allowed.test",
        "--allow-tcp=db.test:5432",
        "--allow-http=GET https://api.test/v1",
        "--deny-net=bad.allowed.test",
    ]);
    for (name, expected) in [
        ("allowed.test", "permit"),
        ("ALLOWED.test.", "permit"),
        ("db.test", "permit"),
        ("api.test", "permit"),
        ("x.denied.test", "no-grant"),
        ("secret.allowed.test", "no-grant"),
        ("bad.allowed.test", "deny-rule"),
        ("", "bad-request"),
        ("a b", "bad-request"),
        ("allowed.test/x", "bad-request"),
    ] {
        assert_eq!(answer(&decide(&policy, &Request::Dns { name })), expected, "{name:?}");
    }
}

#[test]
fn net_tcp_is_its_own_grant() {
    let both = policy(&["--allow-tcp=db.test:5432,127.0.0.1:6379", "--allow-net=https://allowed.test"]);
    for (host, port, expected) in [
        ("db.test", 5432, "permit"),
        ("DB.test", 5432, "permit"),
        ("db.test", 5433, "no-grant"),
        ("allowed.test", 443, "no-grant"),
        ("127.0.0.1", 6379, "permit"),
        ("[::ffff:7f00:1]", 6379, "permit"),
        ("localhost", 6379, "no-grant"),
        ("db.test", 0, "bad-request"),
        ("", 1, "bad-request"),
    ] {
        assert_eq!(answer(&decide(&both, &Request::Tcp { host, port })), expected, "{host}:{port}");
    }
    assert_eq!(http(&both, "https://db.test:5432/"), "no-grant");
    assert!(refusal(&["--allow-tcp=db.test"]).contains("host:port"));
    assert!(refusal(&["--allow-tcp=http://db.test:1"]).contains("host:port"));
    assert!(refusal(&["--allow-tcp=*:1"]).contains("--dangerously-allow"));
}

#[test]
fn net_permit_leads_to_the_host_in_its_only_spelling() {
    let policy = policy(&[
        "--allow-net=https://allowed.test,http://allowed.test:8080,http://[2606:4700::1111]",
        "--allow-net=http://allowed.test:443,https://allowed.test:80",
        "--allow-http=GET http://127.0.0.1/v1",
        "--allow-tcp=db.test:5432",
    ]);
    for (request, shown, authority) in [
        (Request::Http { method: "GET", url: "HTTPS://ALLOWED.test.:443/x?q" }, "https://allowed.test", "allowed.test"),
        (
            Request::Http { method: "GET", url: "http://allowed.test:8080" },
            "http://allowed.test:8080",
            "allowed.test:8080",
        ),
        (
            Request::Http { method: "GET", url: "http://[2606:4700:0::1111]:80/" },
            "http://[2606:4700::1111]",
            "[2606:4700::1111]",
        ),
        (Request::Http { method: "GET", url: "http://0x7f.1/v1" }, "http://127.0.0.1", "127.0.0.1"),
        (
            Request::Http { method: "GET", url: "http://allowed.test:443" },
            "http://allowed.test:443",
            "allowed.test:443",
        ),
        (Request::Http { method: "GET", url: "https://allowed.test:80" }, "https://allowed.test:80", "allowed.test:80"),
        (Request::Tcp { host: "DB.test", port: 5432 }, "db.test:5432", "db.test:5432"),
        (Request::Dns { name: "DB.test." }, "db.test:0", "db.test:0"),
    ] {
        let permit = decide(&policy, &request).unwrap();
        let end = permit.endpoint().unwrap();
        assert_eq!((end.to_string().as_str(), end.authority().as_str()), (shown, authority), "{request:?}");
    }
    let clock = decide(&policy, &Request::Clock).unwrap();
    assert_eq!(clock.endpoint(), None);
}

#[test]
fn net_secret_is_bound_to_one_origin() {
    let bound = policy(&["--secret=API_KEY@https://api.example.com"]);
    assert_eq!(bound.net().secrets()[0].name, "API_KEY");
    assert_eq!(bound.net().secrets()[0].origin.to_string(), "https://api.example.com");
    assert_eq!(http(&bound, "https://api.example.com/"), "no-grant");
    for (secret, reason) in [
        ("API_KEY", "NAME@ORIGIN"),
        ("@https://a.test", "name of one variable"),
        ("A*@https://a.test", "name of one variable"),
        ("A@https://*.a.test", "one host"),
        ("A@", "missing"),
        ("A@u@a.test", "user name"),
    ] {
        assert!(refusal(&[format!("--secret={secret}")]).contains(reason), "{secret}");
    }
}

#[test]
fn net_secret_goes_to_its_origin_and_to_nothing_near_it() {
    let policy = policy(&[
        "--secret=KEY@https://api.test,KEY@http://127.0.0.1:8080",
        "--secret=KEY@https://API.test.:443",
        "--allow-net=https://api.test,http://api.test:443,http://api.test,https://api.test:444,https://a.api.test",
        "--allow-net=http://127.0.0.1:8080,http://127.0.0.2:8080,http://localhost:8080",
        "--allow-tcp=api.test:443",
    ]);
    let [first, second] = policy.net().secrets() else { panic!("{:?}", policy.net().secrets()) };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("KEY", "KEY"));
    let goes = |request: &Request<'_>| {
        let permit = decide(&policy, request).unwrap();
        let end = permit.endpoint().unwrap();
        (first.goes_to(end), second.goes_to(end))
    };
    for (url, expected) in [
        ("https://api.test/", (true, false)),
        ("https://API.TEST:443/", (true, false)),
        ("http://api.test:443/", (false, false)),
        ("http://api.test/", (false, false)),
        ("https://api.test:444/", (false, false)),
        ("https://a.api.test/", (false, false)),
        ("http://127.0.0.1:8080/", (false, true)),
        ("http://127.1:8080/", (false, true)),
        ("http://127.0.0.2:8080/", (false, false)),
        ("http://localhost:8080/", (false, false)),
    ] {
        assert_eq!(goes(&Request::Http { method: "GET", url }), expected, "{url}");
    }
    assert_eq!(goes(&Request::Tcp { host: "api.test", port: 443 }), (false, false), "a socket has no headers");
    assert_eq!(goes(&Request::Dns { name: "api.test" }), (false, false));
}

#[test]
fn net_secret_that_helps_nobody_or_is_sent_openly_is_warned_of() {
    for (flags, expected) in [
        (&["--allow-net=https://api.test"][..], &[][..]),
        (&["--allow-http=POST https://api.test/v1"], &[]),
        (
            &["--allow-net=*.api.test", "--allow-net=*", "--dangerously-allow"],
            &["--allow-net=* gives the tool every public host"],
        ),
        (&[], &["nothing allows requests to https://api.test"]),
        (&["--allow-net=http://api.test"], &["nothing allows requests to https://api.test"]),
        (&["--allow-net=https://api.test:444"], &["nothing allows requests to https://api.test"]),
        (&["--allow-tcp=api.test:443"], &["nothing allows requests to https://api.test"]),
        (
            &["--allow-net=api.test", "--deny-net=api.test"],
            &["has no effect: --deny-net=api.test denies requests to https://api.test"],
        ),
        (&["--allow-net=api.test", "--deny-net=http://api.test"], &[]),
    ] {
        let mut all = vec!["--secret=KEY@https://api.test"];
        all.extend(flags);
        let policy = policy(&all);
        assert_eq!(policy.warnings().len(), expected.len(), "{flags:?}: {:?}", policy.warnings());
        for (warning, text) in policy.warnings().iter().zip(expected) {
            assert!(warning.contains(text), "{flags:?}: {warning}");
        }
    }
    for (origin, more, open) in [
        ("http://api.test", None, true),
        ("https://api.test", None, false),
        ("http://127.0.0.1:1", None, false),
        ("http://localhost", None, false),
        ("http://8.8.8.8", None, true),
        ("http://api.test", Some("--resolve=api.test=127.0.0.1"), false),
        ("http://api.test", Some("--resolve=api.test=127.0.0.1,api.test=8.8.8.8"), true),
    ] {
        let mut flags = vec![format!("--secret=KEY@{origin}"), format!("--allow-net={origin}")];
        flags.extend(more.map(str::to_owned));
        let warnings = policy(&flags).warnings().to_vec();
        let expected = if open { vec![format!("--secret=KEY@{origin} would be sent in clear text")] } else { vec![] };
        assert_eq!(warnings, expected, "{flags:?}");
    }
    let wide = policy(&["--allow-net=http://*", "--dangerously-allow", "--secret=KEY@http://127.0.0.1"]);
    assert!(wide.warnings().iter().any(|warning| warning.ends_with("nothing allows requests to http://127.0.0.1")));
    let local = policy(&["-A", "--secret=KEY@http://127.0.0.1"]);
    assert!(local.warnings()[1].ends_with("nothing allows requests to http://127.0.0.1"), "{:?}", local.warnings());
    assert_eq!(policy(&["-A", "--secret=KEY@https://api.test"]).warnings().len(), 1);
}

#[test]
fn net_suggestion_is_the_origin_and_allows_it() {
    for (request, expected) in [
        (Request::Http { method: "GET", url: "https://api.example.com/v1?q" }, "--allow-net=https://api.example.com"),
        (
            Request::Http { method: "GET", url: "http://api.example.com:8080/" },
            "--allow-net=http://api.example.com:8080",
        ),
        (Request::Http { method: "GET", url: "http://2130706433:81/" }, "--allow-net=http://127.0.0.1:81"),
        (Request::Http { method: "GET", url: "http://[::1]:81/" }, "'--allow-net=http://[::1]:81'"),
        (Request::Dns { name: "api.example.com" }, "--allow-net=https://api.example.com"),
        (Request::Tcp { host: "db.test", port: 5432 }, "--allow-tcp=db.test:5432"),
        (Request::Udp { host: "NTP.test", port: 123 }, "--allow-udp=ntp.test:123"),
        (Request::UdpReceive { host: "[::1]", port: 123 }, "'--allow-udp=[::1]:123'"),
        (Request::TcpBind { host: "127.0.0.1", port: 0 }, "--allow-listen=127.0.0.1:0"),
        (Request::TcpListen { host: "[::1]", port: 80 }, "'--allow-listen=[::1]:80'"),
    ] {
        let flag = suggest(&policy::<&str>(&[]), &request).unwrap();
        assert_eq!(flag, expected);
        assert_eq!(answer(&decide(&policy(&[flag.trim_matches('\'')]), &request)), "permit");
    }
    let nothing = policy(&["--deny-net=a.test,127.0.0.1"]);
    for request in [
        Request::Http { method: "GET", url: "https://a.test/" },
        Request::Http { method: "GET", url: "junk" },
        Request::Udp { host: "a.test", port: 1 },
        Request::Udp { host: "b.test", port: 0 },
        Request::UdpReceive { host: "b.test", port: 0 },
        Request::TcpListen { host: "b.test", port: 1 },
        Request::TcpListen { host: "127.0.0.1", port: 1 },
        Request::TcpBind { host: "0.0.0.0", port: 0 },
        Request::UdpBind { host: "127.0.0.2", port: 1 },
        Request::TcpAccept { host: "127.0.0.2", port: 1 },
        Request::TcpCreate,
        Request::UdpCreate,
    ] {
        assert_eq!(suggest(&nothing, &request), None);
    }
}

#[test]
fn net_host_reads_its_own_text() {
    for text in ["a.test", "127.0.0.1", "[::1]", "[2001:db8::1]", "xn--exmple-cua.test", "under_score.test"] {
        assert_eq!(Host::parse(text).unwrap().to_string(), text);
    }
}
