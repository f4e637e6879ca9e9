//! Taps: they stand in for the streams of wasmtime-wasi in the resource table, so that every way of reading or writing a stream
//! (`read`, `blocking-read`, `skip`, `splice`, `write`, `write-zeroes` and the blocking forms) passes here.
//!
//! `write_zeroes` keeps its default, which goes through `write`. `skip` reads: what the guest passes over it has still been given to
//! read, and a source that is not what the guest could know would be wrong the other way round.

use crate::flow::FlowId;
use crate::labels::Side;
use crate::record::{Recorder, Stopped};
use crate::roots::Identity;
use crate::tape::wire::{Absent as _, Chunk, Wire};
use crate::tape::{Answer, Tape};
use bytes::Bytes;
use customs_ledger::material::SourceKind;
use customs_trace::Label;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

fn trap(stopped: Stopped) -> StreamError {
    StreamError::Trap(wasmtime::Error::from(stopped))
}

/// What a stream's reads are on a tape: where they come from on a replay, and which source they are.
pub(crate) struct Line {
    /// Of its notes. None where what is read is known anyway, such as the call's own stdin.
    key: Option<String>,
    kind: SourceKind,
    name: String,
    /// Where in the source it stands.
    at: u64,
    /// What was noted as one piece and has been asked for in smaller ones.
    rest: Bytes,
}

impl Line {
    /// None where the tape is off. `what` is a word for the key.
    pub(crate) fn of(tape: &Tape, what: &str, kind: SourceKind, name: String, at: u64) -> Option<Line> {
        tape.is_on().then(|| {
            let of = format!("in\0{what}\0{name}\0{at}");
            let key = Some(format!("{of}\0{}", tape.instance(&of)));
            Line { key, kind, name, at, rest: Bytes::new() }
        })
    }

    /// Of a stream whose bytes are the call's own.
    pub(crate) fn known(tape: &Tape, kind: SourceKind, name: &str) -> Option<Line> {
        tape.is_on().then(|| Line { key: None, kind, name: name.to_owned(), at: 0, rest: Bytes::new() })
    }

    /// A read of a replay. A read that blocks does not stop where nothing was there yet.
    fn played(&mut self, tape: &Tape, size: usize, blocks: bool) -> StreamResult<Bytes> {
        if !self.rest.is_empty() {
            return Ok(self.rest.split_to(size.min(self.rest.len())));
        }
        let Some(key) = &self.key else { return Ok(Bytes::new()) };
        if self.kind == SourceKind::File
            && let Some(bytes) = tape.file(&self.name, self.at, size)
        {
            return if bytes.is_empty() && size > 0 { Err(StreamError::Closed) } else { Ok(bytes) };
        }
        loop {
            let read = match tape.noted(key).and_then(|answer| Chunk::read(&answer)) {
                Some(read) => read,
                None => {
                    tape.lacks(key);
                    Chunk::absent()
                }
            };
            match read {
                Ok(bytes) if bytes.is_empty() && blocks && size > 0 => {}
                Ok(mut bytes) if bytes.len() > size => {
                    self.rest = bytes.split_off(size);
                    return Ok(bytes);
                }
                read => return read,
            }
        }
    }

    /// What the guest gets of it: other bytes, where this source is changed.
    fn given(&mut self, tape: &Tape, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        let mut bytes = read?;
        let at = self.at;
        self.at = at.saturating_add(bytes.len() as u64);
        if let Some(change) = tape.change(self.kind, &self.name) {
            if change.is_past(at) {
                return Err(StreamError::Closed);
            }
            bytes = change.shared(at, &bytes);
        }
        Ok(bytes)
    }
}

pub(crate) struct InTap {
    inner: DynInputStream,
    recorder: Recorder,
    flow: FlowId,
    line: Option<Line>,
    /// Which file it reads and where it is, for labels of what the guest wrote there.
    file: Option<(Identity, u64)>,
}

impl Drop for InTap {
    fn drop(&mut self) {
        self.recorder.release(self.flow);
    }
}

impl InTap {
    pub(crate) fn new(inner: DynInputStream, recorder: Recorder, flow: FlowId, line: Option<Line>) -> InTap {
        recorder.hold(flow);
        InTap { inner, recorder, flow, line, file: None }
    }

    /// The same of a file, from a place in it on.
    pub(crate) fn of_file(mut self, file: Option<(Identity, u64)>) -> InTap {
        self.file = file;
        self
    }

