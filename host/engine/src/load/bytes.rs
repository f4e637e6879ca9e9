//! The bytes of a component, read once and hashed as they were read. Called by the program with a file it opened;
//! everything after works on [`Wasm`] and never on the file.

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::channel;
use std::thread;

use sha2::{Digest, Sha256};

use super::error::LoadError;
use super::limits::{Limit, MAX_WASM_BYTES};

/// Read and hashed at a time: the hash then finds the bytes in the processor's cache.
const CHUNK: usize = 256 << 10;

/// From here on a second thread costs less than it saves.
const WORTH_A_THREAD: usize = 1 << 20;

/// What the header says the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A component.
    Component,
    /// A core module; runs after adaptation, if it is one for WASI preview 1.
    CoreModule,
}

/// WebAssembly bytes in memory and their digest. The bytes are hostile and only their header was looked at.
#[derive(Debug, Clone)]
pub struct Wasm {
    name: String,
    bytes: Vec<u8>,
    sha256: [u8; 32],
    kind: Kind,
}

impl Wasm {
    /// What people call it: the path as the operator wrote it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes as they were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of [`Self::bytes`].
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// What the header says.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// From bytes that are already in memory.
    ///
    /// # Errors
    /// When the bytes do not start as WebAssembly, or are too many.
    pub fn from_bytes(bytes: Vec<u8>, name: &str) -> Result<Self, LoadError> {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let kind = if found > MAX_WASM_BYTES { Err(too_large(found)) } else { detect(&bytes) };
        let kind = kind.map_err(|error| error.about(name))?;
        let sha256 = Sha256::digest(&bytes).into();
        Ok(Self { name: name.to_owned(), bytes, sha256, kind })
    }
}

/// Reads a component or core module from an opened file. `expect` is a pin from the policy, checked on the bytes as
/// read, which are the bytes that get compiled.
///
/// # Errors
/// When the file is not regular, too large, not WebAssembly, cannot be read, or is not the pinned one.
pub fn read_component(file: File, name: &str, expect: Option<[u8; 32]>) -> Result<Wasm, LoadError> {
    read(file, name, expect).map_err(|error| error.about(name))
}

fn read(mut file: File, name: &str, expect: Option<[u8; 32]>) -> Result<Wasm, LoadError> {
    let unreadable = |error: io::Error| LoadError::refused(format!("cannot be read: {error}"));
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(LoadError::refused("is a directory, not a WebAssembly file"));
    }
    if !metadata.is_file() {
        return Err(LoadError::refused("is not a regular file"));
    }
    if metadata.len() > MAX_WASM_BYTES {
        return Err(too_large(metadata.len()));
    }

    let length = usize::try_from(metadata.len()).map_err(|_| too_large(metadata.len()))?;
    let mut bytes = vec![0; length];
    let (first, rest) = bytes.split_at_mut(length.min(CHUNK));
    let mut found = fill(&mut file, first).map_err(unreadable)?;
    let first = first.get(..found).unwrap_or_default();
    // Before the rest is read: a film named tool.wasm is refused at its first bytes.
    let kind = detect(first)?;
    let mut hasher = Sha256::new_with_prefix(first);
    found = found.saturating_add(hash_while_reading(&mut file, rest, &mut hasher).map_err(unreadable)?);
    bytes.truncate(found);
    if fill(&mut file, &mut [0]).map_err(unreadable)? > 0 {
        return Err(LoadError::refused("grew while it was read; try again when it is complete"));
    }
    let sha256: [u8; 32] = hasher.finalize().into();
    match expect {
        Some(pin) if pin != sha256 => {
            Err(LoadError::refused(format!("has sha256 {}, but the policy pins {}", hex(&sha256), hex(&pin))))
        }
        _ => Ok(Wasm { name: name.to_owned(), bytes, sha256, kind }),
    }
}

/// Reads into `space` and hashes what came, at the same time where that pays: of a 10 MB component, hashing takes 6 ms
/// and reading into fresh memory 8 ms at every start of the tool, and both together 9 ms. Returns how many bytes came.
fn hash_while_reading(file: &mut File, space: &mut [u8], hasher: &mut Sha256) -> io::Result<usize> {
    if space.len() < WORTH_A_THREAD {
        let found = fill(file, space)?;
        hasher.update(space.get(..found).unwrap_or_default());
        return Ok(found);
    }
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        let reader = scope.spawn(move || {
            let mut total = 0_usize;
            for chunk in space.chunks_mut(CHUNK) {
                let found = fill(file, chunk)?;
                total = total.saturating_add(found);
                let ended = found < chunk.len();
                let sent = chunk.get(..found).is_some_and(|chunk| sender.send(chunk).is_ok());
                if ended || !sent {
                    break;
                }
            }
            Ok(total)
        });
        for chunk in receiver {
            hasher.update(chunk);
        }
        reader.join().unwrap_or_else(|_| Err(io::Error::other("the reading thread ended early")))
    })
}

/// Reads until `space` is full or the file ends.
fn fill(file: &mut File, mut space: &mut [u8]) -> io::Result<usize> {
    let wanted = space.len();
    while !space.is_empty() {
        match file.read(space) {
            Ok(0) => break,
            Ok(found) => space = space.split_at_mut_checked(found).map_or(&mut [], |(_, rest)| rest),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(wanted.saturating_sub(space.len()))
}

fn too_large(found: u64) -> LoadError {
    let allowed = MAX_WASM_BYTES >> 20;
    LoadError::limit(Limit::Size, format!("is {found} bytes; at most {allowed} MiB can be loaded"))
}

/// Looks at the header only. Compiled code is recognised to be refused: nothing that a user names is ever run as
/// native code.
fn detect(bytes: &[u8]) -> Result<Kind, LoadError> {
    match bytes {
        [] => Err(LoadError::refused("is empty")),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(Kind::Component),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(Kind::CoreModule),
        [0, b'a', b's', b'm', _, _, _, _, ..] => {
            Err(LoadError::refused("has a WebAssembly version that this program does not know"))
        }
        [0, b'a', b's', b'm', ..] => Err(LoadError::refused("is cut short: only part of a WebAssembly header")),
        [0x7f, b'E', b'L', b'F', ..] => {
            Err(LoadError::refused("is a native or precompiled file; customs compiles only wasm"))
        }
        _ if is_text_format(bytes) => {
            Err(LoadError::refused("is WebAssembly text; convert it first, for example with `wasm-tools parse`"))
        }
        _ => Err(LoadError::refused("is not a WebAssembly file")),
    }
}

/// `(module` or `(component` after white space and comments, in the first part of the file.
fn is_text_format(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(..bytes.len().min(CHUNK)).unwrap_or_default().trim_ascii_start();
    while rest.starts_with(b";;") {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return false };
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
    let Some(inner) = rest.strip_prefix(b"(") else { return false };
    let inner = inner.trim_ascii_start();
    inner.starts_with(b"module") || inner.starts_with(b"component")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
