//! Bodies on their way, frame by frame: seen before they go on, stopped where a limit or the frame's own promise is broken.

use super::mask::Masker;
use super::secrets::lines;
use crate::flow::{FlowId, Way};
use crate::record::{Recorder, Stopped};
use bytes::Bytes;
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::{Capability, Denial, DenialCode};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// What a guest sends.
pub(super) struct OutBody {
    inner: WasiBody,
    recorder: Recorder,
    /// From the first byte on: most requests have no body.
    flow: Option<FlowId>,
    of: u64,
    name: String,
    /// What the guest promised in `content-length` and has not sent.
    left: Option<u64>,
}

impl OutBody {
    pub(super) fn new(inner: WasiBody, recorder: Recorder, of: u64, name: String, promised: Option<u64>) -> OutBody {
        OutBody { inner, recorder, flow: None, of, name, left: promised }
    }

    fn flow(&mut self) -> Result<FlowId, Stopped> {
        if let Some(flow) = self.flow {
            return Ok(flow);
        }
        let flow = self.recorder.begin(self.of, Way::Out(SinkKind::HttpRequest), format!("{}#body", self.name))?;
        self.flow = Some(flow);
        Ok(flow)
    }

    fn see(&mut self, frame: &Frame<Bytes>) -> Result<(), Error> {
        let stopped = |_| Error::HttpRequestDenied;
        if let Some(data) = frame.data_ref() {
            let length = data.len() as u64;
            if let Some(left) = &mut self.left {
                *left = left.checked_sub(length).ok_or(Error::HttpRequestBodySize(None))?;
            }
            if length > 0 {
                self.flow().and_then(|flow| self.recorder.see_shared(flow, data)).map_err(stopped)?;
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            let name = format!("{}#trailers", self.name);
            let way = Way::Out(SinkKind::HttpRequest);
            self.recorder.whole(self.of, way, &name, &lines(trailers)).map_err(stopped)?;
        }
        Ok(())
    }
}

impl Drop for OutBody {
    fn drop(&mut self) {
        if let Some(flow) = self.flow {
            self.recorder.release(flow);
        }
    }
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.see(&frame).map(|()| frame))),
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that was held back until it was complete.
pub(super) struct HeldBody {
    data: Bytes,
    trailers: Option<HeaderMap>,
}

impl HeldBody {
    pub(super) fn new(data: Bytes, trailers: Option<HeaderMap>) -> HeldBody {
        HeldBody { data, trailers }
    }
}

impl Body for HeldBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let data = std::mem::take(&mut self.data);
        let frame = if data.is_empty() { self.trailers.take().map(Frame::trailers) } else { Some(Frame::data(data)) };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.len() as u64)
    }
}

/// What an answer is made of, beside its frames.
pub(super) struct Incoming {
    pub(super) recorder: Recorder,
    pub(super) of: u64,
    pub(super) name: String,
    pub(super) masker: Masker,
    /// The rule of the first secret that belongs to the origin.
    pub(super) rule: Option<Arc<str>>,
    /// How long the guest wants to wait for more.
    pub(super) between: Option<Duration>,
}

impl Incoming {
    /// Records that bytes of a secret were masked.
    pub(super) fn tell_masked(&mut self) -> Result<(), Stopped> {
        let hits = self.masker.take_hits();
        let (1.., Some(rule)) = (hits, &self.rule) else { return Ok(()) };
        let denial = Denial::by_rule(Capability::HttpRequest, DenialCode::SecretMasked, rule);
        self.recorder.deny(&denial, "response", &self.name, None)
    }

    /// Headers or trailers: masked, then seen.
    pub(super) fn headers(&mut self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Some(masked) =
                self.masker.whole(value.as_bytes()).and_then(|v| http::HeaderValue::from_bytes(&v).ok())
            {
                *value = masked;
            }
        }
    }
}

/// What a server sends.
pub(super) struct InBody {
    inner: hyper::body::Incoming,
    about: Incoming,
    flow: Option<FlowId>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Frames that wait behind the end of the data: trailers.
    after: Option<Frame<Bytes>>,
    ended: bool,
}

