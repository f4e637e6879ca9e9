//! Servers on the loopback, in threads of the test's process. They remember every connection and every request, byte for byte, so that a test
//! can look from the other end of the wire: "denied" means that nobody came.
//!
//! A [`Server`] speaks HTTP/1.1, plain or over TLS, and what it does is in the path of the request:
//!
//! | path | answer |
//! |---|---|
//! | `/` | `hello` |
//! | `/echo` | the request as it came: head, body, trailers |
//! | `/reflect?NAME` | the value of the request's header of that name, in the header `x-reflected` and in the body |
//! | `/redirect?URL` | 302 with that `Location` |
//! | `/large?N` | N letters x |
//! | `/typed?TYPE&HEX` | the bytes that the hexadecimal digits stand for, with that content type |
//! | `/swallow` | how many bytes the body had; none is kept |
//! | `/early` | 200 before the body of the request is read, which never is |
//! | `/trailers` | chunks, an extension of one, and a trailer |
//! | `/gzip` | `hello` compressed, though nobody asked |
//! | `/no-content` | 204 |
//! | `/informed?N` | 103 and 100, N times, before `late` |
//! | `/upgrade` | 101, then an echo of whatever comes |
//! | `/slow-head`, `/slow-body` | one byte every 20 ms, without end |
//! | `/endless`, `/endless-chunks` | a body of 10 GiB |
//! | `/together?N` | `hello`, as soon as N requests for it have come |
//! | `/stall` | half of the body, and then nothing |
//! | `/silent` | nothing, while the client waits |
//! | `/hang-up`, `/half` (`/cut`), `/garbage` | no answer; half of the body; no HTTP |
//! | `/many-headers?N`, `/long-header?N` | N header fields; one of N bytes |
//!
//! [`Server::echo`] gives back the bytes of a TCP connection, [`Datagrams`] those of UDP. [`Blackhole`] is a port that neither accepts nor refuses.

use super::certificates::Certificate;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Bytes of one body that are kept; all are counted.
const KEPT: usize = 4 << 20;
/// How long a test waits for what is on its way already.
const PATIENCE: Duration = Duration::from_secs(10);
/// A request of this length and longer is cut: the test is about something else.
const LONGEST_HEAD: usize = 16 << 20;

/// A request as it came.
#[derive(Clone, Default)]
pub struct Heard {
    /// The number of its connection, from 0.
    pub connection: usize,
    /// Request line and headers up to and with the empty line, as they stood on the wire.
    pub head: String,
    /// What was sent after it, chunks put together. Up to 4 MiB are kept.
    pub body: Vec<u8>,
    /// How many bytes the body had.
    pub length: u64,
    /// The lines after the last chunk.
    pub trailers: String,
    /// The body came to its end.
    pub whole: bool,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| text.chars().take(500).collect::<String>();
        let (head, body) = (cut(&self.head), cut(&String::from_utf8_lossy(&self.body)));
        write!(f, "connection {}: {head:?} {body:?} of {} {:?}", self.connection, self.length, self.trailers)?;
        if self.whole { Ok(()) } else { f.write_str(" broken off") }
    }
}

impl Heard {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The values of a header field, in order.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// The one value of a header field.
    pub fn header(&self, name: &str) -> &str {
        let values = self.headers(name);
        assert_eq!(values.len(), 1, "{name} stands once in {}", self.head);
        values[0]
    }
}

#[derive(Default)]
struct Seen {
    /// Everybody who connected, in order; those who only knocked are taken out again.
    peers: Vec<SocketAddr>,
    /// The first bytes of each connection on the wire, under TLS too.
    first: Vec<Vec<u8>>,
    heard: Vec<Heard>,
    open: usize,
    /// The most connections that were open at once.
    peak: usize,
}

#[derive(Default)]
struct Log {
    seen: Mutex<Seen>,
    changed: Condvar,
    stop: AtomicBool,
}

impl Log {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let changed = change(&mut self.seen());
        self.changed.notify_all();
        changed
    }

    /// Waits until it is so, or until it took too long.
    fn wait(&self, until: impl Fn(&Seen) -> bool) -> bool {
        let (_seen, timeout) = self.changed.wait_timeout_while(self.seen(), PATIENCE, |seen| !until(seen)).unwrap();
        !timeout.timed_out()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

pub struct Server {
    at: SocketAddr,
    scheme: &'static str,
    log: Arc<Log>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.log.stop.store(true, Ordering::Relaxed);
        TcpStream::connect(self.at).ok();
    }
}