    fn see(&mut self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        let bytes = read?;
        if !bytes.is_empty() {
            self.recorder.see_shared(self.flow, &bytes).map_err(trap)?;
            if let Some((id, at)) = &mut self.file {
                let came = bytes.len() as u64;
                self.recorder.labelled(|labels| labels.read_back(*id, *at, came));
                *at = at.saturating_add(came);
            }
        }
        Ok(bytes)
    }

    /// True where its reads come from a tape.
    fn is_played(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.key.is_some()) && self.recorder.tape().is_playing()
    }

    /// Notes what was read, or changes it.
    fn pass(&mut self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        let Some(line) = &mut self.line else { return self.see(read) };
        let tape = self.recorder.tape();
        if let Some(key) = &line.key {
            tape.note(|| key.clone(), || read.write());
        }
        let read = line.given(tape, read);
        self.see(read)
    }

    fn play(&mut self, size: usize, blocks: bool) -> StreamResult<Bytes> {
        let read = match &mut self.line {
            Some(line) => line.played(self.recorder.tape(), size, blocks),
            None => Err(StreamError::Closed),
        };
        self.pass(read)
    }
}

#[async_trait::async_trait]
impl Pollable for InTap {
    async fn ready(&mut self) {
        if !self.is_played() {
            self.inner.ready().await;
        }
    }
}

