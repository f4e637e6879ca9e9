//! MCP over standard input and output: one JSON-RPC message a line.
//!
//! Reads and writes go through the reactor, without a thread between: a client gives us pipes or sockets (Node does), and both can be
//! waited for. A line is bounded, and so is what is in flight: a client that sends without reading is not read from until it reads.

use rmcp::RoleServer;
use rmcp::model::{ClientNotification, ErrorCode, ErrorData, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

/// Requests that are not answered yet. More is a flood: reading stops until some are.
const MAX_IN_FLIGHT: usize = 256;
/// What is read at once.
const CHUNK: usize = 64 << 10;

/// A descriptor that can be waited for, or one whose reads and writes never wait (a file).
enum Stream {
    Waits(AsyncFd<OwnedFd>),
    File(OwnedFd),
}

impl Stream {
    fn new(fd: OwnedFd, access: OFlags) -> io::Result<Stream> {
        let fd = not_blocking(fd, access)?;
        #[allow(deprecated, reason = "an OwnedFd never changes its descriptor; the other way in is unsafe code")]
        match AsyncFd::try_new(fd) {
            Ok(fd) => Ok(Stream::Waits(fd)),
            // epoll refuses what is always ready.
            Err(refused) => {
                let (fd, error) = refused.into_parts();
                if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) { Ok(Stream::File(fd)) } else { Err(error) }
            }
        }
    }

    async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::File(fd) => Ok(rustix::io::read(fd, into)?),
            Stream::Waits(fd) => loop {
                let mut ready = fd.readable().await?;
                let tried = ready.try_io(|fd| match rustix::io::read(fd.get_ref(), &mut *into) {
                    Err(Errno::INTR) => Err(io::ErrorKind::WouldBlock.into()),
                    other => Ok(other?),
                });
                if let Ok(done) = tried {
                    return done;
                }
            },
        }
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            // Nearly always there is room: asking first would cost a turn of the reactor for nothing.
            match rustix::io::write(self.fd(), bytes) {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => match self {
                    Stream::Waits(fd) => fd.writable().await?.clear_ready(),
                    Stream::File(_) => return Err(io::ErrorKind::WouldBlock.into()),
                },
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn fd(&self) -> impl AsFd + '_ {
        match self {
            Stream::Waits(fd) => fd.get_ref().as_fd(),
            Stream::File(fd) => fd.as_fd(),
        }
    }
}

/// The same file, without waiting in reads and writes. A pipe or a terminal is opened again, because whoever shares our description of it (the
/// shell, for one) must not find it changed; a socket cannot be, and is ours alone.
fn not_blocking(fd: OwnedFd, access: OFlags) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd as _;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode);
    if matches!(kind, FileType::Fifo | FileType::CharacterDevice) {
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        if let Ok(again) = rustix::fs::open(path, flags, Mode::empty()) {
            return Ok(again);
        }
    }
    if kind != FileType::RegularFile {
        rustix::fs::fcntl_setfl(&fd, rustix::fs::fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
    }
    Ok(fd)
}

/// Requests that came in and have no answer yet.
#[derive(Debug, Default)]
struct InFlight {
    ids: Mutex<HashSet<RequestId>>,
    fewer: Notify,
}

impl InFlight {
    /// False where the id is in flight already: two answers to one id cannot be told apart.
    fn begin(&self, id: &RequestId) -> bool {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone())
    }

    fn end(&self, id: &RequestId) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.fewer.notify_one();
    }

    async fn has_room(&self) {
        while self.ids.lock().unwrap_or_else(PoisonError::into_inner).len() >= MAX_IN_FLIGHT {
            self.fewer.notified().await;
        }
    }
}

/// Called once the client has closed its end.
pub(crate) type Closed = Box<dyn FnOnce() + Send + Sync>;

/// The channel to one client.
pub(crate) struct Stdio {
    input: Stream,
    output: Arc<tokio::sync::Mutex<Option<Stream>>>,
    in_flight: Arc<InFlight>,
    /// Bytes that were read and not taken yet, from `taken` on; none of them before `looked` is a line's end.
    buffer: Vec<u8>,
    taken: usize,
    looked: usize,
    chunk: Vec<u8>,
    max_line: usize,
    /// The rest of a line that is too long.
    discarding: bool,
    closed: Option<Closed>,
}

impl Stdio {
    /// Takes over two descriptors. Lines longer than `max_line` bytes are answered with an error.
    pub(crate) fn new(input: OwnedFd, output: OwnedFd, max_line: usize, closed: Closed) -> io::Result<Stdio> {
        Ok(Stdio {
            input: Stream::new(input, OFlags::RDONLY)?,
            output: Arc::new(tokio::sync::Mutex::new(Some(Stream::new(output, OFlags::WRONLY)?))),
            in_flight: Arc::default(),
            buffer: Vec::new(),
            taken: 0,
            looked: 0,
            chunk: vec![0; CHUNK],
            max_line,
            discarding: false,
            closed: Some(closed),
        })
    }

