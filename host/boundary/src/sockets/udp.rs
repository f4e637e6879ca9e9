//! `wasi:sockets/udp`: which peers datagrams go to and come from.
//!
//! A peer is recorded with its first datagram in each direction; further ones are counted, and their bytes are one flow. What the system
//! refuses to send after it was seen (it has no route, or finds the datagram too large) is in the sink all the same.

use super::address::{Far, end, far, host};
use super::notes::{Came, Ghost};
use super::wall::{Kind, Wall};
use super::{MAX_BUFFER, SocketResult, family, hand_on, trap};
use crate::flow::{FlowId, Way};
use crate::imports::Import;
use crate::labels::Labels;
use crate::record::Stopped;
use crate::state::View;
use crate::tape::key;
use bytes::Bytes;
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::{Permit, Request};
use customs_trace::{Label, Step};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    self, HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, IncomingDatagram,
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream,
};
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket;
use wasmtime_wasi::p2::{DynPollable, Network, SocketError, UdpSocket};
use wasmtime_wasi::sockets::WasiSocketsCtxView;

type Socket = Resource<UdpSocket>;
type In = Resource<IncomingDatagramStream>;
type Out = Resource<OutgoingDatagramStream>;

/// What no datagram is longer than, whatever carries it.
const MAX_DATAGRAM: usize = 65_535;

/// A UDP socket of the guest.
pub(super) struct Udp {
    pub(super) wall: Arc<Wall>,
    /// The peer it is connected to.
    remote: Option<SocketAddr>,
    /// The label of its address.
    chosen: Label,
    /// Datagrams that the guest was last told it may send.
    permitted: u64,
    sending: Peers,
    receiving: Peers,
}

type Peers = BTreeMap<SocketAddr, Peer>;

/// A peer in one direction.
struct Peer {
    of: u64,
    flow: FlowId,
}

impl Udp {
    /// Sees a datagram. A peer's first is recorded before that, and the further ones are counted.
    fn see(&mut self, what: Far, peer: SocketAddr, permit: &Permit, bytes: &[u8]) -> Result<(), Stopped> {
        let recorder = &self.wall.recorder;
        let (peers, way) = match what {
            Far::Receive => (&mut self.receiving, Way::In(SourceKind::Socket)),
            Far::Send | Far::Connect => (&mut self.sending, Way::Out(SinkKind::Socket)),
        };
        if let Some(known) = peers.get(&peer) {
            recorder.see(known.flow, bytes)?;
            recorder.again(known.of);
            return Ok(());
        }
        let end = end(permit);
        let of = recorder.allow(permit, what.op(), &peer.to_string(), Some(&end), what == Far::Send)?;
        let flow = recorder.begin(of, way, format!("udp://{end}"))?;
        peers.insert(peer, Peer { of, flow });
        recorder.see(flow, bytes)
    }
}

impl Drop for Udp {
    fn drop(&mut self) {
        for peer in self.sending.values().chain(self.receiving.values()) {
            self.wall.recorder.release(peer.flow);
        }
    }
}

fn borrowed<T>(resource: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(resource.rep())
}

