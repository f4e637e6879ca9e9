//! What a served call costs: `customs serve` beside servers of the official SDKs that offer the same tool, over stdio, in turn.
//!
//! Each round asks every server for the same calls, so that a busy machine slows all of them. Pinned rows have driver and server on one
//! core, where the numbers depend least on the machine's neighbours. `make bench-serve` sets the peers up; without them only customs is
//! measured. `docs/performance.md` says how to read it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measurement, not the program"
)]

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;
const CALLS: usize = 500;

/// A client of one server.
struct Client {
    child: Child,
    to: Box<dyn std::io::Write>,
    from: BufReader<Box<dyn std::io::Read>>,
    next: u64,
    tool: &'static str,
    started: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum Channel {
    Pipes,
    /// What Node gives its children.
    Sockets,
}

impl Client {
    fn start(command: &mut Command, channel: Channel, tool: &'static str) -> Client {
        let begin = Instant::now();
        let (child, to, from): (Child, Box<dyn std::io::Write>, Box<dyn std::io::Read>) = match channel {
            Channel::Pipes => {
                let mut child =
                    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
                let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
                (child, Box::new(to), Box::new(from))
            }
            Channel::Sockets => {
                let (ours_in, theirs_in) = UnixStream::pair().unwrap();
                let (ours_out, theirs_out) = UnixStream::pair().unwrap();
                let (theirs_in, theirs_out): (OwnedFd, OwnedFd) = (theirs_in.into(), theirs_out.into());
                let child = command.stdin(theirs_in).stdout(theirs_out).stderr(Stdio::null()).spawn().unwrap();
                (child, Box::new(ours_in), Box::new(ours_out))
            }
        };
        let mut client = Client { child, to, from: BufReader::new(from), next: 0, tool, started: Duration::ZERO };
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
        client.ask("initialize", &hello);
        client.to.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").unwrap();
        let listed = client.ask("tools/list", &json!({}));
        client.started = begin.elapsed();
        assert!(listed["result"]["tools"].as_array().unwrap().iter().any(|t| t["name"] == tool));
        client
    }

    fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.next += 1;
        let mut line = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}).to_string();
        line.push('\n');
        self.to.write_all(line.as_bytes()).unwrap();
        self.to.flush().unwrap();
        self.next
    }

    fn answer(&mut self, id: u64) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server is gone");
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// One call, and how long it took. The answer is checked after the clock has stopped.
    fn call(&mut self, text: &str) -> Duration {
        let params = json!({"name": self.tool, "arguments": {"text": text}});
        self.next += 1;
        let mut line = json!({"jsonrpc": "2.0", "id": self.next, "method": "tools/call", "params": params}).to_string();
        line.push('\n');
        let mut answer = String::new();
        let begin = Instant::now();
        self.to.write_all(line.as_bytes()).unwrap();
        self.from.read_line(&mut answer).unwrap();
        let took = begin.elapsed();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["result"]["structuredContent"]["result"], text, "{answer}");
        took
    }

    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/dist")
}

fn customs() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_customs"));
    command.arg("serve").arg(guests().join("bench.wasm"));
    command
}

type Start = Box<dyn Fn() -> Command>;

/// The servers that are there: name, and how to start one.
fn servers() -> Vec<(&'static str, Start)> {
    let mut servers: Vec<(&'static str, Start)> = vec![
        ("customs", Box::new(customs)),
        (
            "customs, ledger in a file",
            Box::new(|| {
                let mut command = customs();
                let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-serve-ledgers");
                std::fs::create_dir_all(&place).unwrap();
                command.arg("--ledger").arg(place);
                command
            }),
        ),
    ];
    let Some(peers) = std::env::var_os("CUSTOMS_PEERS").map(PathBuf::from) else {
        println!("without CUSTOMS_PEERS only customs is measured; `make bench-serve` sets the peers up\n");
        return servers;
    };
    let (node, python) = (peers.join("echo.mjs"), peers.join("echo.py"));
    let interpreter = peers.join("venv/bin/python");
    servers.push((
        "TypeScript SDK 1.32.2",
        Box::new(move || {
            let mut command = Command::new("node");
            command.arg(&node);
            command
        }),
    ));
    servers.push((
        "Python mcp 2.3.0",
        Box::new(move || {
            let mut command = Command::new(&interpreter);
            command.arg(&python);
            command
        }),
    ));
    servers
}

