//! From a name the guest wrote to one place on the host, pinned by an open directory.
//!
//! The kernel resolves (`openat2` with `RESOLVE_BENEATH`), we only ask where it ended up. An operation acts on the pinned directory and a
//! single name without following links, so that what was decided is what is used: there is no second resolution to race with.

use crate::roots::Identity;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Links followed for the last component before it is a loop, as in Linux.
const MAX_LINKS: usize = 40;
/// `openat2` says EAGAIN while something is renamed below; a racing host may make it do so again.
const RETRIES: usize = 64;

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It leads out of the directory.
    Outside,
    /// Not a file or directory.
    Special,
    /// The host's own error.
    Os(Errno),
}

/// True where the kernel can confine resolution.
pub(crate) fn probe(dir: BorrowedFd<'_>) -> Result<(), Errno> {
    open_beneath(dir, ".", OFlags::PATH | OFlags::DIRECTORY, Mode::empty(), ResolveFlags::NO_SYMLINKS).map(drop)
}

fn open_beneath(
    dir: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = resolve | ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        match rustix::fs::openat2(dir, path, flags | OFlags::CLOEXEC, mode, resolve) {
            Err(Errno::AGAIN | Errno::INTR) if tries < RETRIES => tries += 1,
            result => return result,
        }
    }
}

fn lost(errno: Errno) -> Lost {
    // EXDEV is how RESOLVE_BENEATH refuses; ELOOP from NO_MAGICLINKS cannot be told from a real loop and is reported as one.
    if errno == Errno::XDEV { Lost::Outside } else { Lost::Os(errno) }
}

/// What an open found.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) fd: OwnedFd,
    pub(crate) directory: bool,
    /// Bytes in it now, as a hint.
    pub(crate) size: u64,
    /// Which file it is, whatever its name.
    pub(crate) identity: Identity,
    /// No link was on the way: the name is its own resolution.
    pub(crate) direct: bool,
}

/// Opens for reading. FIFOs and devices are refused without waiting on them.
pub(crate) fn open_read(dir: BorrowedFd<'_>, path: &str, directory: bool, follow: bool) -> Result<Opened, Lost> {
    // NONBLOCK: opening a FIFO must not hang the call. It means nothing for files and directories. Whether it is a directory is looked at
    // afterwards, as wasmtime-wasi does: O_DIRECTORY would answer ENOTDIR for a link, where a guest expects a loop.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let (fd, direct) = match open_beneath(dir, path, flags | OFlags::NOFOLLOW, Mode::empty(), ResolveFlags::NO_SYMLINKS)
    {
        Ok(fd) => (fd, true),
        Err(Errno::LOOP) => {
            let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
            (open_beneath(dir, path, flags, Mode::empty(), ResolveFlags::empty()).map_err(lost)?, false)
        }
        // A socket in the file system answers ENXIO.
        Err(Errno::NXIO) => return Err(Lost::Special),
        Err(errno) => return Err(lost(errno)),
    };
    let (kind, size, identity) = kind_of(fd.as_fd())?;
    if directory && kind != FileType::Directory {
        return Err(Lost::Os(Errno::NOTDIR));
    }
    Ok(Opened { fd, directory: kind == FileType::Directory, size, identity, direct })
}

/// The kind of an open thing, where it is one a guest may have.
fn kind_of(fd: BorrowedFd<'_>) -> Result<(FileType, u64, Identity), Lost> {
    let stat = rustix::fs::fstat(fd).map_err(Lost::Os)?;
    match FileType::from_raw_mode(stat.st_mode) {
        kind @ (FileType::RegularFile | FileType::Directory) => {
            Ok((kind, u64::try_from(stat.st_size).unwrap_or(0), (stat.st_dev, stat.st_ino)))
        }
        _ => Err(Lost::Special),
    }
}

/// A directory, open, and the single name in it that an operation is about.
#[derive(Debug)]
pub(crate) struct Place {
    /// `None`: the directory the search began in.
    pub(crate) parent: Option<OwnedFd>,
    /// No slash but trailing ones, or "." for the directory itself.
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn parent<'a>(&'a self, base: BorrowedFd<'a>) -> BorrowedFd<'a> {
        self.parent.as_ref().map_or(base, AsFd::as_fd)
    }
}

