//! `wasi:sockets`: lookups, TCP and UDP.
//!
//! A guest names addresses, and a policy mostly names hosts: what a lookup answered is remembered, and an address is decided on as itself
//! and as every name that it was the answer for ([`address`]). The views here decide, record, delegate to wasmtime-wasi and tap the bytes.
//! Behind them each socket has a [`wall`] of its own, in wasmtime-wasi's address check, that decides once more.
//!
//! ```text
//!  use          recorded by                        as
//!  tcp-bind     the view; the wall where implicit  local address as asked
//!  tcp-listen   the view                           local address as asked -> as it is
//!  tcp-accept   the view; the wall where refused   peer
//!  tcp-connect  the view, before it                remote address -> host as decided
//!  udp-bind     the view; the wall where implicit  local address as asked
//!  udp-send     the view, the first of a peer      remote address -> host as decided
//!  udp-receive  the view, the first of a peer;     peer -> host as decided
//!               the wall where refused
//! ```
//!
//! Not seen: the guest learns from `local-address` which of this machine's addresses it speaks from.

mod address;
mod lookup;
mod notes;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;
mod wall;

use crate::flow::Way;
use crate::imports::Import;
use crate::record::Stopped;
use crate::state::View;
use crate::tap::{InTap, Kept, Line, OutLine, OutTap};
use address::{Answered, Refused};
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::{Denial, DenialCode, Permit, Request};
use customs_trace::Label;
use notes::Names;
use std::collections::BTreeMap;
use std::sync::Arc;
use tcp::Tcp;
use tokio::sync::Semaphore;
use udp::Udp;
use wall::Wall;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::instance_network;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::pipe::{ClosedInputStream, ClosedOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, Network, SocketError};

type SocketResult<T> = Result<T, SocketError>;

/// Sockets that a call may have open at once, TCP and UDP together. A listener may hold one more connection that the guest has not taken.
const MAX_SOCKETS: usize = 64;
/// Lookups of one call. Every one may tell a name server something.
const MAX_LOOKUPS: usize = 1_000;
/// Lookups that wait for an answer at once; further ones wait for these.
const MAX_ASKING: usize = 16;
/// What a guest may ask the system to buffer for a socket, each way.
const MAX_BUFFER: u64 = 1 << 20;

/// What the guest's sockets stand for. Keyed by table index, which is reused: entries go when the socket is dropped.
pub(crate) struct Sockets {
    tcp: BTreeMap<u32, Tcp>,
    udp: BTreeMap<u32, Udp>,
    /// The UDP socket of each datagram stream.
    streams: BTreeMap<u32, u32>,
    names: Names,
    answered: Answered,
    lookups: usize,
    asking: Arc<Semaphore>,
}

impl Default for Sockets {
    fn default() -> Self {
        Sockets {
            tcp: BTreeMap::new(),
            udp: BTreeMap::new(),
            streams: BTreeMap::new(),
            names: Names::default(),
            answered: Answered::default(),
            lookups: 0,
            asking: Arc::new(Semaphore::new(MAX_ASKING)),
        }
    }
}

impl Sockets {
    fn is_full(&self) -> bool {
        self.tcp.len() + self.udp.len() >= MAX_SOCKETS
    }
}

/// Methods that look at a socket or set an option of its own: counted and handed on. Dropping a handle is not a call that an observer
/// counts.
macro_rules! hand_on {
    ($interface:path: $(fn $name:ident($socket:ident: $of:ty $(, $argument:ident: $type:ty)*) -> $result:ty = $import:ident;)*) => {
        $(fn $name(&mut self, $socket: $of, $($argument: $type),*) -> $result {
            self.count(Import::$import);
            self.socket($socket.rep(), stringify!($name), |view| {
                <wasmtime_wasi::sockets::WasiSocketsCtxView<'_> as $interface>::$name(&mut view.inner_sockets(), $socket, $($argument),*)
            })
        })*
    };
}
use hand_on;

fn trap(stopped: Stopped) -> SocketError {
    SocketError::trap(wasmtime::Error::from(stopped))
}

/// What the guest is told of a refusal.
fn error_for(code: DenialCode) -> ErrorCode {
    match code {
        DenialCode::BadRequest => ErrorCode::InvalidArgument,
        DenialCode::Limit => ErrorCode::NewSocketLimit,
        _ => ErrorCode::AccessDenied,
    }
}

