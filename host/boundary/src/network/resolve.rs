//! From a permit to the addresses it leads to: one lookup at most, and every address decided before any is used.

use super::Network;
use crate::flow::Way;
use crate::record::{Recorder, Stopped};
use customs_ledger::material::SinkKind;
use customs_policy::{Denial, Endpoint, Host, Permit, Request, decide};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one name that are used. More is a resolver's way of keeping a call busy.
const MAX_ADDRESSES: usize = 16;

/// Why there is no address.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// An address, or the lookup, was refused; it is recorded.
    Denied(Denial),
    /// Nobody knows the name; the sentence is for the record.
    Unresolved(String),
    /// The call was stopped.
    Stopped,
}

impl From<Stopped> for Unreachable {
    fn from(_: Stopped) -> Self {
        Unreachable::Stopped
    }
}

/// The addresses that a network permit leads to, each with the permit to connect to it. One that is refused refuses them all: a name that
/// points into this machine's network is not to be trusted with its other addresses.
pub(crate) async fn addresses(
    recorder: &Recorder,
    network: &Network,
    permit: &Permit,
) -> Result<Vec<(IpAddr, Permit)>, Unreachable> {
    let Some(endpoint) = permit.endpoint() else {
        return Err(Unreachable::Unresolved("the permit leads nowhere".to_owned()));
    };
    let mut found = Vec::new();
    for address in lookup(recorder, network, endpoint).await? {
        let address = address.to_canonical();
        if found.iter().any(|(known, _)| *known == address) {
            continue;
        }
        match decide(recorder.policy(), &Request::Address { of: permit, address }) {
            Ok(granted) => found.push((address, granted)),
            Err(denial) => {
                recorder.deny(&denial, "connect", &endpoint.to_string(), Some(&address.to_string()))?;
                return Err(Unreachable::Denied(denial));
            }
        }
    }
    if found.is_empty() {
        return Err(Unreachable::Unresolved("the name has no address".to_owned()));
    }
    found.truncate(MAX_ADDRESSES);
    Ok(found)
}

async fn lookup(recorder: &Recorder, network: &Network, endpoint: &Endpoint) -> Result<Vec<IpAddr>, Unreachable> {
    let name = match &endpoint.host {
        Host::Address(address) => return Ok(vec![*address]),
        // Defined to be this machine (RFC 6761, 6.3): no resolver is asked, and none can say otherwise.
        Host::Name(_) if endpoint.host.is_local() => {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        Host::Name(name) => name,
    };
    let pinned = recorder.policy().net().pinned(&endpoint.host);
    if !pinned.is_empty() {
        return Ok(pinned.to_vec());
    }
    let of = match decide(recorder.policy(), &Request::Dns { name }) {
        // The question leaves the machine, whoever answers it: a sink of its own.
        Ok(permit) => recorder.allow(&permit, "resolve", name, None, true)?,
        Err(denial) => {
            recorder.deny(&denial, "resolve", name, None)?;
            return Err(Unreachable::Denied(denial));
        }
    };
    recorder.whole(of, Way::Out(SinkKind::Dns), name, name.as_bytes())?;
    match network.resolver.lookup(name).await {
        Ok(addresses) => Ok(addresses),
        Err(e) => {
            let why = format!("the name cannot be resolved: {}", e.kind());
            recorder.outcome(of, Some(&why))?;
            Err(Unreachable::Unresolved(why))
        }
    }
}
