//! Host paths as rules write them: what is refused as ambiguous, what they are from `/`, and comparing them as bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::raw::HostView;

/// Why this text cannot be a host path of a rule.
pub(crate) fn check_written(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("the host path is missing")
    } else if text.starts_with('~') || text.starts_with('$') {
        Err("the shell expands ~ and variables, not customs; write the path")
    } else if text.contains('\0') {
        Err("a path has no NUL byte")
    } else {
        Ok(())
    }
}

/// `text` from `/`, without asking the disk: `.` and `..` are taken as text.
pub(crate) fn lexical(base: &Path, text: &str) -> PathBuf {
    let mut path = PathBuf::from("/");
    for component in base.join(text).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                path.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    path
}

/// Every path that `text` may be a name of: as text, and as the disk has it from the deepest part that exists.
pub(crate) fn spellings(base: &Path, text: &str, host: &dyn HostView) -> Vec<PathBuf> {
    let lexical_path = lexical(base, text);
    let mut found = vec![lexical_path.clone()];
    for start in [base.join(text), lexical_path] {
        for ancestor in start.ancestors() {
            let Ok((real, _)) = host.canonical(ancestor) else { continue };
            let below = start.strip_prefix(ancestor).unwrap_or(Path::new(""));
            // Below a missing part only text is left, and a `..` there leads nowhere.
            if !below.components().any(|component| component == Component::ParentDir) {
                found.push(plain(&real.join(below)));
            }
            break;
        }
        // What a link is called is denied as well as where it leads.
        if let (Some(parent), Some(name)) = (start.parent(), start.file_name())
            && let Ok((real, _)) = host.canonical(parent)
        {
            found.push(plain(&real.join(name)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Host paths are compared as bytes, by whole components; both are absolute and plain.
pub(crate) fn covers(root: &[u8], path: &[u8]) -> bool {
    root == b"/" || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Whether `root` covers `base/rest`, without building that path.
pub(crate) fn covers_joined(root: &[u8], base: &[u8], rest: &[u8]) -> bool {
    covers(root, base) || below(root, base).is_some_and(|inner| covers(inner, rest))
}

/// Whether `base/rest` covers `path`, without building that path.
pub(crate) fn joined_covers(base: &[u8], rest: &[u8], path: &[u8]) -> bool {
    if rest.is_empty() { covers(base, path) } else { below(path, base).is_some_and(|inner| covers(rest, inner)) }
}

/// What is left of `path` below `base`, without a slash in front; none for `base` itself.
fn below<'a>(path: &'a [u8], base: &[u8]) -> Option<&'a [u8]> {
    let rest = if base == b"/" { path } else { path.strip_prefix(base)? };
    rest.strip_prefix(b"/").filter(|inner| !inner.is_empty())
}

/// Whether this is an absolute path in its only spelling. Anything else cannot be compared and is treated as outside.
pub(crate) fn is_plain(path: &[u8]) -> bool {
    path == b"/"
        || path.strip_prefix(b"/").is_some_and(|rest| {
            rest.split(|&byte| byte == b'/').all(|part| !part.is_empty() && part != b"." && part != b"..")
        })
}

/// The bytes of a path.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    OsStr::as_bytes(path.as_os_str())
}
