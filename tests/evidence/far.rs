//! The other end of the wire, where a row needs one.

use crate::support::servers::Server;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// What a row needs there.
#[derive(Clone, Default)]
pub enum Needs {
    #[default]
    Nothing,
    /// A server that answers each request with this body.
    Page(Vec<u8>),
    /// A server to send to.
    Web,
    /// A port that says this to whoever connects.
    Speaker(Vec<u8>),
    /// A port that listens.
    Listener,
}

pub enum Far {
    Nowhere,
    Server(Server),
    Canned(SocketAddr),
}

impl Far {
    pub fn new(needs: &Needs) -> Far {
        match needs {
            Needs::Nothing => Far::Nowhere,
            Needs::Web => Far::Server(Server::http()),
            Needs::Listener => Far::Server(Server::echo()),
            Needs::Speaker(bytes) => canned(bytes.clone(), false),
            Needs::Page(body) => {
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n", body.len());
                canned([head.as_bytes(), body].concat(), true)
            }
        }
    }

    /// `127.0.0.1:1234`, or nothing.
    pub fn address(&self) -> String {
        match self {
            Far::Nowhere => String::new(),
            Far::Server(server) => format!("127.0.0.1:{}", server.port()),
            Far::Canned(at) => at.to_string(),
        }
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        if let Far::Canned(at) = self {
            // It wakes up and ends.
            TcpStream::connect(*at).ok();
        }
    }
}

/// Head and body of a request have come.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    request.len() >= end + length
}

/// Says the same to everybody, until nobody comes any more: [`Far`] that leaves is the last, and says nothing.
fn canned(answer: Vec<u8>, asked: bool) -> Far {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let visitors = if asked { usize::MAX } else { 1 };
    std::thread::spawn(move || {
        for mut stream in listener.incoming().take(visitors).flatten() {
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while asked && !is_whole(&request) {
                match stream.read(&mut buffer) {
                    Ok(read @ 1..) => request.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            if asked && request.is_empty() || stream.write_all(&answer).is_err() {
                break;
            }
        }
    });
    Far::Canned(at)
}
