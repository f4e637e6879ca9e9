//! Components that are traced: instrumented where they are compiled, in the child. What their calls of the host mean, the
//! label map, comes back behind the native code, is taken off it before the code is loaded, and is kept in a file of the
//! cache beside it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use customs_trace::{Follow, Instrumented, Map, Reason};

use super::error::LoadError;
use super::limits::Limit;

/// Whether a component is compiled with what follows its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tracing {
    /// As it is.
    #[default]
    Off,
    /// Instrumented: every byte with the sources that it comes from.
    On,
    /// And with those that branches on the way to it were decided by.
    Branches,
}

impl Tracing {
    /// What is followed, if anything.
    #[must_use]
    pub fn follow(self) -> Option<Follow> {
        match self {
            Self::Off => None,
            Self::On => Some(Follow::Data),
            Self::Branches => Some(Follow::Branches),
        }
    }
}

/// Largest map that is read back: names and parts of at most fifty thousand parts.
const MAX_MAP: u64 = 16 << 20;

/// Last word of code with a map behind it.
const MARK: &[u8; 8] = b"cus-map1";

pub(super) fn instrument(component: &[u8], follow: Follow) -> Result<Instrumented, LoadError> {
    customs_trace::instrument(component, follow).map_err(|refusal| match refusal.reason() {
        Reason::Size => LoadError::limit(Limit::Size, refusal.to_string()),
        Reason::Internal => LoadError::internal(refusal.to_string()),
        Reason::Invalid | Reason::Shape => LoadError::refused(refusal.to_string()),
    })
}

/// Code, the map, its length, the mark.
pub(super) fn with_map(mut code: Vec<u8>, map: &Map) -> Vec<u8> {
    let map = map.to_bytes();
    code.extend_from_slice(&map);
    code.extend_from_slice(&u64::try_from(map.len()).unwrap_or(u64::MAX).to_le_bytes());
    code.extend_from_slice(MARK);
    code
}

/// Takes the map off a file, which is code alone then.
pub(super) fn take_map(file: &File) -> io::Result<Vec<u8>> {
    let wrong = || io::Error::other("there is no label map behind the code");
    let end = file.metadata()?.len().checked_sub(16).ok_or_else(wrong)?;
    let (mut length, mut mark) = ([0; 8], [0; 8]);
    file.read_exact_at(&mut length, end)?;
    file.read_exact_at(&mut mark, end.saturating_add(8))?;
    let length = u64::from_le_bytes(length);
    let start = end.checked_sub(length).filter(|_| mark == *MARK && length <= MAX_MAP).ok_or_else(wrong)?;
    let mut map = vec![0; usize::try_from(length).map_err(|_| wrong())?];
    file.read_exact_at(&mut map, start)?;
    file.set_len(start)?;
    Ok(map)
}

/// A map that was kept.
pub(super) fn read_map(file: &File) -> Option<Map> {
    let length = file.metadata().ok()?.len();
    let mut map = vec![0; usize::try_from(length.min(MAX_MAP)).ok()?];
    file.read_exact_at(&mut map, 0).ok()?;
    Map::from_bytes(&map)
}
