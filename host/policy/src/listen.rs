//! `--allow-listen=ADDRESS:PORT`: the local ends that a tool may listen on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::entry::Entry;
use crate::error::PolicyError;
use crate::host::Host;
use crate::origin::{parse_port, split_port};

/// Local addresses, and the port.
#[derive(Debug, Clone)]
pub(crate) struct ListenRule {
    /// One address, or both loopback addresses for `localhost`.
    pub(crate) addresses: Vec<IpAddr>,
    /// 0: a port that the system picks.
    pub(crate) port: u16,
    pub(crate) rule: Arc<str>,
}

impl ListenRule {
    pub(crate) fn parse(entry: &Entry<'_>) -> Result<ListenRule, PolicyError> {
        let form = "write ADDRESS:PORT, with a local address or localhost";
        let (host, Some(port)) = split_port(entry.text) else { return Err(entry.error(form)) };
        let port = match port {
            "0" => 0,
            text => parse_port(text).map_err(|reason| entry.error(format!("{reason}, or 0 for any")))?,
        };
        let addresses = match Host::parse(host) {
            Ok(Host::Address(address)) => vec![address],
            Ok(Host::Name(name)) if name == "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Ok(Host::Name(_)) => return Err(entry.error(form)),
            Err(_) if host.is_empty() || host.contains(['*', '/']) => return Err(entry.error(form)),
            Err(reason) => return Err(entry.error(reason)),
        };
        Ok(ListenRule { addresses, port, rule: entry.rule() })
    }

    /// A rule for port 0 covers a bind to port 0, whatever port comes of it, and no port that the guest chose.
    pub(crate) fn covers(&self, address: IpAddr, port: u16) -> bool {
        self.port == port && self.addresses.contains(&address)
    }

    /// Whether anything but this machine can connect.
    pub(crate) fn is_reachable(&self) -> bool {
        self.addresses.iter().any(|address| !address.is_loopback())
    }
}