#[async_trait::async_trait]
impl InputStream for InTap {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.is_played() {
            return self.play(size, false);
        }
        let read = self.inner.read(size);
        self.pass(read)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.is_played() {
            return self.play(size, true);
        }
        let read = self.inner.blocking_read(size).await;
        self.pass(read)
    }

    fn skip(&mut self, size: usize) -> StreamResult<usize> {
        self.read(size).map(|bytes| bytes.len())
    }

    async fn blocking_skip(&mut self, size: usize) -> StreamResult<usize> {
        self.blocking_read(size).await.map(|bytes| bytes.len())
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

/// The key of what a stream answers to writes.
pub(crate) struct OutLine(String);

/// What a guest may write at once where the recording does not say.
const PERMIT: usize = 64 * 1024;

impl OutLine {
    pub(crate) fn of(tape: &Tape, what: &str, name: &str) -> Option<OutLine> {
        tape.is_on().then(|| {
            let of = format!("out\0{what}\0{name}");
            OutLine(format!("{of}\0{}", tape.instance(&of)))
        })
    }

    fn key(&self, op: &str) -> String {
        format!("{}\0{op}", self.0)
    }
}

/// Where the labels of what is written go, beside the sink.
pub(crate) enum Kept {
    Nowhere,
    /// To a file, from a place on; the place may not be known.
    File(Identity, Option<u64>),
    /// To a body, which becomes a sink frame by frame.
    Body(usize),
    /// All of it has this label too: it chose where it goes.
    Under(Label),
}

pub(crate) struct OutTap {
    inner: DynOutputStream,
    recorder: Recorder,
    /// None where the bytes are seen elsewhere: a request's body.
    flow: Option<FlowId>,
    line: Option<OutLine>,
    kept: Kept,
}

impl OutTap {
    pub(crate) fn new(inner: DynOutputStream, recorder: Recorder, flow: FlowId, line: Option<OutLine>) -> OutTap {
        recorder.hold(flow);
        OutTap { inner, recorder, flow: Some(flow), line, kept: Kept::Nowhere }
    }

    /// Sees nothing, and is only there for the tape and for labels.
    pub(crate) fn unseen(inner: DynOutputStream, recorder: Recorder, line: Option<OutLine>) -> OutTap {
        OutTap { inner, recorder, flow: None, line, kept: Kept::Nowhere }
    }

    pub(crate) fn keeping(mut self, kept: Kept) -> OutTap {
        self.kept = kept;
        self
    }

    /// Bytes were taken, or not.
    fn took<T>(&mut self, bytes: u64, taken: &StreamResult<T>) {
        match (&mut self.kept, taken) {
            _ if bytes == 0 && taken.is_ok() => {}
            (Kept::Body(stream), Ok(_)) => drop(self.recorder.labelled(|labels| labels.sent(*stream, bytes))),
            (Kept::File(id, at), Ok(_)) => {
                self.recorder.labelled(|labels| labels.wrote(*id, *at, bytes));
                *at = at.map(|at| at.saturating_add(bytes));
            }
            (Kept::File(id, at), Err(StreamError::LastOperationFailed(_))) => {
                self.recorder.labelled(|labels| labels.failed(*id));
                *at = None;
            }
            _ => {}
        }
    }

    fn see(&self, bytes: &Bytes) -> StreamResult<()> {
        if let Kept::Under(label) = self.kept {
            self.recorder.labelled(|labels| labels.under(label));
        }
        match self.flow {
            Some(flow) => self.recorder.see_shared(flow, bytes).map_err(trap),
            None => Ok(()),
        }
    }

    fn is_played(&self) -> bool {
        self.line.is_some() && self.recorder.tape().is_playing()
    }

    /// What was answered in the recording; where it has nothing, writing works.
    fn played<T: Wire>(&self, op: &str, otherwise: T) -> StreamResult<T> {
        let Some(line) = &self.line else { return Ok(otherwise) };
        let answer = self.recorder.tape().noted(&line.key(op));
        answer.and_then(|answer| StreamResult::<T>::read(&answer)).unwrap_or(Ok(otherwise))
    }

    fn note<T: Wire>(&self, op: &str, given: StreamResult<T>) -> StreamResult<T> {
        if let Some(line) = &self.line {
            self.recorder.tape().note(|| line.key(op), || given.write());
        }
        given
    }
}

impl Drop for OutTap {
    fn drop(&mut self) {
        if let Some(flow) = self.flow {
            self.recorder.release(flow);
        }
    }
}

#[async_trait::async_trait]
impl Pollable for OutTap {
    async fn ready(&mut self) {
        if !self.is_played() {
            self.inner.ready().await;
        }
    }
}

#[async_trait::async_trait]
impl OutputStream for OutTap {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.see(&bytes)?;
        let many = bytes.len() as u64;
        if self.is_played() {
            let played = self.played("write", ());
            // A body goes on to the exchange, which is replayed too; whether it was taken is answered as it was.
            if self.flow.is_none() {
                let written = self.inner.write(bytes);
                self.took(many, &written);
            } else {
                self.took(many, &played);
            }
            return played;
        }
        let written = self.inner.write(bytes);
        self.took(many, &written);
        self.note("write", written)
    }

    fn flush(&mut self) -> StreamResult<()> {
        let flushed = if self.is_played() { self.played("flush", ()) } else { self.inner.flush() };
        self.took(0, &flushed);
        self.note("flush", flushed)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let permit = if self.is_played() { self.played("check-write", PERMIT) } else { self.inner.check_write() };
        self.took(0, &permit);
        self.note("check-write", permit)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.see(&bytes)?;
        let many = bytes.len() as u64;
        if self.is_played() {
            let played = self.played("blocking-write-and-flush", ());
            if self.flow.is_none() {
                let written = self.inner.write(bytes);
                self.took(many, &written);
            } else {
                self.took(many, &played);
            }
            return played;
        }
        let written = self.inner.blocking_write_and_flush(bytes).await;
        self.took(many, &written);
        self.note("blocking-write-and-flush", written)
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        let permit = if self.is_played() { self.played("write-ready", PERMIT) } else { self.inner.write_ready().await };
        self.took(0, &permit);
        self.note("write-ready", permit)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

/// An answer's body, on a tape or for labels. Its bytes are seen and come frame by frame from below ([`crate::network`]); noted is only
/// whether any were there yet.
pub(crate) struct Arriving {
    inner: DynInputStream,
    recorder: Recorder,
    key: String,
    /// The access record of the exchange.
    of: Option<u64>,
}

impl Arriving {
    pub(crate) fn new(inner: DynInputStream, recorder: Recorder, of: Option<u64>) -> Arriving {
        let key = format!("arriving\0{}", recorder.tape().instance("arriving"));
        Arriving { inner, recorder, key, of }
    }

    /// Says whose bytes the guest gets.
    fn gave(&self, read: &StreamResult<Bytes>) {
        if let (Ok(bytes), Some(of)) = (read, self.of)
            && !bytes.is_empty()
        {
            self.recorder.labelled(|labels| labels.gave(of, Side::Body));
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Arriving {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for Arriving {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let tape = self.recorder.tape();
        if let Some(Answer::Flag(false)) = tape.noted(&self.key) {
            return Ok(Bytes::new());
        }
        let read = self.inner.read(size);
        tape.note(|| self.key.clone(), || Answer::Flag(!matches!(&read, Ok(bytes) if bytes.is_empty())));
        self.gave(&read);
        read
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.blocking_read(size).await;
        self.gave(&read);
        read
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

/// The end of a captured stream: the tap in front of it has already kept the bytes.
pub(crate) struct Swallow;

/// What a guest may write at once, as wasmtime-wasi allows for files.
const WRITE_PERMIT: usize = 64 * 1024;

#[async_trait::async_trait]
impl Pollable for Swallow {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Swallow {
    fn write(&mut self, _: Bytes) -> StreamResult<()> {
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}
