//! What a permitted host turns out to be: its addresses, names that are pinned to some, and roots of trust.

use customs_policy::{Host, Policy, Request, decide, suggest};

use crate::world::{World, answer, http, layer, policy, refusal};

/// The answer for a request, and then for an address that its host has.
fn reach(policy: &Policy, request: &Request<'_>, address: &str) -> &'static str {
    match decide(policy, request) {
        Ok(of) => answer(&decide(policy, &Request::Address { of: &of, address: address.parse().unwrap() })),
        denied => answer(&denied),
    }
}

fn get(policy: &Policy, url: &str, address: &str) -> &'static str {
    reach(policy, &Request::Http { method: "GET", url }, address)
}

fn pinned(policy: &Policy, name: &str) -> Vec<String> {
    policy.net().pinned(&Host::parse(name).unwrap()).iter().map(ToString::to_string).collect()
}

#[test]
fn addresses_of_a_name_are_public_or_refused() {
    let policy =
        policy(&["--allow-net=https://allowed.test", "--allow-tcp=allowed.test:1", "--allow-udp=allowed.test:1"]);
    for (address, expected) in [
        ("93.184.216.34", "permit"),
        ("2606:4700::1111", "permit"),
        ("::ffff:93.184.216.34", "permit"),
        ("64:ff9b::808:808", "permit"),
        ("127.0.0.1", "prohibited-address"),
        ("::1", "prohibited-address"),
        ("10.0.0.1", "prohibited-address"),
        ("::ffff:10.0.0.1", "prohibited-address"),
        ("64:ff9b::a00:1", "prohibited-address"),
        ("2002:a00:1::", "prohibited-address"),
        ("169.254.169.254", "prohibited-address"),
        ("fd00:ec2::254", "prohibited-address"),
        ("224.0.0.1", "prohibited-address"),
        ("0.0.0.0", "prohibited-address"),
    ] {
        for request in [
            Request::Http { method: "GET", url: "https://allowed.test/" },
            Request::Dns { name: "allowed.test" },
            Request::Tcp { host: "allowed.test", port: 1 },
            Request::Udp { host: "allowed.test", port: 1 },
        ] {
            assert_eq!(reach(&policy, &request, address), expected, "{request:?} at {address}");
        }
    }
}

#[test]
fn addresses_of_wide_grants_are_no_wider() {
    for flags in [&["-A"][..], &["--allow-net=*", "--dangerously-allow"], &["--allow-net=*.allowed.test"]] {
        let policy = policy(flags);
        assert_eq!(get(&policy, "https://a.allowed.test/", "93.184.216.34"), "permit", "{flags:?}");
        assert_eq!(get(&policy, "https://a.allowed.test/", "169.254.169.254"), "prohibited-address", "{flags:?}");
    }
}

#[test]
fn addresses_that_a_rule_names_may_be_local() {
    let policy = policy(&["--allow-net=http://10.0.0.1,http://localhost,http://a.localhost,http://[::ffff:10.0.0.2]"]);
    for (url, address, expected) in [
        ("http://10.0.0.1/", "10.0.0.1", "permit"),
        ("http://10.0.0.1/", "::ffff:10.0.0.1", "permit"),
        ("http://10.0.0.1/", "10.0.0.2", "prohibited-address"),
        ("http://10.0.0.1/", "64:ff9b::a00:1", "prohibited-address"),
        ("http://10.0.0.2/", "10.0.0.2", "permit"),
        ("http://localhost/", "127.0.0.1", "permit"),
        ("http://localhost/", "::1", "permit"),
        ("http://localhost/", "127.0.0.2", "prohibited-address"),
        ("http://localhost/", "10.0.0.1", "prohibited-address"),
        ("http://a.localhost/", "127.0.0.1", "permit"),
        ("http://a.localhost/", "10.0.0.1", "prohibited-address"),
        ("http://127.0.0.1/", "127.0.0.1", "permit"),
        ("http://127.0.0.1/", "::1", "prohibited-address"),
    ] {
        assert_eq!(get(&policy, url, address), expected, "{url} at {address}");
    }
}

