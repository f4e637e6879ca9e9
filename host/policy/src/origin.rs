//! Origins: scheme, host and port, as rules write them and as requests have them.

use std::fmt;

use crate::host::{Host, HostPattern, Match};

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// The scheme as URLs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port that goes without saying.
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }

    fn parse(text: &str) -> Option<Scheme> {
        [Scheme::Http, Scheme::Https].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
    }
}

/// `[scheme://]host[:port]` taken apart, nothing filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub(crate) scheme: Option<Scheme>,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

/// Takes `[scheme://]host[:port]` apart. Everything else that a URL can have is refused with its own sentence.
pub(crate) fn take_apart(text: &str) -> Result<Written<'_>, String> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => match Scheme::parse(scheme) {
            Some(scheme) => (Some(scheme), rest),
            None => return Err("the scheme is http or https".to_owned()),
        },
        None => (None, text),
    };
    let refusal = match rest.find(['/', '\\', '?', '#', '@', '%']).and_then(|at| rest.get(at..)?.chars().next()) {
        Some('@') => Some("a user name or password cannot be part of a rule"),
        Some('?') => Some("a query cannot be part of a rule"),
        Some('#') => Some("a fragment cannot be part of a rule"),
        Some('%') => Some("percent encoding cannot be part of a host"),
        Some(_) => Some("a path cannot be part of a rule; use allow-http for paths"),
        None => None,
    };
    if let Some(refusal) = refusal {
        return Err(refusal.to_owned());
    }
    let (host, port) = split_port(rest);
    let port = port.map(parse_port).transpose()?;
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    Ok(Written { scheme, host, port })
}

/// The host, and what stands behind the last colon that is not inside brackets.
pub(crate) fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_host = text.rfind(']').map_or(0, |bracket| bracket + 1);
    match text.get(after_host..).and_then(|tail| tail.rfind(':')) {
        Some(colon) => {
            let (host, port) = text.split_at_checked(after_host + colon).unwrap_or((text, ""));
            (host, port.strip_prefix(':'))
        }
        None => (text, None),
    }
}

pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err("a port is a number from 1 to 65535".to_owned()),
    }
}

/// Scheme, host and port of a rule, all filled in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginPattern {
    /// The scheme; a rule without one means `https`.
    pub scheme: Scheme,
    /// The hosts.
    pub host: HostPattern,
    /// The port; a rule without one means the usual port of its scheme.
    pub port: u16,
}

impl OriginPattern {
    /// Reads `[scheme://]host[:port]`.
    pub fn parse(text: &str) -> Result<OriginPattern, String> {
        let written = take_apart(text)?;
        let scheme = written.scheme.unwrap_or(Scheme::Https);
        let host = HostPattern::parse(written.host)?;
        Ok(OriginPattern { scheme, host, port: written.port.unwrap_or(scheme.default_port()) })
    }

    pub(crate) fn allows(&self, target: &Target) -> Match {
        if self.scheme == target.scheme && self.port == target.port {
            self.host.allows(&target.host)
        } else {
            Match::No
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_origin(f, self.scheme, &self.host, self.port)
    }
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// The path as asked for, from `/`, without the query.
    pub(crate) path: String,
}

impl Target {
    /// Reads the URL of a request. `url` is the guest's; what two URL parsers could read differently is malformed here:
    /// user names, backslashes, blanks and control characters, percent encoding in the host, fragments.
    pub(crate) fn parse(url: &str) -> Option<Target> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = Scheme::parse(scheme)?;
        if url.chars().any(|character| character.is_whitespace() || character.is_control() || "\\#".contains(character))
        {
            return None;
        }
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(path_at)?;
        let written = take_apart(authority).ok()?;
        let path = path.split('?').next().unwrap_or_default();
        Some(Target {
            scheme,
            host: Host::parse(written.host).ok()?,
            port: written.port.unwrap_or(scheme.default_port()),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        })
    }

    /// The smallest origin rule for this target.
    pub(crate) fn origin(&self) -> OriginPattern {
        OriginPattern { scheme: self.scheme, host: HostPattern::Is(self.host.clone()), port: self.port }
    }
}

fn write_origin(f: &mut fmt::Formatter<'_>, scheme: Scheme, host: &HostPattern, port: u16) -> fmt::Result {
    write!(f, "{}://{host}", scheme.as_str())?;
    if port == scheme.default_port() { Ok(()) } else { write!(f, ":{port}") }
}
