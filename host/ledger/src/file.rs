//! The file a ledger is written to: which files are accepted, one writer at a time, and whole writes.
//!
//! The name is one component inside a directory that the caller opened. No link is followed and nothing that exists with content is
//! touched: a ledger is never appended to by a second run, so its history cannot be rewritten through us.

use crate::error::{Kind, LedgerError};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Opens `name` in `dir` for appending: a new file for its owner only, or an empty regular one, with the lock held.
pub fn create(dir: &cap_std::fs::Dir, name: &str) -> Result<OwnedFd, LedgerError> {
    let refuse = |what| LedgerError::new(Kind::Refused { name: shown(name), what });
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        return Err(refuse("is not a file name"));
    }
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let private = Mode::RUSR | Mode::WUSR;
    let fd = match rustix::fs::openat(dir, name, flags | OFlags::CREATE | OFlags::EXCL, private) {
        Ok(fd) => fd,
        Err(Errno::EXIST) => {
            // Looked at before it is opened, because opening a device or a pipe can already do something.
            let found = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| open_error(name, e))?;
            acceptable(&found).map_err(refuse)?;
            rustix::fs::openat(dir, name, flags | OFlags::NONBLOCK, private).map_err(|e| match e {
                Errno::LOOP => refuse(IS_LINK),
                e => open_error(name, e),
            })?
        }
        Err(e) => return Err(open_error(name, e)),
    };
    rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
        Errno::WOULDBLOCK => LedgerError::new(Kind::Busy { name: shown(name) }),
        e => open_error(name, e),
    })?;
    // Again on what was opened, under the lock: the name may have come to mean another file, or another writer may have been here.
    let found = rustix::fs::fstat(&fd).map_err(|e| open_error(name, e))?;
    acceptable(&found).map_err(refuse)?;
    Ok(fd)
}

const IS_LINK: &str = "is a symbolic link, and links are not followed";

fn acceptable(found: &rustix::fs::Stat) -> Result<(), &'static str> {
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile if found.st_size == 0 => Ok(()),
        FileType::RegularFile => Err("exists and is not empty: what was recorded is never written over or added to"),
        FileType::Symlink => Err(IS_LINK),
        FileType::Directory => Err("is a directory"),
        _ => Err("is not a regular file"),
    }
}

fn open_error(name: &str, errno: Errno) -> LedgerError {
    LedgerError::new(Kind::Open { name: shown(name), errno })
}

fn shown(name: &str) -> String {
    crate::text::Escaped(name).to_string()
}

/// Writes all of `bytes`. After a partial write only the rest is tried; after an error nothing is.
pub(crate) fn write_all(fd: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Waits until the file is on the disk. What cannot be synchronised (a pipe) has nothing to wait for.
pub(crate) fn sync(fd: &OwnedFd) -> Result<(), Errno> {
    loop {
        match rustix::fs::fsync(fd) {
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) => return Ok(()),
            done => return done,
        }
    }
}
