//! Rules that hold for every kind of access: deny wins, layers, limits, what is said about a policy.

use std::time::Duration;

use customs_policy::Capability::{FsList, FsRead, FsStat, FsWrite};
use customs_policy::{Capability, Clock, Policy, Random, Request, decide, suggest};

use crate::world::{World, answer, http, layer, path, policy, refusal};

#[test]
fn rules_nothing_is_granted_by_an_empty_policy() {
    let policy = policy::<&str>(&[]);
    for capability in [FsRead, FsWrite, FsList, FsStat] {
        assert_eq!(path(&policy, capability, "/data/a.txt", None), "no-grant");
    }
    for (request, expected) in every_other_request() {
        assert_eq!(answer(&decide(&policy, &request)), expected, "{request:?}");
    }
    assert!(
        policy.mounts().is_empty() && policy.env().is_empty() && policy.grants().is_empty() && policy.net().is_empty()
    );
}

fn every_other_request() -> Vec<(Request<'static>, &'static str)> {
    vec![
        (Request::Env { name: "APP_KEY" }, "no-grant"),
        (Request::Http { method: "GET", url: "https://allowed.test/" }, "no-grant"),
        (Request::Dns { name: "allowed.test" }, "no-grant"),
        (Request::Tcp { host: "allowed.test", port: 1 }, "no-grant"),
        (Request::TcpCreate, "no-grant"),
        (Request::TcpBind { host: "0.0.0.0", port: 0 }, "no-grant"),
        (Request::TcpBind { host: "127.0.0.1", port: 1 }, "no-grant"),
        (Request::TcpListen { host: "127.0.0.1", port: 1 }, "no-grant"),
        (Request::TcpAccept { host: "127.0.0.1", port: 1 }, "no-grant"),
        (Request::UdpCreate, "no-grant"),
        (Request::UdpBind { host: "[::]", port: 0 }, "no-grant"),
        (Request::UdpBind { host: "127.0.0.1", port: 1 }, "no-grant"),
        (Request::Udp { host: "allowed.test", port: 1 }, "no-grant"),
        (Request::UdpReceive { host: "93.184.216.34", port: 1 }, "no-grant"),
        (Request::Clock, "permit"),
        (Request::Random, "permit"),
        (Request::StdioRead, "permit"),
        (Request::StdioWrite, "permit"),
    ]
}

#[test]
fn rules_every_capability_has_a_request() {
    let mut asked: Vec<Capability> = every_other_request().iter().map(|(request, _)| request.capability()).collect();
    asked.extend([FsRead, FsWrite, FsList, FsStat]);
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked, Capability::ALL);
}

#[test]
fn rules_everything_flag_opens_all_but_local_ends() {
    let policy = policy(&["-A"]);
    for (request, _) in every_other_request() {
        let local = match request {
            Request::TcpBind { port, .. } | Request::UdpBind { port, .. } => port > 0,
            Request::TcpListen { .. } | Request::TcpAccept { .. } => true,
            _ => false,
        };
        let expected = if local { "no-grant" } else { "permit" };
        assert_eq!(answer(&decide(&policy, &request)), expected, "{request:?}");
    }
}

/// The table in the documentation of `decide`, for paths.
#[test]
fn rules_deny_beats_allow_in_every_order_and_specificity() {
    let inside = "/data/private/key";
    let around = "/data/a.txt";
    // flags, answer inside, answer around it
    let cases: [(&[&str], &str, &str); 14] = [
        (&["--allow-read=./data"], "permit", "permit"),
        (&["--deny-read=./data"], "no-grant", "no-grant"),
        (&["--allow-read=./data", "--deny-read=./data"], "deny-rule", "deny-rule"),
        (&["--allow-read=./data", "--deny-read=./data/private"], "deny-rule", "permit"),
        (&["--allow-read=./data/private", "--deny-read=./data"], "deny-rule", "no-grant"),
        (&["--allow-read=./data", "--deny-read=./data/private/key"], "deny-rule", "permit"),
        (&["--allow-read=./data", "--deny-read=/data/private"], "deny-rule", "permit"),
        (&["--allow-read=./data", "--deny-read=/"], "deny-rule", "deny-rule"),
        (&["--allow-read=./data", "--deny-read=./alias/private"], "deny-rule", "permit"),
        (&["--allow-read=./data", "--deny-read=/tmp/home/project/data/private"], "deny-rule", "permit"),
        (&["--allow-read=./alias::/data", "--deny-read=./data/private"], "deny-rule", "permit"),
        (&["--allow-read=./data", "--deny-read=./data/priv"], "permit", "permit"),
        (&["--allow-read=./data", "--deny-read=./DATA/PRIVATE"], "permit", "permit"),
        (&["-A", "--deny-read=/data/private"], "deny-rule", "permit"),
    ];
    for (flags, expected_inside, expected_around) in cases {
        let reversed: Vec<&str> = flags.iter().rev().copied().collect();
        for flags in [flags, reversed.as_slice()] {
            let together = policy(flags);
            let layers: Vec<_> = flags.iter().map(|flag| layer(&[*flag])).collect();
            let apart = Policy::build(&layers, &World::new()).unwrap();
            for policy in [together, apart] {
                for capability in [FsRead, FsList, FsStat] {
                    assert_eq!(path(&policy, capability, inside, None), expected_inside, "{flags:?}");
                    assert_eq!(path(&policy, capability, around, None), expected_around, "{flags:?}");
                }
            }
        }
    }
}

