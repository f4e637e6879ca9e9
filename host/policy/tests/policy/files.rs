//! Grants of files and directories: what they mean, what is refused, and what a request gets.

use customs_policy::Capability::{self, FsList, FsRead, FsStat, FsWrite};
use customs_policy::{GuestPath, MountKind, Request, decide, suggest};

use crate::world::{answer, path, policy, refusal, try_policy};

const DATA: &str = "/home/me/project/data";
const READS: [Capability; 3] = [FsRead, FsList, FsStat];

#[test]
fn files_grant_without_guest_path_is_seen_as_written() {
    for (grant, guest, host, writable) in [
        ("--allow-read=./data", "/data", DATA, false),
        ("--allow-read=data", "/data", DATA, false),
        ("--allow-read=./data/", "/data", DATA, false),
        ("--allow-read=./data/./sub", "/data/sub", "/home/me/project/data/sub", false),
        ("--allow-read=/etc/ssl", "/etc/ssl", "/etc/ssl", false),
        ("--allow-write=./data", "/data", DATA, true),
        ("--allow-read=./alias", "/alias", DATA, false),
        ("--allow-read=./data::/box", "/box", DATA, false),
        ("--allow-read=./data::/box/", "/box", DATA, false),
        ("--allow-read=.::/", "/", "/home/me/project", false),
        ("--allow-read=../project/data::/d", "/d", DATA, false),
        ("--dir=./data", "/data", DATA, false),
        ("--dir=./data::ro", "/data", DATA, false),
        ("--dir=./data::rw", "/data", DATA, true),
        ("--dir=./data::/d::rw", "/d", DATA, true),
        ("--dir=a,b", "/a,b", "/home/me/project/a,b", false),
    ] {
        let policy = policy(&[grant]);
        let [mount] = policy.mounts() else { panic!("{grant}: {:?}", policy.mounts()) };
        assert_eq!(
            (mount.guest.as_str(), mount.host.to_str().unwrap(), mount.writable),
            (guest, host, writable),
            "{grant}"
        );
        assert_eq!((mount.kind, &*mount.rule), (MountKind::Dir, grant));
    }
}

#[test]
fn files_ambiguous_or_unusable_grants_are_refused_with_a_reason() {
    for (grant, reason) in [
        ("--allow-read=", "the entry is empty"),
        ("--allow-read=./data,,./other", "the entry is empty"),
        ("--allow-read=.", "::/name"),
        ("--allow-read=./", "::/name"),
        ("--allow-read=../project", ".. in it"),
        ("--allow-read=data/../other", ".. in it"),
        ("--allow-read=~/x", "the shell expands"),
        ("--allow-read=$HOME/x", "the shell expands"),
        ("--allow-read=./missing", "no such file"),
        ("--allow-read=./note.txt/", "without the slash"),
        ("--allow-read=./pipe", "neither a regular file nor a directory"),
        ("--allow-read=./data::data", "starts with /"),
        ("--allow-read=./data::/a/../b", "no .."),
        ("--allow-read=./data::/a::/b", "HOST::GUEST"),
        ("--allow-read=./data::", "starts with /"),
        ("--allow-read=::/data", "missing"),
        ("--allow-read=./note.txt::/", "a file cannot be"),
        ("--dir=./data::/a::/b::rw", "::ro or ::rw"),
        ("--dir=a,c", "no such file"),
        ("--allow-read=./da\0ta", "NUL"),
        ("--allow-read=/tmp/loop", "too many links"),
        ("--deny-read=~/x", "the shell expands"),
        ("--deny-read=./data::/data", "without ::"),
    ] {
        let refused = refusal(&[grant]);
        assert!(refused.contains(reason) && !refused.contains('\n'), "{grant}: {refused}");
    }
}

