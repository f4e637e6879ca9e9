//! The views against real sockets of this machine, without a guest between: a call is what a guest would call.

#![expect(clippy::disallowed_methods, reason = "the other end of a socket under test is the test's own")]

use super::address::{Answered, Far, far};
use super::wall::Wall;
use super::{MAX_LOOKUPS, MAX_SOCKETS, SocketResult, error_for};
use crate::hidden::Hidden;
use crate::network::{Lookup, Network, Resolver, Secrets, Tls};
use crate::record::{Harvest, Recorder};
use crate::roots::Roots;
use crate::state::{Input, State, View, view};
use customs_ledger::{Component, Event, Ledger, Open, RunKey};
use customs_policy::{DenialCode, Host, HostView, Layer, Origin, PathKind, Policy, RawGrants};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{self, HostResolveAddressStream, ResolveAddressStream};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp::HostTcpSocket;
use wasmtime_wasi::p2::bindings::sockets::udp::{
    HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, OutgoingDatagram,
};
use wasmtime_wasi::p2::bindings::sockets::{instance_network, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, TcpSocket, UdpSocket as UdpHandle};
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi::sockets::SocketAddrUse;

struct Nowhere;

impl HostView for Nowhere {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        Ok((path.to_owned(), PathKind::Dir))
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }
}

/// A policy of flags: `allow-tcp=host:1`.
fn policy(flags: &[&str]) -> Arc<Policy> {
    let mut raw = RawGrants::default();
    for flag in flags {
        let (key, value) = flag.split_once('=').unwrap();
        let list = match key {
            "allow-tcp" => &mut raw.allow_tcp,
            "allow-udp" => &mut raw.allow_udp,
            "allow-listen" => &mut raw.allow_listen,
            "deny-net" => &mut raw.deny_net,
            "resolve" => &mut raw.resolve,
            other => panic!("{other}"),
        };
        list.push(value.to_owned());
    }
    let layer = Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags };
    Arc::new(Policy::build(&[layer], &Nowhere).unwrap())
}

/// Answers with one address, and counts who asks.
struct Table {
    address: IpAddr,
    asked: AtomicUsize,
}

impl Resolver for Table {
    fn lookup(&self, _: &str) -> Lookup {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let address = self.address;
        Box::pin(async move { Ok(vec![address]) })
    }
}

/// A call under a policy.
struct Call {
    state: State,
    ledger: Arc<Mutex<Ledger>>,
    resolver: Arc<Table>,
}

fn recorder(flags: &[&str]) -> (Recorder, Arc<Mutex<Ledger>>) {
    let policy = policy(flags);
    let mut ledger = Ledger::memory_keeping();
    let open = Event::Open(Open {
        run: "00000000000000000000000000000000",
        time: "2000-01-01T00:00:00Z",
        customs: "test",
        wasmtime: "test",
        component: Component { name: "guest", sha256: [0; 32] },
        policy: policy.digest(),
        grants: policy.grants(),
        warnings: policy.warnings(),
    });
    ledger.append(&open).unwrap();
    let ledger = Arc::new(Mutex::new(ledger));
    let key = Arc::new(RunKey::random().unwrap());
    let hidden = Arc::new(Hidden::default());
    let judge = Arc::new(crate::judge::Unwatched);
    (Recorder::new(policy, hidden, judge, Arc::clone(&ledger), key, 1, Instant::now()), ledger)
}