#[test]
fn addresses_that_are_denied_are_denied_behind_every_name() {
    let with = |deny: &str| {
        policy(&[
            "--allow-net=https://a.test,http://localhost:8080",
            "--resolve=a.test=10.0.0.1",
            &format!("--deny-net={deny}"),
        ])
    };
    for (deny, url, address, expected) in [
        ("10.0.0.0/8", "https://a.test/", "10.0.0.1", "deny-rule"),
        ("11.0.0.0/8", "https://a.test/", "10.0.0.1", "permit"),
        ("10.0.0.1", "https://a.test/", "10.0.0.1", "deny-rule"),
        ("10.0.0.2", "https://a.test/", "10.0.0.1", "permit"),
        ("10.0.0.1:443", "https://a.test/", "10.0.0.1", "deny-rule"),
        ("10.0.0.1:444", "https://a.test/", "10.0.0.1", "permit"),
        ("https://10.0.0.1", "https://a.test/", "10.0.0.1", "deny-rule"),
        ("http://10.0.0.1:443", "https://a.test/", "10.0.0.1", "permit"),
        ("93.184.216.0/24", "https://a.test/", "93.184.216.34", "deny-rule"),
        ("93.184.217.0/24", "https://a.test/", "93.184.216.34", "permit"),
        ("93.184.216.0/24", "https://a.test/", "::ffff:93.184.216.34", "deny-rule"),
        ("93.184.216.0/24", "https://a.test/", "64:ff9b::5db8:d822", "deny-rule"),
        ("93.184.216.34", "https://a.test/", "64:ff9b::5db8:d822", "deny-rule"),
        ("93.184.216.35", "https://a.test/", "64:ff9b::5db8:d822", "permit"),
        ("93.184.216.0/24", "https://a.test/", "2002:5db8:d822::1", "deny-rule"),
        ("64:ff9b::/96", "https://a.test/", "64:ff9b::5db8:d822", "deny-rule"),
        ("127.0.0.0/8", "http://localhost:8080/", "127.0.0.1", "deny-rule"),
        ("127.0.0.1", "http://localhost:8080/", "::1", "deny-rule"),
        ("127.0.0.2", "http://localhost:8080/", "127.0.0.1", "permit"),
        // The range is not the name's, so only the address tells.
        ("localhost", "https://a.test/", "127.0.0.1", "deny-rule"),
        ("localhost", "https://a.test/", "127.0.0.2", "prohibited-address"),
    ] {
        assert_eq!(get(&with(deny), url, address), expected, "{deny}: {url} at {address}");
    }
    let range = with("10.0.0.0/8");
    let of = decide(&range, &Request::Http { method: "GET", url: "https://a.test/" }).unwrap();
    let denial = decide(&range, &Request::Address { of: &of, address: "10.0.0.1".parse().unwrap() }).unwrap_err();
    assert_eq!(denial.rule.as_deref(), Some("--deny-net=10.0.0.0/8"));
}

#[test]
fn addresses_of_a_lookup_are_denied_by_rules_without_a_port() {
    let policy = policy(&["--allow-net=https://a.test", "--deny-net=93.184.216.0/24,8.8.8.8:443"]);
    let lookup = Request::Dns { name: "a.test" };
    assert_eq!(reach(&policy, &lookup, "93.184.216.34"), "deny-rule");
    assert_eq!(reach(&policy, &lookup, "8.8.8.8"), "permit");
    assert_eq!(get(&policy, "https://a.test/", "8.8.8.8"), "deny-rule");
}

