//! Two policies compared, and one of another host carried over.

use customs_policy::{Change, diff, file, import};

use customs_policy::{Capability, GuestPath, Request, decide};
use proptest::prelude::*;

use crate::world::{policy, try_policy};

const RULES: &[&str] = &[
    "--allow-read=./data",
    "--allow-write=./data",
    "--allow-read=./data/sub",
    "--allow-read=./data/a.txt",
    "--allow-read=./other::/box",
    "--allow-read=./data::/box/data",
    "--deny-read=./data/private",
    "--deny-write=/box/x",
    "--deny-read=/data",
    "--allow-env=APP_*",
    "--allow-env=APP_KEY",
    "--deny-env=APP_K*",
    "--allow-net=*.b.test",
    "--allow-net=x.b.test",
    "--allow-net=y.x.b.test,http://x.b.test",
    "--allow-http=GET https://x.b.test/v1",
    "--allow-http=* https://*.b.test/v1/deep",
    "--deny-net=x.b.test",
    "--deny-net=*.x.b.test",
    "--allow-tcp=*.b.test:1,x.b.test:1",
    "--allow-tcp=db.test:1",
    "--allow-listen=127.0.0.1:1",
    "-A",
];

/// What both policies say to many questions.
fn answers(of: &customs_policy::Policy) -> Vec<(String, bool)> {
    let mut all = Vec::new();
    for text in [
        "/",
        "/data",
        "/data/a.txt",
        "/data/z",
        "/data/sub",
        "/data/sub/z",
        "/data/private",
        "/data/private/z",
        "/box",
        "/box/x",
        "/box/x/z",
        "/box/data",
        "/box/data/private/z",
        "/etc",
    ] {
        let guest = GuestPath::parse(text).unwrap();
        for capability in [Capability::FsRead, Capability::FsWrite] {
            let request = Request::Path { capability, guest: &guest, host: None };
            all.push((format!("{capability} {text}"), decide(of, &request).is_ok()));
        }
    }
    for name in ["APP_KEY", "APP_NOTE", "APP_KX", "PATH"] {
        all.push((name.to_owned(), decide(of, &Request::Env { name }).is_ok()));
    }
    for host in ["x.b.test", "y.x.b.test", "z.x.b.test", "w.b.test", "c.test"] {
        for path in ["", "/v1", "/v1/a", "/v1/deep", "/v1/deep/a", "/v2"] {
            for method in ["GET", "PUT"] {
                for scheme in ["http", "https"] {
                    let url = format!("{scheme}://{host}{path}");
                    all.push((format!("{method} {url}"), decide(of, &Request::Http { method, url: &url }).is_ok()));
                }
            }
        }
        all.push((format!("tcp {host}"), decide(of, &Request::Tcp { host, port: 1 }).is_ok()));
    }
    all
}

proptest! {
    // Each case asks some three hundred questions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn policies_without_a_difference_answer_the_same_and_each_other_answer_is_a_difference(
        one in proptest::sample::subsequence(RULES, 0..8), other in proptest::sample::subsequence(RULES, 0..8)
    ) {
        let (one, other) = (policy(&one), policy(&other));
        prop_assert_eq!(diff(&one, &one).unwrap(), []);
        let found = diff(&one, &other).unwrap();
        let back = diff(&other, &one).unwrap();
        prop_assert_eq!(found.is_empty(), back.is_empty());
        for ((question, first), (_, second)) in answers(&one).into_iter().zip(answers(&other)) {
            // Whoever gains something is told of a gain, whoever loses something of a loss.
            prop_assert!(first || !second || found.iter().any(|one| one.change.allows_more()), "{question} {found:?}");
            prop_assert!(!first || second || back.iter().any(|one| one.change.allows_more()), "{question} {back:?}");
        }
    }

    #[test]
    fn a_policy_of_anybody_is_carried_over_or_refused_in_one_line(
        lines in proptest::collection::vec(
            proptest::sample::select(&["version: \"1.0\"", "permissions:", "  storage:", "    allow:", "    - uri: \"fs://a/**\"",
                "      access: [\"read\", 'write']", "  network:", "    - host: \"*.a.test\"", "    deny:", "    - cidr: 1.0.0.0/8",
                "  environment:", "    - key: X", "  resources:", "    memory: 5", "  - ", "-", " - - a", "x: {}", "#", "a: \"\\u0000\"",
                "  runtime: ~", "\t", "'", "\"", "key: [", "a: 'b': c"][..]),
            0..14
        ),
        junk in ".{0,60}"
    ) {
        for text in [lines.join("\n"), format!("version: 1.0\npermissions:\n{}", lines.join("\n")), junk] {
            match import::wassette(text.as_bytes(), "p.yaml") {
                Ok(found) => {
                    let toml = found.toml("t", &text);
                    let read = file::parse(toml.as_bytes(), "x");
                    prop_assert!(read.is_ok_and(|read| read.tools["t"].raw == found.raw), "{toml}");
                }
                Err(refused) => prop_assert!(!refused.to_string().contains('\n'), "{refused}"),
            }
        }
    }
}

