//! The ground that tools are run on: a private tree with decoys and ordinary files, and copies of what a grant lets a tool change. What the
//! tools do to it is undone after each call, and the tree is gone after the audit.

use crate::exit::Fault;
use crate::machine::Scratch;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use customs_policy::{MountKind, Policy};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// When everything was last changed, as far as a tool can see: it must not see another time in every audit. 2025-11-03T09:00:00Z.
const CHANGED: u64 = 1_762_160_400;
/// What a folder that a tool may change can have for the audit to copy it. More would make the audit slow, and nobody grants that much lightly.
const MAX_COPIED: u64 = 64 << 20;
const MAX_ENTRIES: usize = 4_096;
const MAX_DEPTH: usize = 32;

/// A file that is laid out.
#[derive(Clone, Debug)]
pub(super) struct Laid {
    /// Where the tool sees it.
    pub(super) guest: String,
    pub(super) bytes: Vec<u8>,
}

/// A folder of the ground and where a tool sees it.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) guest: String,
    name: String,
    /// What it begins with, by the path below it. None is a folder.
    content: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// Its files as they were when they were written.
    stamps: RefCell<BTreeMap<PathBuf, Stamp>>,
}

#[derive(Debug)]
pub(super) struct Ground {
    scratch: Scratch,
    /// Folders with decoys and ordinary files.
    pub(super) laid: Vec<Plot>,
    /// Copies of what the policy lets a tool change.
    pub(super) copies: Vec<Plot>,
}

impl Ground {
    /// Lays everything out. `policy` is the one that the tool is audited under.
    pub(super) fn lay(scratch: Scratch, files: &[Laid], policy: &Policy) -> Result<Ground, Fault> {
        let mut tops: BTreeSet<&str> = files.iter().filter_map(|file| file.guest.split('/').nth(1)).collect();
        tops.insert("tmp");
        let laid = tops.into_iter().map(|top| {
            let prefix = format!("/{top}/");
            let below = files.iter().filter_map(|file| {
                let rest = file.guest.strip_prefix(&prefix).filter(|rest| !rest.is_empty())?;
                Some((PathBuf::from(rest), Some(file.bytes.clone())))
            });
            Plot {
                guest: format!("/{top}"),
                name: format!("laid-{top}"),
                content: below.collect(),
                stamps: RefCell::default(),
            }
        });
        let mut ground = Ground { laid: laid.collect(), copies: Vec::new(), scratch };
        let mut budget = Budget { bytes: MAX_COPIED, entries: MAX_ENTRIES };
        for (at, mount) in policy.mounts().iter().enumerate().filter(|(_, mount)| mount.writable) {
            let denied: Vec<&Path> = policy.denied_hosts().map(|(path, _, _)| path).collect();
            let content = copied(&mount.host, mount.kind, &denied, &mut budget)
                .map_err(|why| Fault::Refused(format!("{}: {why}", mount.rule)))?;
            ground.copies.push(Plot {
                guest: mount.guest.to_string(),
                name: format!("copy-{at}"),
                content,
                stamps: RefCell::default(),
            });
        }
        for plot in ground.laid.iter().chain(&ground.copies) {
            ground.raise(plot)?;
        }
        Ok(ground)
    }

    /// Grants for the decoys' folders, as `--dir` takes them; those that the policy has already are left out.
    pub(super) fn grants_of_laid(&self, policy: &Policy) -> Vec<String> {
        let taken = |guest: &str| policy.mounts().iter().any(|mount| mount.guest.as_str() == guest);
        let free = self.laid.iter().filter(|plot| !taken(&plot.guest));
        free.map(|plot| format!("{}::{}::rw", self.place(plot).display(), plot.guest)).collect()
    }

    /// The policy's own grants, where what may be changed is a copy.
    pub(super) fn grants_of_policy(&self, policy: &Policy) -> Vec<String> {
        let of = |mount: &customs_policy::Mount| {
            let copy = self.copies.iter().find(|plot| mount.writable && plot.guest == mount.guest.as_str());
            match copy {
                Some(plot) if mount.kind == MountKind::Dir => {
                    format!("{}::{}::rw", self.place(plot).display(), mount.guest)
                }
                Some(plot) => format!("{}::{}::rw", self.place(plot).join("file").display(), mount.guest),
                None => format!("{}::{}::ro", mount.host.display(), mount.guest),
            }
        };
        policy.mounts().iter().map(of).collect()
    }

    fn place(&self, plot: &Plot) -> PathBuf {
        self.scratch.path.join(&plot.name)
    }

    /// Puts everything back as it was.
    pub(super) fn restore(&self) -> Result<(), Fault> {
        self.laid.iter().chain(&self.copies).try_for_each(|plot| self.raise(plot))
    }

