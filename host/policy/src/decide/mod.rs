//! The one place where it is decided. Pure, total, and quick enough for every file that a guest opens.

mod net;
mod path;
mod sockets;
mod suggest;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crate::capability::Capability;
use crate::denial::{Denial, DenialCode};
use crate::endpoint::Endpoint;
use crate::guest_path::GuestPath;
use crate::policy::Policy;

pub(crate) use path::longest;
pub(crate) use suggest::quoted as shell_quoted;
pub use suggest::suggest;

/// What a guest asks for. Every text in here is the guest's.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// A file or directory. Asked twice for an open: by name before, and with `host`, what it turned out to be, after.
    Path {
        /// One of the `fs.*` capabilities.
        capability: Capability,
        /// The guest's name for it.
        guest: &'a GuestPath,
        /// Where it really is, when that is known; canonical.
        host: Option<&'a Path>,
    },
    /// Giving a file or directory another name, asked for both names. Like writing, but a denied path below must not get
    /// another name either.
    Move {
        /// The guest's name for it.
        guest: &'a GuestPath,
        /// Where it really is, when that is known; canonical.
        host: Option<&'a Path>,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: &'a str,
    },
    /// An HTTP or HTTPS request.
    Http {
        /// The method.
        method: &'a str,
        /// The absolute URL.
        url: &'a str,
    },
    /// A name lookup.
    Dns {
        /// The name.
        name: &'a str,
    },
    /// An address that the host of a permit turned out to have: every one that a lookup gave, and the host itself where
    /// it is one. Nothing is connected to without it.
    Address {
        /// The permit for the host.
        of: &'a Permit,
        /// The address.
        address: IpAddr,
    },
    /// A TCP socket, not yet used.
    TcpCreate,
    /// An outgoing TCP connection.
    Tcp {
        /// A name or address, IPv6 in brackets.
        host: &'a str,
        /// The port.
        port: u16,
    },
    /// Giving a TCP socket a local address. The unspecified address with port 0 is what a socket has anyway; anything else
    /// is the beginning of listening.
    TcpBind {
        /// The local address, IPv6 in brackets.
        host: &'a str,
        /// The port; 0 for one that the system picks.
        port: u16,
    },
    /// Listening on a TCP socket.
    TcpListen {
        /// The local address, IPv6 in brackets.
        host: &'a str,
        /// The port that the guest asked for when it bound the socket: 0 where the system picked one.
        port: u16,
    },
    /// A connection that came in.
    TcpAccept {
        /// The address of the peer, IPv6 in brackets.
        host: &'a str,
        /// Its port.
        port: u16,
    },
    /// A UDP socket, not yet used.
    UdpCreate,
    /// Giving a UDP socket a local address. Only the unspecified address with port 0 is offered.
    UdpBind {
        /// The local address, IPv6 in brackets.
        host: &'a str,
        /// The port; 0 for one that the system picks.
        port: u16,
    },
    /// A UDP datagram to an end.
    Udp {
        /// A name or address, IPv6 in brackets.
        host: &'a str,
        /// The port.
        port: u16,
    },
    /// A UDP datagram that came in.
    UdpReceive {
        /// The address of the sender, IPv6 in brackets, or the name that it is known by.
        host: &'a str,
        /// Its port.
        port: u16,
    },
    /// A clock.
    Clock,
    /// Random bytes.
    Random,
    /// Standard input.
    StdioRead,
    /// Standard output or error.
    StdioWrite,
}

impl Request<'_> {
    /// What kind of access this is.
    pub fn capability(&self) -> Capability {
        match self {
            Request::Path { capability, .. } => *capability,
            Request::Move { .. } => Capability::FsWrite,
            Request::Env { .. } => Capability::EnvGet,
            Request::Http { .. } => Capability::HttpRequest,
            Request::Dns { .. } => Capability::DnsLookup,
            Request::Address { of, .. } => of.capability,
            Request::TcpBind { host, port } if !sockets::is_any(host, *port) => Capability::TcpListen,
            Request::TcpCreate | Request::Tcp { .. } | Request::TcpBind { .. } => Capability::TcpConnect,
            Request::TcpListen { .. } | Request::TcpAccept { .. } => Capability::TcpListen,
            Request::UdpCreate | Request::UdpBind { .. } | Request::Udp { .. } | Request::UdpReceive { .. } => {
                Capability::UdpSend
            }
            Request::Clock => Capability::ClockRead,
            Request::Random => Capability::RandomRead,
            Request::StdioRead => Capability::StdioRead,
            Request::StdioWrite => Capability::StdioWrite,
        }
    }
}

