//! Deciding about paths. On the way of every open: it compares bytes and allocates nothing.

use std::path::Path;

use super::Permit;
use crate::capability::Capability;
use crate::denial::{Denial, DenialCode};
use crate::guest_path::GuestPath;
use crate::host_path::{bytes, covers, is_plain};
use crate::mounts::{Mount, MountKind};
use crate::path_deny::Place;
use crate::policy::Policy;

/// What happens to the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    InPlace,
    Move,
}

pub(super) fn decide(
    policy: &Policy,
    capability: Capability,
    guest: &GuestPath,
    host: Option<&Path>,
    change: Change,
) -> Result<Permit, Denial> {
    let changes = match capability {
        Capability::FsWrite => true,
        Capability::FsRead | Capability::FsList | Capability::FsStat => false,
        _ => return Err(Denial::new(capability, DenialCode::BadRequest)),
    };
    let found = longest(&policy.mounts, guest);
    let real = host.map(bytes);
    let place = Place { guest, mapped: found.map(|(_, mount, rest)| (bytes(&mount.host), rest)), real };
    for deny in policy.denies.iter().filter(|deny| deny.reading || changes) {
        if deny.covers(&place) || (change == Change::Move && deny.is_below(&place)) {
            return Err(Denial::by_rule(capability, DenialCode::DenyRule, &deny.rule));
        }
    }
    let Some((index, mount, rest)) = found else { return above(policy, capability, guest) };
    if mount.kind == MountKind::File && !rest.is_empty() {
        return Err(Denial::new(capability, DenialCode::NoGrant));
    }
    if changes && !mount.writable {
        return Err(Denial::by_rule(capability, DenialCode::ReadOnly, &mount.rule));
    }
    // Moving a directory would take the grants below it along, to a name that they do not speak of.
    if change == Change::Move
        && let Some(below) = policy.mounts.iter().find(|other| is_above(guest, &other.guest) && !other.writable)
    {
        return Err(Denial::by_rule(capability, DenialCode::ReadOnly, &below.rule));
    }
    if real.is_some_and(|real| !holds(mount, real)) {
        return Err(Denial::by_rule(capability, DenialCode::OutsideGrant, &mount.rule));
    }
    Ok(Permit { mount: Some(index), ..Permit::by(capability, &mount.rule) })
}

/// A directory above a grant can be seen and listed, as far as the grants show it: there is nothing else in it. The permit has no mount.
fn above(policy: &Policy, capability: Capability, guest: &GuestPath) -> Result<Permit, Denial> {
    let granted = policy.mounts.iter().find(|mount| is_above(guest, &mount.guest));
    match (granted, capability) {
        (Some(mount), Capability::FsList | Capability::FsStat) => Ok(Permit::by(capability, &mount.rule)),
        _ => Err(Denial::new(capability, DenialCode::NoGrant)),
    }
}

/// Strictly above.
fn is_above(guest: &GuestPath, mount: &GuestPath) -> bool {
    mount.strip_prefix(guest).is_some_and(|rest| !rest.is_empty())
}

/// The mount with the longest guest path that this path is at or below, and what is left of it.
///
/// A plain scan: a policy has a handful of mounts, and each miss costs one comparison.
pub(crate) fn longest<'a, 'p>(mounts: &'a [Mount], guest: &'p GuestPath) -> Option<(usize, &'a Mount, &'p str)> {
    let mut best: Option<(usize, &Mount, &str)> = None;
    for (index, mount) in mounts.iter().enumerate() {
        if let Some(rest) = guest.strip_prefix(&mount.guest)
            && best.is_none_or(|(_, _, shortest)| rest.len() < shortest.len())
        {
            best = Some((index, mount, rest));
        }
    }
    best
}

/// Whether a real path is inside the mount. A path in another spelling than the canonical one proves nothing.
fn holds(mount: &Mount, real: &[u8]) -> bool {
    is_plain(real)
        && match mount.kind {
            MountKind::Dir => covers(bytes(&mount.host), real),
            MountKind::File => bytes(&mount.host) == real,
        }
}
