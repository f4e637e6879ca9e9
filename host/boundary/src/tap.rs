//! Taps: they stand in for the streams of wasmtime-wasi in the resource table, so that every way of reading or writing a stream
//! (`read`, `blocking-read`, `skip`, `splice`, `write`, `write-zeroes` and the blocking forms) passes here.
//!
//! `write_zeroes` keeps its default, which goes through `write`. `skip` reads: what the guest passes over it has still been given to
//! read, and a source that is not what the guest could know would be wrong the other way round.

use crate::flow::FlowId;
use crate::record::{Recorder, Stopped};
use bytes::Bytes;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

fn trap(stopped: Stopped) -> StreamError {
    StreamError::Trap(wasmtime::Error::from(stopped))
}

pub(crate) struct InTap {
    inner: DynInputStream,
    recorder: Recorder,
    flow: FlowId,
}

impl Drop for InTap {
    fn drop(&mut self) {
        self.recorder.release(self.flow);
    }
}

impl InTap {
    pub(crate) fn new(inner: DynInputStream, recorder: Recorder, flow: FlowId) -> InTap {
        recorder.hold(flow);
        InTap { inner, recorder, flow }
    }

    fn see(&self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        let bytes = read?;
        if !bytes.is_empty() {
            self.recorder.see_shared(self.flow, &bytes).map_err(trap)?;
        }
        Ok(bytes)
    }
}

#[async_trait::async_trait]
impl Pollable for InTap {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for InTap {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.read(size);
        self.see(read)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.blocking_read(size).await;
        self.see(read)
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

pub(crate) struct OutTap {
    inner: DynOutputStream,
    recorder: Recorder,
    flow: FlowId,
}

impl OutTap {
    pub(crate) fn new(inner: DynOutputStream, recorder: Recorder, flow: FlowId) -> OutTap {
        recorder.hold(flow);
        OutTap { inner, recorder, flow }
    }
}

impl Drop for OutTap {
    fn drop(&mut self) {
        self.recorder.release(self.flow);
    }
}

#[async_trait::async_trait]
impl Pollable for OutTap {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for OutTap {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.recorder.see_shared(self.flow, &bytes).map_err(trap)?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.recorder.see_shared(self.flow, &bytes).map_err(trap)?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.inner.write_ready().await
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