/// The records that hold all of these.
fn records(ledger: &Mutex<Ledger>, parts: &[&str]) -> usize {
    let ledger = ledger.lock().unwrap();
    let text = std::str::from_utf8(ledger.kept()).unwrap();
    text.lines().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

impl Call {
    fn new(flags: &[&str], answer: &str) -> Call {
        let (recorder, ledger) = recorder(flags);
        let empty = tempfile::tempdir().unwrap();
        let roots = Roots::open(recorder.policy(), std::fs::File::open(empty.path()).unwrap()).unwrap();
        let resolver = Arc::new(Table { address: answer.parse().unwrap(), asked: AtomicUsize::new(0) });
        let tls = Tls::trusting(|| Ok(rustls::RootCertStore::empty()));
        let network = Network::new(Arc::clone(&resolver) as Arc<dyn Resolver>, tls, Secrets::none());
        let state = State::new(recorder, Arc::new(roots), Arc::new(network), Input::default());
        Call { state, ledger, resolver }
    }

    fn view(&mut self) -> View<'_> {
        view(&mut self.state)
    }

    fn network(&mut self) -> Resource<wasmtime_wasi::p2::Network> {
        instance_network::Host::instance_network(&mut self.view()).unwrap()
    }

    fn tcp(&mut self) -> SocketResult<Resource<TcpSocket>> {
        tcp_create_socket::Host::create_tcp_socket(&mut self.view(), IpAddressFamily::Ipv4)
    }

    fn udp(&mut self) -> SocketResult<Resource<UdpHandle>> {
        in_tokio(udp_create_socket::Host::create_udp_socket(&mut self.view(), IpAddressFamily::Ipv4))
    }

    fn connect(&mut self, to: SocketAddr) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let (network, socket) = (self.network(), self.tcp()?);
        self.view().start_connect(Resource::new_borrow(socket.rep()), network, to.into())?;
        until(|| self.view().finish_connect(Resource::new_borrow(socket.rep())))
    }

    fn resolve(&mut self, name: &str) -> SocketResult<Vec<IpAddress>> {
        let network = self.network();
        let stream = ip_name_lookup::Host::resolve_addresses(&mut self.view(), network, name.to_owned())?;
        let rep = stream.rep();
        let mut found = Vec::new();
        loop {
            let next = until(|| self.view().resolve_next_address(Resource::<ResolveAddressStream>::new_borrow(rep)));
            match next? {
                Some(address) => found.push(address),
                None => break,
            }
        }
        HostResolveAddressStream::drop(&mut self.view(), stream).unwrap();
        Ok(found)
    }

    /// A bound UDP socket with its streams, not connected.
    fn datagrams(&mut self) -> (u32, u32) {
        let (network, socket) = (self.network(), self.udp().unwrap());
        let any: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let socket = || Resource::new_borrow(socket.rep());
        in_tokio(HostUdpSocket::start_bind(&mut self.view(), socket(), network, any.into())).unwrap();
        HostUdpSocket::finish_bind(&mut self.view(), socket()).unwrap();
        let (incoming, outgoing) = in_tokio(HostUdpSocket::stream(&mut self.view(), socket(), None)).unwrap();
        (incoming.rep(), outgoing.rep())
    }

    fn send(&mut self, outgoing: u32, to: &[SocketAddr]) -> SocketResult<u64> {
        let datagrams =
            to.iter().map(|to| OutgoingDatagram { data: b"data".to_vec(), remote_address: Some((*to).into()) });
        let datagrams = datagrams.collect();
        let mut view = self.view();
        HostOutgoingDatagramStream::check_send(&mut view, Resource::new_borrow(outgoing)).unwrap();
        HostOutgoingDatagramStream::send(&mut view, Resource::new_borrow(outgoing), datagrams)
    }

    /// What is left when the call is over.
    fn end(self) -> (Harvest, Arc<Mutex<Ledger>>) {
        let recorder = self.state.recorder().clone();
        drop(self.state);
        (recorder.finish().unwrap(), self.ledger)
    }
}

/// Asks until it does not block.
fn until<T>(mut ask: impl FnMut() -> SocketResult<T>) -> SocketResult<T> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match ask() {
            Err(e) if matches!(e.downcast_ref(), Some(ErrorCode::WouldBlock)) && Instant::now() < end => {
                in_tokio(async { tokio::time::sleep(Duration::from_millis(1)).await });
            }
            asked => return asked,
        }
    }
}

fn code<T>(result: SocketResult<T>) -> Option<ErrorCode> {
    result.err().map(|e| e.downcast().unwrap())
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// A datagram socket of the test, with its address.
fn peer() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn came(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 64];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok()).count()
}

