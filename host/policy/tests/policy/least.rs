//! The least policy: it lets the runs pass, no line of it can be left out, and it is never wider than the policy of the runs.

use std::path::Path;

use customs_policy::least::{Access, Least, Measured, Options, beyond, of};
use customs_policy::{Capability, GuestPath, Layer, Origin, Policy, RawGrants, Request, decide, file};
use proptest::prelude::*;

use crate::world::{BASE, World, policy, raw};

const READ: Capability = Capability::FsRead;
const WRITE: Capability = Capability::FsWrite;
const LIST: Capability = Capability::FsList;
const STAT: Capability = Capability::FsStat;
const HTTP: Capability = Capability::HttpRequest;

fn options() -> Options {
    Options { base: BASE.into(), generalize: false }
}

fn at(capability: Capability, operation: &str, path: &str) -> Access {
    Access { resolved: Some(path.to_owned()), ..Access::allowed(capability, operation, path) }
}

fn open(path: &str) -> Access {
    at(READ, "open-at", path)
}

fn create(path: &str) -> Access {
    Access { created: true, ..at(WRITE, "open-at", path) }
}

fn request(method: &str, url: &str) -> Access {
    Access::allowed(HTTP, "handle", &format!("{method} {url}"))
}

fn failed(access: Access, error: &str) -> Access {
    Access { error: Some(error.to_owned()), ..access }
}

fn least(flags: &[&str], accesses: &[Access]) -> Least {
    of(&policy(flags), accesses, &Measured::default(), &options(), &World::new()).unwrap()
}

fn flags(least: &Least) -> Vec<String> {
    least.lines.iter().map(|line| format!("--{}={}", line.key, line.text)).collect()
}

/// The lines, of a policy that lets all of these pass.
fn lines(given: &[&str], accesses: &[Access]) -> Vec<String> {
    let least = least(given, accesses);
    assert_eq!(least.unmet, [], "everything is met");
    flags(&least)
}

fn built(raw: RawGrants) -> Policy {
    Policy::build(&[Layer { raw, base: BASE.into(), origin: Origin::Flags }], &World::new()).unwrap()
}

/// Each grant left out brings a denial back.
fn necessary(least: &Least, accesses: &[Access]) {
    let all = built(least.raw());
    let allowed: Vec<Access> = accesses.iter().filter(|access| access.denied.is_none()).cloned().collect();
    assert_eq!(beyond(&all, &allowed, &World::new()), [], "the runs pass: {:?}", flags(least));
    for (index, line) in least.lines.iter().enumerate().filter(|(_, line)| !line.carried) {
        let mut fewer = least.clone();
        fewer.lines.remove(index);
        let missing = beyond(&built(fewer.raw()), &allowed, &World::new());
        assert!(!missing.is_empty(), "{} {} can be left out of {:?}", line.key, line.text, flags(least));
    }
}

#[test]
fn least_of_a_file_that_was_read_is_that_file() {
    assert_eq!(lines(&["--allow-write=./data"], &[open("/data/a.txt")]), ["--allow-read=./data/a.txt"]);
    assert_eq!(lines(&["--allow-write=./data::/d"], &[open("/d/a.txt")]), ["--allow-read=./data/a.txt::/d/a.txt"]);
    assert_eq!(lines(&["-A"], &[open("/etc/passwd")]), ["--allow-read=/etc/passwd"]);
    // Written in place: that file, for writing. Its metadata need no more.
    let touched = [at(WRITE, "open-at", "/data/a.txt"), at(STAT, "stat", "/data/a.txt"), open("/data/a.txt")];
    assert_eq!(lines(&["--allow-write=./data"], &touched), ["--allow-write=./data/a.txt"]);
}

