//! The one place where it is decided. Pure, total, and quick enough for every file that a guest opens.

mod net;
mod path;
mod suggest;

use std::path::Path;
use std::sync::Arc;

use crate::capability::Capability;
use crate::denial::{Denial, DenialCode};
use crate::guest_path::GuestPath;
use crate::policy::Policy;

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
    /// An outgoing TCP connection.
    Tcp {
        /// A name or address, IPv6 in brackets.
        host: &'a str,
        /// The port.
        port: u16,
    },
    /// A listening TCP socket.
    TcpListen {
        /// The local address.
        host: &'a str,
        /// The port.
        port: u16,
    },
    /// A UDP datagram.
    Udp {
        /// A name or address.
        host: &'a str,
        /// The port.
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
            Request::Tcp { .. } => Capability::TcpConnect,
            Request::TcpListen { .. } => Capability::TcpListen,
            Request::Udp { .. } => Capability::UdpSend,
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
}

impl Permit {
    fn by(capability: Capability, rule: &Arc<str>) -> Self {
        Permit { capability, rule: Arc::clone(rule), mount: None }
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
        Request::Tcp { host, port } => net::tcp(policy, host, port),
        Request::TcpListen { .. } | Request::Udp { .. } => Err(Denial::new(capability, DenialCode::NotSupported)),
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
    let secret = policy.net.secrets().iter().any(|secret| secret.name == name);
    match policy.variables.allowed(name) {
        Some(rule) if !secret => Ok(Permit::by(capability, rule)),
        _ => Err(Denial::new(capability, DenialCode::NoGrant)),
    }
}