    /// Takes away what does not belong into a folder and fills in what is missing or was changed. The folder itself stays: open handles lead
    /// to it.
    fn raise(&self, plot: &Plot) -> Result<(), Fault> {
        let fail = |e: std::io::Error| Fault::Internal(format!("the audit's own files cannot be written: {e}"));
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        if let Err(e) = self.scratch.dir.create_dir_with(&plot.name, &builder)
            && e.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(fail(e));
        }
        let dir = self.scratch.dir.open_dir(&plot.name).map_err(fail)?;
        let mut stamps = plot.stamps.borrow_mut();
        let mut there = BTreeSet::new();
        clear(&dir, Path::new(""), plot, &stamps, &mut there).map_err(fail)?;
        for (path, bytes) in plot.content.iter().filter(|(path, _)| !there.contains(path)) {
            fill(&dir, path, bytes.as_deref()).map_err(fail)?;
            stamps.insert(path.clone(), Stamp::of(&dir.metadata(path).map_err(fail)?));
        }
        Ok(())
    }
}

/// What a tool cannot make up: that the file is the one that was laid out, and when it was last changed in any way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Stamp {
        Stamp { inode: meta.ino(), changed: (meta.ctime(), meta.ctime_nsec()) }
    }
}

/// Removes what was not laid out or is not as it was; `there` gets what is.
fn clear(
    dir: &Dir,
    below: &Path,
    plot: &Plot,
    stamps: &BTreeMap<PathBuf, Stamp>,
    there: &mut BTreeSet<PathBuf>,
) -> std::io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let meta = entry.metadata()?;
        let folder = meta.is_dir();
        let wanted = plot.content.iter().any(|(laid, bytes)| *laid == path && bytes.is_none() == folder);
        if folder && (wanted || plot.content.iter().any(|(laid, _)| laid.starts_with(&path))) {
            clear(&dir.open_dir(entry.file_name())?, &path, plot, stamps, there)?;
            there.insert(path);
        } else if folder {
            dir.remove_dir_all(entry.file_name())?;
        } else if meta.is_file() && wanted && stamps.get(&path) == Some(&Stamp::of(&meta)) {
            there.insert(path);
        } else {
            dir.remove_file(entry.file_name())?;
        }
    }
    Ok(())
}

fn fill(dir: &Dir, path: &Path, bytes: Option<&[u8]>) -> std::io::Result<()> {
    let Some(bytes) = bytes else { return dir.create_dir_all(path) };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        dir.create_dir_all(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = dir.open_with(path, &options)?.into_std();
    file.write_all(bytes)?;
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(CHANGED))
}

struct Budget {
    bytes: u64,
    entries: usize,
}

/// A path, and what is in it where it is a file.
type Copied = (PathBuf, Option<Vec<u8>>);

/// What stands below a granted path, but for what is denied. Links are not followed and not copied.
fn copied(host: &Path, kind: MountKind, denied: &[&Path], budget: &mut Budget) -> Result<Vec<Copied>, String> {
    let large = || {
        format!(
            "it can be changed by the tool, and is more than the audit copies ({} MiB, {MAX_ENTRIES} files); grant less, or only reading",
            MAX_COPIED >> 20
        )
    };
    let plain = |e: std::io::Error| crate::machine::plain(&e);
    let parent = if kind == MountKind::Dir { host } else { host.parent().unwrap_or(host) };
    let dir = crate::machine::directory(parent).map_err(|fault| fault.sentence().to_owned())?.0;
    let mut all = Vec::new();
    if kind == MountKind::File {
        let name = host.file_name().ok_or("it has no name")?;
        let bytes = dir.read(name).map_err(plain)?;
        all.push((PathBuf::from("file"), Some(bytes)));
        return Ok(all);
    }
    let mut open = vec![(PathBuf::new(), dir, 0_usize)];
    while let Some((below, dir, depth)) = open.pop() {
        for entry in dir.entries().map_err(plain)? {
            let entry = entry.map_err(plain)?;
            let path = below.join(entry.file_name());
            let real = host.join(&path);
            if denied.iter().any(|denied| real.starts_with(denied)) {
                continue;
            }
            budget.entries = budget.entries.checked_sub(1).ok_or_else(large)?;
            let meta = entry.metadata().map_err(plain)?;
            if meta.is_dir() && depth < MAX_DEPTH {
                all.push((path.clone(), None));
                open.push((path, dir.open_dir(entry.file_name()).map_err(plain)?, depth + 1));
            } else if meta.is_file() {
                budget.bytes = budget.bytes.checked_sub(meta.len()).ok_or_else(large)?;
                all.push((path, Some(dir.read(entry.file_name()).map_err(plain)?)));
            }
        }
    }
    all.sort();
    Ok(all)
}