/// Runs this process, and what it starts, on one core or on all.
fn pin(to_one: bool) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    static ALL: std::sync::OnceLock<CpuSet> = std::sync::OnceLock::new();
    let all = ALL.get_or_init(|| sched_getaffinity(None).unwrap());
    let mut set = *all;
    if to_one {
        set = CpuSet::new();
        set.set((0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).unwrap());
    }
    sched_setaffinity(None, &set).unwrap();
}

fn at(sorted: &[Duration], share: f64) -> f64 {
    let last = sorted.len() - 1;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
    let index = (last as f64 * share).round() as usize;
    sorted[index].as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn calls(channel: Channel, pinned: bool) {
    pin(pinned);
    let servers = servers();
    let mut clients: Vec<Client> =
        servers.iter().map(|(_, start)| Client::start(&mut start(), channel, "echo")).collect();
    let mut took = vec![Vec::new(); clients.len()];
    for client in &mut clients {
        for _ in 0..100 {
            client.call("warm");
        }
    }
    for round in 0..ROUNDS {
        for (client, took) in clients.iter_mut().zip(&mut took) {
            for n in 0..CALLS {
                took.push(client.call(&format!("call {round}/{n}")));
            }
        }
    }
    let channel = if channel == Channel::Pipes { "pipes" } else { "sockets" };
    let cores = if pinned { "one core" } else { "all cores" };
    println!("| {channel}, {cores} | p50 ms | p90 ms | p99 ms | resident MiB |\n|---|---|---|---|---|");
    for ((name, _), (took, client)) in servers.iter().zip(took.iter_mut().zip(&clients)) {
        took.sort();
        println!(
            "| {name} | {:.3} | {:.3} | {:.3} | {:.0} |",
            at(took, 0.5),
            at(took, 0.9),
            at(took, 0.99),
            client.resident()
        );
    }
    println!();
}

/// From the start of the process to its list of tools.
fn starts() {
    pin(false);
    let servers = servers();
    println!("| start to tools/list | ms |\n|---|---|");
    let mut took = vec![Vec::new(); servers.len()];
    for _ in 0..ROUNDS {
        for ((_, start), took) in servers.iter().zip(&mut took) {
            took.push(Client::start(&mut start(), Channel::Pipes, "echo").started.as_secs_f64() * 1e3);
        }
    }
    for ((name, _), took) in servers.iter().zip(took) {
        println!("| {name} | {:.1} |", median(took));
    }
    println!();
}

/// Twice as many calls that only compute as there are cores, and what an echo takes meanwhile.
fn beside_spinning() {
    pin(false);
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut command = customs();
    command.args(["--timeout", "4s"]);
    let mut client = Client::start(&mut command, Channel::Pipes, "echo");
    for _ in 0..2 * cores {
        client.send("tools/call", &json!({"name": "spin-n", "arguments": {"rounds": "100000000000"}}));
    }
    std::thread::sleep(Duration::from_millis(300));
    let mut took = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        took.push(client.call("still there"));
    }
    took.sort();
    println!(
        "echo beside {} spinning calls on {cores} cores: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms, {} calls\n",
        2 * cores,
        at(&took, 0.5),
        at(&took, 0.99),
        at(&took, 1.0),
        took.len()
    );
}

fn main() {
    starts();
    calls(Channel::Pipes, true);
    calls(Channel::Sockets, true);
    calls(Channel::Pipes, false);
    beside_spinning();
}