#[test]
fn files_roots_of_the_machine_need_the_dangerous_flag() {
    for grant in [
        "--allow-read=/",
        "--allow-read=/proc",
        "--allow-read=/sys",
        "--allow-read=/dev",
        "--allow-read=/proc/self",
        "--allow-read=/home/me",
        "--allow-read=/home",
        "--allow-read=/tmp/home",
        "--allow-read=/tmp/dev",
        "--allow-write=/",
        "--dir=/::/host",
        "--allow-read=../../me::/x",
    ] {
        assert!(refusal(&[grant]).contains("--dangerously-allow"), "{grant}");
        let allowed = policy(&[grant, "--dangerously-allow"]);
        assert_eq!(allowed.warnings().len(), 1, "{grant}");
        assert!(allowed.warnings()[0].starts_with(grant), "{:?}", allowed.warnings());
    }
    assert!(policy(&["--allow-read=/home/me/project"]).warnings().is_empty());
    assert!(refusal(&["--allow-read=/dev/null", "--dangerously-allow"]).contains("neither"));
}

#[test]
fn files_one_guest_path_for_two_places_is_refused_and_for_one_place_merged() {
    let refused = refusal(&["--allow-read=./data::/x", "--allow-write=./other::/x"]);
    assert!(refused.contains("/home/me/project/data") && refused.contains("/home/me/project/other"), "{refused}");
    for flags in [
        ["--allow-read=./data", "--allow-write=./alias::/data"],
        ["--allow-write=./alias::/data", "--allow-read=./data"],
    ] {
        let policy = policy(&flags);
        assert_eq!(policy.mounts().len(), 1);
        assert!(policy.mounts()[0].writable);
        assert_eq!(&*policy.mounts()[0].rule, "--allow-write=./alias::/data");
    }
    let twice = policy(&["--allow-write=./data", "--allow-write=data"]);
    assert_eq!(&*twice.mounts()[0].rule, "--allow-write=./data");
}

#[test]
fn files_directory_above_a_grant_can_be_listed_and_nothing_else() {
    let policy = policy(&["--allow-read=./data::/srv/app/data"]);
    for above in ["/", "/srv", "/srv/app"] {
        let guest = GuestPath::parse(above).unwrap();
        for capability in [FsList, FsStat] {
            let permit = decide(&policy, &Request::Path { capability, guest: &guest, host: None }).unwrap();
            assert_eq!(permit.mount(), None, "{above}: it stands for no host directory");
        }
        assert_eq!(path(&policy, FsRead, above, None), "no-grant", "{above}");
        assert_eq!(path(&policy, FsWrite, above, None), "no-grant", "{above}");
    }
    for beside in ["/srv/ap", "/srv/app2", "/etc"] {
        assert_eq!(path(&policy, FsStat, beside, None), "no-grant", "{beside}");
    }
    let denied = crate::world::policy(&["--allow-read=./data::/srv/data", "--deny-read=/srv"]);
    assert_eq!(path(&denied, FsList, "/srv", None), "deny-rule");
}

#[test]
fn files_move_of_a_directory_above_a_read_only_grant_is_refused() {
    let policy = policy(&["--allow-write=./data::/box", "--allow-read=./other::/box/a/fixed"]);
    for (name, expected) in [("/box/a", "read-only"), ("/box/b", "permit"), ("/box/a/fixed", "read-only")] {
        let guest = GuestPath::parse(name).unwrap();
        assert_eq!(answer(&decide(&policy, &Request::Move { guest: &guest, host: None })), expected, "{name}");
    }
}

#[test]
fn files_read_grant_permits_reading_and_not_writing() {
    let policy = policy(&["--allow-read=./data"]);
    for capability in READS {
        assert_eq!(path(&policy, capability, "/data/a.txt", None), "permit");
        assert_eq!(path(&policy, capability, "/data", Some(DATA)), "permit");
        assert_eq!(path(&policy, capability, "/etc/passwd", None), "no-grant");
        assert_eq!(path(&policy, capability, "/database", None), "no-grant");
        assert_eq!(path(&policy, capability, "/DATA/a.txt", None), "no-grant");
    }
    assert_eq!(path(&policy, FsWrite, "/data/a.txt", None), "read-only");
    assert_eq!(path(&policy, FsWrite, "/etc/passwd", None), "no-grant");
}