    /// The next line, without its end. None at the end of the input. May be dropped and called again: nothing is lost.
    async fn line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let unread = self.buffer.get(self.looked..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unread) {
                let (from, to) = (self.taken, self.looked + at);
                self.taken = to + 1;
                self.looked = to + 1;
                if std::mem::take(&mut self.discarding) {
                    continue;
                }
                return Ok(Some(Line::Whole(from, to)));
            }
            self.looked = self.buffer.len();
            if self.discarding {
                self.forget();
            } else if self.buffer.len() - self.taken > self.max_line {
                self.discarding = true;
                self.forget();
                return Ok(Some(Line::TooLong));
            }
            // What was taken makes room.
            if self.taken > 0 {
                self.buffer.drain(..self.taken);
                self.looked -= self.taken;
                self.taken = 0;
                self.buffer.shrink_to(CHUNK * 4);
            }
            match self.input.read(&mut self.chunk).await? {
                // A last line without an end is no message: it may have been cut.
                0 => return Ok(None),
                n => self.buffer.extend_from_slice(self.chunk.get(..n).unwrap_or_default()),
            }
        }
    }

    fn forget(&mut self) {
        self.buffer = Vec::new();
        self.taken = 0;
        self.looked = 0;
    }

    async fn complain(&self, code: ErrorCode, message: &'static str) {
        let error = JsonRpcMessage::error(ErrorData::new(code, message, None), None);
        // A client that is gone is noticed at the next read.
        drop(write(&self.output, &error).await);
    }
}

enum Line {
    Whole(usize, usize),
    TooLong,
}

async fn write(output: &tokio::sync::Mutex<Option<Stream>>, message: &TxJsonRpcMessage<RoleServer>) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    match &*output.lock().await {
        Some(stream) => stream.write_all(&line).await,
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

/// What a line is.
enum Parsed {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// Valid, of no concern: a notification that is not in MCP.
    Ignored,
    NotJson,
    NotAMessage,
}

fn parse(line: &[u8]) -> Parsed {
    // RFC 8259, 8.1: a byte order mark may be ignored.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    match serde_json::from_slice(line) {
        Ok(message) => Parsed::Message(Box::new(message)),
        Err(_) => match serde_json::from_slice::<serde_json::Value>(line) {
            Ok(value) if value.get("method").is_some_and(serde_json::Value::is_string) && value.get("id").is_none() => {
                Parsed::Ignored
            }
            Ok(_) => Parsed::NotAMessage,
            Err(_) => Parsed::NotJson,
        },
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let (output, in_flight) = (Arc::clone(&self.output), Arc::clone(&self.in_flight));
        async move {
            let answered = match &message {
                JsonRpcMessage::Response(response) => Some(response.id.clone()),
                JsonRpcMessage::Error(error) => error.id.clone(),
                _ => None,
            };
            let done = write(&output, &message).await;
            if let Some(id) = answered {
                in_flight.end(&id);
            }
            done
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            self.in_flight.has_room().await;
            let (from, to) = match self.line().await {
                Ok(Some(Line::Whole(from, to))) => (from, to),
                Ok(Some(Line::TooLong)) => {
                    self.complain(ErrorCode::PARSE_ERROR, "the message is longer than this server reads").await;
                    continue;
                }
                Ok(None) | Err(_) => {
                    if let Some(closed) = self.closed.take() {
                        closed();
                    }
                    return None;
                }
            };
            let line = self.buffer.get(from..to).unwrap_or_default();
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let message = match parse(line) {
                Parsed::Message(message) => *message,
                Parsed::Ignored => continue,
                Parsed::NotJson => {
                    self.complain(ErrorCode::PARSE_ERROR, "the message is not JSON").await;
                    continue;
                }
                Parsed::NotAMessage => {
                    self.complain(ErrorCode::INVALID_REQUEST, "the message is not a JSON-RPC message of MCP").await;
                    continue;
                }
            };
            match &message {
                JsonRpcMessage::Request(request) if !self.in_flight.begin(&request.id) => {
                    self.complain(ErrorCode::INVALID_REQUEST, "a request with this id is not answered yet").await;
                    continue;
                }
                // A cancelled request has no answer that would end it.
                JsonRpcMessage::Notification(notification) => {
                    if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                        && let Some(id) = &cancelled.params.request_id
                    {
                        self.in_flight.end(id);
                    }
                }
                _ => {}
            }
            return Some(message);
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        drop(self.output.lock().await.take());
        Ok(())
    }
}