impl Server {
    /// HTTP/1.1 on 127.0.0.1.
    pub fn http() -> Server {
        Server::start("127.0.0.1", "http", Web::serve)
    }

    /// The same on an address of the test's choice, such as `[::1]`.
    pub fn http_on(address: &str) -> Server {
        Server::start(address, "http", Web::serve)
    }

    /// HTTP/1.1 over TLS; no other protocol is offered.
    pub fn https(certificate: &Certificate) -> Server {
        let config = certificate.server(&["http/1.1"]);
        Server::start("127.0.0.1", "https", move |log, number, mut stream| {
            let mut first = [0; 3];
            let read = stream.peek(&mut first).unwrap_or(0);
            log.change(|seen| seen.first[number] = first[..read].to_vec());
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            if session.complete_io(&mut stream).is_ok() {
                Web::serve(log, number, rustls::StreamOwned::new(session, stream));
            }
        })
    }

    /// Takes connections and says nothing on them, in any protocol.
    pub fn mute() -> Server {
        Server::start("127.0.0.1", "https", |_, _, mut stream| {
            let mut buffer = [0; 1024];
            while let Ok(1..) = stream.read(&mut buffer) {}
        })
    }

    /// Gives back what it gets, on TCP.
    pub fn echo() -> Server {
        Server::start("127.0.0.1", "tcp", |log, number, mut stream| {
            let mut buffer = [0; 16 << 10];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                log.change(|seen| {
                    if seen.heard.iter().all(|heard| heard.connection != number) {
                        seen.heard.push(Heard { connection: number, ..Heard::default() });
                    }
                    let heard = seen.heard.iter_mut().find(|heard| heard.connection == number).unwrap();
                    heard.length += read as u64;
                    heard.body.extend_from_slice(&buffer[..read]);
                });
                if stream.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
        })
    }

    fn start(
        address: &str,
        scheme: &'static str,
        serve: impl Fn(&Arc<Log>, usize, TcpStream) + Clone + Send + 'static,
    ) -> Server {
        let listener = TcpListener::bind(format!("{address}:0")).unwrap();
        let at = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let accepting = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                if accepting.stopped() {
                    break;
                }
                let Ok(peer) = stream.peer_addr() else { continue };
                stream.set_nodelay(true).ok();
                stream.set_read_timeout(Some(Duration::from_secs(60))).ok();
                let number = accepting.change(|seen| {
                    seen.peers.push(peer);
                    seen.first.push(Vec::new());
                    seen.open += 1;
                    seen.peak = seen.peak.max(seen.open);
                    seen.peers.len() - 1
                });
                let (log, serve) = (Arc::clone(&accepting), serve.clone());
                std::thread::spawn(move || {
                    serve(&log, number, stream);
                    log.change(|seen| seen.open -= 1);
                });
            }
        });
        Server { at, scheme, log }
    }

    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// `http://127.0.0.1:1234`
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.at)
    }

    /// The same with another host.
    pub fn origin_as(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.scheme, self.port())
    }

    /// Waits until everybody who is at the door has been let in: those who came before the knock are counted when it is.
    fn knock(&self) {
        let knock = TcpStream::connect(self.at).unwrap();
        let own = knock.local_addr().unwrap();
        assert!(self.log.wait(|seen| seen.peers.contains(&own)), "the server does not accept any more");
        drop(knock);
        let at = self.log.seen().peers.iter().position(|peer| *peer == own).unwrap();
        // The place stays, so that the numbers of the others do.
        self.log.change(|seen| seen.peers[at] = SocketAddr::from(([0, 0, 0, 0], 0)));
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.knock();
        self.log.seen().peers.iter().filter(|peer| peer.port() != 0).count()
    }

    /// The most connections that were open at once; a test's own looking counts as one.
    pub fn most_connections(&self) -> usize {
        self.log.seen().peak
    }

    /// The requests so far, after those who are gone have been heard to their end.
    pub fn heard(&self) -> Vec<Heard> {
        self.knock();
        self.log.wait(|seen| seen.open == 0);
        self.log.seen().heard.clone()
    }

    /// The one request that came.
    pub fn heard_once(&self) -> Heard {
        let mut heard = self.heard();
        assert_eq!(heard.len(), 1, "one request: {heard:#?}");
        heard.remove(0)
    }

    /// The first bytes of each connection as they were on the wire; only a TLS server looks.
    pub fn first_bytes(&self) -> Vec<Vec<u8>> {
        self.knock();
        self.log.wait(|seen| seen.open == 0);
        let seen = self.log.seen();
        let came = seen.peers.iter().zip(&seen.first).filter(|(peer, _)| peer.port() != 0);
        came.map(|(_, first)| first.clone()).collect()
    }

    /// Nobody connected.
    pub fn untouched(&self) {
        assert_eq!(self.connections(), 0, "{} was touched: {:#?}", self.origin(), self.log.seen().heard);
    }
}