#[test]
fn files_write_grant_permits_both() {
    let policy = policy(&["--allow-write=./data"]);
    for capability in [FsRead, FsWrite, FsList, FsStat] {
        assert_eq!(path(&policy, capability, "/data/a.txt", Some("/home/me/project/data/a.txt")), "permit");
    }
}

#[test]
fn files_other_capabilities_are_not_about_paths() {
    let policy = policy(&["-A"]);
    for &capability in Capability::ALL {
        let expected = if capability.as_str().starts_with("fs.") { "permit" } else { "bad-request" };
        assert_eq!(path(&policy, capability, "/etc/passwd", None), expected);
    }
}

#[test]
fn files_real_path_outside_of_the_mount_is_denied() {
    let policy = policy(&["--allow-read=./data", "--allow-read=./note.txt"]);
    for (guest, host, expected) in [
        ("/data/a.txt", "/home/me/project/data/a.txt", "permit"),
        ("/data/leak", "/outside/canary", "outside-grant"),
        ("/data/x", "/home/me/project/database/x", "outside-grant"),
        ("/data/x", "/home/me/project/data/../other/x", "outside-grant"),
        ("/data/x", "/home/me/project/data//x", "outside-grant"),
        ("/data/x", "/home/me/project/data/./x", "outside-grant"),
        ("/data/x", "home/me/project/data/x", "outside-grant"),
        ("/data/x", "", "outside-grant"),
        ("/note.txt", "/home/me/project/note.txt", "permit"),
        ("/note.txt", "/home/me/project/note.txt/x", "outside-grant"),
        ("/note.txt", "/home/me/project", "outside-grant"),
    ] {
        assert_eq!(path(&policy, FsRead, guest, Some(host)), expected, "{guest} -> {host}");
    }
}

#[test]
fn files_file_grant_is_exactly_that_file() {
    let policy = policy(&["--allow-read=./note.txt"]);
    assert_eq!(path(&policy, FsRead, "/note.txt", None), "permit");
    assert_eq!(path(&policy, FsRead, "/note.txt/x", None), "no-grant");
    assert_eq!(path(&policy, FsRead, "/note.txt2", None), "no-grant");
    assert_eq!(path(&policy, FsRead, "/", None), "no-grant");
}

#[test]
fn files_longest_guest_path_wins_in_any_order() {
    for flags in [
        ["--allow-write=./data::/box", "--allow-read=./other::/box/ro"],
        ["--allow-read=./other::/box/ro", "--allow-write=./data::/box"],
    ] {
        let policy = policy(&flags);
        assert_eq!(path(&policy, FsWrite, "/box/x", None), "permit");
        assert_eq!(path(&policy, FsWrite, "/box/row", None), "permit");
        assert_eq!(path(&policy, FsWrite, "/box/ro/x", None), "read-only");
        let guest = GuestPath::parse("/box/ro/x").unwrap();
        let permit = decide(&policy, &Request::Path { capability: FsRead, guest: &guest, host: None }).unwrap();
        assert_eq!(policy.mounts()[permit.mount().unwrap()].guest.as_str(), "/box/ro");
        assert_eq!(&**permit.rule(), "--allow-read=./other::/box/ro");
        assert_eq!(permit.capability(), FsRead);
    }
}

#[test]
fn files_moving_cannot_rename_what_is_denied_below() {
    let policy = policy(&["--allow-write=./data", "--deny-read=./data/private"]);
    for (guest, expected) in [
        ("/data/private", "deny-rule"),
        ("/data/private/key", "deny-rule"),
        ("/data", "deny-rule"),
        ("/data/sub", "permit"),
    ] {
        let guest = GuestPath::parse(guest).unwrap();
        assert_eq!(answer(&decide(&policy, &Request::Move { guest: &guest, host: None })), expected, "{guest}");
    }
    assert_eq!(path(&policy, FsWrite, "/data", None), "permit");
}