impl InBody {
    pub(super) fn new(inner: hyper::body::Incoming, about: Incoming) -> InBody {
        let timer = about.between.map(|wait| Box::pin(tokio::time::sleep(wait)));
        InBody { inner, about, flow: None, timer, after: None, ended: false }
    }

    fn flow(&mut self) -> Result<FlowId, Stopped> {
        if let Some(flow) = self.flow {
            return Ok(flow);
        }
        let about = &self.about;
        let way = Way::In(SourceKind::HttpResponse);
        let flow = about.recorder.begin(about.of, way, format!("{}#body", about.name))?;
        self.flow = Some(flow);
        Ok(flow)
    }

    /// Sees data on its way to the guest.
    fn pass(&mut self, data: Bytes) -> Result<Option<Frame<Bytes>>, Error> {
        let stopped = |_| Error::HttpResponseBodySize(None);
        self.about.tell_masked().map_err(stopped)?;
        if data.is_empty() {
            return Ok(None);
        }
        self.flow().and_then(|flow| self.about.recorder.see_shared(flow, &data)).map_err(stopped)?;
        Ok(Some(Frame::data(data)))
    }

    fn trailers(&mut self, mut trailers: HeaderMap) -> Result<Frame<Bytes>, Error> {
        self.about.headers(&mut trailers);
        let stopped = |_| Error::HttpResponseTrailerSectionSize(None);
        self.about.tell_masked().map_err(stopped)?;
        let name = format!("{}#trailers", self.about.name);
        let way = Way::In(SourceKind::HttpResponse);
        self.about.recorder.whole(self.about.of, way, &name, &lines(&trailers)).map_err(stopped)?;
        Ok(Frame::trailers(trailers))
    }

    fn frame(&mut self, frame: Frame<Bytes>) -> Result<Option<Frame<Bytes>>, Error> {
        let frame = match frame.into_data() {
            Ok(data) => {
                let data = self.about.masker.next(data);
                return self.pass(data);
            }
            Err(frame) => frame,
        };
        let Ok(trailers) = frame.into_trailers() else { return Ok(None) };
        let trailers = self.trailers(trailers)?;
        if self.about.masker.holds() {
            let rest = self.about.masker.rest();
            self.after = Some(trailers);
            return self.pass(rest);
        }
        Ok(Some(trailers))
    }

    fn restart(&mut self) {
        if let (Some(timer), Some(wait)) = (&mut self.timer, self.about.between) {
            let far = Instant::now() + Duration::from_secs(86_400 * 365);
            timer.as_mut().reset(Instant::now().checked_add(wait).unwrap_or(far));
        }
    }
}

impl Drop for InBody {
    fn drop(&mut self) {
        if let Some(flow) = self.flow {
            self.about.recorder.release(flow);
        }
    }
}

impl Body for InBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        loop {
            if let Some(frame) = this.after.take() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.restart();
                    match this.frame(frame) {
                        Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                        Ok(None) => {}
                        Err(e) => {
                            this.ended = true;
                            return Poll::Ready(Some(Err(e)));
                        }
                    }
                }
                Poll::Ready(Some(Err(e))) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(broken(&e))));
                }
                Poll::Ready(None) => {
                    this.ended = true;
                    let rest = this.about.masker.rest();
                    return Poll::Ready(this.pass(rest).transpose());
                }
                Poll::Pending => {
                    let Some(timer) = &mut this.timer else { return Poll::Pending };
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.ended = true;
                    return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.after.is_none() && !self.about.masker.holds() && (self.ended || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        if self.about.masker.holds() { SizeHint::default() } else { self.inner.size_hint() }
    }
}

/// What a guest is told of a connection that broke.
pub(super) fn broken(error: &hyper::Error) -> Error {
    if error.is_timeout() {
        Error::HttpResponseTimeout
    } else if error.is_incomplete_message() || error.is_closed() {
        Error::HttpResponseIncomplete
    } else {
        Error::HttpProtocolError
    }
}
