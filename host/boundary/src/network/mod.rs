//! The network as a call sees it: who answers for names, which certificates are trusted, which secrets go where.
//!
//! ```text
//!  permit -> resolve (one lookup, every address decided) -> connect (to exactly those) -> tls -> request | a socket's streams
//!                    |  ledger: dns.lookup                    |  ledger: connect                   |  taps: sinks and sources
//! ```
//!
//! Two may stand in for what is outside: a [`Peer`] with answers of its own, and the tape of a replay. Decisions, records and taps are the
//! same for all.
//!
//! The machine's resolver and roots are handed in, so that this crate reaches nothing by itself and tests can count who was asked.

mod body;
mod connect;
mod exchange;
mod mask;
mod notes;
mod peer;
pub(crate) mod resolve;
mod secrets;
mod tls;

pub(crate) use exchange::{Exchange, Options};
pub(crate) use notes::{code, error};
pub use peer::{Answered, Asked, Peer};
pub use secrets::Secrets;
pub use tls::Tls;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// The answer to a lookup, to come.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who answers for names. Asked once for each request or lookup, and only after the policy allowed the name.
pub trait Resolver: Send + Sync {
    /// The addresses of a name: lower case, punycode, no dot at the end, never `localhost` and never an address.
    fn lookup(&self, name: &str) -> Lookup;
}

/// What calls need to reach the network. Shared by all of them; holds no connection.
pub struct Network {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) tls: Tls,
    pub(crate) secrets: Secrets,
    /// Answers in place of everything outside.
    pub(crate) peer: Option<Arc<dyn Peer>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

impl Network {
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>, tls: Tls, secrets: Secrets) -> Network {
        Network { resolver, tls, secrets, peer: None }
    }

    /// No names, no trusted certificates, no secrets.
    #[must_use]
    pub fn none() -> Network {
        Network::new(Arc::new(Nobody), Tls::trusting(|| Ok(rustls::RootCertStore::empty())), Secrets::none())
    }

    /// Nothing leaves: `peer` answers lookups and requests; raw TCP is refused and datagrams are swallowed, each decided and recorded as
    /// usual. It is asked only for what the policy allows.
    #[must_use]
    pub fn answered_by(peer: Arc<dyn Peer>, secrets: Secrets) -> Network {
        Network { peer: Some(peer), secrets, ..Network::none() }
    }

    /// For a replay: nobody is asked, and everything comes from the tape.
    #[must_use]
    pub fn of_recording(secrets: Secrets) -> Network {
        Network { secrets, ..Network::none() }
    }

    pub(crate) fn lookup(&self, name: &str) -> Lookup {
        match &self.peer {
            Some(peer) => {
                let found = peer.lookup(name);
                Box::pin(async { if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) } })
            }
            None => self.resolver.lookup(name),
        }
    }

    /// The secrets of the call: what stands for them, and where they go.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

struct Nobody;

impl Resolver for Nobody {
    fn lookup(&self, _: &str) -> Lookup {
        Box::pin(async { Err(io::Error::new(io::ErrorKind::NotFound, "there is no resolver")) })
    }
}
