//! Somebody who answers in place of the network: a script for an audit. Everything is decided, recorded and seen as usual, and nothing
//! leaves the machine: no name is looked up, no connection is made, raw sockets reach nobody.

use bytes::Bytes;
use std::net::IpAddr;

/// A request as it would have left, all of it. A secret that the guest does not hold stands as its name, `[secret:NAME]`.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Scheme, host, port, path and query.
    pub url: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
}

/// What the peer answers. Headers that cannot be written are left out.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
}

/// Stands in for resolver and servers: see [`super::Network::answered_by`]. Both are called in the call's own task and must be quick.
pub trait Peer: Send + Sync {
    /// The addresses of a name; none where nobody knows it. They are decided on like any other, and never connected to.
    fn lookup(&self, name: &str) -> Vec<IpAddr>;

    /// The answer to a request.
    fn answer(&self, request: &Asked) -> Answered;
}