#[test]
fn an_address_is_decided_as_itself_and_as_the_names_it_was_answered_for() {
    const PUBLIC: &str = "93.184.216.34:443";
    let decided = |flags: &[&str], names: &[&str], to: &str| {
        let answered = Answered::default();
        for name in names {
            answered.remember(&Host::parse(name).unwrap(), &[at(to).ip()]);
        }
        far(&policy(flags), &answered, Far::Connect, at(to))
            .map(|permit| permit.endpoint().unwrap().to_string())
            .map_err(|refused| (refused.denial.code, refused.resolved))
    };
    let no_grant = DenialCode::NoGrant;
    let name = || Some("a.test:443".to_owned());
    assert_eq!(decided(&["allow-tcp=a.test:443"], &["a.test"], PUBLIC), Ok("a.test:443".to_owned()));
    assert_eq!(decided(&["allow-tcp=a.test:443"], &[], PUBLIC), Err((no_grant, None)));
    assert_eq!(decided(&["allow-tcp=a.test:443"], &["b.test"], PUBLIC), Err((no_grant, Some("b.test:443".into()))));
    assert_eq!(decided(&["allow-tcp=a.test:444"], &["a.test"], PUBLIC), Err((no_grant, name())));
    assert_eq!(decided(&["allow-tcp=93.184.216.34:443"], &["b.test"], PUBLIC), Ok(PUBLIC.to_owned()));
    // A rule that denies one of its names wins, whatever else allows it.
    let deny = ["allow-tcp=93.184.216.34:443", "deny-net=a.test:443"];
    assert_eq!(decided(&deny, &["a.test"], PUBLIC), Err((DenialCode::DenyRule, name())));
    assert_eq!(decided(&deny, &["b.test"], PUBLIC), Ok(PUBLIC.to_owned()));
    // A name is no way into this machine's network, unless the person said that it leads there.
    let local = "10.1.2.3:443";
    assert_eq!(decided(&["allow-tcp=a.test:443"], &["a.test"], local), Err((DenialCode::Address, name())));
    let pinned = ["allow-tcp=a.test:443", "resolve=a.test=10.1.2.3"];
    assert_eq!(decided(&pinned, &["a.test"], local), Ok("a.test:443".to_owned()));
    // IPv4 in IPv6 clothes is that IPv4 address.
    assert_eq!(decided(&["allow-tcp=127.0.0.1:443"], &[], "[::ffff:127.0.0.1]:443"), Ok("127.0.0.1:443".to_owned()));
    assert_eq!(decided(&["allow-tcp=127.0.0.1:443"], &[], "[::ffff:127.0.0.2]:443"), Err((no_grant, None)));
}

#[test]
fn the_guest_is_told_that_it_was_refused_and_nothing_of_why() {
    for denial in DenialCode::ALL {
        let expected = match denial {
            DenialCode::BadRequest => ErrorCode::InvalidArgument,
            DenialCode::Limit => ErrorCode::NewSocketLimit,
            _ => ErrorCode::AccessDenied,
        };
        assert_eq!(error_for(*denial), expected, "{denial}");
    }
}

#[test]
fn the_wall_decides_every_use_of_an_address_by_itself() {
    use SocketAddrUse::{TcpAccept, TcpBind, TcpConnect, TcpListen, UdpBind, UdpReceive, UdpSend};
    let flags = ["allow-tcp=127.0.0.1:1", "allow-udp=127.0.0.1:2", "allow-listen=127.0.0.1:3", "deny-net=127.0.0.9"];
    // Each use, with an address that it is allowed for and one that it is not, and whether the wall records what it allows.
    for (what, allowed, refused, op, told) in [
        (TcpBind, "0.0.0.0:0", "0.0.0.0:4", "tcp-bind", 1),
        (TcpListen, "127.0.0.1:3", "127.0.0.1:4", "tcp-listen", 0),
        (TcpAccept, "127.0.0.8:5", "127.0.0.9:5", "tcp-accept", 0),
        (TcpConnect, "127.0.0.1:1", "127.0.0.1:2", "tcp-connect", 0),
        (UdpBind, "0.0.0.0:0", "0.0.0.0:4", "udp-bind", 1),
        (UdpSend, "127.0.0.1:2", "127.0.0.1:1", "udp-send", 0),
        (UdpReceive, "127.0.0.1:2", "127.0.0.1:1", "udp-receive", 0),
    ] {
        let (recorder, ledger) = recorder(&flags);
        let wall = Wall::new(recorder.clone(), Answered::default());
        let op = format!("\"op\":\"{op}\"");
        assert!(wall.lets(at(allowed), what), "{what:?} {allowed}");
        assert_eq!(records(&ledger, &[&op]), told, "{what:?} {allowed}");
        assert!(!wall.lets(at(refused), what), "{what:?} {refused}");
        assert_eq!(records(&ledger, &[&op, "\"deny\"", refused]), 1, "{what:?} {refused}");
        // A bind that a view recorded is not recorded again.
        wall.begin_bind();
        assert!(wall.lets(at(allowed), what));
        assert_eq!(records(&ledger, &[&op, "\"allow\""]), told, "{what:?} {allowed} again");
        wall.end_bind(None);
    }
}

