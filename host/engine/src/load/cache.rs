//! Compiled code on disk: a private directory, one file for each component and configuration. Called by `compile`.
//!
//! Native code is trusted without limit once it is mapped, and wasmtime checks only its header. What makes a file
//! trustworthy here is who could have written it: the directory and the file belong to our user and nobody else can
//! enter or write them. That is checked on the opened file, and the opened file is what gets mapped. A keyed digest
//! over the code would only stop somebody who can write our user's private files but not read the key beside them, or
//! replace the program; it would cost 20 ms at each start of a Python tool. See docs/decisions/0002.
//!
//! This is the only file of the project that turns stored bytes into code, and a test keeps it so.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};

use cap_std::fs::Dir;
use customs_trace::Map;
use rustix::fs::{AtFlags, MemfdFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::bytes::{Wasm, hex};
use super::error::LoadError;
use super::limits::MAX_CODE_BYTES;
use super::trace::{Tracing, read_map};

/// All files together. About fifty language-runtime tools; less would recompile for people who use many.
const MAX_CACHE_BYTES: u64 = 1 << 30;

/// Directory entries looked at when trimming. More than the cache can sensibly hold; a bound for a directory that
/// somebody filled.
const MAX_ENTRIES: usize = 10_000;

/// A draft this old belongs to a process that died: a compilation takes a minute at most.
const STALE_DRAFT_SECONDS: i64 = 3_600;

const CODE_SUFFIX: &str = ".code";
const DRAFT_PREFIX: &str = "draft-";

/// A directory of compiled code that only our user can have written.
#[derive(Debug)]
pub struct Cache {
    dir: Dir,
}

impl Cache {
    /// Uses `dir`, if it is ours alone. On an error, warn and load without a cache.
    ///
    /// # Errors
    /// When somebody else owns the directory or may enter it.
    pub fn open(dir: Dir) -> Result<Self, LoadError> {
        let refuse = |why: String| LoadError::refused(format!("is not used: {why}")).about("the compiled-code cache");
        let stat = rustix::fs::fstat(&dir).map_err(|error| refuse(format!("its directory cannot be read: {error}")))?;
        if stat.st_uid != own_uid() {
            return Err(refuse(format!("its directory belongs to user {}", stat.st_uid)));
        }
        let mode = stat.st_mode & 0o7777;
        if mode & 0o077 != 0 {
            return Err(refuse(format!("others may enter its directory (mode {mode:04o}, should be 0700)")));
        }
        Ok(Self { dir })
    }

    /// The code stored under `key`, if there is a file that only our user can have written and that fits `engine`.
    /// Anything else is as good as no file.
    pub(super) fn load(&self, engine: &Engine, key: &Key) -> Option<Component> {
        // Not following links; not blocking on a FIFO, which the check after it refuses.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.dir, key.file_name(), flags, Mode::empty()).ok()?);
        if !is_private(&file) {
            return None;
        }
        let component = map_code(engine, &file).ok()?;
        // Remembers the use for `trim`. Failing (a read-only file system) costs an early eviction at worst.
        let now = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        };
        rustix::fs::futimens(&file, &now).ok();
        Some(component)
    }

    /// The label map that was kept with the code under `key`.
    pub(super) fn map(&self, key: &Key) -> Option<Map> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.dir, key.map_name(), flags, Mode::empty()).ok()?);
        if !is_private(&file) {
            return None;
        }
        read_map(&file)
    }

    /// Keeps a label map, before the code that it belongs to.
    pub(super) fn keep_map(&self, key: &Key, map: &[u8]) -> io::Result<()> {
        let mut draft = self.draft()?;
        (&draft.file).write_all(map)?;
        draft.file.sync_data()?;
        if let Some(place) = draft.place.take() {
            rustix::fs::renameat(place.dir, &place.name, place.dir, key.map_name())?;
        }
        Ok(())
    }

    /// An empty file in the directory for a compiler to write to.
    pub(super) fn draft(&self) -> io::Result<Draft<'_>> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let name = format!("{DRAFT_PREFIX}{}", hex(&random));
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.dir, &name, flags, Mode::RUSR | Mode::WUSR)?);
        Ok(Draft { file, place: Some(Place { dir: &self.dir, name }) })
    }

    /// Removes what was used longest ago until the rest fits. Best effort: a cache that is too large harms less than
    /// a tool that does not start.
    fn trim(dir: &Dir, now: i64) {
        // Opened anew: the descriptor of a cap-std directory may be one that cannot be read.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listing = rustix::fs::openat(dir, ".", flags, Mode::empty()).and_then(rustix::fs::Dir::new);
        let Ok(entries) = listing else { return };
        let mut kept = Vec::new();
        let mut total = 0_u64;
        for entry in entries.take(MAX_ENTRIES).map_while(Result::ok) {
            let Ok(name) = entry.file_name().to_str() else { continue };
            let draft = name.starts_with(DRAFT_PREFIX);
            if !draft && !name.ends_with(CODE_SUFFIX) {
                continue;
            }
            let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if draft {
                if stat.st_mtime < now.saturating_sub(STALE_DRAFT_SECONDS) {
                    rustix::fs::unlinkat(dir, name, AtFlags::empty()).ok();
                }
                continue;
            }
            let size = u64::try_from(stat.st_size).unwrap_or_default();
            total = total.saturating_add(size);
            kept.push((stat.st_mtime, size, name.to_owned()));
        }
        kept.sort_unstable();
        for (_, size, name) in kept {
            if total <= MAX_CACHE_BYTES {
                break;
            }
            if rustix::fs::unlinkat(dir, &name, AtFlags::empty()).is_ok() {
                total = total.saturating_sub(size);
            }
        }
    }
}