#[test]
fn least_of_a_listing_or_a_creation_is_the_directory() {
    let listed = [at(LIST, "open-at", "/data/sub"), at(LIST, "read-directory", "/data/sub"), open("/data/a.txt")];
    let expected = ["--allow-read=./data/a.txt", "--allow-read=./data/sub"];
    assert_eq!(lines(&["--allow-read=./data"], &listed), expected);
    assert_eq!(lines(&["--allow-write=./data"], &[create("/data/sub/new")]), ["--allow-write=./data/sub"]);
    let removed = [at(WRITE, "unlink-file-at", "/data/sub/old"), open("/data/a.txt")];
    let expected = ["--allow-read=./data/a.txt", "--allow-write=./data/sub"];
    assert_eq!(lines(&["--allow-write=./data"], &removed), expected);
    // A directory that the run made, and what it put there: the one that was there before.
    let made = [Access { created: true, ..at(WRITE, "create-directory-at", "/data/sub/x") }, create("/data/sub/x/y")];
    assert_eq!(lines(&["--allow-write=./data"], &made), ["--allow-write=./data/sub"]);
}

#[test]
fn least_of_a_file_that_was_there_before_it_was_written_is_the_file() {
    // An open that would create says so even where nothing had to be made; an earlier access shows that it was there.
    let rewritten = [open("/data/a.txt"), create("/data/a.txt")];
    assert_eq!(lines(&["--allow-write=./data"], &rewritten), ["--allow-write=./data/a.txt"]);
    assert_eq!(lines(&["--allow-write=./data"], &[create("/data/a.txt")]), ["--allow-write=./data"]);
}

#[test]
fn least_of_what_is_not_there_is_the_directory_that_is() {
    let looked = failed(open("/data/sub/missing/deep"), "no-entry");
    assert_eq!(lines(&["--allow-read=./data"], std::slice::from_ref(&looked)), ["--allow-read=./data/sub"]);
    let least = least(&["--allow-read=./data"], &[looked]);
    assert!(least.toml("t", &[]).contains("is not there"), "{}", least.toml("t", &[]));
}

#[test]
fn least_of_a_link_is_its_own_name() {
    // alias -> data, so /alias/a.txt led to /alias/a.txt of the grant for alias.
    assert_eq!(lines(&["--allow-read=./alias"], &[open("/alias/a.txt")]), ["--allow-read=./alias/a.txt"]);
    // A link that leads out of the grant by now is not granted, and told.
    let moved = least(&["--allow-read=./data"], &[open("/data/leak")]);
    assert_eq!((flags(&moved).len(), moved.unmet.len()), (0, 1), "{moved:?}");
}

#[test]
fn least_of_a_directory_that_was_looked_at_is_any_grant_below_it() {
    let walked = [at(STAT, "stat-at", "/data"), at(LIST, "open-at", "/data/sub"), open("/data/sub/../a.txt")];
    let least = least(&["--allow-read=./data"], &walked);
    // /data is seen above the file; /data/sub has nothing below it.
    assert_eq!(flags(&least), ["--allow-read=./data/a.txt", "--allow-read=./data/sub"], "{least:?}");
    necessary(&least, &walked);
    assert_eq!(lines(&["--allow-read=./data/sub"], &[at(LIST, "read-directory", "/")]), ["--allow-read=./data/sub"]);
}

#[test]
fn least_with_generalize_is_the_directory_of_several_files_and_of_one_is_the_file() {
    let wide = Options { generalize: true, ..options() };
    let run = |accesses: &[Access]| {
        let least =
            of(&policy(&["--allow-read=./data"]), accesses, &Measured::default(), &wide, &World::new()).unwrap();
        flags(&least)
    };
    assert_eq!(run(&[open("/data/private/key"), open("/data/a.txt")]).len(), 2);
    assert_eq!(run(&[open("/data/a.txt")]), ["--allow-read=./data/a.txt"]);
    let both = of(
        &policy(&["--allow-read=.::/"]),
        &[open("/note.txt"), open("/data/a.txt"), open("/data/private/key")],
        &Measured::default(),
        &wide,
        &World::new(),
    );
    assert_eq!(flags(&both.unwrap()).len(), 3, "each is alone in its directory");
}