#[test]
fn listening_on_a_port_that_the_system_picked_is_what_was_granted() {
    let wall = |flag: &str, asked: &str| {
        let wall = Wall::new(recorder(&[flag]).0, Answered::default());
        wall.end_bind(Some(at(asked)));
        wall.lets(at("127.0.0.1:40000"), SocketAddrUse::TcpListen)
    };
    assert!(wall("allow-listen=127.0.0.1:0", "127.0.0.1:0"));
    assert!(!wall("allow-listen=127.0.0.1:0", "127.0.0.1:40000"));
    assert!(wall("allow-listen=127.0.0.1:40000", "127.0.0.1:40000"));
    assert!(!wall("allow-listen=127.0.0.1:40000", "127.0.0.1:0"));
}

#[test]
fn a_connection_is_made_where_it_is_granted_and_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let mut call = Call::new(&[&format!("allow-tcp=127.0.0.1:{}", address.port() ^ 1)], "127.0.0.1");
    assert_eq!(code(call.connect(address)), Some(ErrorCode::AccessDenied));
    assert!(listener.accept().is_err(), "a connection came in");
    let (harvest, ledger) = call.end();
    assert_eq!(harvest.denials.len(), 1);
    assert_eq!(records(&ledger, &["tcp-connect", "\"allow\""]), 0);

    let mut call = Call::new(&[&format!("allow-tcp=127.0.0.1:{}", address.port())], "127.0.0.1");
    let (input, output) = call.connect(address).unwrap();
    let (mut here, _) = listener.accept().unwrap();
    std::io::Write::write_all(&mut here, b"from there").unwrap();
    let read = until(|| {
        let view = call.view();
        let read = view.table.get_mut(&input).unwrap().read(100).unwrap();
        if read.is_empty() { Err(ErrorCode::WouldBlock.into()) } else { Ok(read) }
    });
    assert_eq!(read.unwrap().as_ref(), b"from there");
    let view = call.view();
    let stream = view.table.get_mut(&output).unwrap();
    stream.check_write().unwrap();
    stream.write(bytes::Bytes::from_static(b"from here")).unwrap();
    let (harvest, ledger) = call.end();
    assert!(harvest.denials.is_empty());
    let name = format!("tcp://{address}");
    let (source, sink) = (harvest.sources.first().unwrap(), harvest.sinks.first().unwrap());
    assert_eq!((source.name.as_str(), source.content.kept.as_slice()), (name.as_str(), b"from there".as_slice()));
    assert_eq!((sink.name.as_str(), sink.content.kept.as_slice()), (name.as_str(), b"from here".as_slice()));
    // Once as a decision, and once the bind that the system does for it.
    assert_eq!(records(&ledger, &["tcp-connect", "\"allow\""]), 1);
    assert_eq!(records(&ledger, &["tcp-bind", "\"allow\""]), 1);
}

#[test]
fn who_comes_in_is_decided_and_a_refused_peer_is_cut_off() {
    let mut call = Call::new(&["allow-listen=127.0.0.1:0", "deny-net=127.0.0.2"], "127.0.0.1");
    let (network, socket) = (call.network(), call.tcp().unwrap());
    let socket = || Resource::new_borrow(socket.rep());
    in_tokio(HostTcpSocket::start_bind(&mut call.view(), socket(), network, at("127.0.0.1:0").into())).unwrap();
    HostTcpSocket::finish_bind(&mut call.view(), socket()).unwrap();
    in_tokio(call.view().start_listen(socket())).unwrap();
    call.view().finish_listen(socket()).unwrap();
    let address = SocketAddr::from(HostTcpSocket::local_address(&mut call.view(), socket()).unwrap());
    assert_eq!(code(call.view().accept(socket())), Some(ErrorCode::WouldBlock));

    let connect = |from: &str| {
        in_tokio(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(at(from)).unwrap();
            socket.connect(address).await.unwrap()
        })
    };
    let refused = connect("127.0.0.2:0");
    in_tokio(async { tokio::time::sleep(Duration::from_millis(20)).await });
    assert_eq!(code(call.view().accept(socket())), Some(ErrorCode::WouldBlock));
    assert!(in_tokio(refused.readable()).is_ok());
    assert_eq!(refused.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);

    let welcome = connect("127.0.0.1:0");
    let (_, _, output) = until(|| call.view().accept(socket())).unwrap();
    let view = call.view();
    let stream = view.table.get_mut(&output).unwrap();
    stream.check_write().unwrap();
    stream.write(bytes::Bytes::from_static(b"hello")).unwrap();
    in_tokio(welcome.readable()).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(welcome.try_read(&mut buffer).unwrap(), 5);

    let (harvest, ledger) = call.end();
    let name = format!("tcp://{}", welcome.local_addr().unwrap());
    assert_eq!(harvest.sinks.iter().map(|sink| sink.name.as_str()).collect::<Vec<_>>(), [name]);
    assert_eq!(records(&ledger, &["tcp-accept", "\"deny\"", "\"127.0.0.2:"]), 1);
    assert_eq!(records(&ledger, &["tcp-accept", "\"allow\""]), 1);
    assert_eq!(records(&ledger, &["tcp-bind", "\"allow\""]), 1);
    assert_eq!(records(&ledger, &["tcp-listen", "\"allow\"", &format!("\"resolved\":\"{address}\"")]), 1);
}