#[test]
fn rules_deny_names_the_rule_and_suggests_nothing() {
    let policy = policy(&["--allow-read=./data", "--deny-read=./data/private"]);
    let guest = customs_policy::GuestPath::parse("/data/private").unwrap();
    let request = Request::Path { capability: FsRead, guest: &guest, host: None };
    let denial = decide(&policy, &request).unwrap_err();
    assert_eq!(denial.rule.as_deref(), Some("--deny-read=./data/private"));
    assert_eq!(suggest(&policy, &request), None);
}

#[test]
fn rules_deny_read_also_denies_changes_and_deny_write_only_those() {
    let reading = policy(&["--allow-write=./data", "--deny-read=./data/private"]);
    let writing = policy(&["--allow-write=./data", "--deny-write=./data/private"]);
    assert_eq!(path(&reading, FsWrite, "/data/private/key", None), "deny-rule");
    assert_eq!(path(&writing, FsWrite, "/data/private/key", None), "deny-rule");
    assert_eq!(path(&writing, FsRead, "/data/private/key", None), "permit");
    assert_eq!(path(&writing, FsWrite, "/data/a.txt", None), "permit");
}

#[test]
fn rules_deny_holds_on_the_real_path_whatever_the_name() {
    let policy = policy(&["--allow-write=./data", "--deny-read=./data/private"]);
    let key = Some("/home/me/project/data/private/key");
    assert_eq!(path(&policy, FsRead, "/data/sub/link", key), "deny-rule");
    assert_eq!(path(&policy, FsRead, "/data/sub/link", Some("/home/me/project/data/a.txt")), "permit");
}

#[test]
fn rules_deny_of_a_link_denies_the_name_and_the_target() {
    let policy = policy(&["--allow-read=./data", "--allow-read=/outside", "--deny-read=./data/leak"]);
    assert_eq!(path(&policy, FsRead, "/data/leak", None), "deny-rule");
    assert_eq!(path(&policy, FsRead, "/outside/canary", None), "deny-rule");
    assert_eq!(path(&policy, FsRead, "/data/a.txt", None), "permit");
}

#[test]
fn rules_deny_of_a_path_that_does_not_exist_yet_holds_later() {
    let policy = policy(&["--allow-write=./data", "--deny-write=./alias/new/deep"]);
    assert_eq!(path(&policy, FsWrite, "/data/new/deep/file", None), "deny-rule");
    assert_eq!(path(&policy, FsWrite, "/data/new/other", None), "permit");
}

#[test]
fn rules_deny_beats_allow_for_variables_and_network() {
    for flags in [
        ["--allow-env=APP_*", "--deny-env=APP_KEY"],
        ["--allow-env=APP_KEY", "--deny-env=APP_*"],
        ["--env=APP_KEY=v", "--deny-env=APP_KEY"],
    ] {
        for flags in [flags, [flags[1], flags[0]]] {
            let policy = policy(&flags);
            assert_eq!(answer(&decide(&policy, &Request::Env { name: "APP_KEY" })), "deny-rule", "{flags:?}");
            assert!(policy.env().iter().all(|variable| variable.name != "APP_KEY"));
        }
    }
    for flags in [
        ["--allow-net=https://a.allowed.test", "--deny-net=a.allowed.test"],
        ["--allow-net=https://a.allowed.test", "--deny-net=*.allowed.test"],
        ["--allow-net=*.allowed.test", "--deny-net=https://a.allowed.test"],
        ["--allow-http=GET https://a.allowed.test/v1", "--deny-net=*"],
        ["-A", "--deny-net=a.allowed.test:443"],
    ] {
        for flags in [flags, [flags[1], flags[0]]] {
            assert_eq!(http(&policy(&flags), "https://a.allowed.test/v1"), "deny-rule", "{flags:?}");
        }
    }
}

#[test]
fn rules_clock_and_random_can_be_fixed() {
    let real = policy::<&str>(&[]);
    let fixed = policy(&["--deny-clock", "--deny-random"]);
    assert_eq!((real.clock(), real.random()), (Clock::Allowed, Random::Allowed));
    assert_eq!((fixed.clock(), fixed.random()), (Clock::Fixed, Random::Seeded));
    assert!(decide(&fixed, &Request::Clock).unwrap().rule().starts_with("--deny-clock"));
    assert!(decide(&fixed, &Request::Random).unwrap().rule().starts_with("--deny-random"));
}

