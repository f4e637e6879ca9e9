//! Hosts: the one spelling of a host, the patterns that rules use, and what matches what.
//!
//! A host goes through the WHATWG host parser, as in a browser: names in lower case and punycode, every spelling of a
//! number is the address it means, an IPv4 address inside an IPv6 one is the IPv4 address. One trailing dot is dropped.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::{is_local_address, plain_address};

/// A host in its only spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name: lower case, punycode, no dot at the end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// Reads a host as a URL has it, IPv6 in brackets.
    pub fn parse(text: &str) -> Result<Host, String> {
        if text.is_empty() {
            return Err("the host is missing".to_owned());
        }
        // The URL parser would decode, or drop, what follows; two parsers that differ here are two different hosts.
        if text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control() || "%@/\\?#".contains(character))
        {
            return Err("the host has a character that no host has".to_owned());
        }
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(four)) => Ok(Host::Address(IpAddr::V4(four))),
            Ok(url::Host::Ipv6(six)) => Ok(Host::Address(plain_address(IpAddr::V6(six)))),
            Ok(url::Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                let sound = name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()));
                if sound && !name.contains('*') {
                    Ok(Host::Name(name.to_owned()))
                } else {
                    Err(format!("{text} is not a host name"))
                }
            }
            Err(_) if text.starts_with('[') => Err("the IPv6 address is malformed".to_owned()),
            Err(_) if text.contains(':') => Err("an IPv6 address is written in brackets".to_owned()),
            Err(_) => Err("the host is malformed".to_owned()),
        }
    }

    /// Whether this name is defined to be the machine itself.
    pub(crate) fn is_localhost_name(&self) -> bool {
        matches!(self, Host::Name(name) if name == "localhost" || name.ends_with(".localhost"))
    }

    /// `127.0.0.1` and `::1`: what `localhost` resolves to.
    pub(crate) fn is_loopback_itself(&self) -> bool {
        *self == Host::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))
            || *self == Host::Address(IpAddr::V6(Ipv6Addr::LOCALHOST))
    }

    /// Whether a rule has to name this very host before it may be reached.
    pub fn is_local(&self) -> bool {
        match self {
            Host::Name(_) => self.is_localhost_name(),
            Host::Address(address) => is_local_address(*address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(four)) => four.fmt(f),
            Host::Address(IpAddr::V6(six)) => write!(f, "[{six}]"),
        }
    }
}

/// Which hosts a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// `*`
    Any,
    /// `*.suffix`: names below the suffix at any depth, but not the suffix itself.
    Below(String),
    /// One host.
    Is(Host),
}

/// What matching a pattern says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    No,
    /// The pattern covers it, but the host is local and the pattern does not name it.
    Unnamed,
    Yes,
}

impl HostPattern {
    /// Reads a pattern: a host, `*.suffix` or `*`.
    pub fn parse(text: &str) -> Result<HostPattern, String> {
        if text == "*" {
            return Ok(HostPattern::Any);
        }
        let Some(suffix) = text.strip_prefix("*.") else {
            if text.contains('*') {
                return Err("* stands for whole labels at the front: *.example.com".to_owned());
            }
            return Host::parse(text).map(HostPattern::Is);
        };
        match Host::parse(suffix) {
            Ok(Host::Name(name)) => Ok(HostPattern::Below(name)),
            Ok(Host::Address(_)) => Err("*. cannot stand before an address".to_owned()),
            Err(_) if suffix.is_empty() => Err("*. needs a name after it".to_owned()),
            Err(reason) => Err(reason),
        }
    }

    /// Why this pattern is too wide for a grant.
    pub(crate) fn too_wide(&self) -> Option<&'static str> {
        match self {
            HostPattern::Below(suffix) if !suffix.contains('.') => {
                Some("*. needs a name of at least two labels after it")
            }
            _ => None,
        }
    }

    /// For a rule that allows.
    pub(crate) fn allows(&self, host: &Host) -> Match {
        match self {
            HostPattern::Is(named) if named == host => Match::Yes,
            HostPattern::Is(Host::Name(named)) if named == "localhost" && host.is_loopback_itself() => Match::Yes,
            HostPattern::Is(_) => Match::No,
            HostPattern::Below(suffix) if !is_below(host, suffix) => Match::No,
            HostPattern::Below(_) | HostPattern::Any if host.is_local() => Match::Unnamed,
            HostPattern::Below(_) | HostPattern::Any => Match::Yes,
        }
    }

    /// For a rule that denies: wider, because `localhost` and the loopback addresses are the same place.
    pub(crate) fn denies(&self, host: &Host) -> bool {
        match self {
            HostPattern::Any => true,
            HostPattern::Below(suffix) => is_below(host, suffix),
            HostPattern::Is(named) => {
                let same_machine = |one: &Host, other: &Host| one.is_localhost_name() && other.is_loopback_itself();
                named == host || same_machine(named, host) || same_machine(host, named)
            }
        }
    }
}

fn is_below(host: &Host, suffix: &str) -> bool {
    matches!(host, Host::Name(name) if name.strip_suffix(suffix).is_some_and(|front| front.ends_with('.')))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::Any => f.write_str("*"),
            HostPattern::Below(suffix) => write!(f, "*.{suffix}"),
            HostPattern::Is(host) => host.fmt(f),
        }
    }
}