#[test]
fn a_datagram_that_is_denied_does_not_leave_and_ends_the_batch() {
    let ((friend, to_friend), (other, to_other)) = (peer(), peer());
    let mut call = Call::new(&[&format!("allow-udp={to_friend}")], "127.0.0.1");
    let (_, outgoing) = call.datagrams();
    assert_eq!(code(call.send(outgoing, &[to_other, to_friend])), Some(ErrorCode::AccessDenied));
    assert_eq!(call.send(outgoing, &[to_friend, to_friend, to_other, to_friend]).unwrap(), 2);
    assert_eq!(call.send(outgoing, &[to_friend]).unwrap(), 1);
    assert_eq!((came(&friend), came(&other)), (3, 0));
    let (harvest, ledger) = call.end();
    let sinks: Vec<_> = harvest.sinks.iter().map(|s| (s.name.clone(), s.content.bytes)).collect();
    assert_eq!(sinks, [(format!("udp://{to_friend}"), 12)]);
    // One record for the peer, and how often it was used.
    assert_eq!(records(&ledger, &["udp-send", "\"allow\""]), 1);
    assert_eq!(records(&ledger, &["\"count\":3"]), 1);
    assert_eq!(records(&ledger, &["udp-send", "\"deny\""]), 2);
}

#[test]
fn a_datagram_without_a_check_before_it_stops_the_guest() {
    let (friend, to_friend) = peer();
    let mut call = Call::new(&[&format!("allow-udp={to_friend}")], "127.0.0.1");
    let (_, outgoing) = call.datagrams();
    let datagram = OutgoingDatagram { data: b"data".to_vec(), remote_address: Some(to_friend.into()) };
    let sent = HostOutgoingDatagramStream::send(&mut call.view(), Resource::new_borrow(outgoing), vec![datagram]);
    assert!(sent.unwrap_err().downcast_ref().is_none(), "not a trap");
    assert_eq!(came(&friend), 0);
}

#[test]
fn only_datagrams_of_granted_peers_reach_the_guest() {
    let ((friend, to_friend), (other, to_other)) = (peer(), peer());
    let mut call = Call::new(&[&format!("allow-udp={to_friend}")], "127.0.0.1");
    let (incoming, outgoing) = call.datagrams();
    call.send(outgoing, &[to_friend]).unwrap();
    let mut buffer = [0; 64];
    let (_, guest) = friend.recv_from(&mut buffer).unwrap();
    other.send_to(b"uninvited", guest).unwrap();
    friend.send_to(b"invited", guest).unwrap();
    let received = until(|| {
        let mut view = call.view();
        let got = HostIncomingDatagramStream::receive(&mut view, Resource::new_borrow(incoming), 16)?;
        if got.is_empty() { Err(ErrorCode::WouldBlock.into()) } else { Ok(got) }
    });
    let received: Vec<_> =
        received.unwrap().into_iter().map(|d| (d.data, SocketAddr::from(d.remote_address))).collect();
    assert_eq!(received, [(b"invited".to_vec(), to_friend)]);
    let (harvest, ledger) = call.end();
    assert_eq!(harvest.sources.len(), 1);
    assert_eq!(harvest.sources.first().unwrap().content.kept, b"invited");
    assert_eq!(records(&ledger, &["udp-receive", "\"deny\"", &to_other.to_string()]), 1);
    assert_eq!(records(&ledger, &["udp-receive", "\"allow\"", &to_friend.to_string()]), 1);
}