#[test]
fn addresses_keep_the_permit_that_they_belong_to() {
    let policy = policy(&["--allow-tcp=a.test:1"]);
    let of = decide(&policy, &Request::Tcp { host: "A.test", port: 1 }).unwrap();
    let request = Request::Address { of: &of, address: "93.184.216.34".parse().unwrap() };
    assert_eq!(request.capability().as_str(), "tcp.connect");
    let permit = decide(&policy, &request).unwrap();
    assert_eq!((permit.capability(), permit.rule(), permit.endpoint()), (of.capability(), of.rule(), of.endpoint()));
    let clock = decide(&policy, &Request::Clock).unwrap();
    let odd = Request::Address { of: &clock, address: "93.184.216.34".parse().unwrap() };
    assert_eq!(answer(&decide(&policy, &odd)), "bad-request", "a clock is nowhere");
}

#[test]
fn addresses_of_a_pinned_name_are_those_that_were_written() {
    let policy = policy(&[
        "--resolve=A.test.=10.0.0.1,b.test=[fd00::1], c.test = ::ffff:10.0.0.3",
        "--resolve=a.test=93.184.216.34",
        "--resolve=a.test=10.0.0.1",
        "--allow-net=https://a.test,https://*.d.test",
    ]);
    assert_eq!(pinned(&policy, "a.test"), ["10.0.0.1", "93.184.216.34"]);
    assert_eq!(pinned(&policy, "b.test"), ["fd00::1"]);
    assert_eq!(pinned(&policy, "c.test"), ["10.0.0.3"]);
    assert!(pinned(&policy, "x.a.test").is_empty() && pinned(&policy, "10.0.0.1").is_empty());
    let all: Vec<String> = policy.net().pins().map(|(host, _)| host.to_string()).collect();
    assert_eq!(all, ["a.test", "b.test", "c.test"]);
    for (url, address, expected) in [
        ("https://a.test/", "10.0.0.1", "permit"),
        ("https://a.test/", "10.0.0.2", "prohibited-address"),
        ("https://a.test/", "fd00::1", "prohibited-address"),
        ("https://b.test/", "fd00::1", "no-grant"),
        ("http://a.test/", "10.0.0.1", "no-grant"),
    ] {
        assert_eq!(get(&policy, url, address), expected, "{url} at {address}");
    }
    let only_pins = crate::world::policy(&["--resolve=a.test=10.0.0.1"]);
    assert!(only_pins.net().is_empty(), "a pin grants nothing");
    for request in [
        Request::Http { method: "GET", url: "https://a.test/" },
        Request::Dns { name: "a.test" },
        Request::Tcp { host: "a.test", port: 443 },
        Request::Tcp { host: "10.0.0.1", port: 443 },
    ] {
        assert_eq!(answer(&decide(&only_pins, &request)), "no-grant", "{request:?}");
    }
    assert_eq!(http(&policy, "https://10.0.0.1/"), "no-grant", "the name is granted, not its address");
}

