//! Guest paths: one spelling, and no way up.

use customs_policy::{GuestPath, PathError, PathEscape};

fn guest(text: &str) -> GuestPath {
    GuestPath::parse(text).unwrap()
}

#[test]
fn path_join_inside_gives_the_plain_spelling() {
    for (base, rel, joined) in [
        ("/", "", "/"),
        ("/", ".", "/"),
        ("/", "a", "/a"),
        ("/", "a//b/", "/a/b"),
        ("/box", "", "/box"),
        ("/box", "f", "/box/f"),
        ("/box", "./f", "/box/f"),
        ("/box", "a/../f", "/box/f"),
        ("/box", "a/..", "/box"),
        ("/box", "a/./b/../c/", "/box/a/c"),
        ("/box", "...", "/box/..."),
        ("/box", "..x", "/box/..x"),
        ("/box", " ", "/box/ "),
        ("/box", "a\\..\\b", "/box/a\\..\\b"),
        ("/box", "\u{202e}\n\u{1b}", "/box/\u{202e}\n\u{1b}"),
        ("/", "é/..", "/"),
    ] {
        assert_eq!(guest(base).join(rel).unwrap().as_str(), joined, "{base} + {rel:?}");
    }
}

#[test]
fn path_join_that_climbs_at_any_point_is_refused() {
    for (base, rel) in [
        ("/", ".."),
        ("/box", ".."),
        ("/box", "../box"),
        ("/box", "../box/f"),
        ("/box", "a/../../f"),
        ("/box", "./../outside/canary"),
        ("/box", "a/../../outside/canary"),
        ("/box", "a/../../box/a"),
        ("/a/b", ".."),
        ("/box", "//.."),
    ] {
        let escape = if rel.starts_with('/') { PathEscape::Absolute } else { PathEscape::Climbs };
        assert_eq!(guest(base).join(rel), Err(escape), "{base} + {rel:?}");
    }
}

#[test]
fn path_join_absolute_or_with_nul_is_refused() {
    for rel in ["/etc/passwd", "//etc/passwd", "/", "/box/f"] {
        assert_eq!(guest("/box").join(rel), Err(PathEscape::Absolute));
    }
    for rel in ["a\0b", "\0", "../\0"] {
        assert_eq!(guest("/box").join(rel), Err(PathEscape::Invalid));
    }
}

#[test]
fn path_join_of_hostile_length_is_linear() {
    let deep = "a/".repeat(200_000) + &"../".repeat(200_000);
    assert_eq!(guest("/box").join(&deep).unwrap().as_str(), "/box");
    assert_eq!(guest("/box").join(&(deep + "..")), Err(PathEscape::Climbs));
}

#[test]
fn path_parse_drops_harmless_spellings_and_refuses_the_rest() {
    for (text, plain) in [("/", "/"), ("//", "/"), ("/a/", "/a"), ("//a//b", "/a/b"), ("/./a/.", "/a")] {
        assert_eq!(guest(text).as_str(), plain);
    }
    for (text, error) in [
        ("", PathError::Relative),
        ("a", PathError::Relative),
        ("./a", PathError::Relative),
        ("/a/../b", PathError::Dots),
        ("/..", PathError::Dots),
        ("/a\0", PathError::Nul),
    ] {
        assert_eq!(GuestPath::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn path_prefix_goes_by_whole_components() {
    for (path, prefix, rest) in [
        ("/a/b", "/a", Some("b")),
        ("/a", "/a", Some("")),
        ("/a/b", "/", Some("a/b")),
        ("/", "/", Some("")),
        ("/ab", "/a", None),
        ("/a", "/a/b", None),
        ("/", "/a", None),
        ("/A/b", "/a", None),
    ] {
        assert_eq!(guest(path).strip_prefix(&guest(prefix)), rest, "{path} - {prefix}");
        assert_eq!(guest(path).starts_with(&guest(prefix)), rest.is_some());
    }
}

#[test]
fn path_parent_and_name() {
    for (path, parent, name) in [("/", None, None), ("/a", Some("/"), Some("a")), ("/a/b", Some("/a"), Some("b"))] {
        assert_eq!(guest(path).parent().as_ref().map(GuestPath::as_str), parent);
        assert_eq!(guest(path).file_name(), name);
    }
}
