//! The digest of a flow. That of a long one is computed on another core while the guest goes on: hashing is slower than reading.

use bytes::Bytes;
use customs_ledger::Digest;
use customs_ledger::digest::Hasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// A flow that is longer than this has a thread of its own for the rest: starting one costs what hashing 64 KiB does.
const LONG: u64 = 1 << 20;
/// Pieces that may wait to be hashed. When they are all there the guest waits: no more memory is held than this many reads of its.
const WAITING: usize = 16;

/// Bytes on their way past: shared where they can be held without a copy.
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    Borrowed(&'a [u8]),
    Shared(&'a Bytes),
}

impl Piece<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Piece::Borrowed(bytes) => bytes,
            Piece::Shared(bytes) => bytes,
        }
    }

    fn held(&self) -> Bytes {
        match self {
            Piece::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Piece::Shared(bytes) => Bytes::clone(bytes),
        }
    }
}

pub(crate) enum Digesting {
    Here(Hasher),
    Elsewhere(Elsewhere),
}

/// A hasher on a thread of its own, and the way to it.
pub(crate) struct Elsewhere {
    pieces: SyncSender<Bytes>,
    worker: JoinHandle<Hasher>,
    _place: Place,
}

impl Digesting {
    /// `before` is how many bytes the flow has had.
    pub(crate) fn update(self, piece: Piece<'_>, before: u64) -> Digesting {
        match self {
            Digesting::Here(mut hasher) => {
                hasher.update(piece.bytes());
                if before <= LONG { Digesting::Here(hasher) } else { elsewhere(hasher) }
            }
            Digesting::Elsewhere(there) => {
                // It receives until it is told that there is no more.
                there.pieces.send(piece.held()).ok();
                Digesting::Elsewhere(there)
            }
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Digesting::Here(hasher) => hasher.finish(),
            Digesting::Elsewhere(Elsewhere { pieces, worker, _place }) => {
                drop(pieces);
                match worker.join() {
                    Ok(hasher) => hasher.finish(),
                    // A bug of ours, and without a digest there is no record.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        }
    }
}

fn elsewhere(hasher: Hasher) -> Digesting {
    let Some(place) = Place::take() else { return Digesting::Here(hasher) };
    let (pieces, received) = sync_channel::<Bytes>(WAITING);
    let (give, take) = sync_channel(1);
    let worker = std::thread::Builder::new().name("digest".to_owned()).spawn(move || {
        let mut hasher: Hasher = take.recv().unwrap_or_else(|_| Hasher::plain());
        for piece in received {
            hasher.update(&piece);
        }
        hasher
    });
    match worker {
        Ok(worker) => {
            give.send(hasher).ok();
            Digesting::Elsewhere(Elsewhere { pieces, worker, _place: place })
        }
        // No thread is to be had: it goes on here.
        Err(_) => Digesting::Here(hasher),
    }
}

/// One of the cores that may hash beside the guests.
struct Place;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

impl Place {
    fn take() -> Option<Place> {
        static SPARE: OnceLock<usize> = OnceLock::new();
        let spare = *SPARE.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1);
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        if taken < spare {
            return Some(Place);
        }
        TAKEN.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_same_wherever_it_is_computed() {
        let bytes: Vec<u8> = (0..3 << 20).map(|n: u32| n.to_le_bytes()[1] ^ n.to_le_bytes()[0]).collect();
        for size in [1, 7_777, 65_536, 1 << 20] {
            let part = if size == 1 { &bytes[..4_000] } else { &bytes[..] };
            let mut digesting = Digesting::Here(Hasher::plain());
            let mut before = 0;
            for (at, chunk) in part.chunks(size).enumerate() {
                let shared = Bytes::copy_from_slice(chunk);
                let piece = if at % 2 == 0 { Piece::Shared(&shared) } else { Piece::Borrowed(chunk) };
                digesting = digesting.update(piece, before);
                before += chunk.len() as u64;
            }
            assert_eq!(digesting.finish(), Digest::of(part), "in pieces of {size}");
        }
    }
}