impl View<'_> {
    fn udp(&mut self, socket: u32) -> SocketResult<&mut Udp> {
        self.guard.sockets.udp.get_mut(&socket).ok_or_else(|| ErrorCode::InvalidState.into())
    }

    /// The socket of a datagram stream.
    fn udp_of(&mut self, stream: u32) -> SocketResult<&mut Udp> {
        let socket = self.guard.sockets.streams.get(&stream).copied();
        self.udp(socket.ok_or(ErrorCode::InvalidState)?)
    }

    /// Removes what stands in for a socket or stream on a replay; false where there is a real one.
    fn is_ghost(&mut self, rep: u32) -> wasmtime::Result<bool> {
        if !self.guard.recorder.tape().is_playing() {
            return Ok(false);
        }
        self.table.delete(Resource::<Ghost>::new_own(rep))?;
        self.guard.sockets.names.forget(rep);
        Ok(true)
    }

    /// Sends one datagram; false where the system takes none now.
    fn send_one(&mut self, stream: &Out, at: usize, datagram: OutgoingDatagram) -> SocketResult<bool> {
        let socket = self.udp_of(stream.rep())?;
        let given = datagram.remote_address.map(SocketAddr::from);
        let to = match (given, socket.remote) {
            (Some(given), Some(remote)) if given != remote => return Err(ErrorCode::InvalidArgument.into()),
            (None, None) => return Err(ErrorCode::InvalidArgument.into()),
            (given, remote) => given.or(remote).ok_or(ErrorCode::InvalidArgument)?,
        };
        let wall = Arc::clone(&socket.wall);
        let permit = far(wall.recorder.policy(), &wall.answered, Far::Send, to)
            .map_err(|refused| self.refuse_far(&refused, Far::Send.op(), &to.to_string()))?;
        if datagram.data.len() > MAX_DATAGRAM {
            return Err(ErrorCode::DatagramTooLarge.into());
        }
        // Asked before the bytes are seen: what cannot go now is sent again by the guest, and seen then.
        let swallowed = self.guard.network.peer.is_some();
        let room = if swallowed {
            1
        } else {
            self.socket(stream.rep(), "room", |view| {
                HostOutgoingDatagramStream::check_send(&mut view.inner_sockets(), borrowed(stream))
            })?
        };
        if room == 0 {
            return Ok(false);
        }
        let fixed = self.udp_of(stream.rep())?.chosen;
        self.guard.recorder.labelled(|labels| {
            let data = Step::Field("data".to_owned());
            labels.place(labels.row_of("datagrams", at, &data));
            labels.under(labels.rest_of("datagrams", at, &data).or(fixed));
        });
        self.udp_of(stream.rep())?.see(Far::Send, to, &permit, &datagram.data).map_err(trap)?;
        if swallowed {
            return Ok(true);
        }
        let sent = self.socket(stream.rep(), "send", |view| {
            HostOutgoingDatagramStream::send(&mut view.inner_sockets(), borrowed(stream), vec![datagram])
        });
        self.unless_stopped(sent).map(|count| count > 0)
    }
}

impl udp_create_socket::Host for View<'_> {
    async fn create_udp_socket(&mut self, of: IpAddressFamily) -> SocketResult<Socket> {
        self.count(Import::CreateUdpSocket);
        let wall = self.admit(&Request::UdpCreate, "create-udp-socket", family(of))?;
        let (tape, mut made) = (self.guard.recorder.tape().clone(), None);
        let making = async {
            let mut context = wall.context(Kind::Udp);
            let mut inner = WasiSocketsCtxView { ctx: context.sockets(), table: self.table };
            let socket = udp_create_socket::Host::create_udp_socket(&mut inner, of).await;
            socket.map(|socket| made = Some(socket))
        };
        tape.later(key!("socket.create-udp"), making).await?;
        let socket = match made {
            Some(socket) => socket,
            None => Resource::new_own(self.table.push(Ghost)?.rep()),
        };
        self.name_socket(socket.rep(), "udp");
        let (sending, receiving) = (Peers::new(), Peers::new());
        let entry = Udp { wall, remote: None, chosen: Label::CLEAN, permitted: 0, sending, receiving };
        self.guard.sockets.udp.insert(socket.rep(), entry);
        Ok(socket)
    }
}

impl udp::Host for View<'_> {}

