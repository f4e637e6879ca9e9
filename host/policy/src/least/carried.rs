//! What the policy of the runs says inside of what is granted: denials, pinned names, roots, a fixed clock, a trace. Without it the least policy
//! would allow what that policy did not.

use std::collections::BTreeSet;
use std::path::Path;

use super::paths::Tree;
use super::spell::{grant, relative};
use super::{Line, Options};
use crate::host::Host;
use crate::host_path::{bytes, lexical};
use crate::mounts::MountKind;
use crate::path_deny::Place;
use crate::policy::{Clock, Policy, Random};

pub(super) fn lines(policy: &Policy, trees: &[Tree], hosts: &BTreeSet<Host>, options: &Options) -> Vec<Line> {
    let mut lines = Vec::new();
    for tree in trees {
        lines.extend(denials(policy, tree, options));
        lines.extend(islands(policy, tree, trees, options));
    }
    lines.extend(network(policy, hosts, options));
    if policy.clock() == Clock::Fixed {
        lines.push(Line::carried("deny-clock", "true"));
    }
    if policy.random() == Random::Seeded {
        lines.push(Line::carried("deny-random", "true"));
    }
    if policy.traces() {
        lines.push(Line::carried("trace", "true"));
    }
    lines.sort_by(|one, other| (one.key, &one.text).cmp(&(other.key, &other.text)));
    lines.dedup();
    lines
}

/// Deny rules about something below the directory. A rule about changes says nothing where nothing can be changed.
fn denials(policy: &Policy, tree: &Tree, options: &Options) -> Vec<Line> {
    let real = bytes(&tree.real);
    let place = Place { guest: &tree.guest, mapped: Some((real, "")), real: Some(real) };
    let inside = policy.denies.iter().filter(|deny| (deny.reading || tree.write) && deny.is_below(&place));
    let mut lines = Vec::new();
    for deny in inside {
        let key = if deny.reading { "deny-read" } else { "deny-write" };
        let lexically = lexical(&options.base, &deny.written);
        // An absolute one is a guest path as well. A relative one means the same only from where it was written.
        if deny.written.starts_with('/') || deny.paths().any(|path| path == lexically) {
            lines.push(Line::carried(key, deny.written.clone()));
        } else {
            // What no entry can say by its host path has a guest path too.
            let named = |path: &Path| {
                let guest = path.strip_prefix(&tree.real).ok().and_then(|rest| tree.guest.join(rest.to_str()?).ok());
                host_name(&options.base, path).or_else(|| guest.map(|guest| guest.to_string()))
            };
            lines.extend(deny.paths().filter_map(|path| Some(Line::carried(key, named(path)?))));
        }
    }
    lines
}

fn host_name(base: &Path, path: &Path) -> Option<String> {
    relative(base, path).or_else(|| path.to_str().map(str::to_owned)).filter(|text| !text.contains(','))
}

/// Narrower grants of the policy below the directory: one that is for reading only stays so, and one that is another place on the host
/// stays that place.
fn islands(policy: &Policy, tree: &Tree, trees: &[Tree], options: &Options) -> Vec<Line> {
    let mut lines = Vec::new();
    for mount in policy.mounts() {
        let Some(rest) = mount.guest.strip_prefix(&tree.guest).filter(|rest| !rest.is_empty()) else { continue };
        let same_place = mount.host == tree.real.join(rest);
        let granted = trees.iter().any(|other| other.guest == mount.guest);
        if same_place && tree.write && !mount.writable {
            lines.push(Line::carried("deny-write", mount.guest.as_str()));
        } else if !same_place && !granted {
            let text = match mount.kind {
                MountKind::Dir | MountKind::File => {
                    relative(&options.base, &mount.host).or_else(|| mount.host.to_str().map(str::to_owned))
                }
            };
            lines.extend(
                text.and_then(|text| grant(&text, &mount.guest, false)).map(|(key, text)| Line::carried(key, text)),
            );
        }
    }
    lines
}

/// Denials that a name could lead to, the addresses of names that are reached, and the roots that were trusted.
fn network(policy: &Policy, hosts: &BTreeSet<Host>, options: &Options) -> Vec<Line> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let net = &policy.net;
    let denies = net.denies.iter().filter(|deny| deny.is_about_addresses());
    let denies = denies.map(|deny| Line::carried("deny-net", deny.written.clone()));
    let pins = net.pins().filter(|(host, _)| hosts.contains(*host)).flat_map(|(host, addresses)| {
        addresses.iter().map(move |address| Line::carried("resolve", format!("{host}={address}")))
    });
    let roots = net.tls_roots().and_then(|path| {
        let text = relative(&options.base, path).or_else(|| path.to_str().map(str::to_owned))?;
        Some(Line::carried("tls-roots", text))
    });
    denies.chain(pins).chain(roots).collect()
}
