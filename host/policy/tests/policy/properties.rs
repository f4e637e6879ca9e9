//! What holds for every input.

use std::net::IpAddr;
use std::path::Path;

use customs_policy::{Capability, GuestPath, Host, Request, decide, file, is_local_address, plain_address, suggest};
use proptest::prelude::*;

use crate::policy_file::FULL;
use crate::world::{answer, policy, try_policy};

const GRANTS: &[&str] = &[
    "--allow-read=./data",
    "--allow-write=./data",
    "--allow-read=./data/sub::/data/sub",
    "--allow-write=./other::/box",
    "--allow-read=./note.txt",
    "--allow-read=/etc/ssl",
    "--dir=./a,b::/ab::rw",
    "--dir=./alias::/alias",
    "--allow-env=APP_*",
    "--allow-env=APP_KEY,PATH",
    "--allow-env=HOME",
    "--allow-net=*.allowed.test",
    "--allow-net=http://localhost:1",
    "--allow-http=GET https://api.test/v1",
    "--allow-tcp=db.test:1",
    "--allow-udp=db.test:1,127.0.0.1:1",
    "--allow-listen=127.0.0.1:1,0.0.0.0:0",
    "--resolve=a.allowed.test=10.0.0.1",
    "--tls-roots=./note.txt",
    "--secret=AWS_SECRET@https://a.allowed.test",
    "-A",
];

const DENIES: &[&str] = &[
    "--deny-read=./data",
    "--deny-read=./data/private",
    "--deny-read=/etc",
    "--deny-write=./other",
    "--deny-write=/box/x",
    "--deny-read=./missing/deep",
    "--deny-env=APP_KEY",
    "--deny-env=*",
    "--deny-net=a.allowed.test",
    "--deny-net=*",
    "--deny-net=10.0.0.0/8",
    "--deny-net=http://localhost",
    "--deny-net=0.0.0.0/0",
    "--deny-net=db.test:1",
];

fn grants() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(GRANTS, 0..GRANTS.len())
}

fn guest_path() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(
        &["data", "sub", "private", "box", "etc", "ssl", "note.txt", "a.txt", "x", "ab", "alias"][..],
    );
    let name = prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[a-c]{1,2}"];
    proptest::collection::vec(name, 0..4).prop_map(|names| format!("/{}", names.join("/")))
}

/// Text that is nearly what the parsers expect.
fn crooked() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,4}",
        ".{0,3}",
        Just("://".to_owned()),
        Just("http".to_owned()),
        Just("https://".to_owned()),
        Just("*.".to_owned()),
        Just("..".to_owned()),
        Just("/".to_owned()),
        Just("::".to_owned()),
        Just("[::1]".to_owned()),
        Just("a.test".to_owned()),
        Just(":80".to_owned()),
        Just("\0".to_owned()),
        Just("%2e".to_owned()),
        Just("127.1".to_owned()),
        Just("@".to_owned()),
        Just("data".to_owned()),
        Just("./".to_owned()),
        Just("GET ".to_owned()),
        Just("=".to_owned()),
        Just("xn--".to_owned()),
        Just("\u{430}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn capability() -> impl Strategy<Value = Capability> {
    proptest::sample::select(Capability::ALL)
}

