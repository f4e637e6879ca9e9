//! `wasi:io`: streams, pollables and errors. Contents are seen by the taps inside the streams; here the calls are counted and what one
//! call may ask for is bounded.

use crate::imports::Import;
use crate::labels::Labels;
use crate::state::View;
use crate::tape::wire::Wire as _;
use crate::tape::{Answer, Tape, key};
use std::collections::BTreeSet;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi_io::bindings::wasi::io::{error, poll, streams};
use wasmtime_wasi_io::streams::Error;

/// Pollables in one `poll`. The same one may stand there many times, so the handle limit does not bound it.
const MAX_POLL: usize = 10_000;

impl poll::Host for View<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.count(Import::Poll);
        if pollables.len() > MAX_POLL {
            return Err(self.stop("poll", format!("{} pollables at once, the limit is {MAX_POLL}", pollables.len())));
        }
        let tape = self.guard.recorder.tape().clone();
        if tape.is_on() {
            self.noted_poll(&tape, pollables).await
        } else {
            poll::Host::poll(self.table, pollables).await
        }
    }
}

/// Which pollables wait for time: on a replay none passes.
#[derive(Default)]
pub(crate) struct Waits(BTreeSet<u32>);

impl Waits {
    pub(crate) fn timer(&mut self, rep: u32) {
        self.0.insert(rep);
    }
}

impl View<'_> {
    /// A poll whose answer is noted. On a replay the same ones are ready, and those that come from beside the guest are waited for.
    async fn noted_poll(&mut self, tape: &Tape, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        let timers = pollables.iter().filter(|one| self.guard.waits.0.contains(&one.rep())).count();
        let key = || format!("poll\0{}\0{timers}", pollables.len());
        if !tape.is_playing() {
            let again = pollables.iter().map(|one| Resource::new_borrow(one.rep())).collect();
            let ready = poll::Host::poll(self.table, again).await?;
            tape.note(key, || ready.write());
            return Ok(ready);
        }
        let recorded = tape.noted(&key()).and_then(|answer| Vec::<u32>::read(&answer));
        if let Some(ready) = recorded {
            let mut all = true;
            for at in &ready {
                let Some(one) = usize::try_from(*at).ok().and_then(|at| pollables.get(at)) else {
                    all = false;
                    continue;
                };
                all &= self.wait_for(tape, one.rep()).await?;
            }
            // Ready or not: in order, the answer is the recorded one.
            if all || !tape.is_loose() {
                return Ok(ready);
            }
        }
        // What the recording does not have: whatever is ready by itself, and then time.
        loop {
            let mut ready = Vec::new();
            for (at, one) in (0..).zip(&pollables) {
                if !self.guard.waits.0.contains(&one.rep())
                    && poll::HostPollable::ready(self.table, Resource::new_borrow(one.rep())).await?
                {
                    ready.push(at);
                }
            }
            if ready.is_empty() && tape.is_busy() {
                tokio::task::yield_now().await;
                continue;
            }
            if ready.is_empty() {
                ready = (0..)
                    .zip(&pollables)
                    .filter(|(_, one)| self.guard.waits.0.contains(&one.rep()))
                    .map(|(at, _)| at)
                    .collect();
            }
            if ready.is_empty() {
                // Nothing will ever come: the call's time ends it, or the person.
                return poll::Host::poll(self.table, pollables).await;
            }
            return Ok(ready);
        }
    }

    /// Waits until a pollable is ready, as long as anything beside the guest gets on. True where it is.
    async fn wait_for(&mut self, tape: &Tape, rep: u32) -> wasmtime::Result<bool> {
        if self.guard.waits.0.contains(&rep) {
            return Ok(true);
        }
        loop {
            let busy = tape.is_busy();
            if poll::HostPollable::ready(self.table, Resource::new_borrow(rep)).await? {
                return Ok(true);
            }
            if !busy {
                return Ok(false);
            }
            tokio::task::yield_now().await;
        }
    }
}