#[test]
fn a_lookup_asks_for_a_granted_name_once_and_for_another_never() {
    let mut call = Call::new(&["allow-tcp=a.test:1"], "93.184.216.34");
    assert_eq!(code(call.resolve("b.test")), Some(ErrorCode::AccessDenied));
    assert_eq!(code(call.resolve("a.test.evil.test")), Some(ErrorCode::AccessDenied));
    assert_eq!(code(call.resolve("a b")), Some(ErrorCode::InvalidArgument));
    assert_eq!(code(call.resolve(&"a".repeat(100_000))), Some(ErrorCode::InvalidArgument));
    assert_eq!(call.resolver.asked.load(Ordering::Relaxed), 0);
    assert_eq!(call.resolve("A.test.").unwrap().len(), 1);
    assert_eq!(call.resolver.asked.load(Ordering::Relaxed), 1);
    let (harvest, ledger) = call.end();
    let (source, sink) = (harvest.sources.first().unwrap(), harvest.sinks.first().unwrap());
    assert_eq!((source.name.as_str(), source.content.kept.as_slice()), ("dns:a.test", b"93.184.216.34\n".as_slice()));
    assert_eq!((sink.name.as_str(), sink.content.kept.as_slice()), ("a.test", b"A.test.".as_slice()));
    let lookup = ["resolve-addresses", "\"requested\":\"A.test.\"", "\"resolved\":\"a.test\"", "\"allow\""];
    assert_eq!(records(&ledger, &lookup), 1);
}

#[test]
fn a_name_that_leads_into_this_network_has_no_address() {
    let mut call = Call::new(&["allow-tcp=a.test:1"], "10.1.2.3");
    assert_eq!(code(call.resolve("a.test")), Some(ErrorCode::AccessDenied));
    assert_eq!(code(call.connect(at("10.1.2.3:1"))), Some(ErrorCode::AccessDenied));
    let (harvest, ledger) = call.end();
    assert!(harvest.sources.is_empty());
    assert_eq!(records(&ledger, &["resolve-addresses", "\"deny\"", "10.1.2.3", "prohibited-address"]), 1);
}

#[test]
fn pinned_names_localhost_and_addresses_ask_nobody() {
    let flags = ["allow-tcp=a.test:1", "allow-tcp=localhost:1", "resolve=a.test=10.1.2.3"];
    let mut call = Call::new(&flags, "93.184.216.34");
    assert!(matches!(call.resolve("a.test").unwrap().as_slice(), [IpAddress::Ipv4((10, 1, 2, 3))]));
    assert_eq!(call.resolve("localhost").unwrap().len(), 2);
    assert_eq!(call.resolve("127.0.0.1").unwrap().len(), 1);
    assert_eq!(call.resolve("::1").unwrap().len(), 1);
    assert_eq!(call.resolver.asked.load(Ordering::Relaxed), 0);
    let (harvest, ledger) = call.end();
    assert!(harvest.sinks.is_empty());
    assert_eq!(records(&ledger, &["resolve-addresses", "\"allow\""]), 4);
}

#[test]
fn what_a_lookup_answered_may_be_connected_to_under_its_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let mut call =
        Call::new(&[&format!("allow-tcp=a.test:{}", address.port()), "resolve=a.test=127.0.0.1"], "10.1.2.3");
    assert_eq!(code(call.connect(address)), Some(ErrorCode::AccessDenied));
    assert!(listener.accept().is_err(), "a connection came in");
    call.resolve("a.test").unwrap();
    call.connect(address).unwrap();
    assert!(listener.accept().is_ok());
    let (_, ledger) = call.end();
    let resolved = format!("\"resolved\":\"a.test:{}\"", address.port());
    assert_eq!(records(&ledger, &["tcp-connect", "\"allow\"", &resolved]), 1);
}

#[test]
fn lookups_and_open_sockets_of_a_call_are_bounded() {
    let mut call = Call::new(&["allow-tcp=localhost:1", "allow-udp=127.0.0.1:1"], "127.0.0.1");
    for _ in 0..MAX_LOOKUPS {
        call.resolve("localhost").unwrap();
    }
    assert_eq!(code(call.resolve("localhost")), Some(ErrorCode::TemporaryResolverFailure));
    let mut open = Vec::new();
    for _ in 0..MAX_SOCKETS / 2 {
        open.push(call.tcp().unwrap());
        call.udp().unwrap();
    }
    assert_eq!(code(call.tcp()), Some(ErrorCode::NewSocketLimit));
    assert_eq!(code(call.udp()), Some(ErrorCode::NewSocketLimit));
    HostTcpSocket::drop(&mut call.view(), open.pop().unwrap()).unwrap();
    call.udp().unwrap();
    let (harvest, _) = call.end();
    assert!(harvest.denials.iter().all(|row| row.code == DenialCode::Limit));
    assert_eq!(harvest.denials.len(), 3);
}
