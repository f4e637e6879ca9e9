//! Network rules: origins, URL prefixes, TCP ends, secrets bound to an origin, and what denies them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::address::plain_address;
use crate::entry::{Entry, Split, entries};
use crate::error::PolicyError;
use crate::host::{Host, HostPattern};
use crate::origin::{OriginPattern, Scheme, take_apart};
use crate::raw::Layer;
use crate::url_rule::UrlRule;

/// Every network rule of a policy.
#[derive(Debug, Clone, Default)]
pub struct NetRules {
    pub(crate) all: Option<Arc<str>>,
    pub(crate) origins: Vec<(OriginPattern, Arc<str>)>,
    pub(crate) urls: Vec<UrlRule>,
    pub(crate) tcp: Vec<TcpRule>,
    pub(crate) denies: Vec<NetDeny>,
    pub(crate) secrets: Vec<Secret>,
}

/// `--allow-tcp=host:port`
#[derive(Debug, Clone)]
pub(crate) struct TcpRule {
    pub(crate) host: HostPattern,
    pub(crate) port: u16,
    pub(crate) rule: Arc<str>,
}

/// `--deny-net`: without a scheme or port it is about all of them.
#[derive(Debug, Clone)]
pub(crate) struct NetDeny {
    scheme: Option<Scheme>,
    hosts: DeniedHosts,
    port: Option<u16>,
    pub(crate) rule: Arc<str>,
}

#[derive(Debug, Clone)]
enum DeniedHosts {
    Pattern(HostPattern),
    Range(IpAddr, u8),
}

/// `--secret NAME@ORIGIN`: a value that the boundary puts into requests to that origin, and the guest never holds.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The name of the variable on the host.
    pub name: String,
    /// The one origin that may receive it.
    pub origin: OriginPattern,
    /// The rule as written.
    pub rule: Arc<str>,
}

impl NetRules {
    pub(crate) fn build(layers: &[Layer], dangerous: bool) -> Result<NetRules, PolicyError> {
        let mut rules = NetRules::default();
        for entry in entries(layers, "allow-net", Split::Commas)? {
            rules.origins.push((allowed_origin(&entry, entry.text, dangerous)?, entry.rule()));
        }
        for entry in entries(layers, "allow-http", Split::Whole)? {
            rules.urls.push(UrlRule::parse(&entry, dangerous)?);
        }
        for entry in entries(layers, "allow-tcp", Split::Commas)? {
            rules.tcp.push(TcpRule::parse(&entry, dangerous)?);
        }
        for entry in entries(layers, "deny-net", Split::Commas)? {
            rules.denies.push(NetDeny::parse(&entry)?);
        }
        for entry in entries(layers, "secret", Split::Commas)? {
            rules.secrets.push(Secret::parse(&entry)?);
        }
        if layers.iter().any(|layer| layer.raw.allow_all) {
            rules.all = Some(Arc::from("-A"));
        }
        Ok(rules)
    }

    /// The secrets that are bound to an origin.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Whether nothing on the network is granted.
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.origins.is_empty() && self.urls.is_empty() && self.tcp.is_empty()
    }

    /// For the policy's digest.
    pub(crate) fn lines(&self) -> Vec<String> {
        let origins = self.origins.iter().map(|(origin, _)| format!("net allow {origin}"));
        let urls = self
            .urls
            .iter()
            .map(|url| format!("http allow {} {}{}", url.method.as_deref().unwrap_or("*"), url.origin, url.prefix));
        let tcp = self.tcp.iter().map(|tcp| format!("tcp allow {}:{}", tcp.host, tcp.port));
        let denies =
            self.denies.iter().map(|deny| format!("net deny {:?} {:?} {:?}", deny.scheme, deny.hosts, deny.port));
        let secrets = self.secrets.iter().map(|secret| format!("secret {} {}", secret.name, secret.origin));
        let all = self.all.iter().map(|_| "net allow all".to_owned());
        origins.chain(urls).chain(tcp).chain(denies).chain(secrets).chain(all).collect()
    }

    /// The rules that allow a request to this host at some port.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&HostPattern, &Arc<str>)> {
        let origins = self.origins.iter().map(|(origin, rule)| (&origin.host, rule));
        let urls = self.urls.iter().map(|url| (&url.origin.host, &url.rule));
        let tcp = self.tcp.iter().map(|tcp| (&tcp.host, &tcp.rule));
        origins.chain(urls).chain(tcp)
    }
}

