//! `wasi:sockets/tcp`: who a guest connects to, where it listens, who comes in.

use super::address::{Far, end, far, host};
use super::notes::Ghost;
use super::wall::{Kind, Wall};
use super::{MAX_BUFFER, SocketResult, error_name, family, hand_on, trap};
use crate::imports::Import;
use crate::record::Recorder;
use crate::state::View;
use crate::tape::key;
use customs_policy::{Capability, Denial, DenialCode, Request};
use customs_trace::Label;
use std::net::SocketAddr;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::bindings::sockets::tcp::{self, HostTcpSocket, ShutdownType};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, Network, SocketError, TcpSocket};
use wasmtime_wasi::sockets::WasiSocketsCtxView;

type Socket = Resource<TcpSocket>;
type Streams = (Resource<DynInputStream>, Resource<DynOutputStream>);

/// Connections that may wait to be accepted. What the system takes where nobody says.
const MAX_BACKLOG: u64 = 128;

/// A TCP socket of the guest.
pub(super) struct Tcp {
    pub(super) wall: Arc<Wall>,
    connecting: Option<Connecting>,
}

/// A connection that was recorded and is not there yet.
struct Connecting {
    recorder: Recorder,
    of: u64,
    /// Of its flows.
    name: String,
    /// The label of the address.
    chosen: Label,
    ended: bool,
}

impl Connecting {
    fn end(mut self, error: Option<&str>) -> SocketResult<(u64, String, Label)> {
        self.ended = true;
        self.recorder.outcome(self.of, error).map_err(trap)?;
        Ok((self.of, std::mem::take(&mut self.name), self.chosen))
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        if !self.ended {
            // A record that cannot be written has stopped the call.
            self.recorder.outcome(self.of, Some("dropped before it was connected")).ok();
        }
    }
}

fn borrowed(socket: &Socket) -> Socket {
    Resource::new_borrow(socket.rep())
}

impl View<'_> {
    fn tcp(&mut self, socket: &Socket) -> SocketResult<&mut Tcp> {
        self.guard.sockets.tcp.get_mut(&socket.rep()).ok_or_else(|| ErrorCode::InvalidState.into())
    }

    /// A connection that came in: recorded, and its streams tapped.
    fn welcome(&mut self, listener: &Arc<Wall>, accepted: &(Socket, Streams)) -> SocketResult<()> {
        let (socket, (input, output)) = accepted;
        let Some(peer) = listener.take_peer() else { return Err(ErrorCode::ConnectionAborted.into()) };
        let (at, shown) = (host(peer.ip()), peer.to_string());
        let permit = self.near(&Request::TcpAccept { host: &at, port: peer.port() }, "tcp-accept", &shown)?;
        let of = self.guard.recorder.allow(&permit, "tcp-accept", &shown, Some(&end(&permit)), true).map_err(trap)?;
        self.tap_connection(of, &format!("tcp://{}", end(&permit)), input, output, Label::CLEAN)?;
        self.guard.sockets.tcp.insert(socket.rep(), Tcp { wall: Arc::clone(listener), connecting: None });
        Ok(())
    }
}

impl View<'_> {
    /// Drops a socket, or what stands in for it.
    fn delete(&mut self, socket: Socket) -> wasmtime::Result<()> {
        if self.guard.recorder.tape().is_playing() {
            self.table.delete(Resource::<Ghost>::new_own(socket.rep()))?;
            return Ok(());
        }
        HostTcpSocket::drop(&mut self.inner_sockets(), socket)
    }
}

impl tcp_create_socket::Host for View<'_> {
    fn create_tcp_socket(&mut self, of: IpAddressFamily) -> SocketResult<Socket> {
        self.count(Import::CreateTcpSocket);
        let wall = self.admit(&Request::TcpCreate, "create-tcp-socket", family(of))?;
        let (tape, mut made) = (self.guard.recorder.tape().clone(), None);
        let make = || {
            let mut context = wall.context(Kind::Tcp);
            let mut inner = WasiSocketsCtxView { ctx: context.sockets(), table: self.table };
            tcp_create_socket::Host::create_tcp_socket(&mut inner, of).map(|socket| made = Some(socket))
        };
        tape.effect(key!("socket.create-tcp"), make)?;
        let socket = match made {
            Some(socket) => socket,
            None => Resource::new_own(self.table.push(Ghost)?.rep()),
        };
        self.name_socket(socket.rep(), "tcp");
        self.guard.sockets.tcp.insert(socket.rep(), Tcp { wall, connecting: None });
        Ok(socket)
    }
}

impl tcp::Host for View<'_> {}

