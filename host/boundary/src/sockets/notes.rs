//! What sockets answer, as it is noted on a tape. On a replay a guest's socket is a [`Ghost`]: there is no socket behind it.
//!
//! What wasmtime-wasi asked the [`super::wall`] meanwhile is noted too, and asked again on a replay: some of it is recorded nowhere else.

use super::SocketResult;
use super::wall::Wall;
use crate::state::View;
use crate::tape::wire::{Absent, Failure, Wire};
use crate::tape::{Answer, Tape};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, Pollable, SocketError};
use wasmtime_wasi::sockets::SocketAddrUse;

/// Stands for a socket, or a stream of datagrams, that is not there.
pub(super) struct Ghost;

#[async_trait::async_trait]
impl Pollable for Ghost {
    async fn ready(&mut self) {}
}

/// The names of sockets in keys, and how many operations each has had. Empty where the tape is off.
#[derive(Default)]
pub(super) struct Names(BTreeMap<u32, (String, u64)>);

impl Names {
    pub(super) fn forget(&mut self, rep: u32) {
        self.0.remove(&rep);
    }
}

const CODES: [ErrorCode; 21] = [
    ErrorCode::Unknown,
    ErrorCode::AccessDenied,
    ErrorCode::NotSupported,
    ErrorCode::InvalidArgument,
    ErrorCode::OutOfMemory,
    ErrorCode::Timeout,
    ErrorCode::ConcurrencyConflict,
    ErrorCode::NotInProgress,
    ErrorCode::WouldBlock,
    ErrorCode::InvalidState,
    ErrorCode::NewSocketLimit,
    ErrorCode::AddressNotBindable,
    ErrorCode::AddressInUse,
    ErrorCode::RemoteUnreachable,
    ErrorCode::ConnectionRefused,
    ErrorCode::ConnectionReset,
    ErrorCode::ConnectionAborted,
    ErrorCode::DatagramTooLarge,
    ErrorCode::NameUnresolvable,
    ErrorCode::TemporaryResolverFailure,
    ErrorCode::PermanentResolverFailure,
];

impl Failure for SocketError {
    fn write(&self) -> String {
        super::error_name(self).to_owned()
    }

    fn read(code: &str) -> Option<Self> {
        match CODES.iter().find(|one| one.name() == code) {
            Some(code) => Some((*code).into()),
            None => Some(SocketError::trap(wasmtime::format_err!("it ended by an error of the host"))),
        }
    }

    fn absent() -> Self {
        ErrorCode::RemoteUnreachable.into()
    }
}

impl Wire for SocketAddr {
    fn write(&self) -> Answer {
        Answer::Text(self.to_string())
    }

    fn read(answer: &Answer) -> Option<Self> {
        String::read(answer)?.parse().ok()
    }
}

impl Wire for IpSocketAddress {
    fn write(&self) -> Answer {
        SocketAddr::from(*self).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        SocketAddr::read(answer).map(IpSocketAddress::from)
    }
}

impl Wire for IpAddressFamily {
    fn write(&self) -> Answer {
        Answer::Flag(matches!(self, IpAddressFamily::Ipv6))
    }

    fn read(answer: &Answer) -> Option<Self> {
        bool::read(answer).map(|six| if six { IpAddressFamily::Ipv6 } else { IpAddressFamily::Ipv4 })
    }
}

/// A datagram that came: who sent it, and what.
pub(super) type Came = (SocketAddr, Bytes);

const USES: [SocketAddrUse; 7] = [
    SocketAddrUse::TcpBind,
    SocketAddrUse::TcpListen,
    SocketAddrUse::TcpAccept,
    SocketAddrUse::TcpConnect,
    SocketAddrUse::UdpBind,
    SocketAddrUse::UdpSend,
    SocketAddrUse::UdpReceive,
];

impl Wire for SocketAddrUse {
    fn write(&self) -> Answer {
        let at = USES.iter().position(|one| std::mem::discriminant(one) == std::mem::discriminant(self));
        at.unwrap_or(0).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        USES.get(usize::read(answer)?).copied()
    }
}

