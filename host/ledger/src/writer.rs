//! The writer: events in, chained lines out, and nothing after a failure.
//!
//! The boundary calls `append` for every access and `barrier` before an effect; the program calls `close` when the run is over.
//! Order is the order of `append`: the caller holds a lock around the ledger where calls run at once.

use crate::chain::Chain;
use crate::error::{Kind, LedgerError};
use crate::event::{Decision, Event};
use crate::file;
use crate::line::Object;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::fmt;

/// Lines kept back before they are written on. Smaller costs a system call for every few reads of a guest, larger loses more of the
/// reads (never effects) when the process is killed.
const BUFFER: usize = 64 << 10;

/// The end of a ledger: what `verify --head` compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// SHA-256 of the last line; zeros where there is none.
    pub hash: [u8; 32],
    /// Records, `close` not counted.
    pub events: u64,
}

/// How many records of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub calls: u64,
    pub accesses: u64,
    /// Accesses that were denied and have a record.
    pub denials: u64,
    pub outcomes: u64,
    /// Denials without a record of their own: the sum of the `suppressed` records.
    pub suppressed: u64,
    pub findings: u64,
}

/// A ledger being written.
pub struct Ledger {
    chain: Chain,
    sink: Sink,
    /// Lines that have not gone to the sink yet.
    buffer: Vec<u8>,
    state: State,
    counts: Counts,
    /// All lines once more, where somebody wants them.
    copy: Option<Vec<u8>>,
}

enum Sink {
    File(OwnedFd),
    Memory,
    Kept(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Writing,
    Closed,
    /// A write failed. Some of the buffer may be in the file, so nothing is written ever after: no byte can be there twice.
    Poisoned(Errno),
}

impl Ledger {
    /// A ledger in a new file, or in an empty one that exists. The file is for its owner only, and for one writer at a time.
    pub fn create(dir: &cap_std::fs::Dir, name: &str) -> Result<Ledger, LedgerError> {
        file::create(dir, name).map(|fd| Ledger::with(Sink::File(fd)))
    }

    /// A ledger on something that the caller has opened and vetted, such as a pipe to a collector. Takes no lock.
    pub fn over(opened: impl Into<OwnedFd>) -> Ledger {
        Ledger::with(Sink::File(opened.into()))
    }

    /// A ledger that keeps the chain and the counts, and no lines.
    #[must_use]
    pub fn memory() -> Ledger {
        Ledger::with(Sink::Memory)
    }

    /// A ledger that keeps its lines in memory, for tests: see [`Ledger::lines`].
    #[must_use]
    pub fn memory_keeping() -> Ledger {
        Ledger::with(Sink::Kept(Vec::new()))
    }

    /// The same ledger, which keeps its lines in memory too: see [`Ledger::kept`].
    #[must_use]
    pub fn keeping(mut self) -> Ledger {
        self.copy = if matches!(self.sink, Sink::Kept(_)) { None } else { Some(Vec::new()) };
        self
    }

    fn with(sink: Sink) -> Ledger {
        let buffer = Vec::with_capacity(if matches!(sink, Sink::File(_)) { BUFFER + (4 << 10) } else { 4 << 10 });
        Ledger { chain: Chain::new(), sink, buffer, state: State::Writing, counts: Counts::default(), copy: None }
    }

    /// Adds a record and returns its seq. It reaches the OS with the next `barrier` at the latest.
    pub fn append(&mut self, event: &Event<'_>) -> Result<u64, LedgerError> {
        self.writing()?;
        let seq = self.chain.seq;
        match event {
            Event::Open(_) if seq != 0 => {
                return Err(LedgerError::new(Kind::Misuse("a ledger is opened once")));
            }
            Event::Open(_) => {}
            _ if seq == 0 => {
                return Err(LedgerError::new(Kind::Misuse("a ledger begins with its open record")));
            }
            Event::Outcome(outcome) if outcome.of >= seq => {
                return Err(LedgerError::new(Kind::Misuse("an outcome names a record that is not there yet")));
            }
            _ => {}
        }
        let begin = self.buffer.len();
        let mut line = Object::start(&mut self.buffer, seq, event.name());
        let written = event.write(&mut line);
        line.finish(&self.chain.hex);
        self.end_record(begin, written, event.into())?;
        Ok(seq)
    }

    /// Adds a record that was written before its place was known.
    pub fn append_rendered(&mut self, rendered: &Rendered) -> Result<u64, LedgerError> {
        self.writing()?;
        let seq = self.chain.seq;
        if seq == 0 || rendered.of.is_some_and(|of| of >= seq) {
            return Err(LedgerError::new(Kind::Misuse("a record has no place there")));
        }
        let begin = self.buffer.len();
        let mut line = Object::start(&mut self.buffer, seq, rendered.name);
        line.raw(&rendered.fields);
        line.finish(&self.chain.hex);
        self.end_record(begin, Ok(()), rendered.tally)?;
        Ok(seq)
    }

    fn end_record(&mut self, begin: usize, written: Result<(), LedgerError>, tally: Tally) -> Result<(), LedgerError> {
        let length = self.buffer.len() - begin;
        let fits = if length > crate::MAX_LINE { Err(LedgerError::new(Kind::TooLong)) } else { Ok(()) };
        if let Err(e) = written.and(fits) {
            // Nothing of it has left the buffer: the ledger is as it was.
            self.buffer.truncate(begin);
            return Err(e);
        }
        self.end_line(begin)?;
        self.count(tally);
        Ok(())
    }

    /// Everything appended has reached the OS when this returns. Comes before any effect outside.
    pub fn barrier(&mut self) -> Result<(), LedgerError> {
        if let State::Poisoned(errno) = self.state {
            return Err(LedgerError::new(Kind::Write(errno)));
        }
        self.flush()
    }

