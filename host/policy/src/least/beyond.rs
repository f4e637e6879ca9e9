//! What runs did that a policy would not let them do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::access::{Access, Question, is_path};
use super::net::parse_end;
use crate::address::{is_local_address, plain_address};
use crate::capability::Capability;
use crate::decide::{Request, decide, longest, suggest};
use crate::denial::{Denial, DenialCode};
use crate::guest_path::GuestPath;
use crate::host::{Host, Match};
use crate::mounts::MountKind;
use crate::origin::{Target, split_port};
use crate::policy::Policy;
use crate::raw::HostView;

/// An access that a policy does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub capability: Capability,
    pub operation: String,
    pub requested: String,
    /// Why the policy refuses it, and the rule where one does.
    pub code: DenialCode,
    pub rule: Option<Arc<str>>,
    /// The flag that would allow it. For the person, not for a model.
    pub suggestion: Option<String>,
    /// The run was refused it as well: it was tried, and nothing came of it.
    pub tried: bool,
    /// How often, and the record of the first.
    pub count: u64,
    pub seq: u64,
}

/// What these runs did, or tried, that the policy does not allow: each once, in the order of the first. Paths are decided twice, as the
/// boundary does: by name, and where they lead on this machine now.
pub fn beyond(policy: &Policy, accesses: &[Access], host: &dyn HostView) -> Vec<Missing> {
    let mut places: BTreeMap<(Question<'_>, bool), Option<usize>> = BTreeMap::new();
    let mut found: Vec<Missing> = Vec::new();
    for access in accesses {
        let tried = access.denied.is_some();
        let key = (access.question(), tried);
        if let Some(place) = places.get(&key) {
            if let Some(known) = place.and_then(|at| found.get_mut(at)) {
                known.count = known.count.saturating_add(1);
            }
            continue;
        }
        let refused = refusal(policy, access, host);
        places.insert(key, refused.as_ref().map(|_| found.len()));
        if let Some((denial, suggestion)) = refused {
            found.push(Missing {
                capability: denial.capability,
                operation: access.operation.clone(),
                requested: access.requested.clone(),
                code: denial.code,
                rule: denial.rule,
                suggestion,
                tried,
                count: 1,
                seq: access.seq,
            });
        }
    }
    found
}

/// Why the policy refuses this access, and what would allow it; none where it does not.
pub(super) fn refusal(policy: &Policy, access: &Access, host: &dyn HostView) -> Option<(Denial, Option<String>)> {
    let ask = |request: &Request<'_>| decide(policy, request).err().map(|denial| (denial, suggest(policy, request)));
    let (capability, requested) = (access.capability, access.requested.as_str());
    match (capability, access.operation.as_str()) {
        _ if access.gave_nothing() => None,
        _ if is_path(capability) => path(policy, access, host),
        (Capability::EnvGet, _) => ask(&Request::Env { name: requested }),
        (Capability::HttpRequest, "handle") => {
            let (method, url) = access.request()?;
            ask(&Request::Http { method, url })
        }
        (Capability::HttpRequest, "connect") => connect(policy, access),
        (Capability::DnsLookup, _) => ask(&Request::Dns { name: access.resolved.as_deref().unwrap_or(requested) }),
        (Capability::TcpConnect, "create-tcp-socket") => ask(&Request::TcpCreate),
        (Capability::UdpSend, "create-udp-socket") => ask(&Request::UdpCreate),
        (Capability::TcpConnect | Capability::TcpListen | Capability::UdpSend, operation) => {
            let local = operation.ends_with("-bind") || operation == "tcp-listen" || operation == "tcp-accept";
            let end = if local { requested } else { access.resolved.as_deref().unwrap_or(requested) };
            let end = parse_end(end)?;
            let (at, port) = split_port(&end);
            let port = port?.parse().ok()?;
            ask(&match operation {
                "tcp-bind" => Request::TcpBind { host: at, port },
                "tcp-listen" => Request::TcpListen { host: at, port },
                "tcp-accept" => Request::TcpAccept { host: at, port },
                "udp-bind" => Request::UdpBind { host: at, port },
                "udp-receive" => Request::UdpReceive { host: at, port },
                _ if capability == Capability::UdpSend => Request::Udp { host: at, port },
                _ => Request::Tcp { host: at, port },
            })
        }
        _ => None,
    }
}

fn path(policy: &Policy, access: &Access, host: &dyn HostView) -> Option<(Denial, Option<String>)> {
    let capability = access.capability;
    let Some(guest) = access.path() else { return Some((Denial::escape(capability), None)) };
    let request = Request::Path { capability, guest: &guest, host: None };
    let denial = match decide(policy, &request) {
        Ok(permit) if permit.mount().is_none() => None,
        Ok(_) => leads(policy, access, &guest, host).and_then(|led| match led {
            None => Some(Denial::outside(capability)),
            Some((real, place)) => {
                let place = Some(place.as_path());
                let moved = access.moves().then(|| decide(policy, &Request::Move { guest: &real, host: None }).err());
                let there = Request::Path { capability, guest: &real, host: place };
                decide(policy, &there).err().or(moved.flatten())
            }
        }),
        Err(denial) => Some(denial),
    }?;
    Some((denial, suggest(policy, &request)))
}

/// Where the path leads under this policy, on this machine: none where that cannot be known, and none inside where it is outside of the
/// grant.
fn leads(
    policy: &Policy,
    access: &Access,
    guest: &GuestPath,
    host: &dyn HostView,
) -> Option<Option<(GuestPath, PathBuf)>> {
    let (_, mount, rest) = longest(&policy.mounts, guest)?;
    let path = if rest.is_empty() { mount.host.clone() } else { mount.host.join(rest) };
    // Operations on a name do not follow a link in last place, an open does. Of the others the record shows by the name whether one was
    // followed.
    let same_name =
        access.operation != "open-at" && access.real_path().is_some_and(|real| real.file_name() == guest.file_name());
    let by_name = !rest.is_empty() && (access.changes_names() || access.operation == "readlink-at" || same_name);
    let parent = || {
        let (parent, _) = host.canonical(path.parent()?).ok()?;
        Some(parent.join(path.file_name()?))
    };
    let real = if by_name { parent() } else { host.canonical(&path).ok().map(|(real, _)| real).or_else(parent) }?;
    let named = match mount.kind {
        MountKind::File => (real == mount.host).then(|| mount.guest.clone()),
        MountKind::Dir => {
            let below = real.strip_prefix(&mount.host).ok().and_then(|rest| rest.to_str());
            below.and_then(|rest| mount.guest.join(rest).ok())
        }
    };
    Some(named.map(|named| (named, real)))
}

/// A connection to an address of a host that some rule allows requests to.
fn connect(policy: &Policy, access: &Access) -> Option<(Denial, Option<String>)> {
    let target = Target::parse(&access.requested)?;
    let (capability, net) = (access.capability, &policy.net);
    let origins = net.origins.iter().map(|(origin, _)| origin).chain(net.urls.iter().map(|rule| &rule.origin));
    let allowed = origins.map(|origin| origin.allows(&target)).any(|matched| matched == Match::Yes)
        || (net.all.is_some() && !target.host.is_local());
    if !allowed {
        let flag = format!("--allow-net={}", target.origin());
        return Some((Denial::new(capability, DenialCode::NoGrant), Some(flag)));
    }
    let end = access.resolved.as_deref()?;
    let Host::Address(address) = Host::parse(split_port(end).0).ok()? else { return None };
    let address = plain_address(address);
    if let Some(rule) = net.denied(Some(target.scheme), &Host::Address(address), Some(target.port)) {
        return Some((Denial::by_rule(capability, DenialCode::DenyRule, rule), None));
    }
    let local = is_local_address(address) && !net.names(&target.host, address);
    let pin = || format!("--resolve={}={address}", target.host);
    local.then(|| (Denial::new(capability, DenialCode::Address), Some(pin())))
}
