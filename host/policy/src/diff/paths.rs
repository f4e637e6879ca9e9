//! Cells of the file system: each path that a rule names, and all else below it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, FRESH, MAX_CELLS, TooMany};
use crate::capability::Capability;
use crate::decide::{Request, decide, longest};
use crate::guest_path::GuestPath;
use crate::mounts::MountKind;
use crate::policy::Policy;

pub(super) fn cells(first: &Policy, second: &Policy) -> Result<Vec<(&'static str, Vec<Cell>)>, TooMany> {
    let mut nodes: BTreeSet<GuestPath> = [GuestPath::root()].into();
    for policy in [first, second] {
        nodes.extend(policy.mounts().iter().map(|mount| mount.guest.clone()));
        nodes.extend(policy.denies.iter().filter_map(|deny| deny.guest().cloned()));
    }
    // A denial by host path is about every name that a grant gives it.
    for policy in [first, second] {
        for (path, _, _) in policy.denied_hosts() {
            for mount in first.mounts().iter().chain(second.mounts()) {
                let rest = path.strip_prefix(&mount.host).ok().and_then(|rest| rest.to_str());
                nodes.extend(rest.and_then(|rest| mount.guest.join(rest).ok()));
            }
        }
        if nodes.len() > MAX_CELLS / 4 {
            return Err(TooMany);
        }
    }
    let is_file = |node: &GuestPath| {
        let mut all = first.mounts().iter().chain(second.mounts());
        all.any(|mount| mount.kind == MountKind::File && mount.guest == *node)
    };
    Ok([Capability::FsRead, Capability::FsWrite]
        .map(|capability| {
            let mut cells: Vec<Cell> = Vec::new();
            // Of each node, the cell that what is below it belongs to.
            let mut inner: BTreeMap<&GuestPath, usize> = BTreeMap::new();
            for node in &nodes {
                let ask = |label: String, path: &GuestPath, within| {
                    let (first, second) = (place(first, capability, path), place(second, capability, path));
                    Cell { label, within, first, second }
                };
                let mut above = std::iter::successors(node.parent(), GuestPath::parent);
                let within = above.find_map(|above| inner.get(&above).copied());
                let own = cells.len();
                cells.push(ask(node.to_string(), node, within));
                inner.insert(node, own);
                // There is nothing below a file.
                if let (false, Ok(below)) = (is_file(node), node.join(FRESH)) {
                    inner.insert(node, cells.len());
                    cells.push(ask(format!("{}/*", node.as_str().trim_end_matches('/')), &below, Some(own)));
                }
            }
            (capability.as_str(), cells)
        })
        .into())
}

/// Where the path leads on the host, if it is allowed.
fn place(policy: &Policy, capability: Capability, guest: &GuestPath) -> Option<String> {
    let permit = decide(policy, &Request::Path { capability, guest, host: None }).ok()?;
    let (index, mount, rest) = longest(policy.mounts(), guest)?;
    (permit.mount() == Some(index)).then(|| mount.host.join(rest).to_string_lossy().trim_end_matches('/').to_owned())
}
