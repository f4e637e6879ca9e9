//! Sockets: making one, binding it, and every end that it reaches or that reaches it.

use customs_policy::{Capability, Policy, Request, decide};

use crate::world::{answer, policy, refusal};

fn ask(policy: &Policy, request: &Request<'_>) -> &'static str {
    answer(&decide(policy, request))
}

#[test]
fn sockets_are_made_where_some_rule_could_use_one() {
    for (flags, tcp, udp) in [
        (&[][..], "no-grant", "no-grant"),
        (&["--allow-net=https://a.test"], "no-grant", "no-grant"),
        (&["--allow-http=GET http://127.0.0.1/"], "no-grant", "no-grant"),
        (&["--resolve=a.test=127.0.0.1"], "no-grant", "no-grant"),
        (&["--allow-tcp=a.test:1"], "permit", "no-grant"),
        (&["--allow-listen=127.0.0.1:0"], "permit", "no-grant"),
        (&["--allow-udp=a.test:1"], "no-grant", "permit"),
        (&["-A"], "permit", "permit"),
    ] {
        let policy = policy(flags);
        let grants = flags.iter().any(|flag| flag.starts_with("--allow") || *flag == "-A");
        assert_eq!(policy.net().is_empty(), !grants, "{flags:?}");
        for any in ["0.0.0.0", "[::]", "[::ffff:0.0.0.0]"] {
            assert_eq!(ask(&policy, &Request::TcpBind { host: any, port: 0 }), tcp, "{flags:?}");
            assert_eq!(ask(&policy, &Request::UdpBind { host: any, port: 0 }), udp, "{flags:?}");
        }
        assert_eq!((ask(&policy, &Request::TcpCreate), ask(&policy, &Request::UdpCreate)), (tcp, udp), "{flags:?}");
    }
}

#[test]
fn sockets_udp_is_its_own_grant_both_ways() {
    let policy = policy(&["--allow-udp=ntp.test:123,127.0.0.1:53", "--allow-tcp=db.test:5432", "--deny-net=127.0.0.3"]);
    for (host, port, expected) in [
        ("ntp.test", 123, "permit"),
        ("NTP.test.", 123, "permit"),
        ("ntp.test", 124, "no-grant"),
        ("xntp.test", 123, "no-grant"),
        ("db.test", 5432, "no-grant"),
        ("127.0.0.1", 53, "permit"),
        ("[::ffff:7f00:1]", 53, "permit"),
        ("127.0.0.2", 53, "no-grant"),
        ("127.0.0.3", 53, "deny-rule"),
        ("localhost", 53, "no-grant"),
        ("", 53, "bad-request"),
        ("a b", 53, "bad-request"),
    ] {
        assert_eq!(ask(&policy, &Request::Udp { host, port }), expected, "to {host}:{port}");
        assert_eq!(ask(&policy, &Request::UdpReceive { host, port }), expected, "from {host}:{port}");
    }
    assert_eq!(ask(&policy, &Request::Udp { host: "ntp.test", port: 0 }), "bad-request");
    assert_eq!(ask(&policy, &Request::UdpReceive { host: "127.0.0.1", port: 0 }), "no-grant");
    assert_eq!(ask(&policy, &Request::Tcp { host: "ntp.test", port: 123 }), "no-grant");
    let permit = decide(&policy, &Request::UdpReceive { host: "127.1", port: 53 }).unwrap();
    assert_eq!(permit.endpoint().unwrap().to_string(), "127.0.0.1:53");
    for name in ["ntp.test", "db.test"] {
        assert_eq!(ask(&policy, &Request::Dns { name }), "permit", "{name}");
    }
    assert!(refusal(&["--allow-udp=ntp.test"]).contains("host:port"));
    assert!(refusal(&["--allow-udp=udp://ntp.test:1"]).contains("http or https"));
    assert!(refusal(&["--allow-udp=ntp.test:0"]).contains("1 to 65535"));
    assert!(refusal(&["--allow-udp=*:1"]).contains("--dangerously-allow"));
    assert!(refusal(&["--allow-udp=10.0.0.0/8:1"]).contains("path"));
}

#[test]
fn sockets_udp_everything_flag_leaves_local_ends_closed() {
    let policy = policy(&["-A"]);
    for (host, expected) in [("8.8.8.8", "permit"), ("127.0.0.1", "prohibited-address"), ("a.test", "permit")] {
        assert_eq!(ask(&policy, &Request::Udp { host, port: 53 }), expected, "{host}");
        assert_eq!(ask(&policy, &Request::UdpReceive { host, port: 53 }), expected, "{host}");
        assert_eq!(ask(&policy, &Request::Tcp { host, port: 53 }), expected, "{host}");
    }
}

#[test]
fn sockets_udp_is_never_bound_to_an_end_of_the_guests_choice() {
    for flags in [&["--allow-udp=127.0.0.1:53"][..], &["--allow-listen=127.0.0.1:53"], &["-A"]] {
        let policy = policy(flags);
        for (host, port) in [("127.0.0.1", 53), ("127.0.0.1", 0), ("0.0.0.0", 53), ("[::1]", 0)] {
            assert_eq!(ask(&policy, &Request::UdpBind { host, port }), "no-grant", "{flags:?}: {host}:{port}");
        }
        assert_eq!(ask(&policy, &Request::UdpBind { host: "localhost", port: 0 }), "bad-request");
    }
}

#[test]
fn sockets_listen_on_exactly_the_ends_that_are_granted() {
    for (grant, host, port, expected) in [
        ("127.0.0.1:8080", "127.0.0.1", 8080, "permit"),
        ("127.0.0.1:8080", "127.0.0.1", 8081, "no-grant"),
        ("127.0.0.1:8080", "127.0.0.1", 0, "no-grant"),
        ("127.0.0.1:8080", "127.0.0.2", 8080, "no-grant"),
        ("127.0.0.1:8080", "0.0.0.0", 8080, "no-grant"),
        ("127.0.0.1:8080", "[::1]", 8080, "no-grant"),
        ("127.0.0.1:8080", "[::ffff:127.0.0.1]", 8080, "permit"),
        ("127.1:8080", "127.0.0.1", 8080, "permit"),
        ("127.0.0.1:0", "127.0.0.1", 0, "permit"),
        ("127.0.0.1:0", "127.0.0.1", 8080, "no-grant"),
        ("127.0.0.1:0", "127.0.0.2", 0, "no-grant"),
        ("localhost:8080", "127.0.0.1", 8080, "permit"),
        ("localhost:8080", "[::1]", 8080, "permit"),
        ("localhost:8080", "127.0.0.2", 8080, "no-grant"),
        ("[::1]:8080", "[::1]", 8080, "permit"),
        ("[::1]:8080", "127.0.0.1", 8080, "no-grant"),
        ("0.0.0.0:8080", "0.0.0.0", 8080, "permit"),
        ("0.0.0.0:8080", "127.0.0.1", 8080, "no-grant"),
        ("0.0.0.0:8080", "[::]", 8080, "no-grant"),
        ("localhost:8080", "localhost", 8080, "bad-request"),
        ("localhost:8080", "", 8080, "bad-request"),
    ] {
        let policy = policy(&[format!("--allow-listen={grant}")]);
        for request in [Request::TcpBind { host, port }, Request::TcpListen { host, port }] {
            assert_eq!(ask(&policy, &request), expected, "{grant}: {request:?}");
            assert_eq!(request.capability(), Capability::TcpListen);
            if expected == "permit" {
                let permit = decide(&policy, &request).unwrap();
                assert_eq!(permit.endpoint().unwrap().port, port);
                assert_eq!(
                    (permit.capability(), &**permit.rule()),
                    (Capability::TcpListen, &*format!("--allow-listen={grant}"))
                );
            }
        }
    }
}

#[test]
fn sockets_bound_for_connecting_cannot_listen() {
    let client = policy(&["--allow-tcp=db.test:5432"]);
    let any = Request::TcpBind { host: "0.0.0.0", port: 0 };
    assert_eq!((ask(&client, &any), any.capability()), ("permit", Capability::TcpConnect));
    assert_eq!(ask(&client, &Request::TcpListen { host: "0.0.0.0", port: 0 }), "no-grant");
    let server = policy(&["--allow-listen=0.0.0.0:0"]);
    assert_eq!(ask(&server, &Request::TcpListen { host: "0.0.0.0", port: 0 }), "permit");
    assert_eq!(ask(&server, &Request::Tcp { host: "db.test", port: 5432 }), "no-grant");
}

#[test]
fn sockets_accept_whom_no_rule_denies() {
    let open = policy(&["--allow-listen=127.0.0.1:0"]);
    let picky = policy(&["--allow-listen=127.0.0.1:0", "--deny-net=127.0.0.2,10.0.0.1:7"]);
    for (host, port, expected) in [
        ("127.0.0.1", 40000, "permit"),
        ("127.0.0.2", 40000, "deny-rule"),
        ("[::ffff:127.0.0.2]", 40000, "deny-rule"),
        ("10.0.0.1", 7, "deny-rule"),
        ("10.0.0.1", 8, "permit"),
        ("93.184.216.34", 40000, "permit"),
        ("localhost", 40000, "bad-request"),
    ] {
        let request = Request::TcpAccept { host, port };
        assert_eq!(ask(&picky, &request), expected, "{host}");
        assert_eq!(ask(&open, &request), if expected == "deny-rule" { "permit" } else { expected }, "{host}");
    }
    for flags in [&["--allow-tcp=127.0.0.1:1"][..], &["-A"]] {
        assert_eq!(ask(&policy(flags), &Request::TcpAccept { host: "127.0.0.1", port: 1 }), "no-grant", "{flags:?}");
    }
}

#[test]
fn sockets_deny_wins_over_every_grant() {
    let with = |deny: &str| {
        policy(&[
            "--allow-tcp=127.0.0.1:1".to_owned(),
            "--allow-udp=127.0.0.1:1".to_owned(),
            "--allow-listen=127.0.0.1:1".to_owned(),
            format!("--deny-net={deny}"),
        ])
    };
    let (host, port) = ("127.0.0.1", 1);
    for (deny, expected) in [
        ("127.0.0.1", "deny-rule"),
        ("127.0.0.2", "permit"),
        ("127.0.0.0/8", "deny-rule"),
        ("127.0.0.1:1", "deny-rule"),
        ("127.0.0.1:2", "permit"),
        ("http://127.0.0.1:1", "deny-rule"),
        ("http://127.0.0.1", "permit"),
        ("localhost", "deny-rule"),
        ("*", "deny-rule"),
    ] {
        let policy = with(deny);
        for request in [
            Request::Tcp { host, port },
            Request::TcpBind { host, port },
            Request::TcpListen { host, port },
            Request::TcpAccept { host, port },
            Request::Udp { host, port },
            Request::UdpReceive { host, port },
        ] {
            assert_eq!(ask(&policy, &request), expected, "{deny}: {request:?}");
        }
        let bind = if expected == "permit" { "no-grant" } else { expected };
        assert_eq!(ask(&policy, &Request::UdpBind { host, port }), bind, "{deny}");
    }
}

#[test]
fn sockets_listen_rules_that_mean_nothing_are_refused_and_open_ones_warned_of() {
    for (rule, reason) in [
        ("", "empty"),
        ("127.0.0.1", "ADDRESS:PORT"),
        ("8080", "ADDRESS:PORT"),
        (":8080", "ADDRESS:PORT"),
        ("*:8080", "ADDRESS:PORT"),
        ("10.0.0.0/8:8080", "ADDRESS:PORT"),
        ("http://127.0.0.1:8080", "ADDRESS:PORT"),
        ("a.test:8080", "ADDRESS:PORT"),
        ("a.localhost:8080", "ADDRESS:PORT"),
        ("127.0.0.1:", "65535, or 0"),
        ("127.0.0.1:65536", "65535, or 0"),
        ("127.0.0.1:00", "65535, or 0"),
        ("127.0.0.1:+1", "65535, or 0"),
        ("::1:8080", "brackets"),
        ("[::1:8080", "malformed"),
    ] {
        let refused = refusal(&[format!("--allow-listen={rule}")]);
        assert!(refused.contains(reason) && !refused.contains('\n'), "{rule:?}: {refused}");
    }
    for (rule, open) in [
        ("127.0.0.1:1", false),
        ("127.0.0.2:1", false),
        ("[::1]:1", false),
        ("localhost:0", false),
        ("0.0.0.0:0", true),
        ("[::]:1", true),
        ("192.168.1.2:1", true),
        ("[::ffff:0.0.0.0]:1", true),
    ] {
        let flag = format!("--allow-listen={rule}");
        let expected = if open { vec![format!("{flag} is reachable from other machines")] } else { vec![] };
        assert_eq!(policy(&[flag]).warnings(), expected, "{rule}");
    }
}
