//! From a permit to the addresses it leads to: one lookup at most, and every address decided before any is used.

use super::Network;
use crate::flow::Way;
use crate::record::{Recorder, Stopped};
use crate::tape::key;
use crate::tape::wire::Failure;
use customs_ledger::material::SinkKind;
use customs_policy::{Capability, Denial, Host, Permit, Request, decide};
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
    of_request: u64,
    of_exchange: &str,
) -> Result<Vec<(IpAddr, Permit)>, Unreachable> {
    let Some(endpoint) = permit.endpoint() else {
        return Err(Unreachable::Unresolved("the permit leads nowhere".to_owned()));
    };
    let found = match (known(recorder, &endpoint.host), &endpoint.host) {
        (None, Host::Name(name)) => {
            let of = match decide(recorder.policy(), &Request::Dns { name }) {
                Ok(permit) => recorder.allow(&permit, "resolve", name, None, true)?,
                Err(denial) => {
                    recorder.deny(&denial, "resolve", name, None)?;
                    return Err(Unreachable::Denied(denial));
                }
            };
            recorder.labelled(|labels| labels.promise_lookup(of, of_request));
            let found = ask(recorder, network, of, (name, name), of_exchange).await;
            if let Err(Unreachable::Unresolved(why)) = &found {
                recorder.outcome(of, Some(why))?;
            }
            found?
        }
        (known, _) => known.unwrap_or_default(),
    };
    settle(recorder, permit, "connect", &endpoint.to_string(), found)
}

/// The addresses of a host that nobody is asked about: an address is its own, `localhost` is defined to be this machine (RFC 6761, 6.3),
/// and for a pinned name the person has answered.
pub(crate) fn known(recorder: &Recorder, host: &Host) -> Option<Vec<IpAddr>> {
    match host {
        Host::Address(address) => Some(vec![*address]),
        Host::Name(_) if host.is_local() => Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
        Host::Name(_) => Some(recorder.policy().net().pinned(host).to_vec()).filter(|pinned| !pinned.is_empty()),
    }
}

/// Asks the resolver, once. The question leaves the machine, whoever answers it: a sink of its own, with the name as it was `asked`.
/// `of` is the access record of the lookup; how it ended is for the caller to record. `of_exchange` tells lookups of one name apart.
pub(crate) async fn ask(
    recorder: &Recorder,
    network: &Network,
    of: u64,
    (name, asked): (&str, &str),
    of_exchange: &str,
) -> Result<Vec<IpAddr>, Unreachable> {
    if recorder.judges(SinkKind::Dns) {
        let parts = [(name.to_owned(), asked.as_bytes())];
        if let Some(denial) = recorder.judge(of, SinkKind::Dns, Capability::DnsLookup, "resolve", &parts)? {
            return Err(Unreachable::Denied(denial));
        }
    }
    recorder.whole(of, Way::Out(SinkKind::Dns), name, asked.as_bytes())?;
    let looking = async {
        let found = network.lookup(name).await;
        found.map_err(|e| Unknown(e.kind().to_string()))
    };
    let found = recorder.tape().later(key!("dns", name, of_exchange), looking).await;
    found.map_err(|Unknown(why)| Unreachable::Unresolved(format!("the name cannot be resolved: {why}")))
}

/// Why a resolver has no answer.
struct Unknown(String);

impl Failure for Unknown {
    fn write(&self) -> String {
        self.0.clone()
    }

    fn read(code: &str) -> Option<Self> {
        Some(Unknown(code.to_owned()))
    }

    fn absent() -> Self {
        Unknown("not in the recording".to_owned())
    }
}

/// Decides on every address that was found, each once. `op` and `asked` are for the record of one that is refused.
pub(crate) fn settle(
    recorder: &Recorder,
    permit: &Permit,
    op: &'static str,
    asked: &str,
    addresses: Vec<IpAddr>,
) -> Result<Vec<(IpAddr, Permit)>, Unreachable> {
    let mut found = Vec::new();
    for address in addresses {
        let address = address.to_canonical();
        if found.iter().any(|(known, _)| *known == address) {
            continue;
        }
        match decide(recorder.policy(), &Request::Address { of: permit, address }) {
            Ok(granted) => found.push((address, granted)),
            Err(denial) => {
                recorder.deny(&denial, op, asked, Some(&address.to_string()))?;
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
