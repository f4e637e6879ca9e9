//! `wasi:io`: streams, pollables and errors. Contents are seen by the taps inside the streams; here the calls are counted and what one
//! call may ask for is bounded.

use crate::imports::Import;
use crate::state::View;
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
        poll::Host::poll(self.table, pollables).await
    }
}

impl poll::HostPollable for View<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.count(Import::PollableBlock);
        poll::HostPollable::block(self.table, pollable).await
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.count(Import::PollableReady);
        poll::HostPollable::ready(self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
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
        streams::HostInputStream::skip(self.table, stream, length)
    }

    async fn blocking_skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        self.count(Import::InBlockingSkip);
        streams::HostInputStream::blocking_skip(self.table, stream, length).await
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
        streams::HostOutputStream::splice(self.table, to, from, length)
    }

    async fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        self.count(Import::OutBlockingSplice);
        streams::HostOutputStream::blocking_splice(self.table, to, from, length).await
    }
}
