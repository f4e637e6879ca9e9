//! An address as the policy sees it: itself, and every name that a lookup of this call answered with it.

use customs_policy::{Denial, DenialCode, Host, Permit, Policy, Request, decide, plain_address};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// The names that each address was the answer for. Shared by the views and the walls of one call; the number of its lookups bounds it.
#[derive(Clone, Default)]
pub(super) struct Answered(Arc<Mutex<BTreeMap<IpAddr, BTreeSet<Host>>>>);

impl Answered {
    pub(super) fn remember(&self, name: &Host, addresses: &[IpAddr]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            known.entry(plain_address(*address)).or_default().insert(name.clone());
        }
    }

    fn names(&self, address: IpAddr) -> Vec<Host> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&address).into_iter().flatten().cloned().collect()
    }
}

/// What is done with an end that is somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Far {
    Connect,
    Send,
    Receive,
}

impl Far {
    pub(super) fn op(self) -> &'static str {
        match self {
            Far::Connect => "tcp-connect",
            Far::Send => "udp-send",
            Far::Receive => "udp-receive",
        }
    }

    fn request(self, host: &str, port: u16) -> Request<'_> {
        match self {
            Far::Connect => Request::Tcp { host, port },
            Far::Send => Request::Udp { host, port },
            Far::Receive => Request::UdpReceive { host, port },
        }
    }
}

/// A refusal, and the name it is about where it is not the address itself.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) denial: Denial,
    /// `name:port`
    pub(super) resolved: Option<String>,
}

/// The address as a host of a request has it: IPv6 in brackets, IPv4 in IPv6 clothes as the IPv4 address that it is.
pub(super) fn host(address: IpAddr) -> String {
    Host::Address(plain_address(address)).to_string()
}

/// Where a permit leads, `host:port`.
pub(super) fn end(permit: &Permit) -> String {
    permit.endpoint().map(ToString::to_string).unwrap_or_default()
}

/// Decides on an end somewhere else. One of its hosts that is granted is enough, and one that a rule denies is one too many.
pub(super) fn far(policy: &Policy, answered: &Answered, what: Far, to: SocketAddr) -> Result<Permit, Refused> {
    let address = plain_address(to.ip());
    let mut permit = None;
    let mut refused: Option<Refused> = None;
    let hosts = std::iter::once(Host::Address(address)).chain(answered.names(address));
    for host in hosts {
        let decided = decide(policy, &what.request(&host.to_string(), to.port()))
            .and_then(|of| decide(policy, &Request::Address { of: &of, address }));
        let denial = match decided {
            Ok(one) => {
                permit = permit.or(Some(one));
                continue;
            }
            Err(denial) => denial,
        };
        let resolved = matches!(host, Host::Name(_)).then(|| format!("{host}:{}", to.port()));
        if denial.code == DenialCode::DenyRule {
            return Err(Refused { denial, resolved });
        }
        if refused.as_ref().is_none_or(|before| weight(denial.code) >= weight(before.denial.code)) {
            refused = Some(Refused { denial, resolved });
        }
    }
    match (permit, refused) {
        (Some(permit), _) => Ok(permit),
        (None, Some(refused)) => Err(refused),
        (None, None) => {
            Err(Refused { denial: Denial::new(what.request("", 0).capability(), DenialCode::NoGrant), resolved: None })
        }
    }
}

/// How much a refusal tells. Of two that tell the same, the one about a name is the better hint.
fn weight(code: DenialCode) -> u8 {
    match code {
        DenialCode::BadRequest => 2,
        DenialCode::Address => 1,
        _ => 0,
    }
}