#[test]
fn least_carries_along_what_the_policy_forbids_inside() {
    let listed = [at(LIST, "read-directory", "/data"), open("/data/a.txt")];
    let given = ["--allow-read=./data", "--deny-read=./data/private", "--deny-read=/etc", "--deny-write=./data/a.txt"];
    assert_eq!(lines(&given, &listed), ["--allow-read=./data", "--deny-read=./data/private"]);
    // A file needs none of it.
    assert_eq!(lines(&given, &[open("/data/a.txt")]), ["--allow-read=./data/a.txt"]);
    // What was for reading only stays so inside of a directory that is for writing.
    let given = ["--allow-write=./data", "--allow-read=./data/sub"];
    let made = [create("/data/new"), open("/data/a.txt")];
    assert_eq!(lines(&given, &made), ["--allow-write=./data", "--deny-write=/data/sub"]);
    // Another place of the host stays that place.
    let given = ["--allow-read=./data", "--allow-read=./other::/data/sub"];
    assert_eq!(lines(&given, &listed), ["--allow-read=./data", "--allow-read=./other::/data/sub"]);
}

#[test]
fn least_of_requests_is_method_origin_and_common_path() {
    let asked = [
        request("GET", "https://api.test/v1/users?id=1"),
        request("GET", "https://api.test/v1/items/2"),
        request("POST", "https://api.test/v1/items"),
        request("GET", "http://api.test:8080/"),
    ];
    let given = ["--allow-net=*.test.example,api.test,http://api.test:8080"];
    let expected = [
        "--allow-http=GET http://api.test:8080",
        "--allow-http=GET https://api.test/v1",
        "--allow-http=POST https://api.test/v1/items",
    ];
    let least = least(&given, &asked);
    assert_eq!(flags(&least), expected);
    necessary(&least, &asked);
    // No further than the rule that allowed it.
    let given = ["--allow-http=GET https://api.test/v1/users", "--allow-http=GET https://api.test/v1/items"];
    let expected = ["--allow-http=GET https://api.test/v1/items/2", "--allow-http=GET https://api.test/v1/users"];
    assert_eq!(lines(&given, &asked[..2]), expected);
    // A path that no rule can hold needs the origin.
    let tricky = [request("GET", "https://api.test/a/../b"), request("GET", "https://api.test/a")];
    assert_eq!(lines(&["--allow-net=api.test"], &tricky), ["--allow-net=https://api.test"]);
}

#[test]
fn least_keeps_secrets_pins_and_denied_addresses() {
    let asked = [
        Access::allowed(Capability::EnvGet, "get-environment", "AWS_SECRET"),
        request("GET", "https://api.test/v1"),
        Access { resolved: Some("10.0.0.1:443".to_owned()), ..Access::allowed(HTTP, "connect", "https://api.test") },
    ];
    let given = [
        "--allow-net=*.b.test,api.test",
        "--secret=AWS_SECRET@https://api.test,AWS_SECRET@https://x.b.test",
        "--resolve=api.test=10.0.0.1,x.b.test=10.0.0.2",
        "--deny-net=192.168.0.0/16,y.b.test",
        "--deny-clock",
        "--trace",
    ];
    let expected = [
        "--secret=AWS_SECRET@https://api.test",
        "--allow-http=GET https://api.test/v1",
        "--deny-clock=true",
        "--deny-net=192.168.0.0/16",
        "--resolve=api.test=10.0.0.1",
        "--trace=true",
    ];
    assert_eq!(lines(&given, &asked), expected);
}

#[test]
fn least_of_variables_is_by_name_and_what_was_not_there_is_none() {
    let absent = failed(Access::allowed(Capability::EnvGet, "get-environment", "APP_MISSING"), "not set on the host");
    let seen = Access::allowed(Capability::EnvGet, "get-environment", "APP_KEY");
    let given = ["--allow-env=APP_*,APP_MISSING", "--env=MODE=quick"];
    let mode = Access::allowed(Capability::EnvGet, "get-environment", "MODE");
    assert_eq!(lines(&given, &[absent, seen, mode]), ["--allow-env=APP_KEY", "--env=MODE=quick"]);
}

