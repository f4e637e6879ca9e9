//! Bodies on their way, frame by frame: seen before they go on, stopped where a limit or the frame's own promise is broken.

use super::mask::Masker;
use super::notes::{Piece, fields, headers};
use super::secrets::lines;
use crate::flow::{FlowId, Way};
use crate::record::{Recorder, Stopped};
use crate::tape::wire::{Failure, Wire};
use crate::tape::{Answer, Tape, key};
use bytes::Bytes;
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::{Capability, Denial, DenialCode};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::collections::VecDeque;
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
    /// For the note of how much of it was sent: which exchange, how many frames, and whether that was all.
    exchange: String,
    frames: u64,
    ended: bool,
}

impl OutBody {
    pub(super) fn new(
        inner: WasiBody,
        (recorder, exchange): (Recorder, String),
        of: u64,
        name: String,
        promised: Option<u64>,
    ) -> OutBody {
        OutBody { inner, recorder, flow: None, of, name, left: promised, exchange, frames: 0, ended: false }
    }

    /// On a replay: sees what was sent, as the guest writes it.
    pub(super) async fn drain(mut self) {
        let tape = self.recorder.tape().clone();
        let sent = tape.noted(&format!("http.sent\0{}", self.exchange));
        let (frames, ended) = sent.and_then(|answer| Wire::read(&answer)).unwrap_or((u64::MAX, true));
        while self.frames < frames || (ended && !self.ended) {
            match tape.idle(self.frame()).await {
                Some(Ok(_)) => {}
                _ => return,
            }
        }
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
        let tape = self.recorder.tape();
        tape.note(key!("http.sent", self.exchange), || (self.frames, self.ended).write());
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
            Poll::Ready(Some(Ok(frame))) => {
                self.frames += 1;
                Poll::Ready(Some(self.see(&frame).map(|()| frame)))
            }
            Poll::Ready(None) => {
                self.ended = true;
                Poll::Ready(None)
            }
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
    /// For notes.
    pub(super) exchange: String,
    pub(super) masker: Masker,
    /// The rule of the first secret that belongs to the origin.
    pub(super) rule: Option<Arc<str>>,
    /// How long the guest wants to wait for more.
    pub(super) between: Option<Duration>,
}

impl Incoming {
    /// Records that bytes of a secret were masked.
    pub(super) fn tell_masked(&self, hits: u64) -> Result<(), Stopped> {
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

/// Where an answer's body comes from.
pub(super) enum Origin {
    Server(hyper::body::Incoming),
    Peer(Bytes),
    Tape,
}

/// A piece on its way, or how it broke off, and how many secrets were masked in it.
type Step = (u64, Result<Piece, Error>);

/// What a server sends.
pub(super) struct InBody {
    origin: Origin,
    about: Incoming,
    flow: Option<FlowId>,
    timer: Option<Pin<Box<Sleep>>>,
    /// What has come and not gone on.
    waiting: VecDeque<Step>,
    ended: bool,
    /// Bytes that went on.
    at: u64,
}

impl InBody {
    pub(super) fn new(origin: Origin, about: Incoming) -> InBody {
        let timer = about.between.filter(|_| matches!(origin, Origin::Server(_)));
        let timer = timer.map(|wait| Box::pin(tokio::time::sleep(wait)));
        InBody { origin, about, flow: None, timer, waiting: VecDeque::new(), ended: false, at: 0 }
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

    /// Takes what came to its place in the row.
    fn came(&mut self, piece: Result<Piece, Error>) {
        let hits = self.about.masker.take_hits();
        if hits > 0 || !matches!(&piece, Ok(Piece::Data(data)) if data.is_empty()) {
            self.waiting.push_back((hits, piece));
        }
    }

    fn frame(&mut self, frame: Frame<Bytes>) {
        let frame = match frame.into_data() {
            Ok(data) => {
                let data = self.about.masker.next(data);
                return self.came(Ok(Piece::Data(data)));
            }
            Err(frame) => frame,
        };
        let Ok(mut trailers) = frame.into_trailers() else { return };
        let rest = self.about.masker.rest();
        self.came(Ok(Piece::Data(rest)));
        self.about.headers(&mut trailers);
        self.came(Ok(Piece::Trailers(fields(&trailers))));
    }

    /// Waits for what comes next.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let inner = match &mut self.origin {
            Origin::Server(inner) => inner,
            Origin::Peer(body) => {
                let body = std::mem::take(body);
                self.came(Ok(Piece::Data(body)));
                self.came(Ok(Piece::End));
                return Poll::Ready(());
            }
            Origin::Tape => {
                let (tape, key) = (self.about.recorder.tape(), format!("http.piece\0{}", self.about.exchange));
                let step = tape.noted(&key).and_then(|answer| <(u64, Result<Piece, Error>)>::read(&answer));
                if step.is_none() {
                    tape.lacks(&key);
                }
                self.waiting.push_back(step.unwrap_or_else(|| (0, Err(Error::absent()))));
                return Poll::Ready(());
            }
        };
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.restart();
                self.frame(frame);
            }
            Poll::Ready(Some(Err(e))) => self.came(Err(broken(&e))),
            Poll::Ready(None) => {
                let rest = self.about.masker.rest();
                self.came(Ok(Piece::Data(rest)));
                self.came(Ok(Piece::End));
            }
            Poll::Pending => {
                let Some(timer) = &mut self.timer else { return Poll::Pending };
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.came(Err(Error::ConnectionReadTimeout));
            }
        }
        Poll::Ready(())
    }

