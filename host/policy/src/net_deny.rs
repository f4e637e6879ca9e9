//! `--deny-net`: hosts and address ranges that are never reached.

use std::net::IpAddr;
use std::sync::Arc;

use crate::address::{carried, plain_address};
use crate::entry::Entry;
use crate::error::PolicyError;
use crate::host::{Host, HostPattern};
use crate::origin::{Scheme, take_apart};

/// `--deny-net`: without a scheme or port it is about all of them.
#[derive(Debug, Clone)]
pub(crate) struct NetDeny {
    scheme: Option<Scheme>,
    hosts: DeniedHosts,
    port: Option<u16>,
    pub(crate) rule: Arc<str>,
    /// As written, to be written again.
    pub(crate) written: String,
}

#[derive(Debug, Clone)]
enum DeniedHosts {
    Pattern(HostPattern),
    Range(IpAddr, u8),
}

impl NetDeny {
    pub(crate) fn parse(entry: &Entry<'_>) -> Result<NetDeny, PolicyError> {
        if let Some((address, bits)) = range_like(entry.text) {
            let (address, bits) = parse_range(address, bits).map_err(|reason| entry.error(reason))?;
            return Ok(NetDeny {
                scheme: None,
                hosts: DeniedHosts::Range(address, bits),
                port: None,
                rule: entry.rule(),
                written: entry.text.to_owned(),
            });
        }
        let written = take_apart(entry.text).map_err(|reason| entry.error(reason))?;
        let host = HostPattern::parse(written.host).map_err(|reason| entry.error(reason))?;
        let port = written.port.or(written.scheme.map(Scheme::default_port));
        let (scheme, hosts) = (written.scheme, DeniedHosts::Pattern(host));
        Ok(NetDeny { scheme, hosts, port, rule: entry.rule(), written: entry.text.to_owned() })
    }

    /// The hosts that it names; none for a range of addresses.
    pub(crate) fn pattern(&self) -> Option<&HostPattern> {
        match &self.hosts {
            DeniedHosts::Pattern(pattern) => Some(pattern),
            DeniedHosts::Range(..) => None,
        }
    }

    /// Whether a host that it does not name can turn out to be under it: it is about addresses, or about every host.
    pub(crate) fn is_about_addresses(&self) -> bool {
        match &self.hosts {
            DeniedHosts::Range(..) | DeniedHosts::Pattern(HostPattern::Any) => true,
            DeniedHosts::Pattern(HostPattern::Is(host)) => matches!(host, Host::Address(_)) || host.is_localhost_name(),
            DeniedHosts::Pattern(HostPattern::Below(_)) => false,
        }
    }

    /// Whether it covers this end, or the IPv4 address that an IPv6 address only stands for. A lookup has no port, a
    /// socket no scheme: a rule that asks for one does not cover the lookup, and covers the socket by its port.
    pub(crate) fn covers(&self, scheme: Option<Scheme>, host: &Host, port: Option<u16>) -> bool {
        let scheme_fits = match (self.scheme, scheme) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        };
        let inner = match host {
            Host::Address(address) => carried(*address).map(|four| Host::Address(four.into())),
            Host::Name(_) => None,
        };
        scheme_fits
            && self.port.is_none_or(|own| port == Some(own))
            && (self.hosts.cover(host) || inner.is_some_and(|inner| self.hosts.cover(&inner)))
    }

    /// For the policy's digest.
    pub(crate) fn line(&self) -> String {
        format!("net deny {:?} {:?} {:?}", self.scheme, self.hosts, self.port)
    }
}

impl DeniedHosts {
    fn cover(&self, host: &Host) -> bool {
        match (self, host) {
            (DeniedHosts::Pattern(pattern), _) => pattern.denies(host),
            (DeniedHosts::Range(network, bits), Host::Address(address)) => in_range(*address, *network, *bits),
            (DeniedHosts::Range(network, bits), Host::Name(_)) => {
                host.is_localhost_name()
                    && ["127.0.0.1", "::1"]
                        .iter()
                        .any(|text| text.parse().is_ok_and(|address| in_range(address, *network, *bits)))
            }
        }
    }
}

/// `address/bits` where the front reads as an address: then a person means a range, not a path.
pub(crate) fn range_like(text: &str) -> Option<(IpAddr, &str)> {
    let (address, bits) = text.split_once('/')?;
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    Some((address.parse().ok()?, bits))
}

pub(crate) fn parse_range(address: IpAddr, bits: &str) -> Result<(IpAddr, u8), String> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    let sound = bits.bytes().all(|byte| byte.is_ascii_digit());
    match bits.parse::<u8>() {
        Ok(number) if sound && number <= most => Ok((address, number)),
        _ => Err(format!("the mask of the range is a number from 0 to {most}")),
    }
}

fn in_range(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |one: u128, other: u128, width: u32| {
        let ignored = width.saturating_sub(u32::from(bits));
        one.checked_shr(ignored).unwrap_or(0) == other.checked_shr(ignored).unwrap_or(0)
    };
    match (plain_address(address), network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(one.to_bits().into(), other.to_bits().into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
        // ::ffff:0:0/96 and wider hold every IPv4 address.
        (IpAddr::V4(one), IpAddr::V6(other)) => same(one.to_ipv6_mapped().to_bits(), other.to_bits(), 128),
        (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
