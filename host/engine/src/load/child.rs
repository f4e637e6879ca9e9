//! Compilation in a process of its own, both ends. A component can make the compiler use any amount of time and
//! memory, or find a bug in it; here that ends a child and is one sentence to the user.
//!
//! The parent (called by `compile`) starts the program again with a hidden subcommand. The child gets a line of
//! settings and the bytes on its standard input, has a file for the code as its standard output, and says on standard
//! error what is wrong, in one line. It inherits no environment: nothing there should change what code comes out.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal};

use super::bytes::Wasm;
use super::config::{Allocation, Fuel, engine};
use super::error::{ErrorKind, LoadError};
use super::limits::{CompileBounds, Limit, MAX_CODE_BYTES, MAX_WASM_BYTES};
use super::produce::produce;
use super::trace::Tracing;

/// First word of the settings line and of a complaint: tells them from anything else on the stream.
const PROTOCOL: &str = "customs-compile/1";

/// The exit code with which a complaint comes.
const EXIT_COMPLAINT: u8 = 2;

/// How much of the child's standard error is kept: a complaint is one line of at most 300 characters.
const MAX_COMPLAINT_BYTES: u64 = 4 << 10;

/// How often the caller hears that compilation goes on: smooth enough for a progress line.
const TICK: Duration = Duration::from_millis(250);

/// Compiler threads. More would gain little on one component, and each reserves address space and stack.
const MAX_THREADS: usize = 8;

/// Stack of a compiler thread. The default of 2 MiB is for ordinary code; the compiler recurses by what it reads.
const THREAD_STACK: usize = 16 << 20;

/// Address space beyond the memory limit, for what is reserved without being used: thread stacks and the
/// allocator's arenas.
const RESERVED: u64 = 2 << 30;

/// How the child is started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) program: &'a Path,
    pub(super) args: &'a [OsString],
    pub(super) fuel: Fuel,
    pub(super) tracing: Tracing,
    pub(super) bounds: CompileBounds,
}

/// Compiles `wasm` into `code`, within the bounds. `on_slow` hears the elapsed time every [`TICK`].
pub(super) fn compile_in_child(
    start: Start<'_>,
    wasm: &Wasm,
    code: &File,
    on_slow: &dyn Fn(Duration),
) -> Result<(), LoadError> {
    let failed = |error: io::Error| LoadError::internal(format!("cannot be compiled: no compiler process: {error}"));
    let began = Instant::now();
    let (input, child_input) = UnixStream::pair().map_err(failed)?;
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let mut child = Command::new(start.program)
        .args(start.args)
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        .env("RUST_MIN_STACK", THREAD_STACK.to_string())
        .stdin(Stdio::from(OwnedFd::from(child_input)))
        .stdout(Stdio::from(code.try_clone().map_err(failed)?))
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let complaint = child.stderr.take();

    thread::scope(|scope| {
        scope.spawn(move || {
            // Fails when the child stops reading; its exit says why. A socket, because a pipe would raise SIGPIPE in a
            // program that restored the default.
            send_request(input, start, wasm.bytes()).ok();
        });
        let (sender, receiver) = channel();
        scope.spawn(move || {
            // The end of standard error is the end of the child.
            let text = complaint.map_or_else(String::new, read_complaint);
            sender.send(text).ok();
        });
        loop {
            let left = start.bounds.deadline.saturating_sub(began.elapsed());
            match receiver.recv_timeout(left.min(TICK)) {
                Ok(text) => return judge(reap(&mut child)?, &text, start.bounds),
                Err(RecvTimeoutError::Disconnected) => return judge(reap(&mut child)?, "", start.bounds),
                Err(RecvTimeoutError::Timeout) if began.elapsed() >= start.bounds.deadline => {
                    // Only fails for a child that has ended.
                    child.kill().ok();
                    reap(&mut child)?;
                    return Err(too_slow(start.bounds));
                }
                Err(RecvTimeoutError::Timeout) => on_slow(began.elapsed()),
            }
        }
    })
}

fn reap(child: &mut Child) -> Result<ExitStatus, LoadError> {
    child.wait().map_err(|error| LoadError::internal(format!("cannot be compiled: the compiler was lost: {error}")))
}

fn send_request(mut input: UnixStream, start: Start<'_>, wasm: &[u8]) -> io::Result<()> {
    let follow = match start.tracing {
        Tracing::Off => "",
        Tracing::On => "+data",
        Tracing::Branches => "+branches",
    };
    let fuel = if start.fuel == Fuel::Counted { "fuel" } else { "free" };
    let CompileBounds { deadline, memory } = start.bounds;
    writeln!(input, "{PROTOCOL} {fuel}{follow} {memory} {}", deadline.as_secs().max(1))?;
    input.write_all(wasm)
}

/// The first part of what the child says; the rest is read too, so that it can end.
fn read_complaint(mut stream: impl Read) -> String {
    let mut kept = Vec::new();
    stream.by_ref().take(MAX_COMPLAINT_BYTES).read_to_end(&mut kept).ok();
    io::copy(&mut stream, &mut io::sink()).ok();
    String::from_utf8_lossy(&kept).into_owned()
}

fn too_slow(bounds: CompileBounds) -> LoadError {
    LoadError::limit(Limit::CompileTime, format!("took longer than {}s to compile", bounds.deadline.as_secs_f64()))
}

fn too_big(bounds: CompileBounds) -> LoadError {
    LoadError::limit(Limit::CompileMemory, format!("needed more than {} MiB to compile", bounds.memory >> 20))
}