/// The name of a guest-visible error, for the outcome record.
fn error_name(error: &SocketError) -> &'static str {
    error.downcast_ref().map_or("trap", ErrorCode::name)
}

fn family(family: IpAddressFamily) -> &'static str {
    match family {
        IpAddressFamily::Ipv4 => "ipv4",
        IpAddressFamily::Ipv6 => "ipv6",
    }
}

impl View<'_> {
    /// Refuses: the record, and the error for the guest.
    fn refuse_socket(&self, denial: &Denial, op: &'static str, requested: &str, resolved: Option<&str>) -> SocketError {
        match self.guard.recorder.deny(denial, op, requested, resolved) {
            Ok(()) => error_for(denial.code).into(),
            Err(stopped) => trap(stopped),
        }
    }

    fn refuse_far(&self, refused: &Refused, op: &'static str, requested: &str) -> SocketError {
        self.refuse_socket(&refused.denial, op, requested, refused.resolved.as_deref())
    }

    /// Decides on a local end, or refuses it.
    fn near(&self, request: &Request<'_>, op: &'static str, requested: &str) -> SocketResult<Permit> {
        self.decide(request).map_err(|denial| self.refuse_socket(&denial, op, requested, None))
    }

    /// Whether there may be one more socket, and the wall to put before it.
    fn admit(&mut self, request: &Request<'_>, op: &'static str, requested: &str) -> SocketResult<Arc<Wall>> {
        let permit = self.near(request, op, requested)?;
        if self.guard.sockets.is_full() {
            let denial = Denial::new(permit.capability(), DenialCode::Limit);
            return Err(self.refuse_socket(&denial, op, requested, None));
        }
        self.guard.recorder.use_counted(&permit, op).map_err(trap)?;
        Ok(Arc::new(Wall::new(self.guard.recorder.beside(), self.guard.sockets.answered.clone())))
    }

    /// Records how an access ended and passes the result on.
    fn socket_ended<T>(&self, of: u64, result: SocketResult<T>) -> SocketResult<T> {
        let error = result.as_ref().err().map(error_name);
        self.guard.recorder.outcome(of, error).map_err(trap)?;
        result
    }

    /// The wall has no way to say that the call was stopped but to refuse: here it is said.
    fn unless_stopped<T>(&self, result: SocketResult<T>) -> SocketResult<T> {
        match self.guard.recorder.stopped() {
            Some(_) => Err(trap(Stopped)),
            None => result,
        }
    }

    /// Puts taps before the two streams of a connection. Its flows are named `name` and belong to access `of`; `chosen` is the label of the
    /// address that the guest connected to.
    fn tap_connection(
        &mut self,
        of: u64,
        name: &str,
        input: &Resource<DynInputStream>,
        output: &Resource<DynOutputStream>,
        chosen: Label,
    ) -> SocketResult<()> {
        let recorder = self.guard.recorder.clone();
        let flow = recorder.begin(of, Way::In(SourceKind::Socket), name.to_owned()).map_err(trap)?;
        let slot = self.table.get_mut(input)?;
        let inner = std::mem::replace(slot, Box::new(ClosedInputStream));
        let line = Line::of(recorder.tape(), "socket", SourceKind::Socket, name.to_owned(), 0);
        *slot = Box::new(InTap::new(inner, recorder.clone(), flow, line));
        recorder.release(flow);
        let flow = recorder.begin(of, Way::Out(SinkKind::Socket), name.to_owned()).map_err(trap)?;
        let slot = self.table.get_mut(output)?;
        let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
        let line = OutLine::of(recorder.tape(), "socket", name);
        *slot = Box::new(OutTap::new(inner, recorder.clone(), flow, line).keeping(Kept::Under(chosen)));
        recorder.release(flow);
        Ok(())
    }
}

impl instance_network::Host for View<'_> {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Network>> {
        self.count(Import::InstanceNetwork);
        instance_network::Host::instance_network(&mut self.inner_sockets())
    }
}

impl network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.count(Import::NetworkErrorCode);
        network::Host::network_error_code(&mut self.inner_sockets(), error)
    }
}

impl network::HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.inner_sockets(), network)
    }
}