#[test]
fn rules_limits_have_defaults_and_later_layers_replace_them() {
    let world = World::new();
    let file = layer(&["--timeout=5s", "--max-memory=1GiB"]);
    let flags = layer(&["--timeout=10s", "--fuel=7", "--max-requests=0"]);
    let limits = Policy::build(&[file, flags], &world).unwrap().limits().clone();
    assert_eq!((limits.timeout, limits.max_memory), (Duration::from_secs(10), 1 << 30));
    assert_eq!((limits.fuel, limits.max_requests, limits.max_output), (Some(7), 0, 8 << 20));
    let defaults = policy::<&str>(&[]).limits().clone();
    assert_eq!((defaults.timeout, defaults.max_memory), (Duration::from_secs(30), 256 << 20));
    assert_eq!((defaults.max_input, defaults.max_file_write), (64 << 20, 64 << 20));
    assert_eq!((defaults.max_requests, defaults.fuel), (100, None));
}

#[test]
fn rules_limit_junk_names_the_flag() {
    assert_eq!(refusal(&["--max-memory=-1"]), "--max-memory=-1: a size is a whole number with a unit, such as 256MiB");
    assert_eq!(refusal(&["--timeout=1e30"]), "--timeout=1e30: a time is a whole number with a unit, such as 30s");
    assert_eq!(refusal(&["--fuel=99999999999999999999"]), "--fuel=99999999999999999999: the number is too large");
}

#[test]
fn rules_grants_are_canonical_and_hide_values() {
    let policy = policy(&[
        "--env=TOKEN=hunter2",
        "--allow-read=./data, note.txt",
        "--allow-env=APP_KEY",
        "--deny-read=./data/private",
        "--allow-net=api.example.com",
        "--allow-udp=ntp.example.com:123",
        "--allow-listen=localhost:0,127.0.0.1:80",
        "--resolve=b.example.com=10.0.0.1, a.example.com=::1",
        "--tls-roots=note.txt",
    ]);
    let expected = [
        "--allow-env=APP_KEY",
        "--allow-listen=127.0.0.1:80",
        "--allow-listen=localhost:0",
        "--allow-net=api.example.com",
        "--allow-read=./data::/data",
        "--allow-read=note.txt::/note.txt",
        "--allow-udp=ntp.example.com:123",
        "--deny-read=./data/private",
        "--env=TOKEN=…",
        "--resolve=a.example.com=::1",
        "--resolve=b.example.com=10.0.0.1",
        "--tls-roots=note.txt",
    ];
    assert_eq!(policy.grants(), expected);
    let debug = format!("{policy:?} {:?}", crate::world::raw(&["--env=TOKEN=hunter2"]));
    assert!(!debug.contains("hunter2") && !debug.contains("canary-1"), "{debug}");
}

#[test]
fn rules_digest_is_about_meaning_not_spelling() {
    let digest = |flags: &[&str]| policy(flags).digest();
    let base = digest(&["--allow-read=./data", "--deny-read=./data/private", "--env=A=1"]);
    assert_eq!(base, digest(&["--env=A=1", "--deny-read=./data/private", "--allow-read=data::/data"]));
    for other in [
        &["--allow-read=./data", "--env=A=1"][..],
        &["--allow-write=./data", "--deny-read=./data/private", "--env=A=1"],
        &["--allow-read=./other::/data", "--deny-read=./data/private", "--env=A=1"],
        &["--allow-read=./data", "--deny-write=./data/private", "--env=A=1"],
        &["--allow-read=./data", "--deny-read=./data/private", "--allow-env=A"],
        &["--allow-read=./data", "--deny-read=./data/private", "--env=A=1", "--timeout=1s"],
        &["--allow-read=./data", "--deny-read=./data/private", "--env=A=1", "--deny-clock"],
        &["--allow-read=./data", "--deny-read=./data/private", "--env=A=1", "--trace"],
        &["--allow-read=./data", "--deny-read=./data/private", "--env=A=1", "--allow-net=a.example"],
        &["--allow-read=./data", "--deny-read=./data/private", "--env=A=1", "--deny-net=a.example"],
    ] {
        assert_ne!(base, digest(other), "{other:?}");
    }
    // Pairwise different: each kind of entry, and each part of one, counts.
    let digests: Vec<_> = [
        "--allow-tcp=a.test:1",
        "--allow-udp=a.test:1",
        "--allow-udp=a.test:2",
        "--allow-listen=127.0.0.1:1",
        "--allow-listen=127.0.0.1:0",
        "--allow-listen=[::1]:1",
        "--resolve=a.test=10.0.0.1",
        "--resolve=b.test=10.0.0.1",
        "--resolve=a.test=10.0.0.2",
        "--tls-roots=note.txt",
        "--tls-roots=/etc/ssl/cert",
    ]
    .map(|flag| digest(&[flag]))
    .into();
    for (index, one) in digests.iter().enumerate() {
        assert!(!digests[..index].contains(one), "{index}");
    }
    assert_eq!(digest(&["--tls-roots=./data/a.txt"]), digest(&["--tls-roots=/tmp/home/project/alias/a.txt"]));
    assert_eq!(
        digest(&["--allow-listen=localhost:1"]),
        digest(&["--allow-listen=127.0.0.1:1,[0:0::1]:1", "--allow-listen=127.1:1"])
    );
    assert_eq!(digest(&["--resolve=a.test=::1,A.test.=[::1]"]), digest(&["--resolve=a.test=0:0::1"]));
}