/// `area change what`, with what is left out of it.
fn told(first: &[&str], second: &[&str]) -> Vec<String> {
    let all = diff(&policy(first), &policy(second)).unwrap();
    all.iter()
        .map(|one| {
            let except = if one.except.is_empty() { String::new() } else { format!(" but {}", one.except.join(" ")) };
            format!("{} {} {}{except}", one.area, one.change, one.what)
        })
        .collect()
}

#[test]
fn policies_that_mean_the_same_have_no_difference_however_they_are_written() {
    for (one, other) in [
        (&["--allow-read=./data"][..], &["--allow-read=/home/me/project/data::/data"][..]),
        (&["--allow-read=./data"], &["--allow-read=./data", "--allow-read=./data/a.txt"]),
        (&["--allow-net=a.test"], &["--allow-net=https://A.test:443"]),
        (&["--allow-net=a.test"], &["--allow-net=a.test", "--allow-http=GET https://a.test/v1"]),
        (&["--allow-env=APP_*"], &["--allow-env=APP_*,APP_KEY"]),
        (&["--allow-read=./data", "--deny-read=./data/private"], &["--deny-read=/data/private", "--allow-read=./data"]),
        (&["--timeout=60s"], &["--timeout=1m"]),
        (&[], &["--deny-read=./data"]),
    ] {
        assert_eq!(told(one, other), Vec::<String>::new(), "{one:?} {other:?}");
        assert_eq!(told(other, one), Vec::<String>::new(), "{other:?} {one:?}");
    }
}

#[test]
fn a_path_inside_a_wider_one_is_narrower() {
    let (wide, narrow) = (["--allow-read=./data"], ["--allow-read=./data/a.txt"]);
    assert_eq!(told(&wide, &narrow), ["fs.read narrower /data but /data/a.txt"]);
    assert_eq!(told(&narrow, &wide), ["fs.read wider /data but /data/a.txt"]);
    assert_eq!(told(&wide, &["--allow-write=./data"]), ["fs.write added /data"]);
    assert_eq!(told(&wide, &["--allow-read=./data", "--deny-read=./data/private"]), ["fs.read removed /data/private"]);
    assert_eq!(told(&wide, &["--allow-read=./other::/data"]), ["fs.read changed /data"]);
    assert_eq!(
        told(&[], &["--allow-read=./data", "--deny-read=./data/private"]),
        ["fs.read added /data but /data/private"]
    );
}

#[test]
fn requests_are_compared_by_host_method_and_path() {
    let (origin, path) = (["--allow-net=a.test"], ["--allow-http=GET https://a.test/v1"]);
    let narrower = told(&origin, &path);
    assert!(narrower.iter().all(|line| line.starts_with("http.request narrower")), "{narrower:?}");
    assert!(told(&path, &origin).iter().all(|line| line.starts_with("http.request wider")));
    assert_eq!(told(&path, &["--allow-http=GET https://a.test/v1", "--allow-http=POST https://a.test/v1/x"]).len(), 1);
    let pattern = ["--allow-net=*.b.test"];
    assert_eq!(
        told(&pattern, &["--allow-net=*.b.test", "--deny-net=x.b.test"]),
        ["http.request removed https://x.b.test"]
    );
    assert_eq!(
        told(&pattern, &["--allow-net=x.b.test"]),
        ["http.request narrower https://*.b.test but https://x.b.test"]
    );
    assert_eq!(
        told(&["--allow-tcp=a.test:1"], &["--allow-tcp=a.test:2"]),
        ["tcp.connect removed a.test:1", "tcp.connect added a.test:2"]
    );
    assert_eq!(
        told(&origin, &["--allow-net=a.test", "--deny-net=10.0.0.0/8"]),
        ["deny-net removed 10.0.0.0/8"].map(|line| line.replace("removed", "added"))
    );
}

