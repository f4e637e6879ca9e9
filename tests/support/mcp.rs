//! A client of `customs serve` over standard input and output, that can also misbehave.

use super::{Customs, program};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The revision that the tests speak where it does not matter.
pub const USUAL: &str = "2025-11-25";
/// The revision without a handshake.
pub const MODERN: &str = "2026-07-28";

pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: JoinHandle<String>,
    next: u64,
    modern: bool,
}

/// How the server ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stderr: String,
    pub took: Duration,
    /// What it still said.
    pub rest: Vec<Value>,
}

impl Server {
    /// Starts it and says nothing yet.
    pub fn silent(mut customs: Customs) -> Server {
        let command = customs.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout, mut stderr) =
            (child.stdin.take(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).ok();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Server { child, stdin, lines, stderr, next: 0, modern: false }
    }

    /// Starts it and shakes hands in the usual revision.
    pub fn start(customs: Customs) -> Server {
        Server::speaking(customs, USUAL, &json!({}))
    }

    /// Starts it in a revision, as a client with these capabilities.
    pub fn speaking(customs: Customs, revision: &str, capabilities: &Value) -> Server {
        let mut server = Server::silent(customs);
        if revision == MODERN {
            server.modern = true;
            return server;
        }
        let params = json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": {"name": "test", "version": "1"}});
        let hello = server.ask("initialize", params);
        assert_eq!(hello["result"]["protocolVersion"], revision, "{hello}");
        server.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).and_then(|()| stdin.flush()).unwrap();
    }

    /// Takes the standard input, for a thread of its own.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().unwrap()
    }

    pub fn say(&mut self, message: &Value) {
        self.raw(format!("{message}\n").as_bytes());
    }

    /// Sends a request and gives its id.
    pub fn send(&mut self, method: &str, mut params: Value) -> u64 {
        self.next += 1;
        if self.modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
            params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
        }
        let id = self.next;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// The next message, whatever it is.
    pub fn next(&mut self, patience: Duration) -> Option<Value> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Some(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e} in {line:?}"))),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// The answer to this request; what comes before it is left out.
    pub fn answer(&mut self, id: u64) -> Value {
        let begin = Instant::now();
        while let Some(message) = self.next(PATIENCE.saturating_sub(begin.elapsed())) {
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
        panic!("no answer to request {id}");
    }

    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Calls a tool and gives the whole message.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Calls a tool that must answer, and gives its result.
    pub fn result(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Memory in use, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Closes its input and waits for its end.
    pub fn finish(mut self) -> Ended {
        drop(self.stdin.take());
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let begin = Instant::now();
        let code = self.child.wait().unwrap().code();
        let took = begin.elapsed();
        let rest = self.lines.iter().map(|line| serde_json::from_str(&line).unwrap()).collect();
        Ended { code, stderr: self.stderr.join().unwrap(), took, rest }
    }
}

/// The ledgers in a directory: each is whole.
pub fn ledgers(directory: &Path) -> Vec<Vec<Value>> {
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &Path| {
        let verified = Command::new(program()).env_clear().arg("verify").arg(path).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    paths.iter().map(|path| read(path)).collect()
}