impl HostUdpSocket for View<'_> {
    async fn start_bind(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.count(Import::UdpStartBind);
        let address = SocketAddr::from(local_address);
        let wall = Arc::clone(&self.udp(socket.rep())?.wall);
        let (at, shown) = (host(address.ip()), address.to_string());
        let permit = self.near(&Request::UdpBind { host: &at, port: address.port() }, "udp-bind", &shown)?;
        let of = self.guard.recorder.allow(&permit, "udp-bind", &shown, None, true).map_err(trap)?;
        wall.begin_bind();
        let (rep, (tape, name)) = (socket.rep(), self.on_tape(socket.rep()));
        let binding =
            async { HostUdpSocket::start_bind(&mut self.inner_sockets(), socket, network, local_address).await };
        let bound = tape.later(key!("socket.start-bind", name), binding).await;
        self.heed_wall(rep);
        wall.end_bind(bound.is_ok().then_some(address));
        let bound = self.unless_stopped(bound);
        self.socket_ended(of, bound)
    }

    /// Connecting sends nothing; it is decided here, and recorded with the first datagram.
    async fn stream(&mut self, socket: Socket, remote_address: Option<IpSocketAddress>) -> SocketResult<(In, Out)> {
        self.count(Import::UdpStream);
        let rep = socket.rep();
        let remote = remote_address.map(SocketAddr::from);
        let wall = Arc::clone(&self.udp(rep)?.wall);
        if let Some(to) = remote
            && let Err(refused) = far(wall.recorder.policy(), &wall.answered, Far::Send, to)
        {
            return Err(self.refuse_far(&refused, Far::Send.op(), &to.to_string()));
        }
        let ((tape, name), mut made) = (self.on_tape(rep), None);
        let opening = async {
            let streams = HostUdpSocket::stream(&mut self.inner_sockets(), socket, remote_address).await;
            streams.map(|streams| made = Some(streams))
        };
        let opened = tape.later(key!("socket.stream", name), opening).await;
        self.heed_wall(rep);
        self.unless_stopped(opened)?;
        let (incoming, outgoing) = match made {
            Some(streams) => streams,
            None => {
                let parent = Resource::<Ghost>::new_borrow(rep);
                let mut ghost = || self.table.push_child(Ghost, &parent).map(|ghost| ghost.rep());
                let (incoming, outgoing) = (ghost()?, ghost()?);
                (Resource::new_own(incoming), Resource::new_own(outgoing))
            }
        };
        self.name_socket(incoming.rep(), "incoming");
        self.name_socket(outgoing.rep(), "outgoing");
        let chosen = self.guard.recorder.labelled(|labels| labels.all_of("remote-address")).unwrap_or(Label::CLEAN);
        let entry = self.udp(rep)?;
        (entry.remote, entry.chosen) = (remote, chosen);
        entry.permitted = 0;
        self.guard.sockets.streams.insert(incoming.rep(), rep);
        self.guard.sockets.streams.insert(outgoing.rep(), rep);
        Ok((incoming, outgoing))
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.count(Import::UdpSetReceiveBufferSize);
        self.socket(socket.rep(), "set_receive_buffer_size", |view| {
            HostUdpSocket::set_receive_buffer_size(&mut view.inner_sockets(), socket, value.min(MAX_BUFFER))
        })
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.count(Import::UdpSetSendBufferSize);
        self.socket(socket.rep(), "set_send_buffer_size", |view| {
            HostUdpSocket::set_send_buffer_size(&mut view.inner_sockets(), socket, value.min(MAX_BUFFER))
        })
    }

    fn drop(&mut self, socket: Socket) -> wasmtime::Result<()> {
        let rep = socket.rep();
        self.heed_wall(rep);
        if self.is_ghost(rep)? {
            self.guard.sockets.udp.remove(&rep);
            return Ok(());
        }
        HostUdpSocket::drop(&mut self.inner_sockets(), socket)?;
        self.guard.sockets.udp.remove(&rep);
        self.guard.sockets.names.forget(rep);
        Ok(())
    }

    fn subscribe(&mut self, socket: Socket) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::UdpSubscribe);
        self.socket_pollable(socket.rep(), |view| HostUdpSocket::subscribe(&mut view.inner_sockets(), socket))
    }

    hand_on! { HostUdpSocket:
        fn finish_bind(socket: Socket) -> SocketResult<()> = UdpFinishBind;
        fn local_address(socket: Socket) -> SocketResult<IpSocketAddress> = UdpLocalAddress;
        fn remote_address(socket: Socket) -> SocketResult<IpSocketAddress> = UdpRemoteAddress;
        fn address_family(socket: Socket) -> wasmtime::Result<IpAddressFamily> = UdpAddressFamily;
        fn unicast_hop_limit(socket: Socket) -> SocketResult<u8> = UdpUnicastHopLimit;
        fn set_unicast_hop_limit(socket: Socket, value: u8) -> SocketResult<()> = UdpSetUnicastHopLimit;
        fn receive_buffer_size(socket: Socket) -> SocketResult<u64> = UdpReceiveBufferSize;
        fn send_buffer_size(socket: Socket) -> SocketResult<u64> = UdpSendBufferSize;
    }
}