/// Splits off the last component, keeping its trailing slashes: `a/b/` is `a` and `b/`.
fn split(path: &str) -> (Option<&str>, &str) {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rfind('/') {
        Some(at) => {
            let (parent, name) = path.split_at(at);
            (Some(if parent.is_empty() { "/" } else { parent }), name.trim_start_matches('/'))
        }
        None => (None, path),
    }
}

/// Which links in last place are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    Yes,
    /// Those with a slash behind them, which the kernel follows when it opens even where it was told not to.
    Slashed,
    No,
}

/// Finds the directory and last name of `path` below `base`. A link in last place is followed by hand, so that the name returned is not one
/// (or does not exist).
pub(crate) fn locate(base: BorrowedFd<'_>, path: &str, follow: Follow) -> Result<Place, Lost> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let (parent, name) = split(&path);
        let bare = name.trim_end_matches('/');
        if matches!(bare, "." | "..") {
            // "x/.." and "x/." are directories themselves.
            let fd = open_dir(base, &path)?;
            return Ok(Place { parent: Some(fd), name: ".".to_owned() });
        }
        let fd = parent.map(|parent| open_dir(base, parent)).transpose()?;
        let place = Place { parent: fd, name: name.to_owned() };
        if follow == Follow::No || (follow == Follow::Slashed && name.len() == bare.len()) {
            return Ok(place);
        }
        let target = match rustix::fs::readlinkat(place.parent(base), bare, Vec::new()) {
            Ok(target) => target.into_string().map_err(|_| Lost::Os(Errno::ILSEQ))?,
            Err(_) => return Ok(place),
        };
        if target.starts_with('/') {
            return Err(Lost::Outside);
        }
        let slashes = name.get(bare.len()..).unwrap_or("");
        path = match parent {
            Some(parent) => format!("{parent}/{target}{slashes}"),
            None => format!("{target}{slashes}"),
        };
    }
    Err(Lost::Os(Errno::LOOP))
}

/// True where the name, without the slashes behind it, is a link.
pub(crate) fn is_link(parent: BorrowedFd<'_>, name: &str) -> bool {
    matches!(look(parent, name.trim_end_matches('/')), Ok(Some((FileType::Symlink, _))))
}

fn open_dir(base: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Lost> {
    open_beneath(base, path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty(), ResolveFlags::empty()).map_err(lost)
}

/// What is at a place, without following it. `None` where nothing is.
pub(crate) fn look(parent: BorrowedFd<'_>, name: &str) -> Result<Option<(FileType, Identity)>, Lost> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some((FileType::from_raw_mode(stat.st_mode), (stat.st_dev, stat.st_ino)))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(Lost::Os(errno)),
    }
}

/// How a file is opened for writing.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of open-at")]
pub(crate) struct WriteOpen {
    pub(crate) read: bool,
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
}

impl std::fmt::Display for WriteOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (flag, word) in
            [(self.read, "read"), (self.create, "create"), (self.exclusive, "new"), (self.truncate, "empty")]
        {
            if flag {
                write!(f, "+{word}")?;
            }
        }
        Ok(())
    }
}

