//! A directory tree as the host sees it, to compare before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<PathBuf, Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub inode: u64,
    pub links: u64,
    pub mode: u32,
    /// Seconds and nanoseconds.
    pub modified: (i64, i64),
    pub content: Content,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    File(Vec<u8>),
    Link(PathBuf),
    Dir(BTreeSet<OsString>),
    Other,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Content::File(bytes) if bytes.len() > 200 => write!(f, "{} bytes", bytes.len()),
            Content::File(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Content::Link(target) => write!(f, "-> {}", target.display()),
            Content::Dir(names) => write!(f, "{names:?}"),
            Content::Other => f.write_str("special"),
        }
    }
}

impl Tree {
    pub fn of(root: &Path) -> Tree {
        let mut tree = Tree(BTreeMap::new());
        tree.add(root, Path::new("."));
        tree
    }

    fn add(&mut self, path: &Path, name: &Path) {
        let meta = path.symlink_metadata().unwrap();
        let content = if meta.is_dir() {
            let names: BTreeSet<OsString> = path.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
            for below in &names {
                self.add(&path.join(below), &name.join(below));
            }
            Content::Dir(names)
        } else if meta.is_symlink() {
            Content::Link(path.read_link().unwrap())
        } else if meta.is_file() {
            Content::File(std::fs::read(path).unwrap())
        } else {
            Content::Other
        };
        let links = if meta.is_dir() { 0 } else { meta.nlink() };
        let (inode, mode, modified) = (meta.ino(), meta.mode(), (meta.mtime(), meta.mtime_nsec()));
        self.0.insert(name.to_owned(), Node { inode, links, mode, modified, content });
    }

    /// The paths that differ, for a message.
    pub fn differences(&self, after: &Tree) -> Vec<String> {
        let names: BTreeSet<&PathBuf> = self.0.keys().chain(after.0.keys()).collect();
        let differing = names.into_iter().filter(|name| self.0.get(*name) != after.0.get(*name));
        differing.map(|name| format!("{}: {:?} => {:?}", name.display(), self.0.get(name), after.0.get(name))).collect()
    }

    /// Leaves out what a case may change: the paths, what is below them, and the times and names of the directories they are in.
    pub fn without(mut self, changed: &[String]) -> Tree {
        for path in changed {
            let path = Path::new(".").join(path);
            self.0.retain(|name, _| !name.starts_with(&path));
            if let Some(parent) = path.parent()
                && let Some(node) = self.0.get_mut(parent)
            {
                node.modified = (0, 0);
                if let (Content::Dir(names), Some(name)) = (&mut node.content, path.file_name()) {
                    names.remove(name);
                }
            }
        }
        self
    }
}