#[test]
fn variables_limits_and_switches_are_compared() {
    assert_eq!(told(&["--allow-env=APP_*"], &["--allow-env=APP_KEY"]), ["env.get narrower APP_* but APP_KEY"]);
    assert_eq!(told(&["--env=A=1"], &["--env=A=2"]), ["env.get changed A"]);
    assert_eq!(
        told(&[], &["--deny-clock", "--timeout=5s"]),
        ["clock.read removed the real clock", "timeout narrower 30s -> 5s"]
    );
    assert_eq!(told(&["--fuel=10"], &[]), ["fuel wider 10 -> none"]);
    let traced = "the tool's data is followed";
    assert_eq!(told(&["--trace"], &[]), [format!("trace wider {traced}")]);
    assert_eq!(told(&[], &["--trace"]), [format!("trace narrower {traced}")]);
    assert!(Change::Wider.allows_more() && !Change::Narrower.allows_more());
}

const WASSETTE: &str = r#"
version: "1.0"
description: "x"   # comment
permissions:
  storage:
    allow:
      - uri: "fs://data/**"
        access: ["read", "write"]
      - uri: "fs:///etc/ssl"
        access: [read]
      - uri: "fs://data/*"
        access: ["read"]
    deny:
    - uri: fs://data/private/**
      access: ["read", "write"]
  network:
    allow:
      - host: "api.example.com"
      - host: "*"
      - cidr: "10.0.0.0/8"
      - defaults: true
    deny:
      - cidr: "192.168.0.0/16"
  environment:
    allow:
      - key: "APP_KEY"
  resources:
    memory: 512
    cpu: 50
  runtime:
    docker:
      security:
        privileged: false
"#;

#[test]
fn a_policy_of_wassette_is_carried_over_and_what_cannot_be_is_told() {
    let found = import::wassette(WASSETTE.as_bytes(), "policy.yaml").unwrap();
    assert_eq!(found.raw.allow_write, ["./data"]);
    assert_eq!(found.raw.allow_read, ["/etc/ssl"]);
    assert_eq!(found.raw.deny_read, ["./data/private"]);
    assert_eq!(found.raw.allow_net, ["api.example.com"]);
    assert_eq!(found.raw.deny_net, ["192.168.0.0/16"]);
    assert_eq!(found.raw.allow_env, ["APP_KEY"]);
    assert_eq!(found.raw.limits.max_memory.as_deref(), Some("512MB"));
    let lines: Vec<usize> = found.left.iter().map(|left| left.line).collect();
    assert_eq!(lines, [11, 19, 20, 21, 29, 32], "{:?}", found.left);
    let toml = found.toml("weather", "policy.yaml");
    let read = file::parse(toml.as_bytes(), "x").unwrap_or_else(|e| panic!("{e}\n{toml}"));
    assert_eq!(read.tools["weather"].raw, found.raw, "{toml}");
    assert!(toml.contains("# not carried over, line 20: 10.0.0.0/8"), "{toml}");
    assert!(try_policy(&["--allow-write=./data", "--allow-net=api.example.com"]).is_ok());
}

#[test]
fn what_is_no_policy_of_wassette_is_refused() {
    for text in [
        "",
        "a: 1",
        "permissions:\n  storage:",
        "version: \"2.0\"\npermissions:\n",
        "- x",
        "version: 1.0\npermissions: &a\n",
    ] {
        let refused = import::wassette(text.as_bytes(), "policy.yaml").unwrap_err().to_string();
        assert!(refused.starts_with("policy.yaml") && !refused.contains('\n'), "{refused}");
    }
    assert!(import::wassette(b"version: 1.0\npermissions:\n", "policy.yaml").unwrap().left.is_empty());
}