/// Opens `name` in `parent` for writing, itself and not what it may link to.
pub(crate) fn open_write(parent: BorrowedFd<'_>, name: &str, how: WriteOpen) -> Result<Opened, Lost> {
    let mut flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    flags |= if how.read { OFlags::RDWR } else { OFlags::WRONLY };
    if how.create {
        flags |= OFlags::CREATE;
    }
    if how.exclusive {
        flags |= OFlags::EXCL;
    }
    if how.truncate {
        flags |= OFlags::TRUNC;
    }
    let mode = if how.create { Mode::from_raw_mode(0o666) } else { Mode::empty() };
    let fd = match open_beneath(parent, name, flags, mode, ResolveFlags::NO_SYMLINKS) {
        Ok(fd) => fd,
        Err(Errno::NXIO) => return Err(Lost::Special),
        Err(errno) => return Err(lost(errno)),
    };
    let (kind, size, identity) = kind_of(fd.as_fd())?;
    Ok(Opened { fd, directory: kind == FileType::Directory, size, identity, direct: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct World {
        _root: tempfile::TempDir,
        base: std::fs::File,
    }

    #[expect(clippy::disallowed_methods, reason = "the test builds its own world")]
    fn world() -> World {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("base");
        std::fs::create_dir_all(base.join("a/b")).unwrap();
        std::fs::create_dir_all(root.path().join("outside")).unwrap();
        std::fs::write(root.path().join("outside/canary"), "canary").unwrap();
        std::fs::write(base.join("a/f"), "f").unwrap();
        symlink("a/f", base.join("in")).unwrap();
        symlink("a/b", base.join("dirlink")).unwrap();
        symlink("../outside/canary", base.join("out")).unwrap();
        symlink("../outside", base.join("outdir")).unwrap();
        symlink("/etc", base.join("abs")).unwrap();
        symlink("loop", base.join("loop")).unwrap();
        let base = std::fs::File::open(base).unwrap();
        World { _root: root, base }
    }

    #[test]
    fn open_read_inside_opens_and_outside_is_outside() {
        let w = world();
        let dir = w.base.as_fd();
        assert!(open_read(dir, "a/f", false, true).unwrap().direct);
        assert!(open_read(dir, "a/b/../f", false, true).unwrap().direct);
        assert!(!open_read(dir, "in", false, true).unwrap().direct);
        assert!(open_read(dir, "dirlink", true, true).unwrap().directory);
        assert_eq!(open_read(dir, "dirlink", true, false).unwrap_err(), Lost::Os(Errno::LOOP));
        assert_eq!(open_read(dir, "in", true, true).unwrap_err(), Lost::Os(Errno::NOTDIR));
        assert_eq!(open_read(dir, "outdir", true, true).unwrap_err(), Lost::Outside);
        for path in
            ["../outside/canary", "out", "out/", "outdir/canary", "outdir/.", "abs/passwd", "a/../../outside/canary"]
        {
            assert_eq!(open_read(dir, path, false, true).unwrap_err(), Lost::Outside, "{path}");
        }
        assert_eq!(open_read(dir, "loop", false, true).unwrap_err(), Lost::Os(Errno::LOOP));
        assert_eq!(open_read(dir, "in", false, false).unwrap_err(), Lost::Os(Errno::LOOP));
    }

    #[test]
    fn open_read_of_a_fifo_is_refused_without_waiting() {
        let w = world();
        rustix::fs::mknodat(&w.base, "fifo", FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_eq!(open_read(w.base.as_fd(), "fifo", false, true).unwrap_err(), Lost::Special);
    }

    #[test]
    fn locate_pins_the_parent_and_follows_the_last_link_by_hand() {
        let w = world();
        let dir = w.base.as_fd();
        let place = locate(dir, "in", Follow::Yes).unwrap();
        assert_eq!(place.name, "f");
        assert!(place.parent.is_some());
        assert_eq!(locate(dir, "in", Follow::Slashed).unwrap().name, "in");
        assert_eq!(locate(dir, "a/new/", Follow::Slashed).unwrap().name, "new/");
        assert_eq!(locate(dir, "outdir/", Follow::No).unwrap().name, "outdir/");
        assert!(is_link(dir, "outdir/") && !is_link(dir, "a/") && !is_link(dir, "missing"));
        for path in ["out", "outdir/x", "abs", "abs/x", "../x", "outdir/"] {
            assert_eq!(locate(dir, path, Follow::Yes).map(|p| p.name), Err(Lost::Outside), "{path}");
        }
        assert_eq!(locate(dir, "out/", Follow::Slashed).map(|p| p.name), Err(Lost::Outside));
        assert_eq!(locate(dir, "loop", Follow::Yes).map(|p| p.name), Err(Lost::Os(Errno::LOOP)));
        assert_eq!(locate(dir, "a/..", Follow::No).unwrap().name, ".");
    }
}