/// One connection of a web server.
struct Web<'a, S> {
    stream: S,
    /// Read and not used yet.
    ahead: Vec<u8>,
    log: &'a Log,
    number: usize,
    /// Where this connection's present request is in the log.
    at: usize,
}

impl<S: Read + Write> Web<'_, S> {
    fn serve(log: &Arc<Log>, number: usize, stream: S) {
        let mut web = Web { stream, ahead: Vec::new(), log, number, at: 0 };
        // An error is the client's leaving, which is its right.
        while let Ok(true) = web.one_request() {}
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 64 << 10];
        let read = self.stream.read(&mut buffer)?;
        self.ahead.extend_from_slice(&buffer[..read]);
        Ok(read > 0)
    }

    /// Everything up to and with `end`. What there is where the client stops before, and false.
    fn until(&mut self, end: &[u8]) -> (Vec<u8>, bool) {
        let mut looked = 0;
        loop {
            let found = self.ahead[looked..].windows(end.len()).position(|window| window == end);
            if let Some(at) = found {
                let rest = self.ahead.split_off(looked + at + end.len());
                return (std::mem::replace(&mut self.ahead, rest), true);
            }
            looked = self.ahead.len().saturating_sub(end.len());
            if self.ahead.len() > LONGEST_HEAD || !self.fill().unwrap_or(false) {
                return (std::mem::take(&mut self.ahead), false);
            }
        }
    }

    fn hear(&self, change: impl FnOnce(&mut Heard)) {
        self.log.change(|seen| change(&mut seen.heard[self.at]));
    }

    fn heard(&self) -> Heard {
        self.log.seen().heard[self.at].clone()
    }

    /// True where another request may follow.
    fn one_request(&mut self) -> io::Result<bool> {
        if self.ahead.is_empty() && !self.fill()? {
            return Ok(false);
        }
        // No method begins like this: whoever speaks another protocol would wait for an answer as long as we for an end.
        let strange = !self.ahead[0].is_ascii_alphabetic();
        let (head, whole) = if strange { (std::mem::take(&mut self.ahead), false) } else { self.until(b"\r\n\r\n") };
        let head = String::from_utf8_lossy(&head).into_owned();
        let heard = Heard { connection: self.number, head, ..Heard::default() };
        self.at = self.log.change(|seen| {
            seen.heard.push(heard.clone());
            seen.heard.len() - 1
        });
        if !whole {
            if strange {
                self.answer(400, &[], b"what?")?;
            }
            return Ok(false);
        }
        let target = heard.line().split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == "/early" {
            self.answer(200, &[], b"early")?;
            // The client's bytes are left where they are, and the connection with them.
            std::thread::sleep(Duration::from_millis(200));
            return Ok(false);
        }
        self.body(&heard, path != "/swallow")?;
        self.reply(path, query)
    }

    fn body(&mut self, heard: &Heard, keep: bool) -> io::Result<()> {
        if heard.headers("transfer-encoding").iter().any(|coding| coding.contains("chunked")) {
            loop {
                let (line, true) = self.until(b"\r\n") else { return Ok(()) };
                let digits = String::from_utf8_lossy(&line);
                let digits = digits.trim().split(';').next().unwrap_or_default().to_owned();
                let Ok(size) = u64::from_str_radix(&digits, 16) else { return Ok(()) };
                if size == 0 {
                    break;
                }
                if !self.take(size, keep)? || !self.until(b"\r\n").1 {
                    return Ok(());
                }
            }
            loop {
                let (line, true) = self.until(b"\r\n") else { return Ok(()) };
                if line == b"\r\n" {
                    break;
                }
                self.hear(|heard| heard.trailers.push_str(&String::from_utf8_lossy(&line)));
            }
        } else {
            let length = heard.headers("content-length").first().and_then(|length| length.parse().ok()).unwrap_or(0);
            if !self.take(length, keep)? {
                return Ok(());
            }
        }
        self.hear(|heard| heard.whole = true);
        Ok(())
    }

    /// So many bytes of a body. False where the client stops before.
    fn take(&mut self, mut left: u64, keep: bool) -> io::Result<bool> {
        while left > 0 {
            if self.ahead.is_empty() && !self.fill()? {
                return Ok(false);
            }
            let now = self.ahead.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let part: Vec<u8> = self.ahead.drain(..now).collect();
            left -= now as u64;
            self.hear(|heard| {
                heard.length += now as u64;
                let room = if keep { KEPT.saturating_sub(heard.body.len()) } else { 0 };
                heard.body.extend_from_slice(&part[..room.min(now)]);
            });
        }
        Ok(true)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let asked_for_a_head = self.heard().line().starts_with("HEAD ");
        let mut head = format!("HTTP/1.1 {status} Said\r\nserver: test\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.send(&[head.as_bytes(), if asked_for_a_head { b"" } else { body }].concat())
    }

    fn reply(&mut self, path: &str, query: &str) -> io::Result<bool> {
        let number: usize = query.parse().unwrap_or(0);
        match path {
            "/echo" => {
                let heard = self.heard();
                let text = [heard.head.as_bytes(), &heard.body, heard.trailers.as_bytes()].concat();
                self.answer(200, &[("content-type", "text/plain")], &text)?;
            }
            "/reflect" => {
                let heard = self.heard();
                let value = heard.headers(query).first().copied().unwrap_or("nothing").to_owned();
                self.answer(200, &[("x-reflected", &value)], format!("reflected: {value}\n").as_bytes())?;
            }
            "/redirect" => self.answer(302, &[("location", query)], b"elsewhere")?,
            "/typed" => {
                let (kind, digits) = query.split_once('&').unwrap_or((query, ""));
                let digit = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
                let body: Vec<u8> = (0..digits.len()).step_by(2).map(digit).collect();
                self.answer(200, &[("content-type", kind)], &body)?;
            }
            "/large" => self.answer(200, &[], &vec![b'x'; number])?,
            "/swallow" => {
                let length = self.heard().length;
                self.answer(200, &[], format!("{length} bytes").as_bytes())?;
            }
            "/trailers" => self.send(
                b"HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\ntrailer: x-after\r\n\r\n\
                3;kind=odd\r\none\r\n4\r\n two\r\n0\r\nx-after: said at the end\r\n\r\n",
            )?,
            "/gzip" => self.answer(200, &[("content-encoding", "gzip")], &gzip(b"hello"))?,
            "/upgrade" => {
                self.send(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: odd\r\n\r\ntunnelled")?;
                let ahead = std::mem::take(&mut self.ahead);
                self.hear(|heard| heard.body.extend(ahead));
                while self.fill()? {
                    let part = std::mem::take(&mut self.ahead);
                    self.hear(|heard| heard.body.extend(&part));
                    self.send(&part)?;
                }
                return Ok(false);
            }
            "/slow-head" => {
                self.slowly(b"HTTP/1.1 200 Said\r\nx-slow: ")?;
                self.slowly_for_ever()?;
            }
            "/slow-body" => {
                self.send(b"HTTP/1.1 200 Said\r\ncontent-length: 100000\r\n\r\n")?;
                self.slowly_for_ever()?;
            }
            "/endless" => {
                self.send(b"HTTP/1.1 200 Said\r\ncontent-length: 10737418240\r\n\r\n")?;
                let block = vec![b'x'; 64 << 10];
                for _ in 0..10_737_418_240_usize / block.len() {
                    self.stream.write_all(&block)?;
                }
            }
            "/endless-chunks" => {
                self.send(b"HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\n\r\n")?;
                let block = [b"10000\r\n".as_slice(), &vec![b'x'; 64 << 10], b"\r\n"].concat();
                for _ in 0..163_840 {
                    self.stream.write_all(&block)?;
                }
            }
            "/together" => {
                let all = |seen: &Seen| seen.heard.iter().filter(|heard| heard.line().contains("/together?")).count();
                if !self.log.wait(|seen| all(seen) >= number) {
                    return Ok(false);
                }
                self.answer(200, &[], b"hello")?;
            }
            "/no-content" => self.send(b"HTTP/1.1 204 Said\r\nx-server: one\r\n\r\n")?,
            "/informed" => {
                let early = "HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n".repeat(number);
                self.send(early.as_bytes())?;
                self.answer(200, &[], b"late")?;
            }
            "/silent" => while self.fill()? {},
            "/stall" => {
                self.send(b"HTTP/1.1 200 Said\r\ncontent-length: 100\r\n\r\nhalf of it")?;
                while self.fill()? {}
            }
            "/hang-up" => return Ok(false),
            "/half" | "/cut" => {
                self.send(b"HTTP/1.1 200 Said\r\ncontent-length: 100\r\n\r\nonly half of what was said, if that")?;
                return Ok(false);
            }
            "/garbage" => {
                self.send(b"220 this is not the protocol you are looking for\r\n\r\n")?;
                return Ok(false);
            }
            "/many-headers" => {
                let fields: Vec<(String, String)> = (0..number).map(|n| (format!("x-{n}"), n.to_string())).collect();
                let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                self.answer(200, &fields, b"many")?;
            }
            "/long-header" => self.answer(200, &[("x-long", &"v".repeat(number))], b"long")?,
            _ => self.answer(200, &[("content-type", "text/plain"), ("x-server", "one")], b"hello")?,
        }
        Ok(true)
    }

    fn slowly(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.send(&[*byte])?;
            std::thread::sleep(Duration::from_millis(20));
            if self.log.stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        Ok(())
    }

    fn slowly_for_ever(&mut self) -> io::Result<()> {
        loop {
            self.slowly(b"a")?;
        }
    }
}

/// A gzip member of one stored block.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u16::try_from(bytes.len()).unwrap();
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    member.extend(length.to_le_bytes());
    member.extend((!length).to_le_bytes());
    member.extend(bytes);
    member.extend((!crc).to_le_bytes());
    member.extend(u32::from(length).to_le_bytes());
    member
}

