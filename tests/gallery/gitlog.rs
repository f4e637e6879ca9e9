//! `gitlog`: the history of a repository that `git` made, in Python. What git itself says is what it is compared with.

use super::{Shown, survives};
use serde_json::{Value, json};
use std::process::Command;

/// Runs git in the world's repository, with nothing of this machine's settings.
fn git(shown: &Shown, arguments: &[&str]) -> String {
    git_at(shown, arguments, "2026-01-31T09:30:00+01:00", "Ada <ada@example.com>")
}

fn git_at(shown: &Shown, arguments: &[&str], date: &str, author: &str) -> String {
    let (name, email) = author.split_once(" <").unwrap();
    let email = email.trim_end_matches('>');
    let output = Command::new("git")
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "gc.auto=0",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(shown.world.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", email), ("GIT_AUTHOR_DATE", date)])
        .envs([("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email), ("GIT_COMMITTER_DATE", date)])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A repository with a branch that was merged, tags, a rename, a removal, a link, and a file that changes often.
#[allow(clippy::print_stderr, reason = "who reads the output of the tests should know what was not tested")]
fn repository() -> Option<Shown> {
    let shown = Shown::of("gitlog")?;
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("skipped: there is no git here to make a repository with");
        return None;
    }
    git(&shown, &["init", "-q"]);
    shown.world.write(".git/info/exclude", "*.wasm\ncustoms.toml\nledgers\nwork\nro\noutside\n");
    let commit = |day: u32, author: &str, message: &str| {
        git(&shown, &["add", "-A"]);
        let date = format!("2026-01-{day:02}T09:30:00+01:00");
        git_at(&shown, &["commit", "-q", "--allow-empty", "-m", message], &date, author);
    };
    let (ada, bob) = ("Ada Lovelace <ada@example.com>", "Bøb <bob@example.com>");
    let line = "a line that git will find again when it packs\n";
    shown.world.write("src/large.txt", line.repeat(400));
    shown.world.write("README.md", "# One\n");
    commit(1, ada, "Begin\n\nWith a body,\nof two lines.");
    for day in 2..8 {
        shown.world.write("src/large.txt", format!("{}changed on day {day}\n{}", line.repeat(200), line.repeat(200)));
        commit(day, if day % 2 == 0 { bob } else { ada }, &format!("Change the large file, day {day}"));
    }
    git(&shown, &["tag", "-a", "v1", "-m", "the first"]);
    git(&shown, &["checkout", "-q", "-b", "side", "HEAD~3"]);
    shown.world.write("side/été.md", "# Two\n");
    commit(8, bob, "On the side");
    git(&shown, &["checkout", "-q", "main"]);
    git_at(&shown, &["merge", "-q", "--no-ff", "-m", "Merge the side", "side"], "2026-01-09T12:00:00Z", ada);
    std::fs::rename(shown.world.path("README.md"), shown.world.path("readme.txt")).unwrap();
    shown.world.link("link", "readme.txt");
    commit(10, ada, "Move things");
    Some(shown)
}

/// What git says of the same, one line for each commit.
fn log_of_git(shown: &Shown, arguments: &[&str]) -> Vec<String> {
    let said = git(shown, &[&["log", "--format=%H|%P|%an|%ae|%ad|%s", "--date=unix"], arguments].concat());
    said.lines().map(str::to_owned).collect()
}

fn log(shown: &Shown, arguments: &Value) -> Vec<String> {
    let answer = shown.answer("log", arguments);
    let line = |commit: &Value| {
        let text = |pointer: &str| commit.pointer(pointer).unwrap().as_str().unwrap();
        let parents: Vec<&str> = commit["parents"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let date = git(shown, &["log", "-1", "--format=%at", text("/id")]);
        let said = git(shown, &["log", "-1", "--format=%aI", text("/id")]);
        assert_eq!(text("/author/date").replace("+00:00", "Z"), said.replace("+00:00", "Z"));
        let (name, email, subject) = (text("/author/name"), text("/author/email"), text("/subject"));
        format!("{}|{}|{name}|{email}|{date}|{subject}", text("/id"), parents.join(" "))
    };
    answer["commits"].as_array().unwrap().iter().map(line).collect()
}

/// All that git and the tool are asked alike.
fn says_what_git_says(shown: &Shown) {
    assert_eq!(log(shown, &json!({"limit": 100})), log_of_git(shown, &[]));
    assert_eq!(log(shown, &json!({"author": "BØB", "limit": 100})), log_of_git(shown, &["--author=Bøb"]));
    assert_eq!(log(shown, &json!({"message": "day 4"})), log_of_git(shown, &["--grep=day 4"]));
    let since = json!({"since": "2026-01-03", "until": "2026-01-05T23:00:00+01:00"});
    assert_eq!(
        log(shown, &since),
        log_of_git(shown, &["--since=2026-01-03T00:00:00Z", "--until=2026-01-05T23:00:00+01:00"])
    );
    for path in ["README.md", "src", "side/été.md", "readme.txt", "none"] {
        assert_eq!(log(shown, &json!({"path": path, "limit": 100})), log_of_git(shown, &["--", path]), "{path}");
    }
    for revision in ["side", "v1", "HEAD~2", "HEAD^^2", "refs/heads/side", "HEAD^^"] {
        let id = git(shown, &["rev-parse", &format!("{revision}^{{commit}}")]);
        for name in [revision, &id, &id[..7]] {
            assert_eq!(shown.answer("show", &json!({"revision": name}))["commit"]["id"], id, "{name}");
        }
    }
    let moved = shown.answer("show", &json!({"revision": "HEAD"}));
    let change = |path, fate, before: Option<u64>, after: Option<u64>| json!({"path": path, "fate": fate, "before": before, "after": after});
    let changes = [
        change("README.md", "removed", Some(6), None),
        change("link", "added", None, Some(10)),
        change("readme.txt", "added", None, Some(6)),
    ];
    assert_eq!(moved["changes"], json!(changes));
    let large = shown.answer("show", &json!({"revision": "v1"}));
    let size = |revision: &str| git(shown, &["cat-file", "-s", &format!("{revision}:src/large.txt")]).parse().ok();
    assert_eq!(large["changes"], json!([change("src/large.txt", "changed", size("v1~1"), size("v1"))]));
    let first = shown.answer("show", &json!({"revision": "HEAD~8"}));
    assert_eq!(
        (&first["commit"]["subject"], &first["commit"]["body"]),
        (&json!("Begin"), &json!("With a body,\nof two lines."))
    );
    let refs = shown.answer("refs", &json!({}));
    let names = git(
        shown,
        &["for-each-ref", "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"],
    );
    let own = refs["references"].as_array().unwrap().iter();
    let own: Vec<String> =
        own.map(|r| format!("{} {}", r["name"].as_str().unwrap(), r["commit"].as_str().unwrap())).collect();
    assert_eq!((own.join("\n"), &refs["head"]), (names, &json!("refs/heads/main")));
}

#[test]
fn gitlog_says_what_git_says_of_loose_objects_and_of_packs() {
    let Some(shown) = repository() else { return };
    says_what_git_says(&shown);
    git(&shown, &["gc", "-q", "--aggressive"]);
    assert!(!shown.world.exists(".git/refs/heads/main") && shown.world.exists(".git/packed-refs"));
    let packs = std::fs::read_dir(shown.world.path(".git/objects/pack")).unwrap();
    assert!(packs.count() >= 2, "git packed it");
    says_what_git_says(&shown);

    // The granted folder is all that it sees. The twin is a second repository beside it.
    shown.refuses("log", &json!({"repository": "/outside"}), &["fs.read no-grant /outside/.git/HEAD"]);
    let allowed = json!({"limit": 1});
    let answer = shown.answer("log", &allowed);
    let tools = ["log", "refs", "show"];
    let mut server = shown.is_served(&tools, ("log", &allowed, &answer), ("log", &json!({"repository": "/outside"})));
    for (tool, arguments, case) in [
        ("show", json!({"revision": "nope"}), "not-found"),
        ("show", json!({"revision": "heads"}), "not-found"),
        ("show", json!({"revision": "HEAD~99"}), "not-found"),
        ("show", json!({"revision": "../config"}), "not-found"),
        ("show", json!({"revision": "HEAD~"}), "ok"),
        ("show", json!({"revision": "HEAD@{1}"}), "not-found"),
        ("show", json!({"revision": "HEAD:src"}), "not-found"),
        ("show", json!({"revision": "HEAD^{tree}"}), "invalid"),
        ("log", json!({"since": "yesterday"}), "invalid"),
        ("log", json!({"path": "../x"}), "invalid"),
        ("log", json!({"limit": 1001}), "invalid"),
    ] {
        let what = arguments.to_string();
        let failed = survives(&mut server, tool, std::iter::once((what.clone(), arguments)), &[case]);
        assert_eq!(failed, usize::from(case != "ok"), "{what}");
    }
    server.finish();
}

#[test]
fn gitlog_gives_damaged_repositories_a_typed_error() {
    let Some(shown) = repository() else { return };
    let head = git(&shown, &["rev-parse", "HEAD"]);
    let loose = format!(".git/objects/{}/{}", &head[..2], &head[2..]);
    let whole = shown.world.read(&loose);
    let write = |path: &str, bytes: &[u8]| {
        // git makes what it writes read-only.
        std::fs::remove_file(shown.world.path(path)).ok();
        shown.world.write(path, bytes);
    };
    let mut server = shown.serve();
    let mut fails = |what: &str, cases: &[&str]| {
        let calls = [("log", json!({})), ("show", json!({"revision": "HEAD"})), ("log", json!({"path": "src"}))];
        let failed: usize = calls
            .into_iter()
            .map(|(tool, arguments)| survives(&mut server, tool, std::iter::once((what.to_owned(), arguments)), cases))
            .sum();
        assert_eq!(failed, 3, "{what}");
    };
    for (what, bytes) in [
        ("no bytes", Vec::new()),
        ("half an object", whole[..whole.len() / 2].to_vec()),
        ("garbage", (0..=255).cycle().take(5000).collect()),
        (
            "another object",
            shown.world.read(&{
                let tree = git(&shown, &["rev-parse", "HEAD^{tree}"]);
                format!(".git/objects/{}/{}", &tree[..2], &tree[2..])
            }),
        ),
    ] {
        write(&loose, &bytes);
        fails(what, &["damaged"]);
    }
    std::fs::remove_file(shown.world.path(&loose)).unwrap();
    fails("an object that is missing", &["damaged"]);
    write(&loose, &whole);

    for (text, cases) in [
        ("", ["damaged"]),
        ("ref: refs/heads/none\n", ["not-found"]),
        ("ref: ../../outside/canary\n", ["damaged"]),
        ("ref: HEAD\n", ["damaged"]),
        ("\u{0}\u{1}garbage", ["damaged"]),
    ] {
        write(".git/HEAD", text.as_bytes());
        fails(&format!("HEAD is {text:?}"), &cases);
    }
    write(".git/HEAD", b"ref: refs/heads/main\n");
    write(".git/HEAD", b"ref: refs/heads/.invalid\n");
    fails("a reftable", &["unsupported"]);
    write(".git/HEAD", "a".repeat(64).as_bytes());
    fails("SHA-256", &["unsupported"]);
    write(".git/HEAD", b"ref: refs/heads/main\n");

    git(&shown, &["gc", "-q", "--aggressive", "--prune=now"]);
    let named = |end: &str| {
        let names = std::fs::read_dir(shown.world.path(".git/objects/pack")).unwrap().map(|e| e.unwrap().file_name());
        let name = names.map(|name| name.into_string().unwrap()).find(|name| name.ends_with(end)).unwrap();
        format!(".git/objects/pack/{name}")
    };
    let (pack, index) = (named(".pack"), named(".idx"));
    let (packed, indexed) = (shown.world.read(&pack), shown.world.read(&index));
    for (what, bytes) in [
        ("an empty pack", Vec::new()),
        ("a pack of noughts", vec![0; packed.len()]),
        ("a pack of ones", vec![0xff; packed.len()]),
        ("a head and noughts", [&packed[..12], &vec![0; packed.len() - 12]].concat()),
        ("a head and ones", [&packed[..12], &vec![0xff; packed.len() - 12]].concat()),
    ] {
        write(&pack, &bytes);
        fails(what, &["damaged"]);
    }
    write(&pack, &packed);
    for (what, bytes) in [
        ("an empty index", Vec::new()),
        ("half an index", indexed[..indexed.len() / 2].to_vec()),
        ("an index of noughts", [&indexed[..8], &vec![0; indexed.len() - 8]].concat()),
        ("an index of ones", [&indexed[..8], &vec![0xff; indexed.len() - 8]].concat()),
        ("an index of the first version", indexed[8..].to_vec()),
    ] {
        write(&index, &bytes);
        fails(what, &["damaged", "not-found", "unsupported"]);
    }
    write(&index, &indexed);

    // Each byte of the pack turned around, some at a time: an answer or an error, and never another history.
    let wanted = log(&shown, &json!({"limit": 100}));
    for at in (12..packed.len()).step_by(packed.len() / 60) {
        let mut bytes = packed.clone();
        bytes[at] ^= 0x55;
        write(&pack, &bytes);
        let result = server.result("log", json!({"limit": 100, "path": "src"}));
        if result["isError"] == true {
            let (case, words) = super::case(&result["structuredContent"]);
            assert!(["damaged", "too-large", "not-found"].contains(&case.as_str()), "{at}: {case} {words}");
        } else {
            for commit in result["structuredContent"]["commits"].as_array().unwrap() {
                let id = commit["id"].as_str().unwrap();
                assert!(wanted.iter().any(|line| line.starts_with(id)), "{at}: {commit}");
            }
        }
    }
    server.finish();
}
