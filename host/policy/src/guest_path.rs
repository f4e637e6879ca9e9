//! Paths as the guest sees them: always absolute, always in one spelling, so that a rule and a request can be compared
//! as text. Nothing here looks at a disk; what a link makes of a path is for the boundary to find out and to ask again.

use std::fmt;
use std::sync::Arc;

/// An absolute guest path in its only spelling: `/`, or `/a/b` without `.`, `..`, empty components or NUL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestPath(Arc<str>);

/// Why a relative guest path was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathEscape {
    /// It starts with `/`.
    Absolute,
    /// At some point it leads above the directory it starts from, even if it comes back.
    Climbs,
    /// It holds a NUL byte, which no file name can.
    Invalid,
}

impl fmt::Display for PathEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathEscape::Absolute => "the path is absolute",
            PathEscape::Climbs => "the path leads above the directory it starts from",
            PathEscape::Invalid => "the path holds a NUL byte",
        })
    }
}

impl std::error::Error for PathEscape {}

impl GuestPath {
    /// `/`
    pub fn root() -> Self {
        GuestPath(Arc::from("/"))
    }

    /// Reads an absolute path. `//`, `/./` and a slash at the end are harmless spellings and are dropped; `..` is refused
    /// because what it means depends on links.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let Some(rest) = text.strip_prefix('/') else { return Err(PathError::Relative) };
        if rest.split('/').any(|part| part == "..") {
            return Err(PathError::Dots);
        }
        GuestPath::root().join(rest.trim_start_matches('/')).map_err(|_| PathError::Nul)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// Follows a relative path as text, without looking at links. An empty path stays here. `guest_rel` is the guest's:
    /// time and memory are linear in its length.
    pub fn join(&self, guest_rel: &str) -> Result<GuestPath, PathEscape> {
        if guest_rel.as_bytes().contains(&0) {
            return Err(PathEscape::Invalid);
        }
        if guest_rel.starts_with('/') {
            return Err(PathEscape::Absolute);
        }
        let base = if self.is_root() { "" } else { self.as_str() };
        let mut joined = String::with_capacity(base.len() + 1 + guest_rel.len());
        joined.push_str(base);
        for part in guest_rel.split('/') {
            match part {
                "" | "." => {}
                ".." if joined.len() == base.len() => return Err(PathEscape::Climbs),
                ".." => {
                    // Longer than the base, so this slash is at or after its end.
                    let cut = joined.rfind('/').unwrap_or(base.len());
                    joined.truncate(cut);
                }
                name => {
                    joined.push('/');
                    joined.push_str(name);
                }
            }
        }
        if joined.is_empty() { Ok(GuestPath::root()) } else { Ok(GuestPath(joined.into())) }
    }

    /// The last component; none for `/`.
    pub fn file_name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The directory that holds this path; none for `/`.
    pub fn parent(&self) -> Option<GuestPath> {
        match self.0.rsplit_once('/')? {
            (_, "") => None,
            ("", _) => Some(GuestPath::root()),
            (parent, _) => Some(GuestPath(Arc::from(parent))),
        }
    }

    /// Whether this is `ancestor` or below it, by whole components.
    pub fn starts_with(&self, ancestor: &GuestPath) -> bool {
        self.strip_prefix(ancestor).is_some()
    }

    /// What is left below `ancestor`, without a slash in front; empty for the same path.
    pub fn strip_prefix(&self, ancestor: &GuestPath) -> Option<&str> {
        let rest = if ancestor.is_root() { &*self.0 } else { self.0.strip_prefix(&*ancestor.0)? };
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }
}

impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a text is not a guest path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// It does not start with `/`.
    Relative,
    /// It has a `..`.
    Dots,
    /// It has a NUL byte.
    Nul,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathError::Relative => "a guest path starts with /",
            PathError::Dots => "a guest path has no ..",
            PathError::Nul => "a guest path has no NUL byte",
        })
    }
}

impl std::error::Error for PathError {}
