//! Bodies: requests are read whole within bounds, answers are counted on their way.

use super::Door;
use bytes::{Bytes, BytesMut};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Response, StatusCode, header};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What a request holds until nobody needs it any more: its place, and the bytes of its body. It travels with the request into the call, and
/// with the answer.
#[derive(Debug)]
pub(super) struct Held {
    _place: OwnedSemaphorePermit,
    _bytes: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub(super) fn new(place: OwnedSemaphorePermit, bytes: Option<OwnedSemaphorePermit>) -> Arc<Held> {
        Arc::new(Held { _place: place, _bytes: bytes })
    }
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    TooLarge,
    /// Others fill the memory that bodies may use.
    NoRoom,
    Slow,
    /// The client went or does not speak HTTP.
    Broken,
}

impl NotTaken {
    pub(super) fn answer(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            NotTaken::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "size", "the request is larger than this server reads")
            }
            NotTaken::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "busy", "too much is being read; try again later"),
            NotTaken::Slow => (StatusCode::REQUEST_TIMEOUT, "slow", "the request took too long to arrive"),
            NotTaken::Broken => (StatusCode::BAD_REQUEST, "broken", "the request could not be read"),
        }
    }
}

/// Memory is taken in these steps.
const STEP: usize = 1 << 10;

/// The memory that bodies may use, all together.
pub(super) fn memory(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / STEP).min(Semaphore::MAX_PERMITS)))
}

/// Reads a body of at most `most` bytes. Memory is taken before the bytes are; nobody waits for it.
pub(super) async fn read(
    body: Incoming,
    most: usize,
    door: &Door,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), NotTaken> {
    if body.size_hint().lower() > most as u64 {
        return Err(NotTaken::TooLarge);
    }
    match timeout(door.bounds.body, pieces(body, most, door)).await {
        Ok(read) => read,
        Err(_elapsed) => Err(NotTaken::Slow),
    }
}

async fn pieces(
    mut body: Incoming,
    most: usize,
    door: &Door,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), NotTaken> {
    let mut whole = BytesMut::new();
    let mut held: Option<OwnedSemaphorePermit> = None;
    loop {
        let frame = match timeout(door.bounds.piece, body.frame()).await {
            Err(_elapsed) => return Err(NotTaken::Slow),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(NotTaken::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers are of no concern.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > most.saturating_sub(whole.len()) {
            return Err(NotTaken::TooLarge);
        }
        door.metrics.received.fetch_add(data.len() as u64, Ordering::Relaxed);
        let wanted = (whole.len() + data.len()).div_ceil(STEP);
        let missing = wanted.saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing > 0 {
            let missing = u32::try_from(missing).map_err(|_| NotTaken::TooLarge)?;
            let more = Arc::clone(&door.memory).try_acquire_many_owned(missing).map_err(|_| NotTaken::NoRoom)?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), held))
}

/// An answer's body.
pub(super) struct Metered {
    inner: BoxBody<Bytes, Infallible>,
    door: Arc<Door>,
    _held: Option<Arc<Held>>,
}

impl Metered {
    pub(super) fn new(inner: BoxBody<Bytes, Infallible>, door: &Arc<Door>, held: Option<Arc<Held>>) -> Metered {
        Metered { inner, door: Arc::clone(door), _held: held }
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.door.metrics.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A whole answer of ours.
pub(super) fn whole(
    status: StatusCode,
    kind: &'static str,
    text: impl Into<Bytes>,
) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Full::new(text.into()).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
