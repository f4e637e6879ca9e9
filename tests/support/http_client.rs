//! A client of `customs serve --http`: one request a connection, written as it is.

use super::Customs;
use super::mcp::{Ended, MODERN};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Http {
    child: Child,
    /// Address and port.
    pub address: String,
    stderr: Mutex<Receiver<String>>,
}

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The last JSON-RPC message, from a body of either kind.
    pub fn message(&self) -> Value {
        let line = self.body.lines().rev().find_map(|line| line.strip_prefix("data: ").filter(|l| l.starts_with('{')));
        let text = line.unwrap_or(&self.body);
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }
}

impl Http {
    /// Starts it and waits until it says where it is.
    pub fn start(mut customs: Customs) -> Http {
        let command = customs.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended: {said}");
            if let Some(url) = line.strip_prefix("serving  http://") {
                break url.trim().strip_suffix("/mcp").unwrap().to_owned();
            }
            said.push_str(&line);
        };
        let (sender, stderr) = channel();
        std::thread::spawn(move || {
            lines.read_to_string(&mut said).ok();
            sender.send(said).ok();
        });
        Http { child, address, stderr: Mutex::new(stderr) }
    }

    pub fn connect(&self) -> TcpStream {
        let port = self.address.rsplit(':').next().unwrap();
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request as it is. The connection is closed after the answer.
    pub fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = self.connect();
        let mut head = format!("{line} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in headers.iter().filter(|(_, value)| *value != "-") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        stream
    }

    pub fn request(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Response {
        receive(self.send(line, headers, body))
    }

    pub fn get(&self, path: &str) -> Response {
        self.request(&format!("GET {path}"), &[], "")
    }

    /// A request of the newest revision on its way.
    pub fn asking(&self, method: &str, mut params: Value, more: &[(&str, &str)]) -> TcpStream {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let mut headers = vec![
            ("accept", "application/json, text/event-stream"),
            ("content-type", "application/json"),
            ("mcp-protocol-version", MODERN),
            ("mcp-method", method),
        ];
        if !name.is_empty() {
            headers.push(("mcp-name", &name));
        }
        headers.extend_from_slice(more);
        self.send("POST /mcp", &headers, &body)
    }

    pub fn ask(&self, method: &str, params: Value, more: &[(&str, &str)]) -> Response {
        receive(self.asking(method, params, more))
    }

    pub fn call(&self, tool: &str, arguments: Value, more: &[(&str, &str)]) -> Response {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}), more)
    }

    /// A message of an older revision.
    pub fn older(&self, session: &str, message: &Value) -> Response {
        let mut headers = vec![("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
        if !session.is_empty() {
            headers.extend([("mcp-session-id", session), ("mcp-protocol-version", "2025-11-25")]);
        }
        self.request("POST /mcp", &headers, &message.to_string())
    }

    /// Asks it to end, as a service manager does.
    pub fn stop(mut self) -> Ended {
        let begin = Instant::now();
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let code = self.child.wait().unwrap().code();
        let took = begin.elapsed();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        assert_eq!(stdout, "", "nothing is said on standard output");
        Ended { code, stderr: self.stderr.lock().unwrap().recv().unwrap(), took, rest: Vec::new() }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads an answer to its end.
pub fn receive(mut stream: TcpStream) -> Response {
    let mut bytes = Vec::new();
    // A reset after the answer is an end as well.
    stream.read_to_end(&mut bytes).ok();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { whole(body) } else { body.to_owned() };
    Response { status, headers, body }
}

/// A body without its chunks' sizes.
fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.push_str(&rest[..size]);
        chunks = &rest[size + 2..];
    }
    body
}