    /// Writes the `close` record and waits until the file is on the disk.
    pub fn close(&mut self) -> Result<Head, LedgerError> {
        self.writing()?;
        if self.chain.seq == 0 {
            return Err(LedgerError::new(Kind::Misuse("a ledger begins with its open record")));
        }
        let begin = self.buffer.len();
        self.chain.close_line(&mut self.buffer);
        self.end_line(begin)?;
        self.flush()?;
        if let Sink::File(fd) = &self.sink {
            file::sync(fd).map_err(|e| self.poison(e))?;
        }
        self.state = State::Closed;
        Ok(self.head())
    }

    /// Where the ledger stands. After `close` the hash is the one to keep elsewhere.
    #[must_use]
    pub fn head(&self) -> Head {
        let closing = u64::from(self.state == State::Closed);
        Head { hash: self.chain.hash, events: self.chain.seq.saturating_sub(closing) }
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The lines of a `memory_keeping` ledger; of any other, none.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.kept()
            .split(|byte| *byte == b'\n')
            .filter_map(|line| std::str::from_utf8(line).ok())
            .filter(|l| !l.is_empty())
    }

    /// The bytes of a `memory_keeping` or [`Ledger::keeping`] ledger as a file would hold them; of any other, none.
    #[must_use]
    pub fn kept(&self) -> &[u8] {
        match &self.sink {
            Sink::Kept(bytes) => bytes,
            Sink::File(_) | Sink::Memory => self.copy.as_deref().unwrap_or_default(),
        }
    }

    /// The seq that the next record will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.chain.seq
    }

    fn writing(&self) -> Result<(), LedgerError> {
        match self.state {
            State::Writing => Ok(()),
            State::Closed => Err(LedgerError::new(Kind::Closed)),
            State::Poisoned(errno) => Err(LedgerError::new(Kind::Write(errno))),
        }
    }

    /// Chains the line that begins at `begin` in the buffer, and ends it.
    fn end_line(&mut self, begin: usize) -> Result<(), LedgerError> {
        self.chain.advance(self.buffer.get(begin..).unwrap_or_default());
        self.buffer.push(b'\n');
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(self.buffer.get(begin..).unwrap_or_default());
        }
        match self.sink {
            Sink::File(_) if self.buffer.len() < BUFFER => Ok(()),
            _ => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<(), LedgerError> {
        let done = match &mut self.sink {
            Sink::File(fd) => file::write_all(fd, &self.buffer),
            Sink::Memory => Ok(()),
            Sink::Kept(bytes) => {
                bytes.extend_from_slice(&self.buffer);
                Ok(())
            }
        };
        self.buffer.clear();
        // One long record does not keep its memory for the rest of the run.
        self.buffer.shrink_to(BUFFER * 2);
        done.map_err(|e| self.poison(e))
    }

    #[cold]
    fn poison(&mut self, errno: Errno) -> LedgerError {
        self.state = State::Poisoned(errno);
        LedgerError::new(Kind::Write(errno))
    }

    fn count(&mut self, tally: Tally) {
        let counts = &mut self.counts;
        match tally {
            Tally::Call => counts.calls += 1,
            Tally::Access { denied } => {
                counts.accesses += 1;
                counts.denials += u64::from(denied);
            }
            Tally::Outcome => counts.outcomes += 1,
            Tally::Suppressed(count) => counts.suppressed = counts.suppressed.saturating_add(count),
            Tally::Finding => counts.findings += 1,
            Tally::Other => {}
        }
    }
}

/// What a record adds to the counts.
#[derive(Clone, Copy, Debug)]
enum Tally {
    Call,
    Access { denied: bool },
    Outcome,
    Suppressed(u64),
    Finding,
    Other,
}

impl From<&Event<'_>> for Tally {
    fn from(event: &Event<'_>) -> Tally {
        match event {
            Event::Call { .. } => Tally::Call,
            Event::Access(access) => Tally::Access { denied: matches!(access.decision, Decision::Deny { .. }) },
            Event::Outcome(_) => Tally::Outcome,
            Event::Suppressed { count, .. } => Tally::Suppressed(*count),
            Event::Finding { .. } => Tally::Finding,
            Event::Open(_) | Event::End(_) => Tally::Other,
        }
    }
}

/// A record as it will stand in its line, without its place: for one that has to wait for others. See [`Event::render`].
#[derive(Clone, Debug)]
pub struct Rendered {
    name: &'static str,
    /// The fields, each with a comma before it.
    fields: Vec<u8>,
    of: Option<u64>,
    tally: Tally,
}

impl Event<'_> {
    /// Writes the record without its place in a ledger.
    pub fn render(&self) -> Result<Rendered, LedgerError> {
        let mut out = Vec::new();
        let mut line = Object::start(&mut out, 0, self.name());
        self.write(&mut line)?;
        let begin = {
            let mut empty = Vec::new();
            Object::start(&mut empty, 0, self.name());
            empty.len()
        };
        let of = match self {
            Event::Outcome(outcome) => Some(outcome.of),
            _ => None,
        };
        let fields = out.get(begin..).unwrap_or_default().to_vec();
        Ok(Rendered { name: self.name(), fields, of, tally: self.into() })
    }
}

impl Drop for Ledger {
    /// A run that ended without `close` leaves what happened, and no `close`: `verify` says `unclosed`.
    fn drop(&mut self) {
        if self.state == State::Writing {
            // There is nobody left to tell; a file that lacks records is not closed either.
            drop(self.flush());
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("seq", &self.chain.seq).field("counts", &self.counts).finish_non_exhaustive()
    }
}
