//! The smallest grant that would turn a denial into a permit. For the person at the terminal only: a model or client that
//! saw it would be told how to ask for more.

use std::net::IpAddr;

use super::{Request, decide, path};
use crate::address::plain_address;
use crate::capability::Capability;
use crate::denial::DenialCode;
use crate::guest_path::GuestPath;
use crate::host::{Host, HostPattern};
use crate::origin::{OriginPattern, Scheme, Target};
use crate::policy::Policy;

/// The flag to add, ready for a shell. None where the answer is no flag: a deny rule to remove (the denial names it), a
/// request that is malformed or that this version offers to nobody, or a tree that should not be granted on a hint.
pub fn suggest(policy: &Policy, request: &Request<'_>) -> Option<String> {
    let denial = decide(policy, request).err()?;
    let flag = match (request, denial.code) {
        (Request::Path { capability, guest, .. }, DenialCode::NoGrant) => path_flag(policy, *capability, guest),
        (Request::Move { guest, .. }, DenialCode::NoGrant) => path_flag(policy, Capability::FsWrite, guest),
        (Request::Path { guest, .. } | Request::Move { guest, .. }, DenialCode::ReadOnly) => {
            writable_flag(policy, guest)
        }
        (Request::Env { name }, DenialCode::NoGrant) => env_flag(policy, name),
        (Request::Http { url, .. }, DenialCode::NoGrant | DenialCode::Address) => {
            Some(format!("--allow-net={}", Target::parse(url)?.origin()))
        }
        (Request::Dns { name }, DenialCode::NoGrant | DenialCode::Address) => {
            let host = HostPattern::Is(Host::parse(name).ok()?);
            Some(format!("--allow-net={}", OriginPattern { scheme: Scheme::Https, host, port: 443 }))
        }
        (Request::Tcp { host, port }, DenialCode::NoGrant | DenialCode::Address) => {
            Some(format!("--allow-tcp={}:{port}", Host::parse(host).ok()?))
        }
        (
            Request::Udp { host, port } | Request::UdpReceive { host, port },
            DenialCode::NoGrant | DenialCode::Address,
        ) if *port > 0 => Some(format!("--allow-udp={}:{port}", Host::parse(host).ok()?)),
        (Request::TcpBind { host, port } | Request::TcpListen { host, port }, DenialCode::NoGrant)
            if denial.capability == Capability::TcpListen =>
        {
            Some(format!("--allow-listen={}:{port}", Host::parse(host).ok()?))
        }
        (Request::Address { of, address }, DenialCode::Address) => resolve_flag(&of.endpoint()?.host, *address),
        _ => None,
    }?;
    // What cannot be typed and seen is not suggested.
    if flag.chars().any(char::is_control) { None } else { Some(quoted(flag)) }
}

fn path_flag(policy: &Policy, capability: Capability, guest: &GuestPath) -> Option<String> {
    let below_a_file = path::longest(&policy.mounts, guest).is_some();
    let too_wide = guest.is_root()
        || ["/proc", "/sys", "/dev"]
            .iter()
            .any(|tree| GuestPath::parse(tree).is_ok_and(|tree| guest.starts_with(&tree)));
    if below_a_file || too_wide || guest.as_str().contains("::") {
        return None;
    }
    let writes = capability == Capability::FsWrite;
    Some(match (guest.as_str().contains(','), writes) {
        (true, true) => format!("--dir={guest}::rw"),
        (true, false) => format!("--dir={guest}::ro"),
        (false, true) => format!("--allow-write={guest}"),
        (false, false) => format!("--allow-read={guest}"),
    })
}

fn writable_flag(policy: &Policy, guest: &GuestPath) -> Option<String> {
    let (_, mount, _) = path::longest(&policy.mounts, guest)?;
    Some(if mount.written.contains(',') || mount.guest.as_str().contains(',') {
        format!("--dir={}::{}::rw", mount.written, mount.guest)
    } else {
        format!("--allow-write={}::{}", mount.written, mount.guest)
    })
}

fn env_flag(policy: &Policy, name: &str) -> Option<String> {
    let secret = policy.net.secrets().iter().any(|secret| secret.name == name);
    let plain = !name.contains(['*', ',']) && name.trim() == name;
    (plain && !secret).then(|| format!("--allow-env={name}"))
}

/// A name leads to a local address only where the person says that it does. `localhost` cannot be said to be elsewhere.
fn resolve_flag(host: &Host, address: IpAddr) -> Option<String> {
    let pinnable = matches!(host, Host::Name(_)) && !host.is_localhost_name();
    pinnable.then(|| format!("--resolve={host}={}", plain_address(address)))
}

/// The flag in single quotes where a shell would read something into it.
pub(crate) fn quoted(flag: String) -> String {
    let harmless = |character: char| character.is_ascii_alphanumeric() || "-_=./:@%+,".contains(character);
    if flag.chars().all(harmless) { flag } else { format!("'{}'", flag.replace('\'', r"'\''")) }
}
