//! Where a permit of the network leads.

use std::fmt;

use crate::host::Host;
use crate::origin::Scheme;

/// The end that a permit of the network is for. What is connected to, bound or looked up is exactly this host, in the
/// spelling that was decided about, and never a text that is parsed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http` or `https` for a request; none for sockets and lookups.
    pub scheme: Option<Scheme>,
    /// The host.
    pub host: Host,
    /// The port. 0 for a lookup, and for a local end whose port the system picks.
    pub port: u16,
}

impl Endpoint {
    /// `host` or `host:port` as it stands in a `Host` header: the default port of the scheme is left out, IPv6 is in
    /// brackets.
    pub fn authority(&self) -> String {
        let Endpoint { scheme, host, port } = self;
        if scheme.is_some_and(|scheme| scheme.default_port() == *port) {
            host.to_string()
        } else {
            format!("{host}:{port}")
        }
    }
}

impl fmt::Display for Endpoint {
    /// `scheme://host[:port]` without a default port, or `host:port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{}://", scheme.as_str())?;
        }
        f.write_str(&self.authority())
    }
}