/// What the end of the child means.
fn judge(status: ExitStatus, complaint: &str, bounds: CompileBounds) -> Result<(), LoadError> {
    if status.success() {
        return Ok(());
    }
    if status.code() == Some(EXIT_COMPLAINT.into()) {
        return Err(parse_complaint(complaint, bounds));
    }
    let signal = status.signal();
    let is = |which: Signal| signal == Some(which.as_raw());
    if is(Signal::XCPU) {
        return Err(too_slow(bounds));
    }
    if is(Signal::XFSZ) {
        let allowed = MAX_CODE_BYTES >> 20;
        return Err(LoadError::limit(Limit::CodeSize, format!("compiles to more than {allowed} MiB of code")));
    }
    // Not by us: the kernel ran out of memory, or an administrator did it.
    if is(Signal::KILL) || complaint.contains("memory allocation of") {
        return Err(too_big(bounds));
    }
    let how = match (signal, status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "no reason".to_owned(),
    };
    // The child did its part of the protocol or it found a bug: what was fed to it is the cause either way.
    Err(LoadError::refused(format!("cannot be compiled: the compiler stopped on it ({how})")))
}

/// The inverse of [`complain`].
fn parse_complaint(line: &str, bounds: CompileBounds) -> LoadError {
    let line = line.lines().find_map(|line| line.strip_prefix(PROTOCOL)).unwrap_or_default().trim_start();
    match line.split_once(' ') {
        Some(("refused", predicate)) => LoadError::refused(predicate),
        Some(("internal", predicate)) => LoadError::internal(predicate),
        Some((name, predicate)) => match Limit::from_name(name) {
            Some(Limit::CompileMemory) => too_big(bounds),
            Some(limit) => LoadError::limit(limit, predicate),
            None => LoadError::internal("cannot be compiled: the compiler gave no reason"),
        },
        None => LoadError::internal("cannot be compiled: the compiler gave no reason"),
    }
}

/// The hidden subcommand: compiles what `input` asks for, writes code to `code` and at most one line to `complaint`.
/// Limits the whole process for the rest of its life; exit with what it returns.
pub fn child_main(input: &mut dyn Read, code: &mut dyn Write, complaint: &mut dyn Write) -> ExitCode {
    match serve_request(input, code) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match complain(complaint, &error) {
            Ok(()) => ExitCode::from(EXIT_COMPLAINT),
            Err(_) => ExitCode::FAILURE,
        },
    }
}

fn complain(stream: &mut dyn Write, error: &LoadError) -> io::Result<()> {
    let kind = match error.kind() {
        ErrorKind::Refused => "refused",
        ErrorKind::Internal => "internal",
        ErrorKind::Limit { what } => what,
    };
    writeln!(stream, "{PROTOCOL} {kind} {}", error.predicate())?;
    stream.flush()
}

fn serve_request(input: &mut dyn Read, code: &mut dyn Write) -> Result<(), LoadError> {
    let failed = |error: io::Error| LoadError::internal(format!("cannot be compiled: {error}"));
    let mut input = BufReader::new(input);
    let mut line = String::new();
    // Longer than any settings line, for when the subcommand is run by hand on something else.
    (&mut input).take(200).read_line(&mut line).map_err(failed)?;
    let settings = Settings::parse(&line)
        .ok_or_else(|| LoadError::internal("cannot be compiled: this subcommand is for the program itself"))?;
    settings.confine().map_err(failed)?;
    let mut bytes = Vec::new();
    input.take(MAX_WASM_BYTES.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let wasm = Wasm::from_bytes(bytes, "the component")?;
    let native = produce(&engine(settings.fuel, Allocation::OnDemand)?, &wasm, settings.tracing)?;
    code.write_all(&native).and_then(|()| code.flush()).map_err(failed)
}

#[derive(Debug)]
struct Settings {
    fuel: Fuel,
    tracing: Tracing,
    memory: u64,
    deadline_seconds: u64,
}

impl Settings {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix(PROTOCOL)?.split_ascii_whitespace();
        let first = words.next()?;
        let (fuel, follow) = first.split_once('+').unwrap_or((first, ""));
        let fuel = match fuel {
            "free" => Fuel::Off,
            "fuel" => Fuel::Counted,
            _ => return None,
        };
        let tracing = match follow {
            "" => Tracing::Off,
            "data" => Tracing::On,
            "branches" => Tracing::Branches,
            _ => return None,
        };
        Some(Self { fuel, tracing, memory: words.next()?.parse().ok()?, deadline_seconds: words.next()?.parse().ok()? })
    }

    /// Limits this process. The parent's wall clock is what a user meets first; the limit on processor time is for
    /// a child whose parent is gone.
    fn confine(&self) -> io::Result<()> {
        // Where the kernel does not know it, the limit on processor time ends an orphan.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).ok();
        let threads = u64::try_from(MAX_THREADS).unwrap_or(1);
        lower(Resource::Core, 0)?;
        lower(Resource::Cpu, self.deadline_seconds.saturating_mul(threads))?;
        lower(Resource::Fsize, MAX_CODE_BYTES)?;
        // Data counts what can be written to: the memory really used, or about to be.
        lower(Resource::Data, self.memory)?;
        lower(Resource::As, self.memory.saturating_add(RESERVED))
    }
}

/// Sets a limit, unless the process already has a lower one.
fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let now = rustix::process::getrlimit(resource);
    let current = Some(now.current.map_or(to, |current| current.min(to)));
    let maximum = Some(now.maximum.map_or(to, |maximum| maximum.min(to)));
    Ok(rustix::process::setrlimit(resource, Rlimit { current, maximum })?)
}