/// Proof that an access was decided. Only [`decide`] makes one, and an effect needs one.
#[derive(Debug, Clone)]
#[must_use = "a permit is for doing something; dropping it means that a decision was not used"]
pub struct Permit {
    capability: Capability,
    rule: Arc<str>,
    mount: Option<usize>,
    endpoint: Option<Endpoint>,
}

impl Permit {
    fn by(capability: Capability, rule: &Arc<str>) -> Self {
        Permit { capability, rule: Arc::clone(rule), mount: None, endpoint: None }
    }

    fn to(self, endpoint: Endpoint) -> Self {
        Permit { endpoint: Some(endpoint), ..self }
    }

    /// What was permitted.
    pub fn capability(&self) -> Capability {
        self.capability
    }

    /// The rule that permits it.
    pub fn rule(&self) -> &Arc<str> {
        &self.rule
    }

    /// For paths, which of [`Policy::mounts`] it is in.
    pub fn mount(&self) -> Option<usize> {
        self.mount
    }

    /// Where it leads: none for paths, variables and the like, and for a socket that is only made.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }
}

/// Decides one access. Total: there is an answer for every request.
///
/// What wins, for paths, variables and network alike:
///
/// | allow         | deny          | order written | answer                              |
/// |---------------|---------------|---------------|-------------------------------------|
/// | covers        | -             | -             | permit                              |
/// | -             | -             | -             | `no-grant`                          |
/// | covers        | the same      | either        | `deny-rule`                         |
/// | wide          | narrow inside | either        | inside `deny-rule`, around it permit |
/// | narrow inside | wide          | either        | `deny-rule`: no allow digs a hole into a deny |
/// | in the file   | in a flag     | -             | `deny-rule`, and the other way round |
/// | -             | covers        | -             | `deny-rule`                         |
pub fn decide(policy: &Policy, request: &Request<'_>) -> Result<Permit, Denial> {
    let capability = request.capability();
    match *request {
        Request::Path { capability, guest, host } => {
            path::decide(policy, capability, guest, host, path::Change::InPlace)
        }
        Request::Move { guest, host } => path::decide(policy, capability, guest, host, path::Change::Move),
        Request::Env { name } => env(policy, name),
        Request::Http { method, url } => net::http(policy, method, url),
        Request::Dns { name } => net::dns(policy, name),
        Request::Address { of, address } => net::address(policy, of, address),
        Request::TcpCreate => sockets::tcp_create(policy),
        Request::Tcp { host, port } => sockets::tcp(policy, host, port),
        Request::TcpBind { host, port } => sockets::tcp_bind(policy, host, port),
        Request::TcpListen { host, port } => sockets::tcp_listen(policy, host, port),
        Request::TcpAccept { host, port } => sockets::tcp_accept(policy, host, port),
        Request::UdpCreate => sockets::udp_create(policy),
        Request::UdpBind { host, port } => sockets::udp_bind(policy, host, port),
        Request::Udp { host, port } => sockets::udp(policy, host, port),
        Request::UdpReceive { host, port } => sockets::udp_receive(policy, host, port),
        Request::Clock => Ok(Permit::by(capability, &policy.defaults.clock)),
        Request::Random => Ok(Permit::by(capability, &policy.defaults.random)),
        Request::StdioRead | Request::StdioWrite => Ok(Permit::by(capability, &policy.defaults.stdio)),
    }
}

fn env(policy: &Policy, name: &str) -> Result<Permit, Denial> {
    let capability = Capability::EnvGet;
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Denial::new(capability, DenialCode::BadRequest));
    }
    if let Some(rule) = policy.variables.denied(name.as_bytes()) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, rule));
    }
    // What the guest sees of a secret is a placeholder.
    let secret = policy.net.secrets().iter().find(|secret| secret.name == name).map(|secret| &secret.rule);
    match secret.or_else(|| policy.variables.allowed(name)) {
        Some(rule) => Ok(Permit::by(capability, rule)),
        None => Err(Denial::new(capability, DenialCode::NoGrant)),
    }
}
