//! Directory listings: names are a source, and names that a rule denies are left out.

use super::{Fd, stopped};
use crate::flow::{FlowId, Way};
use crate::imports::Import;
use crate::state::View;
use crate::tape::key;
use customs_ledger::material::SourceKind;
use customs_policy::{Capability, DenialCode, GuestPath, MountKind, Request};
use std::collections::BTreeMap;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::{self, DescriptorType, DirectoryEntry, DirectoryEntryStream};
use wasmtime_wasi::p2::{FsError, FsResult};

/// A listing that is being read.
pub(crate) struct Listing {
    dir: GuestPath,
    flow: FlowId,
    /// Entries of our own, before the host's: the grants below a directory that stands for more than the host may show.
    ours: Vec<DirectoryEntry>,
    /// For its notes.
    key: String,
}

/// Stands for a host's listing on a replay.
struct Listed;

impl View<'_> {
    pub(crate) async fn list(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let handle = self.handle(&fd)?.clone();
        let (cap, op) = (Capability::FsList, "read-directory");
        let permit = match self.decide(&Request::Path { capability: cap, guest: &handle.guest, host: None }) {
            Ok(permit) => permit,
            Err(denial) => return Err(self.refuse(&denial, op, handle.guest.as_str(), None)),
        };
        let path = handle.guest.as_str();
        let of = self.guard.recorder.allow(&permit, op, path, Some(path), false).map_err(stopped)?;
        let (tape, mut made) = (self.guard.recorder.tape().clone(), None);
        let doing = async {
            let stream = types::HostDescriptor::read_directory(&mut self.inner_files(), fd).await;
            stream.map(|stream| made = Some(stream))
        };
        let done = tape.later(key!("fs.list", handle.guest), doing).await;
        if let Err(e) = done {
            return self.ended(of, Err(e));
        }
        let stream = match made {
            Some(stream) => stream,
            // On a replay the guest's handle leads to nothing; its entries come from the tape.
            None => Resource::new_own(self.table.push(Listed)?.rep()),
        };
        let ours = if handle.mount.is_none() { self.grants_below(&handle.guest) } else { Vec::new() };
        let flow = self.guard.recorder.begin(of, Way::In(SourceKind::Listing), path.to_owned()).map_err(stopped)?;
        let key = if tape.is_on() {
            let of = format!("fs.entry\0{path}");
            format!("{of}\0{}", tape.instance(&of))
        } else {
            String::new()
        };
        self.guard.files.listings.insert(stream.rep(), Listing { dir: handle.guest.clone(), flow, ours, key });
        Ok(stream)
    }

    /// The next component of every grant below `dir`, once.
    fn grants_below(&self, dir: &GuestPath) -> Vec<DirectoryEntry> {
        let mut names = BTreeMap::new();
        for mount in self.guard.recorder.policy().mounts() {
            match mount.guest.strip_prefix(dir).unwrap_or_default().split_once('/') {
                Some((name, _)) => names.insert(name, DescriptorType::Directory),
                None if mount.guest == *dir || !mount.guest.starts_with(dir) => None,
                None => names.insert(
                    mount.guest.file_name().unwrap_or_default(),
                    match mount.kind {
                        MountKind::File => DescriptorType::RegularFile,
                        MountKind::Dir => DescriptorType::Directory,
                    },
                ),
            };
        }
        // They are taken from the end.
        names.into_iter().rev().map(|(name, type_)| DirectoryEntry { type_, name: name.to_owned() }).collect()
    }

    fn hidden(&self, dir: &GuestPath, name: &str) -> bool {
        let Ok(path) = dir.join(name) else { return true };
        let request = Request::Path { capability: Capability::FsStat, guest: &path, host: None };
        matches!(self.decide(&request), Err(denial) if denial.code == DenialCode::DenyRule)
    }
}

impl types::HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.count(Import::ReadDirectoryEntry);
        let rep = stream.rep();
        let entry = loop {
            if let Some(entry) = self.guard.files.listings.get_mut(&rep).and_then(|l| l.ours.pop()) {
                break Some(entry);
            }
            let (inner, tape) = (Resource::new_borrow(rep), self.guard.recorder.tape().clone());
            let key = self.guard.files.listings.get(&rep).map(|listing| listing.key.clone()).unwrap_or_default();
            let reading =
                async { types::HostDirectoryEntryStream::read_directory_entry(&mut self.inner_files(), inner).await };
            let mut entry = tape.later(|| key, reading).await?;
            let listing = self.guard.files.listings.get(&rep);
            if let (Some(entry), Some(listing)) = (&mut entry, listing)
                && let Some(change) = tape.change(SourceKind::Listing, listing.dir.as_str())
            {
                entry.name = change.text(&entry.name);
            }
            match (&entry, listing) {
                (Some(entry), Some(listing)) if self.hidden(&listing.dir, &entry.name) => {}
                _ => break entry,
            }
        };
        if let (Some(entry), Some(listing)) = (&entry, self.guard.files.listings.get(&rep)) {
            let recorder = &self.guard.recorder;
            let mut line = entry.name.clone();
            line.push('\n');
            recorder.see(listing.flow, line.as_bytes()).map_err(stopped)?;
        }
        Ok(entry)
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        if let Some(listing) = self.guard.files.listings.remove(&stream.rep()) {
            self.guard.recorder.release(listing.flow);
        }
        if self.guard.recorder.tape().is_playing() {
            self.table.delete(Resource::<Listed>::new_own(stream.rep()))?;
            return Ok(());
        }
        types::HostDirectoryEntryStream::drop(&mut self.inner_files(), stream)
    }
}

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<types::ErrorCode> {
        types::Host::convert_error_code(&mut self.inner_files(), error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        self.count(Import::FsErrorCode);
        types::Host::filesystem_error_code(&mut self.inner_files(), error)
    }
}
