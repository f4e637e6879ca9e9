//! `--resolve=NAME=ADDRESS`: names whose addresses the person gives, so that nobody is asked for them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::address::plain_address;
use crate::entry::{Split, entries};
use crate::error::PolicyError;
use crate::host::Host;
use crate::raw::Layer;

/// Names with their addresses, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins(BTreeMap<Host, Vec<IpAddr>>);

impl Pins {
    pub(crate) fn build(layers: &[Layer]) -> Result<Pins, PolicyError> {
        let mut pins: BTreeMap<Host, Vec<IpAddr>> = BTreeMap::new();
        for entry in entries(layers, "resolve", Split::Commas)? {
            let Some((name, address)) = entry.text.split_once('=') else {
                return Err(entry.error("write NAME=ADDRESS"));
            };
            let host = match Host::parse(name.trim_end()).map_err(|reason| entry.error(reason))? {
                host @ Host::Name(_) => host,
                Host::Address(_) => return Err(entry.error("an address has no name to look up; write NAME=ADDRESS")),
            };
            let address = address.trim_start();
            let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
            let address = match bare {
                Some(six) => six.parse().map(IpAddr::V6).ok(),
                None => address.parse().ok(),
            };
            let Some(address) = address.map(plain_address) else {
                return Err(entry.error("a name is pinned to an IPv4 or IPv6 address"));
            };
            if host.is_localhost_name() && !Host::Address(address).is_loopback_itself() {
                return Err(entry.error("localhost is 127.0.0.1 and ::1 and nothing else"));
            }
            let addresses = pins.entry(host).or_default();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(Pins(pins))
    }

    /// The addresses of this host; none if it is not pinned.
    pub(crate) fn of(&self, host: &Host) -> &[IpAddr] {
        self.0.get(host).map(Vec::as_slice).unwrap_or_default()
    }

    /// All of them, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Host, &[IpAddr])> {
        self.0.iter().map(|(host, addresses)| (host, addresses.as_slice()))
    }

    /// For the policy's digest.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .flat_map(|(host, addresses)| addresses.iter().map(move |address| format!("resolve {host} {address}")))
    }
}