/// Who sent it, and what.
type Datagram = (SocketAddr, Vec<u8>);

/// Gives back each datagram that it gets, and remembers it.
pub struct Datagrams {
    at: SocketAddr,
    socket: Arc<UdpSocket>,
    heard: Arc<Mutex<Vec<Datagram>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.socket.send_to(b"", self.at).ok();
    }
}

impl Datagrams {
    pub fn echo() -> Datagrams {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let at = socket.local_addr().unwrap();
        let server = Datagrams { at, socket: Arc::clone(&socket), heard: Arc::default(), stop: Arc::default() };
        let (heard, stop) = (Arc::clone(&server.heard), Arc::clone(&server.stop));
        std::thread::spawn(move || {
            let mut buffer = [0; 64 << 10];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let bytes = buffer[..length].to_vec();
                heard.lock().unwrap().push((from, bytes.clone()));
                socket.send_to(&bytes, from).ok();
            }
        });
        server
    }

    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// Sends from here to somebody who did not ask.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) {
        self.socket.send_to(bytes, to).unwrap();
    }

    /// Waits for the first datagram, and gives where it came from.
    pub fn wait_for_a_sender(&self) -> SocketAddr {
        let began = Instant::now();
        loop {
            if let Some((from, _)) = self.heard.lock().unwrap().first() {
                return *from;
            }
            assert!(began.elapsed() < PATIENCE, "no datagram came");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The datagrams so far. One of our own goes in behind them: when it is heard, they are.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        let knock = UdpSocket::bind("127.0.0.1:0").unwrap();
        let own = knock.local_addr().unwrap();
        knock.send_to(b"knock", self.at).unwrap();
        let began = Instant::now();
        while !self.heard.lock().unwrap().iter().any(|(from, _)| *from == own) {
            assert!(began.elapsed() < PATIENCE, "the server does not hear any more");
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut heard = self.heard.lock().unwrap();
        heard.retain(|(from, _)| *from != own);
        heard.iter().map(|(_, bytes)| bytes.clone()).collect()
    }
}

/// A port of the loopback that does not answer: its queue of connections is full and nobody takes one.
pub struct Blackhole {
    at: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Blackhole {
    pub fn new() -> Blackhole {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&at, Duration::from_millis(300)) {
            queue.push(stream);
            assert!(queue.len() < 10_000, "this system's queue has no end");
        }
        Blackhole { at, _listener: listener, _queue: queue }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.at)
    }
}

/// A port on which nothing listens. Below those that the system hands out by itself, so that no other test is given it meanwhile.
pub fn free_port() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new();
    let mut ports = (0_u64..).map(|n| 10_000 + u16::try_from(random.hash_one(n) % 20_000).unwrap());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}