#[test]
fn least_of_sockets_is_their_ends() {
    let tcp = Capability::TcpConnect;
    let asked = [
        Access::allowed(tcp, "create-tcp-socket", "create-tcp-socket"),
        Access::allowed(Capability::DnsLookup, "resolve-addresses", "db.test"),
        Access { resolved: Some("db.test:5432".to_owned()), ..Access::allowed(tcp, "tcp-connect", "1.2.3.4:5432") },
    ];
    let given = ["--allow-tcp=db.test:5432,other.test:1", "--allow-udp=db.test:53"];
    assert_eq!(lines(&given, &asked), ["--allow-tcp=db.test:5432"]);
    // Looked up and not reached: the narrowest rule for that host.
    assert_eq!(lines(&given, &asked[1..2]), ["--allow-tcp=db.test:5432"]);
    let listened = [
        Access {
            resolved: Some("127.0.0.1:40000".to_owned()),
            ..Access::allowed(Capability::TcpListen, "tcp-listen", "127.0.0.1:0")
        },
        Access::allowed(Capability::TcpListen, "tcp-bind", "127.0.0.1:0"),
    ];
    assert_eq!(lines(&["--allow-listen=localhost:0"], &listened), ["--allow-listen=127.0.0.1:0"]);
}

#[test]
fn least_tells_what_was_denied_and_grants_none_of_it() {
    let refused = Access::denied(READ, "open-at", "/etc/passwd", "no-grant");
    let least = least(&["--allow-read=./data"], &[refused.clone(), open("/data/a.txt"), refused]);
    assert_eq!(flags(&least), ["--allow-read=./data/a.txt"]);
    assert_eq!((least.denied.len(), least.denied[0].count), (1, 2));
    let toml = least.toml("t", &[]);
    assert!(toml.contains("# not granted") && toml.contains("/etc/passwd: no-grant, 2 times"), "{toml}");
}

#[test]
fn least_as_a_file_and_as_flags_is_the_same_policy() {
    let accesses = [
        at(LIST, "read-directory", "/ab"),
        open("/data/a.txt"),
        request("GET", "https://api.test/v1"),
        Access::denied(READ, "open-at", "/x\n\u{202e}[tool.evil]\nallow-all = true", "no-grant"),
    ];
    let mut layer = crate::world::layer(&["--dir=./a,b::/ab::rw", "--allow-read=./data", "--allow-net=api.test"]);
    layer.raw.flow.push(customs_policy::RawFlow {
        from: "env:A*".into(),
        to: "return".into(),
        action: "redact".into(),
    });
    let of_runs = Policy::build(&[layer], &World::new()).unwrap();
    let measured = Measured { memory: Some(3 << 20), output: Some(10), ..Measured::default() };
    let least = of(&of_runs, &accesses, &measured, &options(), &World::new()).unwrap();
    let toml = least.toml("my tool", &["made of\nruns".to_owned()]);
    let read = file::parse(toml.as_bytes(), "least.toml").unwrap_or_else(|e| panic!("{e}\n{toml}"));
    assert_eq!(read.tools.keys().collect::<Vec<_>>(), ["my tool"], "{toml}");
    let of_file = Policy::build(&[read.layer("my tool", BASE.into()).unwrap()], &World::new()).unwrap();
    assert_eq!(of_file.digest(), built(least.raw()).digest(), "{toml}");
    assert!(toml.contains("max-memory = \"16MiB\""), "{toml}");
    let typed = least.flags().unwrap();
    assert!(
        typed.contains("'--allow-http=GET https://api.test/v1'") && typed.contains("--dir=./a,b::/ab::ro"),
        "{typed}"
    );
}