/// Calls `check` with a request of every kind made of these texts; that about an address is `every_address`.
fn every_request(
    capability: Capability,
    guest: &GuestPath,
    text: &str,
    other: &str,
    port: u16,
    mut check: impl FnMut(Request<'_>),
) {
    for host in [None, Some(Path::new(text)), Some(Path::new(other))] {
        check(Request::Path { capability, guest, host });
        check(Request::Move { guest, host });
    }
    check(Request::Env { name: text });
    check(Request::Http { method: "GET", url: text });
    check(Request::Http { method: other, url: "https://a.allowed.test/" });
    check(Request::Dns { name: text });
    check(Request::TcpCreate);
    check(Request::UdpCreate);
    for host in [text, "db.test", "127.0.0.1", "0.0.0.0", "[2606:4700::1111]"] {
        for port in [port, 0, 1] {
            check(Request::Tcp { host, port });
            check(Request::TcpBind { host, port });
            check(Request::TcpListen { host, port });
            check(Request::TcpAccept { host, port });
            check(Request::UdpBind { host, port });
            check(Request::Udp { host, port });
            check(Request::UdpReceive { host, port });
        }
    }
}

fn address() -> impl Strategy<Value = IpAddr> {
    let known =
        ["127.0.0.1", "::1", "10.0.0.1", "10.9.9.9", "93.184.216.34", "64:ff9b::a00:1", "2002:a00:1::", "fd00::1"];
    prop_oneof![
        proptest::sample::select(known.map(|text| text.parse().unwrap()).to_vec()),
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn decide_answers_every_request_and_must_not_panic(
        flags in grants(), capability in capability(), base in guest_path(), text in crooked(), other in crooked(), port: u16,
    ) {
        let policy = policy(&flags);
        let guest = GuestPath::parse(&base).unwrap();
        every_request(capability, &guest, &text, &other, port, |request| {
            let result = decide(&policy, &request);
            let hint = suggest(&policy, &request);
            assert!(result.is_err() || hint.is_none());
            assert!(hint.is_none_or(|hint| !hint.contains(char::is_control)));
        });
    }

    #[test]
    fn address_of_a_permit_is_public_or_named_and_never_denied(
        flags in grants(), denies in proptest::sample::subsequence(DENIES, 0..3), address in address(),
        name in proptest::sample::select(&["a.allowed.test", "b.allowed.test", "db.test", "localhost", "127.0.0.1", "8.8.8.8"][..]),
    ) {
        let mut all = flags;
        all.extend(denies);
        let policy = policy(&all);
        let urls = [format!("https://{name}/"), format!("http://{name}:1/")];
        let requests = [
            Request::Http { method: "GET", url: &urls[0] },
            Request::Http { method: "GET", url: &urls[1] },
            Request::Dns { name },
            Request::Tcp { host: name, port: 1 },
            Request::Udp { host: name, port: 1 },
        ];
        for of in requests.iter().filter_map(|request| decide(&policy, request).ok()) {
            let request = Request::Address { of: &of, address };
            let end = of.endpoint().unwrap();
            let hint = suggest(&policy, &request);
            match decide(&policy, &request) {
                Ok(permit) => {
                    prop_assert_eq!((permit.endpoint(), permit.rule(), permit.capability()), (Some(end), of.rule(), of.capability()));
                    let named = Host::parse(name) == Ok(Host::Address(plain_address(address)))
                        || (name == "localhost" && ["127.0.0.1", "::1"].contains(&plain_address(address).to_string().as_str()))
                        || policy.net().pinned(&end.host).contains(&plain_address(address));
                    prop_assert!(named || !is_local_address(address), "{:?}: {} {}", all, name, address);
                    // The same address written down would not have been denied either, but for its being local.
                    let host = Host::Address(plain_address(address)).to_string();
                    let literal = match end.scheme {
                        Some(scheme) => {
                            let url = format!("{}://{host}:{}/", scheme.as_str(), end.port);
                            answer(&decide(&policy, &Request::Http { method: "GET", url: &url }))
                        }
                        None => answer(&decide(&policy, &Request::Dns { name: &host })),
                    };
                    prop_assert_ne!(literal, "deny-rule");
                    prop_assert_eq!(hint, None);
                }
                Err(denial) => {
                    prop_assert_eq!(denial.capability, of.capability());
                    if let Some(hint) = hint {
                        let mut more = all.clone();
                        more.push(hint.trim_matches('\''));
                        let again = try_policy(&more).unwrap();
                        let verdict = answer(&decide(&again, &request));
                        prop_assert_eq!(verdict, "permit");
                    }
                }
            }
        }
    }

    #[test]
    fn join_stays_below_its_base_in_the_plain_spelling(base in guest_path(), rel in "(\\.|\\.\\.|/|a|b|\u{e9}|\0| ){0,12}") {
        let base = GuestPath::parse(&base).unwrap();
        if let Ok(joined) = base.join(&rel) {
            prop_assert!(joined.starts_with(&base));
            prop_assert_eq!(GuestPath::parse(joined.as_str()), Ok(joined.clone()));
            prop_assert!(joined.as_str().starts_with('/') && !joined.as_str().contains("//"));
            prop_assert!(!joined.as_str().contains('\0'));
            prop_assert!(joined.as_str().split('/').all(|part| part != "." && part != ".."));
            let back = joined.strip_prefix(&base).unwrap();
            prop_assert_eq!(base.join(back), Ok(joined.clone()));
        }
    }

    #[test]
    fn deny_never_turns_a_denial_into_a_permit(
        flags in grants(), deny in proptest::sample::select(DENIES), capability in capability(), guest in guest_path(),
        text in prop_oneof![crooked(), Just("APP_KEY".to_owned()), Just("https://a.allowed.test/".to_owned()), Just("http://localhost:1/".to_owned())],
    ) {
        let before = policy(&flags);
        let mut more = flags.clone();
        more.push(deny);
        let after = policy(&more);
        let guest = GuestPath::parse(&guest).unwrap();
        let host = format!("/home/me/project{guest}");
        every_request(capability, &guest, &text, &host, 1, |request| {
            assert!(decide(&before, &request).is_ok() || decide(&after, &request).is_err(), "{flags:?} + {deny}: {request:?}");
        });
        prop_assert!(after.env().iter().all(|variable| before.env().contains(variable)));
    }

    #[test]
    fn policy_built_from_its_own_grants_decides_the_same(
        flags in grants(), denies in proptest::sample::subsequence(DENIES, 0..3), capability in capability(), guest in guest_path(),
        name in proptest::sample::select(&["APP_KEY", "APP_NOTE", "PATH", "HOME", "X"][..]), url in proptest::sample::select(&["https://a.allowed.test/", "https://api.test/v1/x", "http://localhost:1/"][..]),
    ) {
        let mut all = flags;
        all.extend(denies);
        let first = policy(&all);
        let again = try_policy(first.grants()).unwrap();
        prop_assert_eq!(again.grants(), first.grants());
        prop_assert_eq!(again.digest(), first.digest());
        let guest = GuestPath::parse(&guest).unwrap();
        for request in [Request::Path { capability, guest: &guest, host: None }, Request::Env { name }, Request::Http { method: "GET", url }] {
            prop_assert_eq!(answer(&decide(&first, &request)), answer(&decide(&again, &request)));
        }
    }

    #[test]
    fn build_refuses_or_accepts_any_text_and_must_not_panic(
        key in proptest::sample::select(&["--allow-read", "--allow-write", "--dir", "--allow-env", "--env", "--allow-net", "--allow-http", "--allow-tcp", "--allow-udp", "--allow-listen", "--resolve", "--tls-roots", "--secret",
            "--deny-read", "--deny-write", "--deny-env", "--deny-net", "--timeout", "--max-memory", "--fuel"][..]),
        text in crooked(), dangerous: bool,
    ) {
        let mut flags = vec![format!("{key}={text}")];
        flags.extend(dangerous.then(|| "--dangerously-allow".to_owned()));
        if let Err(error) = try_policy(&flags) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }

    #[test]
    fn policy_file_of_any_text_must_not_panic(text in ".{0,200}", crooked in crooked()) {
        for text in [text, format!("[tool.a]\n{crooked}"), format!("[tool.a]\nallow-read = [{crooked}]")] {
            if let Err(error) = file::parse(text.as_bytes(), "customs.toml") {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
        }
    }

    #[test]
    fn policy_file_of_any_bytes_must_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = file::parse(&bytes, "customs.toml").is_ok();
    }

    #[test]
    fn policy_file_with_a_mutation_must_not_panic(at in 0..FULL.len(), byte: u8, cut in 0..FULL.len(), insert in crooked()) {
        let mut changed = FULL.as_bytes().to_vec();
        changed[at] = byte;
        let mut inserted = FULL.as_bytes().to_vec();
        inserted.splice(at..at, insert.bytes());
        for bytes in [&changed[..], &inserted, &FULL.as_bytes()[..cut]] {
            if let Err(error) = file::parse(bytes, "customs.toml") {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
        }
    }

    #[test]
    fn host_has_one_spelling(text in crooked()) {
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
        }
    }
}
