//! What runs did, as their ledgers have it: the input of this room's second half.

use crate::capability::Capability;
use crate::guest_path::GuestPath;

/// One access that a run made.
///
/// In the order in which they were made, those of several runs one after the other: whether a file was there before it was written is
/// known from what came earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its record in the ledger; 0 where that would say nothing, as for several ledgers together.
    pub seq: u64,
    /// What was asked for.
    pub capability: Capability,
    /// The operation, as WASI names it: `open-at`.
    pub operation: String,
    /// As the guest asked: an absolute path, `METHOD URL`, a name, an end.
    pub requested: String,
    /// What it turned out to be.
    pub resolved: Option<String>,
    /// The denial code where it was refused.
    pub denied: Option<String>,
    /// The guest-visible error where it was allowed and failed.
    pub error: Option<String>,
    /// It gave something a name: the record's outcome has a sink `PATH#name`. An open says so too where it would have made the file.
    pub created: bool,
    /// Only the start of a text is in the record, or a value in it is covered.
    pub unclear: bool,
}

/// What tells an access from another: capability, operation, requested, resolved, error.
pub(crate) type Question<'a> = (Capability, &'a str, &'a str, Option<&'a str>, Option<&'a str>);

impl Access {
    /// The same for all accesses that ask for the same thing, and are answered with the same error.
    pub(crate) fn question(&self) -> Question<'_> {
        (self.capability, &self.operation, &self.requested, self.resolved.as_deref(), self.error.as_deref())
    }

    /// An access that was allowed and went well.
    pub fn allowed(capability: Capability, operation: &str, requested: &str) -> Access {
        Access {
            seq: 0,
            capability,
            operation: operation.to_owned(),
            requested: requested.to_owned(),
            resolved: None,
            denied: None,
            error: None,
            created: false,
            unclear: false,
        }
    }

    /// One that was refused.
    pub fn denied(capability: Capability, operation: &str, requested: &str, code: &str) -> Access {
        Access { denied: Some(code.to_owned()), ..Access::allowed(capability, operation, requested) }
    }

    /// The path as the guest wrote it, `.` and `..` followed as text; none for one that leads above `/`.
    pub(crate) fn path(&self) -> Option<GuestPath> {
        let text = Some(self.requested.trim_start_matches('/')).filter(|text| text.len() <= MAX_PATH)?;
        GuestPath::root().join(text).ok()
    }

    /// Where the path led.
    pub(crate) fn real_path(&self) -> Option<GuestPath> {
        let text = self.resolved.as_deref().filter(|text| text.len() <= MAX_PATH)?;
        GuestPath::parse(text).ok()
    }

    /// `METHOD URL` taken apart.
    pub(crate) fn request(&self) -> Option<(&str, &str)> {
        self.requested.split_once(' ')
    }

    /// A variable that was granted and is not there: nothing was given, so nothing is needed.
    pub(crate) fn gave_nothing(&self) -> bool {
        self.capability == Capability::EnvGet && self.error.is_some()
    }

    /// It gives a name to something, or takes one away.
    pub(crate) fn changes_names(&self) -> bool {
        const CHANGES: [&str; 6] =
            ["create-directory-at", "symlink-at", "link-at", "rename-at", "remove-directory-at", "unlink-file-at"];
        CHANGES.contains(&self.operation.as_str())
    }

    /// It takes a name away, or moves it: what stands below goes along.
    pub(crate) fn moves(&self) -> bool {
        ["link-at", "rename-at", "remove-directory-at", "unlink-file-at"].contains(&self.operation.as_str())
    }
}

/// Longer paths are none that a system opens, and every directory above one is looked at.
const MAX_PATH: usize = 4096;

/// The capabilities that are about paths.
pub(crate) fn is_path(capability: Capability) -> bool {
    matches!(capability, Capability::FsRead | Capability::FsWrite | Capability::FsList | Capability::FsStat)
}