impl HostIncomingDatagramStream for View<'_> {
    fn receive(&mut self, stream: In, max_results: u64) -> SocketResult<Vec<IncomingDatagram>> {
        self.count(Import::UdpInReceive);
        let rep = stream.rep();
        let wall = Arc::clone(&self.udp_of(rep)?.wall);
        if self.guard.network.peer.is_some() {
            return Ok(Vec::new());
        }
        let received: SocketResult<Vec<Came>> = self.socket(rep, "receive", |view| {
            let received = HostIncomingDatagramStream::receive(&mut view.inner_sockets(), stream, max_results)?;
            let came = |one: IncomingDatagram| (SocketAddr::from(one.remote_address), Bytes::from(one.data));
            Ok(received.into_iter().map(came).collect())
        });
        let mut kept = Vec::new();
        for (from, data) in self.unless_stopped(received)? {
            match far(wall.recorder.policy(), &wall.answered, Far::Receive, from) {
                Ok(permit) => {
                    let change = wall.recorder.tape().change(SourceKind::Socket, &format!("udp://{}", end(&permit)));
                    let data = change.map_or(data.clone(), |change| change.shared(0, &data));
                    self.udp_of(rep)?.see(Far::Receive, from, &permit, &data).map_err(trap)?;
                    self.guard.recorder.labelled(Labels::row);
                    kept.push(IncomingDatagram { data: data.into(), remote_address: from.into() });
                }
                // A lookup since it came may have shown that a rule denies its sender.
                Err(refused) => {
                    let resolved = refused.resolved.as_deref();
                    let told = wall.recorder.deny(&refused.denial, Far::Receive.op(), &from.to_string(), resolved);
                    told.map_err(trap)?;
                }
            }
        }
        Ok(kept)
    }

    fn drop(&mut self, stream: In) -> wasmtime::Result<()> {
        let rep = stream.rep();
        if !self.is_ghost(rep)? {
            HostIncomingDatagramStream::drop(&mut self.inner_sockets(), stream)?;
            self.guard.sockets.names.forget(rep);
        }
        self.guard.sockets.streams.remove(&rep);
        Ok(())
    }

    fn subscribe(&mut self, stream: In) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::UdpInSubscribe);
        self.socket_pollable(stream.rep(), |view| {
            HostIncomingDatagramStream::subscribe(&mut view.inner_sockets(), stream)
        })
    }
}

impl HostOutgoingDatagramStream for View<'_> {
    fn check_send(&mut self, stream: Out) -> SocketResult<u64> {
        self.count(Import::UdpOutCheckSend);
        let rep = stream.rep();
        let permitted = self.socket(rep, "check-send", |view| {
            HostOutgoingDatagramStream::check_send(&mut view.inner_sockets(), stream)
        })?;
        self.udp_of(rep)?.permitted = permitted;
        Ok(permitted)
    }

    /// One by one, so that each is decided, recorded and seen before it goes and none that does not go is seen.
    fn send(&mut self, stream: Out, datagrams: Vec<OutgoingDatagram>) -> SocketResult<u64> {
        self.count(Import::UdpOutSend);
        if datagrams.is_empty() {
            return Ok(0);
        }
        let permitted = std::mem::take(&mut self.udp_of(stream.rep())?.permitted);
        if datagrams.len() as u64 > permitted {
            return Err(SocketError::trap(wasmtime::format_err!("more datagrams than check-send permitted")));
        }
        let mut sent = 0;
        for (at, datagram) in datagrams.into_iter().enumerate() {
            match self.send_one(&stream, at, datagram) {
                Ok(true) => sent += 1,
                Ok(false) => break,
                // An error after the first is for the next call to find, unless the call is over.
                Err(error) if sent == 0 || error.downcast_ref().is_none() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    async fn drop(&mut self, stream: Out) -> wasmtime::Result<()> {
        let rep = stream.rep();
        if !self.is_ghost(rep)? {
            HostOutgoingDatagramStream::drop(&mut self.inner_sockets(), stream).await?;
            self.guard.sockets.names.forget(rep);
        }
        self.guard.sockets.streams.remove(&rep);
        Ok(())
    }

    fn subscribe(&mut self, stream: Out) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::UdpOutSubscribe);
        self.socket_pollable(stream.rep(), |view| {
            HostOutgoingDatagramStream::subscribe(&mut view.inner_sockets(), stream)
        })
    }
}