impl HostTcpSocket for View<'_> {
    async fn start_bind(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.count(Import::TcpStartBind);
        let address = SocketAddr::from(local_address);
        let wall = Arc::clone(&self.tcp(&socket)?.wall);
        let (at, shown) = (host(address.ip()), address.to_string());
        let permit = self.near(&Request::TcpBind { host: &at, port: address.port() }, "tcp-bind", &shown)?;
        let of = self.guard.recorder.allow(&permit, "tcp-bind", &shown, None, true).map_err(trap)?;
        wall.begin_bind();
        let (rep, (tape, name)) = (socket.rep(), self.on_tape(socket.rep()));
        let binding =
            async { HostTcpSocket::start_bind(&mut self.inner_sockets(), socket, network, local_address).await };
        let bound = tape.later(key!("socket.start-bind", name), binding).await;
        self.heed_wall(rep);
        wall.end_bind(bound.is_ok().then_some(address));
        let bound = self.unless_stopped(bound);
        self.socket_ended(of, bound)
    }

    fn start_connect(
        &mut self,
        socket: Socket,
        network: Resource<Network>,
        remote_address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.count(Import::TcpStartConnect);
        let address = SocketAddr::from(remote_address);
        let wall = Arc::clone(&self.tcp(&socket)?.wall);
        let (op, shown) = (Far::Connect.op(), address.to_string());
        let recorder = self.guard.recorder.clone();
        let permit = far(recorder.policy(), &wall.answered, Far::Connect, address)
            .map_err(|refused| self.refuse_far(&refused, op, &shown))?;
        let of = recorder.allow(&permit, op, &shown, Some(&end(&permit)), true).map_err(trap)?;
        recorder.expect_outcome(of);
        if self.guard.network.peer.is_some() {
            return self.socket_ended(of, Err(ErrorCode::ConnectionRefused.into()));
        }
        let started = self.socket(socket.rep(), "start-connect", |view| {
            HostTcpSocket::start_connect(&mut view.inner_sockets(), borrowed(&socket), network, remote_address)
        });
        if started.is_err() {
            return self.socket_ended(of, started);
        }
        let name = format!("tcp://{}", end(&permit));
        let chosen = recorder.labelled(|labels| labels.all_of("remote-address")).unwrap_or(Label::CLEAN);
        self.tcp(&socket)?.connecting = Some(Connecting { recorder, of, name, chosen, ended: false });
        Ok(())
    }

    fn finish_connect(&mut self, socket: Socket) -> SocketResult<Streams> {
        self.count(Import::TcpFinishConnect);
        let mut made = None;
        let finished: SocketResult<()> = self.socket(socket.rep(), "finish-connect", |view| {
            let streams = HostTcpSocket::finish_connect(&mut view.inner_sockets(), borrowed(&socket));
            streams.map(|streams| made = Some(streams))
        });
        let finished = self.unless_stopped(finished);
        if let Err(e) = finished {
            if matches!(e.downcast_ref(), Some(ErrorCode::WouldBlock | ErrorCode::NotInProgress)) {
                return Err(e);
            }
            let connecting = self.tcp(&socket)?.connecting.take();
            connecting.map(|one| one.end(Some(error_name(&e)))).transpose()?;
            return Err(e);
        }
        let connecting = self.tcp(&socket)?.connecting.take();
        let ended = connecting.map(|one| one.end(None)).transpose()?;
        let streams = self.streams_of(made, socket.rep())?;
        let Some((of, name, chosen)) = ended else { return Err(ErrorCode::NotInProgress.into()) };
        self.tap_connection(of, &name, &streams.0, &streams.1, chosen)?;
        Ok(streams)
    }

    async fn start_listen(&mut self, socket: Socket) -> SocketResult<()> {
        self.count(Import::TcpStartListen);
        let Some(asked) = self.tcp(&socket)?.wall.asked() else {
            // Not bound: wasmtime-wasi says so, and behind it stands the wall.
            let (tape, name) = self.on_tape(socket.rep());
            let listening = async { HostTcpSocket::start_listen(&mut self.inner_sockets(), socket).await };
            return tape.later(key!("socket.start-listen", name), listening).await;
        };
        let (at, shown) = (host(asked.ip()), asked.to_string());
        let permit = self.near(&Request::TcpListen { host: &at, port: asked.port() }, "tcp-listen", &shown)?;
        let actual = self.socket(socket.rep(), "where", |view| {
            HostTcpSocket::local_address(&mut view.inner_sockets(), borrowed(&socket))
        })?;
        let actual = SocketAddr::from(actual).to_string();
        let of = self.guard.recorder.allow(&permit, "tcp-listen", &shown, Some(&actual), true).map_err(trap)?;
        if self.guard.network.peer.is_some() {
            return self.socket_ended(of, Err(ErrorCode::NotSupported.into()));
        }
        let (rep, (tape, name)) = (socket.rep(), self.on_tape(socket.rep()));
        let listening = async { HostTcpSocket::start_listen(&mut self.inner_sockets(), socket).await };
        let listening = tape.later(key!("socket.start-listen", name), listening).await;
        self.heed_wall(rep);
        let listening = self.unless_stopped(listening);
        self.socket_ended(of, listening)
    }

    fn accept(
        &mut self,
        socket: Socket,
    ) -> SocketResult<(Socket, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        self.count(Import::TcpAccept);
        let wall = Arc::clone(&self.tcp(&socket)?.wall);
        if self.guard.sockets.is_full() {
            let denial = Denial::new(Capability::TcpListen, DenialCode::Limit);
            let asked = wall.asked().map(|asked| asked.to_string()).unwrap_or_default();
            return Err(self.refuse_socket(&denial, "tcp-accept", &asked, None));
        }
        let mut made = None;
        let accepted: SocketResult<()> = self.socket(socket.rep(), "accept", |view| {
            HostTcpSocket::accept(&mut view.inner_sockets(), socket).map(|accepted| made = Some(accepted))
        });
        self.unless_stopped(accepted)?;
        let (accepted, made) = match made {
            Some((accepted, input, output)) => (accepted, Some((input, output))),
            None => (Resource::new_own(self.table.push(Ghost)?.rep()), None),
        };
        let rep = accepted.rep();
        self.name_socket(rep, "accepted");
        let accepted = (accepted, self.streams_of(made, rep)?);
        let welcome = self.welcome(&wall, &accepted);
        let (socket, (input, output)) = accepted;
        if let Err(refused) = welcome {
            self.table.delete(input)?;
            self.table.delete(output)?;
            self.guard.sockets.names.forget(socket.rep());
            self.delete(socket).map_err(SocketError::trap)?;
            return Err(refused);
        }
        Ok((socket, input, output))
    }

    fn set_listen_backlog_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.count(Import::TcpSetListenBacklogSize);
        self.socket(socket.rep(), "set_listen_backlog_size", |view| {
            HostTcpSocket::set_listen_backlog_size(&mut view.inner_sockets(), socket, value.min(MAX_BACKLOG))
        })
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.count(Import::TcpSetReceiveBufferSize);
        self.socket(socket.rep(), "set_receive_buffer_size", |view| {
            HostTcpSocket::set_receive_buffer_size(&mut view.inner_sockets(), socket, value.min(MAX_BUFFER))
        })
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.count(Import::TcpSetSendBufferSize);
        self.socket(socket.rep(), "set_send_buffer_size", |view| {
            HostTcpSocket::set_send_buffer_size(&mut view.inner_sockets(), socket, value.min(MAX_BUFFER))
        })
    }

    fn drop(&mut self, socket: Socket) -> wasmtime::Result<()> {
        let rep = socket.rep();
        self.heed_wall(rep);
        self.delete(socket)?;
        self.guard.sockets.tcp.remove(&rep);
        self.guard.sockets.names.forget(rep);
        Ok(())
    }

    fn subscribe(&mut self, socket: Socket) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::TcpSubscribe);
        self.socket_pollable(socket.rep(), |view| HostTcpSocket::subscribe(&mut view.inner_sockets(), socket))
    }

    hand_on! { HostTcpSocket:
        fn finish_bind(socket: Socket) -> SocketResult<()> = TcpFinishBind;
        fn finish_listen(socket: Socket) -> SocketResult<()> = TcpFinishListen;
        fn local_address(socket: Socket) -> SocketResult<IpSocketAddress> = TcpLocalAddress;
        fn remote_address(socket: Socket) -> SocketResult<IpSocketAddress> = TcpRemoteAddress;
        fn is_listening(socket: Socket) -> wasmtime::Result<bool> = TcpIsListening;
        fn address_family(socket: Socket) -> wasmtime::Result<IpAddressFamily> = TcpAddressFamily;
        fn keep_alive_enabled(socket: Socket) -> SocketResult<bool> = TcpKeepAliveEnabled;
        fn set_keep_alive_enabled(socket: Socket, value: bool) -> SocketResult<()> = TcpSetKeepAliveEnabled;
        fn keep_alive_idle_time(socket: Socket) -> SocketResult<u64> = TcpKeepAliveIdleTime;
        fn set_keep_alive_idle_time(socket: Socket, value: u64) -> SocketResult<()> = TcpSetKeepAliveIdleTime;
        fn keep_alive_interval(socket: Socket) -> SocketResult<u64> = TcpKeepAliveInterval;
        fn set_keep_alive_interval(socket: Socket, value: u64) -> SocketResult<()> = TcpSetKeepAliveInterval;
        fn keep_alive_count(socket: Socket) -> SocketResult<u32> = TcpKeepAliveCount;
        fn set_keep_alive_count(socket: Socket, value: u32) -> SocketResult<()> = TcpSetKeepAliveCount;
        fn hop_limit(socket: Socket) -> SocketResult<u8> = TcpHopLimit;
        fn set_hop_limit(socket: Socket, value: u8) -> SocketResult<()> = TcpSetHopLimit;
        fn receive_buffer_size(socket: Socket) -> SocketResult<u64> = TcpReceiveBufferSize;
        fn send_buffer_size(socket: Socket) -> SocketResult<u64> = TcpSendBufferSize;
        fn shutdown(socket: Socket, shutdown_type: ShutdownType) -> SocketResult<()> = TcpShutdown;
    }
}