#[test]
fn files_everything_flag_mounts_the_root_and_says_so() {
    let policy = policy(&["-A"]);
    assert_eq!(path(&policy, FsWrite, "/etc/passwd", Some("/etc/passwd")), "permit");
    assert_eq!(path(&policy, FsRead, "/", Some("/")), "permit");
    assert!(policy.warnings()[0].starts_with("-A grants everything"));
    let denied = crate::world::policy(&["-A", "--deny-read=/etc"]);
    assert_eq!(path(&denied, FsRead, "/etc/passwd", None), "deny-rule");
    assert_eq!(path(&denied, FsRead, "/outside/canary", None), "permit");
    let relative = crate::world::policy(&["-A", "--deny-read=./data/private"]);
    assert_eq!(path(&relative, FsRead, "/home/me/project/data/private/key", None), "deny-rule");
    assert_eq!(path(&relative, FsRead, "/home/me/project/data/a.txt", None), "permit");
}

#[test]
fn files_own_files_inside_a_writable_grant_are_found() {
    let policy = policy(&["--allow-write=./data", "--allow-read=./other", "--allow-write=./note.txt"]);
    let covers = |text: &str| policy.covers_writable(std::path::Path::new(text)).map(|mount| mount.guest.as_str());
    assert_eq!(covers("/home/me/project/data/run.jsonl"), Some("/data"));
    assert_eq!(covers("/home/me/project/note.txt"), Some("/note.txt"));
    assert_eq!(covers("/home/me/project/other/run.jsonl"), None);
    assert_eq!(covers("/home/me/project/run.jsonl"), None);
}

#[test]
fn files_suggestion_is_the_smallest_grant() {
    let read_only = policy(&["--allow-read=./data", "--allow-read=./note.txt", "--dir=./a,b", "--deny-read=/secret"]);
    for (capability, guest, expected) in [
        (FsRead, "/etc/passwd", Some("--allow-read=/etc/passwd")),
        (FsList, "/etc", Some("--allow-read=/etc")),
        (FsWrite, "/etc/passwd", Some("--allow-write=/etc/passwd")),
        (FsWrite, "/data/a.txt", Some("--allow-write=./data::/data")),
        (FsWrite, "/a,b/x", Some("--dir=./a,b::/a,b::rw")),
        (FsRead, "/x,y", Some("--dir=/x,y::ro")),
        (FsRead, "/it's here", Some(r"'--allow-read=/it'\''s here'")),
        (FsRead, "/data/a.txt", None),
        (FsRead, "/secret/x", None),
        (FsRead, "/note.txt/x", None),
        (FsRead, "/proc/self/environ", None),
        (FsRead, "/dev/mem", None),
        (FsRead, "/", None),
        (FsRead, "/a::b", None),
        (FsRead, "/a\u{1b}b", None),
    ] {
        let guest = GuestPath::parse(guest).unwrap();
        let request = Request::Path { capability, guest: &guest, host: None };
        assert_eq!(suggest(&read_only, &request).as_deref(), expected, "{guest}");
    }
}

#[test]
fn files_suggested_grant_turns_the_denial_into_a_permit() {
    for (flags, capability, guest) in [
        (vec![], FsRead, "/etc/passwd"),
        (vec![], FsWrite, "/etc/ssl"),
        (vec!["--allow-read=./data"], FsWrite, "/data/a.txt"),
        (vec!["--dir=a,b::/a,b"], FsWrite, "/a,b/new"),
    ] {
        let guest_path = GuestPath::parse(guest).unwrap();
        let request = Request::Path { capability, guest: &guest_path, host: None };
        let flag = suggest(&policy::<&str>(&flags), &request).unwrap();
        let mut more: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        more.push(flag);
        assert_eq!(answer(&decide(&try_policy(&more).unwrap(), &request)), "permit", "{more:?}");
    }
}
