//! Entries for paths as a person would write them: relative where that is short, and without the guest's name where that goes without
//! saying.

use std::path::Path;

use crate::guest_path::GuestPath;
use crate::host_path::bytes;
use crate::mounts::{Mount, guest_name};
use crate::raw::HostView;

/// A host path as text: as the grant of the run had it, relative to `base`, or absolute; whichever leads to `real` and is first. None
/// where it cannot be written.
pub(super) fn host_text(host: &dyn HostView, base: &Path, mount: &Mount, rest: &str, real: &Path) -> Option<String> {
    let leads_there = |text: &str| host.canonical(&base.join(text)).is_ok_and(|(found, _)| found == real);
    let joined = match (mount.written.trim_end_matches('/'), rest) {
        ("", "") => "/".to_owned(),
        (written, "") => written.to_owned(),
        (written, rest) => format!("{written}/{rest}"),
    };
    if leads_there(&joined) {
        return Some(joined);
    }
    relative(base, real).filter(|text| leads_there(text)).or_else(|| real.to_str().map(str::to_owned))
}

/// `./x` for what lies below `base`.
pub(super) fn relative(base: &Path, real: &Path) -> Option<String> {
    let below = real.strip_prefix(base).ok()?.to_str()?;
    Some(if below.is_empty() { ".".to_owned() } else { format!("./{below}") })
}

/// The key and text of a grant. None where no entry can say it.
pub(super) fn grant(text: &str, guest: &GuestPath, write: bool) -> Option<(&'static str, String)> {
    let guest_text = guest.as_str();
    if text.contains("::") || guest_text.contains("::") || text.ends_with(':') {
        return None;
    }
    let (access, key) = if write { ("rw", "allow-write") } else { ("ro", "allow-read") };
    if text.contains(',') || guest_text.contains(',') || text.trim() != text || guest_text.trim_end() != guest_text {
        return Some(("dir", format!("{text}::{guest_text}::{access}")));
    }
    let unsaid = guest_name(text).is_ok_and(|name| name == *guest);
    Some((key, if unsaid { text.to_owned() } else { format!("{text}::{guest_text}") }))
}

/// Whether a real path lies in the mount.
pub(super) fn inside(mount: &Mount, real: &Path) -> bool {
    crate::host_path::covers(bytes(&mount.host), bytes(real))
}