    /// A piece goes on: noted, seen, given. None where there is nothing to give.
    fn pass(&mut self, (hits, piece): Step) -> Option<Result<Frame<Bytes>, Error>> {
        let tape = self.about.recorder.tape().clone();
        tape.note(key!("http.piece", self.about.exchange), || {
            let piece = match &piece {
                Ok(piece) => piece.write(),
                Err(e) => Answer::Failed(Failure::write(e)),
            };
            Answer::List(vec![hits.write(), piece])
        });
        if self.about.tell_masked(hits).is_err() {
            self.ended = true;
            return Some(Err(Error::HttpResponseBodySize(None)));
        }
        let given = match piece {
            Ok(Piece::Data(data)) if data.is_empty() => return None,
            Ok(Piece::Data(data)) => self.data(&tape, data),
            Ok(Piece::Trailers(trailers)) => self.trailers(&headers(&trailers)),
            Ok(Piece::End) => {
                self.ended = true;
                return None;
            }
            Err(e) => Err(e),
        };
        self.ended |= given.is_err();
        Some(given)
    }

    fn data(&mut self, tape: &Tape, mut data: Bytes) -> Result<Frame<Bytes>, Error> {
        if tape.is_playing()
            && let Some(change) = tape.change(SourceKind::HttpResponse, &format!("{}#body", self.about.name))
        {
            data = change.shared(self.at, &data);
        }
        self.at += data.len() as u64;
        let seen = self.flow().and_then(|flow| self.about.recorder.see_shared(flow, &data));
        seen.map(|()| Frame::data(data)).map_err(|_| Error::HttpResponseBodySize(None))
    }

    fn trailers(&mut self, trailers: &HeaderMap) -> Result<Frame<Bytes>, Error> {
        let name = format!("{}#trailers", self.about.name);
        let way = Way::In(SourceKind::HttpResponse);
        let seen = self.about.recorder.whole(self.about.of, way, &name, &lines(trailers));
        seen.map(|()| Frame::trailers(trailers.clone())).map_err(|_| Error::HttpResponseTrailerSectionSize(None))
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
            if this.ended {
                return Poll::Ready(None);
            }
            match this.waiting.pop_front() {
                Some(step) => {
                    if let Some(given) = this.pass(step) {
                        return Poll::Ready(Some(given));
                    }
                }
                None => std::task::ready!(this.poll_next(cx)),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let over = match &self.origin {
            Origin::Server(inner) => inner.is_end_stream() && !self.about.masker.holds(),
            Origin::Peer(_) | Origin::Tape => false,
        };
        self.ended || (over && self.waiting.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.origin {
            Origin::Server(inner) if self.waiting.is_empty() && !self.about.masker.holds() => inner.size_hint(),
            _ => SizeHint::default(),
        }
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