/// What decides the code: the bytes, and everything that the compiler was told.
#[derive(Debug)]
pub(super) struct Key {
    wasm: [u8; 32],
    configuration: [u8; 32],
}

impl Key {
    pub(super) fn new(engine: &Engine, wasm: &Wasm, tracing: Tracing) -> Self {
        // wasmtime's part has its own version, the target, the processor's features and every setting that reaches
        // the code. Ours covers how a core module is adapted, which changes with the program.
        let mut digest = DigestHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut digest);
        digest.0.update(concat!("customs ", env!("CARGO_PKG_VERSION"), " code 1"));
        if let Some(follow) = tracing.follow() {
            digest.0.update(format!(" traced {} {follow:?}", customs_trace::VERSION));
        }
        Self { wasm: wasm.sha256(), configuration: digest.0.finalize().into() }
    }

    /// With the suffix of code, so that it is trimmed with it.
    fn map_name(&self) -> String {
        format!("map-{}", self.file_name())
    }

    fn file_name(&self) -> String {
        // Half of the second digest is enough to tell configurations apart; nobody can choose one.
        let configuration = self.configuration.split_at(16).0;
        format!("{}-{}{CODE_SUFFIX}", hex(&self.wasm), hex(configuration))
    }
}

/// `Hash` into SHA-256: the standard hashers are too short for a name on disk.
struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the whole digest is taken instead.
    fn finish(&self) -> u64 {
        0
    }
}

/// A file that a compiler of ours writes code to: in the cache directory, or in memory where there is no cache.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    file: File,
    place: Option<Place<'a>>,
}

#[derive(Debug)]
struct Place<'a> {
    dir: &'a Dir,
    name: String,
}

impl Draft<'_> {
    pub(super) fn in_memory() -> io::Result<Self> {
        let file = rustix::fs::memfd_create("customs-code", MemfdFlags::CLOEXEC)?;
        Ok(Self { file: File::from(file), place: None })
    }

    /// For a compiler to write to, from the start.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The component whose code was written.
    pub(super) fn component(&self, engine: &Engine) -> Result<Component, LoadError> {
        map_code(engine, &self.file).map_err(|error| LoadError::internal(format!("cannot be loaded: {error}")))
    }

    /// Puts the file under its name, whole or not at all: a torn one would be run as code after a power cut.
    pub(super) fn publish(mut self, key: &Key) -> io::Result<()> {
        let Some(place) = &self.place else {
            return Err(io::Error::other("the cache directory cannot be written to"));
        };
        self.file.sync_data()?;
        rustix::fs::renameat(place.dir, &place.name, place.dir, key.file_name())?;
        let now = self.file.metadata()?.mtime();
        Cache::trim(place.dir, now);
        self.place = None;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            // Left behind otherwise; `trim` removes it in an hour.
            rustix::fs::unlinkat(place.dir, &place.name, AtFlags::empty()).ok();
        }
    }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Only our user can have written this file: it is regular, ours, closed to others, and has no second name outside
/// of the private directory.
fn is_private(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| {
        metadata.is_file()
            && metadata.uid() == own_uid()
            && metadata.mode() & 0o077 == 0
            && metadata.nlink() == 1
            && (1..=MAX_CODE_BYTES).contains(&metadata.len())
    })
}

/// Maps the code in an opened file. Through the descriptor, not through a name: what was checked is what is mapped.
#[expect(unsafe_code, reason = "compiled code can only be loaded by trusting it; this is the one place that does")]
fn map_code(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: the bytes must come unmodified from `Engine::precompile_component`. They were written by our own
    // compiler, into a draft that only this process and the compiling child hold, or into a file of the cache, which
    // `is_private` found to be writable by our user alone. A different version or configuration is an error of the
    // call, not undefined behaviour.
    if let Ok(component) = unsafe { Component::deserialize_file(engine, path) } {
        return Ok(component);
    }
    // Without /proc, or on a file system mounted `noexec`, the code is copied instead.
    let length = usize::try_from(file.metadata()?.len().min(MAX_CODE_BYTES))?;
    let mut code = vec![0; length];
    file.read_exact_at(&mut code, 0)?;
    // SAFETY: as above, the same file.
    unsafe { Component::deserialize(engine, &code) }
}
