//! Directory listings: names are a source, and names that a rule denies are left out.

use super::{Fd, stopped};
use crate::flow::{FlowId, Way};
use crate::imports::Import;
use crate::state::View;
use customs_ledger::material::SourceKind;
use customs_policy::{Capability, DenialCode, GuestPath, Request};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::{self, DescriptorType, DirectoryEntry, DirectoryEntryStream};
use wasmtime_wasi::p2::{FsError, FsResult};

/// A listing that is being read.
pub(crate) struct Listing {
    dir: GuestPath,
    flow: FlowId,
    /// Entries of our own, before the host's: the grants below a directory that stands for more than the host may show.
    ours: Vec<String>,
}

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
        let stream = match types::HostDescriptor::read_directory(&mut self.inner_files(), fd).await {
            Ok(stream) => stream,
            Err(e) => return self.ended(of, Err(e)),
        };
        let ours = if handle.mount.is_none() { self.grants_below(&handle.guest) } else { Vec::new() };
        let flow =
            self.guard.recorder.begin(of, Way::In(SourceKind::Listing), path.to_owned()).map_err(stopped)?;
        self.guard.files.listings.insert(stream.rep(), Listing { dir: handle.guest, flow, ours });
        Ok(stream)
    }

    /// The next component of every grant below `dir`.
    fn grants_below(&self, dir: &GuestPath) -> Vec<String> {
        let policy = self.guard.recorder.policy();
        let below = policy.mounts().iter().filter_map(|mount| mount.guest.strip_prefix(dir));
        let mut names: Vec<String> =
            below.filter_map(|rest| rest.split('/').next()).filter(|n| !n.is_empty()).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        // They are taken from the end.
        names.reverse();
        names
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
            if let Some(name) = self.guard.files.listings.get_mut(&rep).and_then(|l| l.ours.pop()) {
                break Some(DirectoryEntry { type_: DescriptorType::Directory, name });
            }
            let inner = Resource::new_borrow(rep);
            let entry =
                types::HostDirectoryEntryStream::read_directory_entry(&mut self.inner_files(), inner).await?;
            let listing = self.guard.files.listings.get(&rep);
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