impl poll::HostPollable for View<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.count(Import::PollableBlock);
        // On a replay no time passes.
        if self.guard.recorder.tape().is_playing() && self.guard.waits.0.contains(&pollable.rep()) {
            return Ok(());
        }
        poll::HostPollable::block(self.table, pollable).await
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.count(Import::PollableReady);
        let tape = self.guard.recorder.tape().clone();
        if !tape.is_playing() {
            let ready = poll::HostPollable::ready(self.table, pollable).await?;
            tape.note(key!("ready"), || ready.write());
            return Ok(ready);
        }
        match tape.noted("ready") {
            Some(Answer::Flag(false)) => Ok(false),
            _ => self.wait_for(&tape, pollable.rep()).await,
        }
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.guard.waits.0.remove(&pollable.rep());
        poll::HostPollable::drop(self.table, pollable)
    }
}

impl error::Host for View<'_> {}

impl error::HostError for View<'_> {
    fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        error::HostError::drop(self.table, error)
    }

    fn to_debug_string(&mut self, error: Resource<Error>) -> wasmtime::Result<String> {
        self.count(Import::ErrorToDebugString);
        // The inner error is checked to be there; its text is the host's and may name host paths.
        self.table.get(&error)?;
        Ok("the host's input or output failed".to_owned())
    }
}

impl streams::Host for View<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.table, error)
    }
}

impl streams::HostInputStream for View<'_> {
    async fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        streams::HostInputStream::drop(self.table, stream).await
    }

    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        self.count(Import::InRead);
        streams::HostInputStream::read(self.table, stream, length)
    }

    async fn blocking_read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        self.count(Import::InBlockingRead);
        streams::HostInputStream::blocking_read(self.table, stream, length).await
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        self.count(Import::InSkip);
        let skipped = streams::HostInputStream::skip(self.table, stream, length);
        self.guard.recorder.labelled(Labels::kept_back);
        skipped
    }

    async fn blocking_skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        self.count(Import::InBlockingSkip);
        let skipped = streams::HostInputStream::blocking_skip(self.table, stream, length).await;
        self.guard.recorder.labelled(Labels::kept_back);
        skipped
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::InSubscribe);
        streams::HostInputStream::subscribe(self.table, stream)
    }
}

impl streams::HostOutputStream for View<'_> {
    async fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        streams::HostOutputStream::drop(self.table, stream).await
    }

    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        self.count(Import::OutCheckWrite);
        streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.count(Import::OutWrite);
        streams::HostOutputStream::write(self.table, stream, bytes)
    }

    async fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.count(Import::OutBlockingWriteAndFlush);
        streams::HostOutputStream::blocking_write_and_flush(self.table, stream, bytes).await
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.count(Import::OutFlush);
        streams::HostOutputStream::flush(self.table, stream)
    }

    async fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.count(Import::OutBlockingFlush);
        streams::HostOutputStream::blocking_flush(self.table, stream).await
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::OutSubscribe);
        streams::HostOutputStream::subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        self.count(Import::OutWriteZeroes);
        streams::HostOutputStream::write_zeroes(self.table, stream, length)
    }

    async fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        length: u64,
    ) -> StreamResult<()> {
        self.count(Import::OutBlockingWriteZeroesAndFlush);
        streams::HostOutputStream::blocking_write_zeroes_and_flush(self.table, stream, length).await
    }

    fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        self.count(Import::OutSplice);
        self.guard.recorder.labelled(|labels| labels.splice(true));
        let spliced = streams::HostOutputStream::splice(self.table, to, from, length);
        self.guard.recorder.labelled(|labels| labels.splice(false));
        spliced
    }

    async fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        self.count(Import::OutBlockingSplice);
        self.guard.recorder.labelled(|labels| labels.splice(true));
        let spliced = streams::HostOutputStream::blocking_splice(self.table, to, from, length).await;
        self.guard.recorder.labelled(|labels| labels.splice(false));
        spliced
    }
}