#[test]
fn least_limits_leave_room_and_never_exceed_those_of_the_runs() {
    let measured = Measured { memory: Some(40 << 20), requests: Some(3), file_write: Some(0), ..Measured::default() };
    let limits = |given: &[&str]| {
        let asked = [request("GET", "https://api.test/")];
        let least = of(&policy(given), &asked, &measured, &options(), &World::new()).unwrap();
        let raw = least.raw();
        (raw.limits.max_memory, raw.limits.max_requests, raw.limits.max_file_write)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(limits(&["--allow-net=api.test"]), (some("128MiB"), some("6"), some("0")));
    let tight = ["--allow-net=api.test", "--max-memory=50MiB", "--max-requests=4"];
    assert_eq!(limits(&tight), (some("50MiB"), some("4"), some("0")));
}

#[test]
fn beyond_names_what_a_policy_lacks_and_nothing_that_it_allows() {
    let accesses = [
        open("/data/a.txt"),
        at(WRITE, "open-at", "/data/a.txt"),
        request("POST", "https://api.test/v1"),
        Access::denied(READ, "open-at", "/etc/passwd", "no-grant"),
        open("/data/leak"),
    ];
    let given = policy(&["--allow-read=./data", "--allow-http=GET https://api.test"]);
    let missing = beyond(&given, &accesses, &World::new());
    let told: Vec<(&str, &str, bool)> =
        missing.iter().map(|one| (one.requested.as_str(), one.code.as_str(), one.tried)).collect();
    let expected = [
        ("/data/a.txt", "read-only", false),
        ("POST https://api.test/v1", "no-grant", false),
        ("/etc/passwd", "no-grant", true),
        ("/data/leak", "outside-grant", false),
    ];
    assert_eq!(told, expected);
    assert_eq!(missing[2].suggestion.as_deref(), Some("--allow-read=/etc/passwd"));
    let wide = policy(&["--allow-write=./data", "--allow-net=api.test", "--allow-read=/etc/passwd"]);
    assert_eq!(beyond(&wide, &accesses[..4], &World::new()), []);
}

const GIVEN: &[&str] = &[
    "--allow-write=./data",
    "--allow-read=./data/sub",
    "--allow-read=./note.txt",
    "--allow-read=./other::/box",
    "--allow-read=/etc/ssl",
    "--dir=./a,b::/ab::rw",
    "--allow-env=APP_*",
    "--allow-net=*.allowed.test,http://localhost:1",
    "--allow-http=GET https://api.test/v1",
    "--deny-read=./data/private",
];

/// Anything that a guest could ask.
fn anything() -> impl Strategy<Value = Access> {
    let name = proptest::sample::select(
        &[
            "/data",
            "/data/a.txt",
            "/data/sub",
            "/data/sub/x",
            "/data/private/key",
            "/data/leak",
            "/data/new",
            "/note.txt",
            "/",
            "/box",
            "/box/y",
            "/etc/ssl/cert",
            "/etc/passwd",
            "/ab",
            "/ab/z",
        ][..],
    );
    let what = proptest::sample::select(
        &[
            (READ, "open-at"),
            (WRITE, "open-at"),
            (LIST, "open-at"),
            (LIST, "read-directory"),
            (STAT, "stat-at"),
            (WRITE, "unlink-file-at"),
            (WRITE, "rename-at"),
            (WRITE, "create-directory-at"),
            (STAT, "readlink-at"),
        ][..],
    );
    let path = (what, name, any::<bool>()).prop_map(|((capability, operation), path, created)| Access {
        created: created && capability == WRITE,
        ..at(capability, operation, path)
    });
    let host = proptest::sample::select(&["a.allowed.test", "b.allowed.test", "api.test", "evil.test"][..]);
    let url = proptest::sample::select(&["", "/", "/v1", "/v1/a", "/v1/b/c", "/v2", "/v1/../v2"][..]);
    let method = proptest::sample::select(&["GET", "POST", "get"][..]);
    let web = (method, host, url).prop_map(|(method, host, path)| request(method, &format!("https://{host}{path}")));
    let variable = proptest::sample::select(&["APP_KEY", "APP_NOTE", "PATH"][..])
        .prop_map(|name| Access::allowed(Capability::EnvGet, "get-environment", name));
    prop_oneof![6 => path, 3 => web, 1 => variable]
}

/// A directory that was only listed shows less where it is left out, and is not denied: the grants below it can still be seen.
fn is_listing(least: &Least, index: usize, accesses: &[Access]) -> bool {
    let line = &least.lines[index];
    line.capabilities.iter().all(|capability| [LIST, STAT].contains(capability))
        || accesses.iter().any(|access| access.operation == "read-directory") && line.capabilities.contains(&LIST)
}

proptest! {
    #[test]
    fn least_of_any_runs_lets_them_pass_and_no_line_can_be_left_out(asked in proptest::collection::vec(anything(), 0..12)) {
        let given = policy(GIVEN);
        let world = World::new();
        // Only what the policy allowed is in a ledger as allowed.
        let accesses: Vec<Access> =
            asked.into_iter().filter(|access| beyond(&given, std::slice::from_ref(access), &world).is_empty()).collect();
        let least = of(&given, &accesses, &Measured::default(), &options(), &world).unwrap();
        prop_assert_eq!(&least.unmet, &[]);
        prop_assert_eq!(beyond(&built(least.raw()), &accesses, &world), []);
        for (index, line) in least.lines.iter().enumerate().filter(|(_, line)| !line.carried) {
            let mut fewer = least.clone();
            fewer.lines.remove(index);
            let missing = beyond(&built(fewer.raw()), &accesses, &world);
            prop_assert!(
                !missing.is_empty() || is_listing(&least, index, &accesses),
                "{} {} can be left out of {:?}", line.key, line.text, flags(&least)
            );
        }
    }

    #[test]
    fn least_of_any_runs_is_never_wider_than_their_policy(
        asked in proptest::collection::vec(anything(), 0..12), probe in anything(), generalize in any::<bool>()
    ) {
        let (given, world) = (policy(GIVEN), World::new());
        let accesses: Vec<Access> =
            asked.into_iter().filter(|access| beyond(&given, std::slice::from_ref(access), &world).is_empty()).collect();
        let options = Options { generalize, ..options() };
        let least = of(&given, &accesses, &Measured::default(), &options, &world).unwrap();
        let built = built(least.raw());
        let allows = |policy: &Policy| beyond(policy, std::slice::from_ref(&probe), &world).is_empty();
        prop_assert!(allows(&given) || !allows(&built), "{probe:?} by {:?}", flags(&least));
        // Nor does a path lead elsewhere.
        if let Ok(guest) = GuestPath::parse(&probe.requested) {
            let place = |policy: &Policy| {
                let permit = decide(policy, &Request::Path { capability: READ, guest: &guest, host: None }).ok()?;
                let mount = policy.mounts().get(permit.mount()?)?.clone();
                Some(mount.host.join(guest.strip_prefix(&mount.guest)?).components().collect::<std::path::PathBuf>())
            };
            if let Some(found) = place(&built) {
                let original = place(&given);
                prop_assert!(original.as_deref() == Some(found.as_path()) || Path::new("/home/me/project/data/leak") == found,
                    "{guest} is {found:?} and was {original:?}");
            }
        }
    }

    #[test]
    fn least_takes_any_text(requested in ".{0,40}", resolved in proptest::option::of(".{0,20}"), op in "[a-z-]{0,20}") {
        let world = World::new();
        let accesses: Vec<Access> = Capability::ALL
            .iter()
            .map(|capability| Access { resolved: resolved.clone(), ..Access::allowed(*capability, &op, &requested) })
            .collect();
        let least = of(&policy(GIVEN), &accesses, &Measured::default(), &options(), &world).unwrap();
        let toml = least.toml(&requested, std::slice::from_ref(&requested));
        prop_assert!(requested.is_empty() || requested.chars().any(char::is_control) || file::parse(toml.as_bytes(), "x").is_ok(), "{}", toml);
        beyond(&policy(GIVEN), &accesses, &world);
    }
}

#[test]
fn a_set_of_grants_reads_back_from_its_texts() {
    let given =
        ["--allow-read=./data::/data", "--deny-clock", "--allow-http=GET https://api.test/v1", "-A", "--env=X=…"];
    let read = RawGrants::of_texts(given).unwrap();
    assert_eq!(
        read,
        raw(&["--allow-read=./data::/data", "--deny-clock", "--allow-http=GET https://api.test/v1", "-A", "--env=X=…"])
    );
    for junk in ["", "allow-read=x", "--", "--nope=x", "--allow-read", "flow a", "--deny-clock=true"] {
        assert!(RawGrants::of_texts([junk]).is_err(), "{junk:?}");
    }
}
