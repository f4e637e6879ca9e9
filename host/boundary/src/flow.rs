//! A flow: bytes of one source or sink while they cross.

use crate::digesting::{Digesting, Piece};
use crate::memory;
use customs_ledger::RunKey;
use customs_ledger::digest::Hasher;
use customs_ledger::material::{Class, Content, SinkKind, SourceKind};

/// Which way bytes go, and what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    In(SourceKind),
    Out(SinkKind),
}

/// A flow of this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowId(pub(crate) usize);

pub(crate) struct Flow {
    /// The access record that authorised it.
    pub(crate) of: u64,
    pub(crate) way: Way,
    pub(crate) name: String,
    /// Who began it, and writes its record.
    pub(crate) actor: crate::tape::Actor,
    /// Its number among the sources or sinks, from its first byte on; 0 before.
    pub(crate) number: u64,
    /// Bytes were refused.
    pub(crate) cut: bool,
    /// The descriptor and the streams that still feed it.
    pub(crate) users: u32,
    /// How many bytes are likely, where that is known.
    pub(crate) expected: usize,
    bytes: u64,
    digest: Option<Digesting>,
    kept: Vec<u8>,
}

impl Flow {
    pub(crate) fn new(of: u64, way: Way, name: String, actor: crate::tape::Actor, key: &RunKey) -> Flow {
        let keyed = matches!(way, Way::In(kind) if kind.class() == Class::Secret);
        let hasher = if keyed { Hasher::keyed(key) } else { Hasher::plain() };
        Flow {
            of,
            way,
            name,
            actor,
            number: 0,
            cut: false,
            users: 1,
            expected: 0,
            bytes: 0,
            digest: Some(Digesting::Here(hasher)),
            kept: Vec::new(),
        }
    }

    /// Keeps as much as `keep` has left, and takes that from it.
    pub(crate) fn push(&mut self, piece: Piece<'_>, keep: &mut usize) {
        let bytes = piece.bytes();
        self.digest = self.digest.take().map(|digest| digest.update(piece, self.bytes));
        self.bytes += bytes.len() as u64;
        // Once something is missing nothing more is kept: what is kept is the beginning.
        let fits = if self.kept.len() as u64 + bytes.len() as u64 == self.bytes { bytes.len().min(*keep) } else { 0 };
        *keep -= fits;
        let spare = self.kept.capacity() - self.kept.len();
        if fits > spare {
            let hint = if self.kept.is_empty() { self.expected.min(*keep + fits) } else { 0 };
            // A hint that cannot be met is no failure: the vector grows as it must.
            self.kept.try_reserve(hint.max(fits)).ok();
            memory::prefer_large_pages(&mut self.kept);
        }
        self.kept.extend_from_slice(bytes.get(..fits).unwrap_or_default());
    }

    /// How many crossed so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.digest.is_none()
    }

    pub(crate) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// What crossed, once.
    pub(crate) fn finish(&mut self) -> Option<(u64, Way, u64, Content)> {
        let digest = self.digest.take()?.finish();
        let kept = std::mem::take(&mut self.kept);
        Some((
            self.of,
            self.way,
            self.number,
            Content { bytes: self.bytes, digest, complete: !self.cut && kept.len() as u64 == self.bytes, kept },
        ))
    }
}