pub(crate) fn allowed_origin(entry: &Entry<'_>, text: &str, dangerous: bool) -> Result<OriginPattern, PolicyError> {
    if let Some((address, bits)) = range_like(text) {
        parse_range(address, bits).map_err(|reason| entry.error(reason))?;
        return Err(entry.error("an address range can be denied but not allowed; name the address"));
    }
    let origin = OriginPattern::parse(text).map_err(|reason| entry.error(reason))?;
    check_width(entry, &origin.host, dangerous)?;
    Ok(origin)
}

fn check_width(entry: &Entry<'_>, host: &HostPattern, dangerous: bool) -> Result<(), PolicyError> {
    if let Some(reason) = host.too_wide() {
        return Err(entry.error(reason));
    }
    if *host == HostPattern::Any && !dangerous {
        return Err(entry.error("* is every host; that needs --dangerously-allow"));
    }
    Ok(())
}

impl TcpRule {
    fn parse(entry: &Entry<'_>, dangerous: bool) -> Result<TcpRule, PolicyError> {
        let written = take_apart(entry.text).map_err(|reason| entry.error(reason))?;
        let (None, Some(port)) = (written.scheme, written.port) else {
            return Err(entry.error("write host:port"));
        };
        let host = HostPattern::parse(written.host).map_err(|reason| entry.error(reason))?;
        check_width(entry, &host, dangerous)?;
        Ok(TcpRule { host, port, rule: entry.rule() })
    }
}

impl NetDeny {
    fn parse(entry: &Entry<'_>) -> Result<NetDeny, PolicyError> {
        if let Some((address, bits)) = range_like(entry.text) {
            let (address, bits) = parse_range(address, bits).map_err(|reason| entry.error(reason))?;
            return Ok(NetDeny {
                scheme: None,
                hosts: DeniedHosts::Range(address, bits),
                port: None,
                rule: entry.rule(),
            });
        }
        let written = take_apart(entry.text).map_err(|reason| entry.error(reason))?;
        let host = HostPattern::parse(written.host).map_err(|reason| entry.error(reason))?;
        let port = written.port.or(written.scheme.map(Scheme::default_port));
        Ok(NetDeny { scheme: written.scheme, hosts: DeniedHosts::Pattern(host), port, rule: entry.rule() })
    }

    /// Whether it covers this end. A lookup has no port, a TCP connection no scheme: a rule that asks for one does not
    /// cover the lookup, and covers the connection by its port.
    pub(crate) fn covers(&self, scheme: Option<Scheme>, host: &Host, port: Option<u16>) -> bool {
        let scheme_fits = match (self.scheme, scheme) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        };
        scheme_fits && self.port.is_none_or(|own| port == Some(own)) && self.hosts.cover(host)
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
fn range_like(text: &str) -> Option<(IpAddr, &str)> {
    let (address, bits) = text.split_once('/')?;
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    Some((address.parse().ok()?, bits))
}

fn parse_range(address: IpAddr, bits: &str) -> Result<(IpAddr, u8), String> {
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

impl Secret {
    fn parse(entry: &Entry<'_>) -> Result<Secret, PolicyError> {
        let Some((name, origin)) = entry.text.split_once('@') else {
            return Err(entry.error("write NAME@ORIGIN"));
        };
        if name.is_empty() || name.contains(['=', '\0', '*']) {
            return Err(entry.error("the name of a secret is the name of one variable"));
        }
        let origin = OriginPattern::parse(origin).map_err(|reason| entry.error(reason))?;
        if !matches!(origin.host, HostPattern::Is(_)) {
            return Err(entry.error("a secret is bound to one host, without *"));
        }
        Ok(Secret { name: name.to_owned(), origin, rule: entry.rule() })
    }
}
