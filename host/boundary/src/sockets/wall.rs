//! The second wall: wasmtime-wasi asks it before every use of an address, on whatever way it came there. It decides as the views do.
//!
//! What it refuses, no view has refused before, so it is recorded here. What it allows is recorded by the view, except for a bind that
//! the system does by itself on the way to something else, which no view sees.

use super::address::{Answered, Far, far, host};
use crate::record::Recorder;
use customs_policy::{Request, decide};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

/// Which sockets a context makes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Tcp,
    Udp,
}

/// The wall before one socket.
pub(super) struct Wall {
    pub(super) recorder: Recorder,
    pub(super) answered: Answered,
    local: Mutex<Local>,
}

#[derive(Default)]
struct Local {
    /// The local end that the guest asked for, once it has it.
    asked: Option<SocketAddr>,
    /// A view is binding, and has recorded it.
    binding: bool,
    /// Who was let in and waits to be taken by the guest. wasmtime-wasi holds one at a time.
    peer: Option<SocketAddr>,
    /// What was asked, where a tape wants to know.
    asked_for: Vec<(SocketAddr, SocketAddrUse)>,
}

impl Wall {
    pub(super) fn new(recorder: Recorder, answered: Answered) -> Wall {
        Wall { recorder, answered, local: Mutex::default() }
    }

    /// A context of wasmtime-wasi for one socket: that kind, behind this wall, and nothing else.
    pub(super) fn context(self: &Arc<Wall>, kind: Kind) -> WasiCtx {
        let wall = Arc::clone(self);
        let mut builder = WasiCtxBuilder::new();
        match kind {
            Kind::Tcp => builder.allow_tcp(true),
            Kind::Udp => builder.allow_udp(true),
        };
        builder.socket_addr_check(move |address, what| {
            if wall.recorder.tape().is_on() {
                wall.local().asked_for.push((address, what));
            }
            Box::pin(std::future::ready(wall.lets(address, what)))
        });
        builder.build()
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A view begins to bind; it has decided and recorded that.
    pub(super) fn begin_bind(&self) {
        self.local().binding = true;
    }

    /// And is done; `asked` is the local end that the socket now has, as the guest asked for it.
    pub(super) fn end_bind(&self, asked: Option<SocketAddr>) {
        let mut local = self.local();
        local.binding = false;
        local.asked = local.asked.or(asked);
    }

    /// The local end as the guest asked for it.
    pub(super) fn asked(&self) -> Option<SocketAddr> {
        self.local().asked
    }

    /// Who was let in.
    pub(super) fn take_peer(&self) -> Option<SocketAddr> {
        self.local().peer.take()
    }

    /// What was asked since the last time.
    pub(super) fn take_asked(&self) -> Vec<(SocketAddr, SocketAddrUse)> {
        std::mem::take(&mut self.local().asked_for)
    }

    /// Whether this use of an address goes on.
    pub(super) fn lets(&self, address: SocketAddr, what: SocketAddrUse) -> bool {
        let (host, port) = (host(address.ip()), address.port());
        let host = host.as_str();
        match what {
            SocketAddrUse::TcpBind => self.binds("tcp-bind", &Request::TcpBind { host, port }, address),
            SocketAddrUse::UdpBind => self.binds("udp-bind", &Request::UdpBind { host, port }, address),
            SocketAddrUse::TcpListen => {
                // Where the guest left the port to the system, that is what was granted.
                let port = if self.asked().is_some_and(|asked| asked.port() == 0) { 0 } else { port };
                self.near("tcp-listen", &Request::TcpListen { host, port }, address)
            }
            SocketAddrUse::TcpAccept => {
                let lets = self.near("tcp-accept", &Request::TcpAccept { host, port }, address);
                if lets {
                    self.local().peer = Some(address);
                }
                lets
            }
            SocketAddrUse::TcpConnect => self.far(Far::Connect, address),
            SocketAddrUse::UdpSend => self.far(Far::Send, address),
            SocketAddrUse::UdpReceive => self.far(Far::Receive, address),
        }
    }

    fn near(&self, op: &'static str, request: &Request<'_>, address: SocketAddr) -> bool {
        match decide(self.recorder.policy(), request) {
            Ok(_) => true,
            Err(denial) => {
                // Refused either way; a record that cannot be written stops the call.
                self.recorder.deny(&denial, op, &address.to_string(), None).ok();
                false
            }
        }
    }

    fn binds(&self, op: &'static str, request: &Request<'_>, address: SocketAddr) -> bool {
        if self.local().binding {
            return self.near(op, request, address);
        }
        match decide(self.recorder.policy(), request) {
            Ok(permit) => self.recorder.allow(&permit, op, &address.to_string(), None, true).is_ok(),
            Err(_) => self.near(op, request, address),
        }
    }

    fn far(&self, what: Far, address: SocketAddr) -> bool {
        match far(self.recorder.policy(), &self.answered, what, address) {
            Ok(_) => true,
            Err(refused) => {
                let resolved = refused.resolved.as_deref();
                self.recorder.deny(&refused.denial, what.op(), &address.to_string(), resolved).ok();
                false
            }
        }
    }
}