impl View<'_> {
    /// Gives something of the guest's a name for notes.
    pub(super) fn name_socket(&mut self, rep: u32, kind: &str) {
        let tape = self.guard.recorder.tape();
        if tape.is_on() {
            let name = format!("{kind}\0{}", tape.instance(kind));
            self.guard.sockets.names.0.insert(rep, (name, 0));
        }
    }

    /// The tape and the name of a socket.
    pub(super) fn on_tape(&self, rep: u32) -> (Tape, String) {
        let name = self.guard.sockets.names.0.get(&rep).map(|(name, _)| name.clone()).unwrap_or_default();
        (self.guard.recorder.tape().clone(), name)
    }

    /// An operation on a socket, or what was noted of it.
    pub(super) fn socket<T: Wire + Absent>(&mut self, rep: u32, op: &str, live: impl FnOnce(&mut Self) -> T) -> T {
        if !self.guard.recorder.tape().is_on() {
            return live(self);
        }
        let (tape, name) = self.on_tape(rep);
        let given = tape.effect(|| format!("socket.{op}\0{name}"), || live(self));
        self.heed_wall(rep);
        given
    }

    /// Notes what the wall was asked since the last operation, or asks it again.
    pub(super) fn heed_wall(&mut self, rep: u32) {
        let tape = self.guard.recorder.tape().clone();
        if !tape.is_on() {
            return;
        }
        let owner = self.guard.sockets.streams.get(&rep).copied().unwrap_or(rep);
        let Some((name, count)) = self.guard.sockets.names.0.get_mut(&owner) else { return };
        *count += 1;
        let key = format!("socket.wall\0{name}\0{count}");
        let sockets = &self.guard.sockets;
        let tcp = sockets.tcp.get(&owner).map(|one| &one.wall);
        let Some(wall) = tcp.or_else(|| sockets.udp.get(&owner).map(|one| &one.wall)) else { return };
        ask_again(&tape, wall, &key);
    }

    /// A pollable for a socket, or for what stands in for it.
    pub(super) fn socket_pollable(
        &mut self,
        rep: u32,
        live: impl FnOnce(&mut Self) -> wasmtime::Result<Resource<DynPollable>>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        if self.guard.recorder.tape().is_playing() {
            return wasmtime_wasi::p2::subscribe(self.table, Resource::<Ghost>::new_borrow(rep));
        }
        live(self)
    }

    /// The streams of a connection that was made, or two that lead nowhere.
    pub(super) fn streams_of(
        &mut self,
        made: Option<(Resource<DynInputStream>, Resource<DynOutputStream>)>,
        socket: u32,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        if let Some(made) = made {
            return Ok(made);
        }
        let parent = Resource::<Ghost>::new_borrow(socket);
        let input: DynInputStream = Box::new(wasmtime_wasi::p2::pipe::ClosedInputStream);
        let output: DynOutputStream = Box::new(wasmtime_wasi::p2::pipe::ClosedOutputStream);
        Ok((self.table.push_child(input, &parent)?, self.table.push_child(output, &parent)?))
    }
}

fn ask_again(tape: &Tape, wall: &Arc<Wall>, key: &str) {
    let asked = wall.take_asked();
    if !asked.is_empty() {
        tape.note(|| key.to_owned(), || asked.write());
    }
    let again = tape.noted(key).and_then(|answer| Vec::<(SocketAddr, SocketAddrUse)>::read(&answer));
    for (address, what) in again.unwrap_or_default() {
        wall.lets(address, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_codes_and_uses_are_read_back() {
        for text in ["127.0.0.1:80", "[::1]:65535", "[fe80::1]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(SocketAddr::read(&address.write()), Some(address));
        }
        for code in CODES {
            assert_eq!(SocketError::read(code.name()).unwrap().downcast_ref(), Some(&code));
        }
        for what in USES {
            let again = SocketAddrUse::read(&what.write()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{what:?}"));
        }
    }
}
