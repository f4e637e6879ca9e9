//! Taps: they stand in for the streams of wasmtime-wasi in the resource table, so that every way of reading or writing a stream
//! (`read`, `blocking-read`, `skip`, `splice`, `write`, `write-zeroes` and the blocking forms) passes here.
//!
//! `write_zeroes` keeps its default, which goes through `write`. `skip` reads: what the guest passes over it has still been given to
//! read, and a source that is not what the guest could know would be wrong the other way round.

use crate::flow::FlowId;
use crate::record::{Recorder, Stopped};
use crate::tape::wire::{Absent as _, Chunk, Wire};
use crate::tape::{Answer, Tape};
use bytes::Bytes;
use customs_ledger::material::SourceKind;
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
}

impl Drop for InTap {
    fn drop(&mut self) {
        self.recorder.release(self.flow);
    }
}

impl InTap {
    pub(crate) fn new(inner: DynInputStream, recorder: Recorder, flow: FlowId, line: Option<Line>) -> InTap {
        recorder.hold(flow);
        InTap { inner, recorder, flow, line }
    }

    fn see(&self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        let bytes = read?;
        if !bytes.is_empty() {
            self.recorder.see_shared(self.flow, &bytes).map_err(trap)?;
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

pub(crate) struct OutTap {
    inner: DynOutputStream,
    recorder: Recorder,
    /// None where the bytes are seen elsewhere: a request's body.
    flow: Option<FlowId>,
    line: Option<OutLine>,
}

impl OutTap {
    pub(crate) fn new(inner: DynOutputStream, recorder: Recorder, flow: FlowId, line: Option<OutLine>) -> OutTap {
        recorder.hold(flow);
        OutTap { inner, recorder, flow: Some(flow), line }
    }

    /// Sees nothing, and is only there for the tape.
    pub(crate) fn unseen(inner: DynOutputStream, recorder: Recorder, line: Option<OutLine>) -> OutTap {
        OutTap { inner, recorder, flow: None, line }
    }

    fn see(&self, bytes: &Bytes) -> StreamResult<()> {
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
        if self.is_played() {
            // A body goes on to the exchange, which is replayed too; whether it was taken is answered as it was.
            if self.flow.is_none() {
                self.inner.write(bytes).ok();
            }
            return self.played("write", ());
        }
        let written = self.inner.write(bytes);
        self.note("write", written)
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.is_played() {
            return self.played("flush", ());
        }
        let flushed = self.inner.flush();
        self.note("flush", flushed)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.is_played() {
            return self.played("check-write", PERMIT);
        }
        let permit = self.inner.check_write();
        self.note("check-write", permit)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.see(&bytes)?;
        if self.is_played() {
            if self.flow.is_none() {
                self.inner.write(bytes).ok();
            }
            return self.played("blocking-write-and-flush", ());
        }
        let written = self.inner.blocking_write_and_flush(bytes).await;
        self.note("blocking-write-and-flush", written)
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        if self.is_played() {
            return self.played("write-ready", PERMIT);
        }
        let permit = self.inner.write_ready().await;
        self.note("write-ready", permit)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

/// An answer's body on a tape. Its bytes are seen and come frame by frame from below ([`crate::network`]); noted is only whether any were
/// there yet.
pub(crate) struct Arriving {
    inner: DynInputStream,
    recorder: Recorder,
    key: String,
}

impl Arriving {
    pub(crate) fn new(inner: DynInputStream, recorder: Recorder) -> Arriving {
        let key = format!("arriving\0{}", recorder.tape().instance("arriving"));
        Arriving { inner, recorder, key }
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
        read
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.blocking_read(size).await
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