#[test]
fn addresses_pinned_in_file_and_flags_come_together() {
    let layers = [layer(&["--resolve=a.test=10.0.0.1"]), layer(&["--resolve=a.test=10.0.0.2"])];
    assert_eq!(pinned(&Policy::build(&layers, &World::new()).unwrap(), "a.test"), ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn addresses_pins_that_mean_nothing_are_refused() {
    for (pin, reason) in [
        ("", "empty"),
        ("a.test", "NAME=ADDRESS"),
        ("=10.0.0.1", "host is missing"),
        ("a.test=", "IPv4 or IPv6 address"),
        ("a.test=b.test", "IPv4 or IPv6 address"),
        ("a.test=10.0.0", "IPv4 or IPv6 address"),
        ("a.test=10.0.0.1:80", "IPv4 or IPv6 address"),
        ("a.test=10.0.0.0/8", "IPv4 or IPv6 address"),
        ("a.test=[10.0.0.1]", "IPv4 or IPv6 address"),
        ("a.test=[::1", "IPv4 or IPv6 address"),
        ("a.test=fe80::1%eth0", "IPv4 or IPv6 address"),
        ("10.0.0.1=10.0.0.2", "an address has no name"),
        ("[::1]=10.0.0.2", "an address has no name"),
        ("*.a.test=10.0.0.1", "not a host name"),
        ("*=10.0.0.1", "not a host name"),
        ("https://a.test=10.0.0.1", "no host has"),
        ("localhost=10.0.0.1", "127.0.0.1 and ::1"),
        ("a.localhost=127.0.0.2", "127.0.0.1 and ::1"),
        ("localhost=8.8.8.8", "127.0.0.1 and ::1"),
    ] {
        let refused = refusal(&[format!("--resolve={pin}")]);
        assert!(refused.contains(reason) && !refused.contains('\n'), "{pin:?}: {refused}");
    }
    assert_eq!(pinned(&policy(&["--resolve=localhost=::1"]), "localhost"), ["::1"]);
}

#[test]
fn addresses_suggestion_pins_the_name() {
    let policy = policy(&["--allow-net=https://a.test,http://localhost", "--deny-net=10.1.0.0/16"]);
    let suggested = |url: &str, address: &str| {
        let of = decide(&policy, &Request::Http { method: "GET", url }).unwrap();
        suggest(&policy, &Request::Address { of: &of, address: address.parse().unwrap() })
    };
    assert_eq!(suggested("https://a.test/", "10.0.0.1").as_deref(), Some("--resolve=a.test=10.0.0.1"));
    assert_eq!(suggested("https://a.test/", "::ffff:10.0.0.1").as_deref(), Some("--resolve=a.test=10.0.0.1"));
    assert_eq!(suggested("https://a.test/", "fd00::1").as_deref(), Some("--resolve=a.test=fd00::1"));
    assert_eq!(suggested("https://a.test/", "10.1.0.1"), None, "a deny rule would have to go");
    assert_eq!(suggested("https://a.test/", "8.8.8.8"), None, "it is permitted");
    assert_eq!(suggested("http://localhost/", "10.0.0.1"), None, "localhost is nowhere else");
}

#[test]
fn addresses_roots_of_trust_are_a_file_and_the_later_layer_counts() {
    let roots = |layers: &[&str]| {
        let layers: Vec<_> = layers.iter().map(|flag| layer(&[*flag])).collect();
        let policy = Policy::build(&layers, &World::new())?;
        Ok::<_, customs_policy::PolicyError>((
            policy.net().tls_roots().map(|path| path.to_str().unwrap().to_owned()),
            policy.grants().to_vec(),
        ))
    };
    let one = |path: &str, flag: &str| (Some(path.to_owned()), vec![flag.to_owned()]);
    assert_eq!(roots(&[]).unwrap(), (None, vec![]));
    assert_eq!(
        roots(&["--tls-roots=alias/a.txt"]).unwrap(),
        one("/home/me/project/data/a.txt", "--tls-roots=alias/a.txt")
    );
    let both = ["--tls-roots=note.txt", "--tls-roots=/etc/ssl/cert"];
    assert_eq!(roots(&both).unwrap(), one("/etc/ssl/cert", "--tls-roots=/etc/ssl/cert"));
    let replaced = ["--tls-roots=./missing", "--tls-roots=note.txt"];
    assert_eq!(roots(&replaced).unwrap(), one("/home/me/project/note.txt", "--tls-roots=note.txt"));
    for (path, reason) in [
        ("./missing", "no such file"),
        ("./data", "directory"),
        ("./pipe", "not a regular file"),
        ("~/ca.pem", "the shell expands"),
        ("", "empty"),
    ] {
        let refused = refusal(&[format!("--tls-roots={path}")]);
        assert!(refused.contains(reason) && !refused.contains('\n'), "{path:?}: {refused}");
    }
    assert!(policy(&["--tls-roots=note.txt"]).net().is_empty(), "roots grant nothing");
}
