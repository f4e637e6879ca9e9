//! The methods of a descriptor. Each decides or is covered by the record of its open, delegates to wasmtime-wasi, and tells what crossed.

use super::change::Change;
use super::{Fd, stat_text, stopped};
use crate::flow::{FlowId, Way};
use crate::imports::Import;
use crate::roots::Identity;
use crate::state::View;
use crate::tap::{InTap, Kept, Line, OutLine, OutTap};
use crate::tape::{Tape, key};
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::{Capability, Request};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{self, ErrorCode, HostDescriptor};
use wasmtime_wasi::p2::pipe::{ClosedInputStream, ClosedOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

/// Metadata of a source that is changed on this replay: other times and another size, of the same digits.
fn changed_stat(tape: &Tape, path: &str, stat: types::DescriptorStat) -> types::DescriptorStat {
    let Some(change) = tape.change(SourceKind::Metadata, path) else { return stat };
    let number = |n: u64| change.text(&n.to_string()).parse().unwrap_or(n);
    let time = |time: Option<wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime>| {
        time.map(|mut time| {
            time.seconds = number(time.seconds);
            time
        })
    };
    types::DescriptorStat {
        size: number(stat.size),
        link_count: number(stat.link_count),
        data_access_timestamp: time(stat.data_access_timestamp),
        data_modification_timestamp: time(stat.data_modification_timestamp),
        status_change_timestamp: time(stat.status_change_timestamp),
        ..stat
    }
}

impl preopens::Host for View<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        self.count(Import::GetDirectories);
        let roots = std::sync::Arc::clone(&self.guard.roots);
        let mut given = Vec::with_capacity(roots.mounts.len() + 1);
        let mut whole = false;
        for (at, root) in roots.mounts.iter().enumerate().filter(|(_, root)| root.file.is_none()) {
            whole |= root.guest.as_str() == "/";
            let handle = super::Handle::new(root.guest.clone(), Some(at), None, false);
            let fd = self.table.push(Descriptor::Dir(root.dir.clone()))?;
            self.guard.files.handles.insert(fd.rep(), handle);
            given.push((fd, root.guest.as_str().to_owned()));
        }
        if !whole {
            let guest = customs_policy::GuestPath::root();
            let fd = self.table.push(Descriptor::Dir(roots.sentinel.clone()))?;
            self.guard.files.handles.insert(fd.rep(), super::Handle::new(guest, None, None, false));
            given.push((fd, "/".to_owned()));
        }
        Ok(given)
    }
}

impl View<'_> {
    /// The record that covers using a descriptor: its open, or a decision now for a preopen.
    fn covered(&mut self, fd: &Fd, cap: Capability, op: &'static str) -> FsResult<u64> {
        let handle = self.handle(fd)?;
        if let Some(of) = handle.access {
            return Ok(of);
        }
        let guest = handle.guest.clone();
        let of = match self.decide(&Request::Path { capability: cap, guest: &guest, host: None }) {
            Ok(permit) => self.guard.recorder.allow(&permit, op, guest.as_str(), Some(guest.as_str()), false),
            Err(denial) => return Err(self.refuse(&denial, op, guest.as_str(), None)),
        }
        .map_err(stopped)?;
        self.handle_mut(fd)?.access = Some(of);
        Ok(of)
    }

    /// A write to what was opened for writing is covered by that open's record; any other use that changes something is decided and
    /// recorded on its own.
    fn may_write(&mut self, fd: &Fd, op: &'static str, own_record: bool) -> FsResult<u64> {
        let handle = self.handle(fd)?;
        if let (true, false, Some(of)) = (handle.write, own_record, handle.access) {
            return Ok(of);
        }
        let guest = handle.guest.clone();
        let request = Request::Path { capability: Capability::FsWrite, guest: &guest, host: None };
        match self.decide(&request) {
            Ok(permit) => {
                self.guard.recorder.allow(&permit, op, guest.as_str(), Some(guest.as_str()), true).map_err(stopped)
            }
            Err(denial) => Err(self.refuse(&denial, op, guest.as_str(), None)),
        }
    }

    fn reading(&mut self, fd: &Fd) -> FsResult<FlowId> {
        let of = self.covered(fd, Capability::FsRead, "read")?;
        if let Some(flow) = self.handle(fd)?.reading {
            return Ok(flow);
        }
        let handle = self.handle(fd)?;
        let (name, size) = (handle.guest.as_str().to_owned(), handle.size);
        let flow = self.guard.recorder.begin(of, Way::In(SourceKind::File), name).map_err(stopped)?;
        self.guard.recorder.expect(flow, size);
        self.handle_mut(fd)?.reading = Some(flow);
        Ok(flow)
    }

    fn writing(&mut self, fd: &Fd, op: &'static str) -> FsResult<FlowId> {
        if let Some(flow) = self.handle(fd)?.writing {
            return Ok(flow);
        }
        let of = self.may_write(fd, op, false)?;
        if !self.handle(fd)?.write {
            // The descriptor was opened for reading. wasmtime-wasi finds out at the first byte, when it would stand in a sink already.
            return self.ended(of, Err(ErrorCode::BadDescriptor.into()));
        }
        let name = self.handle(fd)?.guest.as_str().to_owned();
        let flow = self.guard.recorder.begin(of, Way::Out(SinkKind::File), name).map_err(stopped)?;
        self.handle_mut(fd)?.writing = Some(flow);
        Ok(flow)
    }

    /// A write far past the end makes a hole: it costs no bytes now, but the file is as large as if it had.
    async fn charge_hole(&mut self, fd: &Fd, offset: u64) -> FsResult<()> {
        if offset == 0 {
            return Ok(());
        }
        let (tape, named) = self.noted(fd);
        let borrowed = Resource::new_borrow(fd.rep());
        let stat = tape.later(key!("fs.stat", named), async { self.inner_files().stat(borrowed).await }).await?;
        let hole = offset.saturating_sub(stat.size);
        if self.guard.recorder.charge_file_write(hole) { Ok(()) } else { Err(ErrorCode::FileTooLarge.into()) }
    }

    fn tap_in(
        &mut self,
        stream: &Resource<DynInputStream>,
        flow: FlowId,
        line: Option<Line>,
        file: Option<(Identity, u64)>,
    ) -> FsResult<()> {
        let slot = self.table.get_mut(stream)?;
        let inner = std::mem::replace(slot, Box::new(ClosedInputStream));
        *slot = Box::new(InTap::new(inner, self.guard.recorder.clone(), flow, line).of_file(file));
        Ok(())
    }

    fn tap_out(
        &mut self,
        stream: &Resource<DynOutputStream>,
        flow: FlowId,
        line: Option<OutLine>,
        kept: Kept,
    ) -> FsResult<()> {
        let slot = self.table.get_mut(stream)?;
        let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
        *slot = Box::new(OutTap::new(inner, self.guard.recorder.clone(), flow, line).keeping(kept));
        Ok(())
    }

    /// Which file a descriptor is.
    fn identity(&self, fd: &Fd) -> Option<Identity> {
        self.guard.files.handles.get(&fd.rep()).and_then(|handle| handle.identity)
    }

    /// The tape, and the guest's name of a descriptor where it is on.
    fn noted(&self, fd: &Fd) -> (Tape, String) {
        let tape = self.guard.recorder.tape().clone();
        let named = if tape.is_on() { self.named(fd) } else { String::new() };
        (tape, named)
    }
}

impl HostDescriptor for View<'_> {
    async fn advise(&mut self, fd: Fd, offset: u64, length: u64, advice: types::Advice) -> FsResult<()> {
        self.count(Import::Advise);
        let (tape, named) = self.noted(&fd);
        tape.later(key!("fs.advise", named), async { self.inner_files().advise(fd, offset, length, advice).await })
            .await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.count(Import::SyncData);
        let (tape, named) = self.noted(&fd);
        tape.later(key!("fs.sync-data", named), async { self.inner_files().sync_data(fd).await }).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.count(Import::Sync);
        let (tape, named) = self.noted(&fd);
        tape.later(key!("fs.sync", named), async { self.inner_files().sync(fd).await }).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<types::DescriptorFlags> {
        self.count(Import::GetFlags);
        let (tape, named) = self.noted(&fd);
        // What it is is known here; another version may ask where the run did not.
        if tape.is_loose() {
            return self.inner_files().get_flags(fd).await;
        }
        tape.later(key!("fs.flags", named), async { self.inner_files().get_flags(fd).await }).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<types::DescriptorType> {
        self.count(Import::GetType);
        let (tape, named) = self.noted(&fd);
        // What it is is known here; another version may ask where the run did not.
        if tape.is_loose() {
            return self.inner_files().get_type(fd).await;
        }
        tape.later(key!("fs.type", named), async { self.inner_files().get_type(fd).await }).await
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        self.count(Import::IsSameObject);
        let (tape, named) = self.noted(&a);
        let other = self.named(&b);
        tape.later(key!("fs.same", named, other), async { self.inner_files().is_same_object(a, b).await }).await
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        if let Some(handle) = self.guard.files.handles.remove(&fd.rep()) {
            for flow in handle.reading.into_iter().chain(handle.writing) {
                self.guard.recorder.release(flow);
            }
        }
        HostDescriptor::drop(&mut self.inner_files(), fd)
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: types::PathFlags,
        path: String,
        open_flags: types::OpenFlags,
        flags: types::DescriptorFlags,
    ) -> FsResult<Fd> {
        self.count(Import::OpenAt);
        self.open(&fd, path_flags, &path, open_flags, flags)
    }

    async fn read(&mut self, fd: Fd, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        self.count(Import::Read);
        let flow = self.reading(&fd)?;
        let (id, (tape, named)) = (self.identity(&fd), self.noted(&fd));
        let most = usize::try_from(length).unwrap_or(usize::MAX);
        let read = match tape.file(&named, offset, most) {
            // In other pieces than they were read in: the end is where nothing is left.
            Some(bytes) => {
                let end =
                    tape.file(&named, offset.saturating_add(bytes.len() as u64), 1).is_some_and(|rest| rest.is_empty());
                (bytes, end)
            }
            None => {
                let reading = async {
                    let read = self.inner_files().read(fd, length, offset).await;
                    read.map(|(bytes, end)| (bytes::Bytes::from(bytes), end))
                };
                tape.later(key!("fs.read", named, offset, length), reading).await?
            }
        };
        let (mut bytes, mut end) = read;
        if let Some(change) = tape.change(SourceKind::File, &named) {
            end |= change.is_past(offset.saturating_add(bytes.len() as u64));
            bytes = change.shared(offset, &bytes);
        }
        if !bytes.is_empty() {
            self.guard.recorder.see_shared(flow, &bytes).map_err(stopped)?;
            if let Some(id) = id {
                self.guard.recorder.labelled(|labels| labels.read_back(id, offset, bytes.len() as u64));
            }
        }
        Ok((bytes.into(), end))
    }

    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynInputStream>> {
        self.count(Import::ReadViaStream);
        let flow = self.reading(&fd)?;
        let (id, (tape, named)) = (self.identity(&fd), self.noted(&fd));
        let mut made = None;
        let make = || self.inner_files().read_via_stream(fd, offset).map(|stream| made = Some(stream));
        tape.effect(key!("fs.read-via-stream", named, offset), make)?;
        let stream = match made {
            Some(stream) => stream,
            None => self.table.push(Box::new(ClosedInputStream) as DynInputStream)?,
        };
        let line = Line::of(&tape, "file", SourceKind::File, named, offset);
        self.tap_in(&stream, flow, line, id.map(|id| (id, offset)))?;
        Ok(stream)
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<types::DirectoryEntryStream>> {
        self.count(Import::ReadDirectory);
        self.list(fd).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<types::DescriptorStat> {
        self.count(Import::Stat);
        let of = self.covered(&fd, Capability::FsStat, "stat")?;
        let (tape, named) = self.noted(&fd);
        let borrowed = Resource::new_borrow(fd.rep());
        let stat = tape.later(key!("fs.stat", named), async { self.inner_files().stat(borrowed).await }).await?;
        let stat = changed_stat(&tape, &named, stat);
        let text = stat_text(&stat);
        let handle = self.handle_mut(&fd)?;
        if handle.told.as_deref() != Some(&text) {
            let guest = handle.guest.clone();
            handle.told = Some(text.clone());
            self.tell_stat(of, &guest, &text)?;
        } else {
            let guest = handle.guest.clone();
            let path = self.guard.recorder.covered(guest.as_str());
            self.guard.recorder.labelled(|labels| labels.told_again(&path));
        }
        Ok(stat)
    }

    async fn stat_at(&mut self, fd: Fd, flags: types::PathFlags, path: String) -> FsResult<types::DescriptorStat> {
        self.count(Import::StatAt);
        let (op, follow) = ("stat-at", flags.contains(types::PathFlags::SYMLINK_FOLLOW));
        let site = self.site(&fd, &path, Capability::FsStat, op, follow)?;
        let of = self.enter(&site, op, false)?;
        let none = types::PathFlags::empty();
        let tape = self.guard.recorder.tape().clone();
        let looking = async { self.inner_files().stat_at(site.dir(), none, site.name.clone()).await };
        let result = tape.later(key!("fs.stat-at", site.real, follow), looking).await;
        let real = site.real.clone();
        self.leave(site)?;
        let result = result.map(|stat| changed_stat(&tape, real.as_str(), stat));
        let stat = match result {
            // The site's last name is looked at as if the slash behind it were not there.
            Ok(stat) if follow && path.ends_with('/') && stat.type_ != types::DescriptorType::Directory => {
                return self.ended(of, Err(ErrorCode::NotDirectory.into()));
            }
            Ok(stat) => stat,
            Err(e) => return self.ended(of, Err(e)),
        };
        self.tell_stat(of, &real, &stat_text(&stat))?;
        Ok(stat)
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.count(Import::ReadlinkAt);
        let op = "readlink-at";
        let site = self.site(&fd, &path, Capability::FsStat, op, false)?;
        let of = self.enter(&site, op, false)?;
        let tape = self.guard.recorder.tape().clone();
        let looking = async { self.inner_files().readlink_at(site.dir(), site.name.clone()).await };
        let result = tape.later(key!("fs.readlink", site.real), looking).await;
        let real = site.real.clone();
        self.leave(site)?;
        let link = match result {
            Ok(link) => tape.change(SourceKind::Link, real.as_str()).map_or(link.clone(), |change| change.text(&link)),
            Err(e) => return self.ended(of, Err(e)),
        };
        let way = Way::In(SourceKind::Link);
        self.guard.recorder.whole(of, way, real.as_str(), link.as_bytes()).map_err(stopped)?;
        Ok(link)
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<types::MetadataHashValue> {
        self.count(Import::MetadataHash);
        self.covered(&fd, Capability::FsStat, "metadata-hash")?;
        let (tape, named) = self.noted(&fd);
        tape.later(key!("fs.hash", named), async { self.inner_files().metadata_hash(fd).await }).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        self.count(Import::MetadataHashAt);
        let (op, follow) = ("metadata-hash-at", flags.contains(types::PathFlags::SYMLINK_FOLLOW));
        let site = self.site(&fd, &path, Capability::FsStat, op, follow)?;
        let of = self.enter(&site, op, false)?;
        let none = types::PathFlags::empty();
        let tape = self.guard.recorder.tape().clone();
        let looking = async { self.inner_files().metadata_hash_at(site.dir(), none, site.name.clone()).await };
        let result = tape.later(key!("fs.hash-at", site.real), looking).await;
        self.leave(site)?;
        self.ended(of, result)
    }

    async fn write(&mut self, fd: Fd, buffer: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.count(Import::Write);
        let flow = self.writing(&fd, "write")?;
        self.charge_hole(&fd, offset).await?;
        self.guard.recorder.see(flow, &buffer).map_err(stopped)?;
        let (id, (tape, named)) = (self.identity(&fd), self.noted(&fd));
        let writing = async { self.inner_files().write(fd, buffer, offset).await };
        let written = tape.later(key!("fs.write", named), writing).await;
        if let Some(id) = id {
            self.guard.recorder.labelled(|labels| match &written {
                Ok(bytes) => labels.wrote(id, Some(offset), *bytes),
                Err(_) => labels.failed(id),
            });
        }
        written
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        self.count(Import::WriteViaStream);
        let flow = self.writing(&fd, "write-via-stream")?;
        if offset > 0 {
            // Not async in the interface; the file is open here, so ask it directly.
            let file = match self.table.get(&fd)? {
                Descriptor::File(file) => Some(file),
                Descriptor::Dir(_) => None,
            };
            let size = || file.map_or(Ok(0), |file| Ok(file.file.metadata()?.len()));
            let (tape, named) = self.noted(&fd);
            let size: FsResult<u64> = tape.effect(key!("fs.size", named), size);
            let size = size?;
            if !self.guard.recorder.charge_file_write(offset.saturating_sub(size)) {
                return Err(ErrorCode::FileTooLarge.into());
            }
        }
        let (id, (tape, named)) = (self.identity(&fd), self.noted(&fd));
        let mut made = None;
        let make = || self.inner_files().write_via_stream(fd, offset).map(|stream| made = Some(stream));
        tape.effect(key!("fs.write-via-stream", named), make)?;
        let stream = match made {
            Some(stream) => stream,
            None => self.table.push(Box::new(ClosedOutputStream) as DynOutputStream)?,
        };
        let line = OutLine::of(&tape, "file", &named);
        let kept = id.map_or(Kept::Nowhere, |id| Kept::File(id, Some(offset)));
        self.tap_out(&stream, flow, line, kept)?;
        Ok(stream)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.count(Import::AppendViaStream);
        let flow = self.writing(&fd, "append-via-stream")?;
        let (id, (tape, named)) = (self.identity(&fd), self.noted(&fd));
        let mut made = None;
        let make = || self.inner_files().append_via_stream(fd).map(|stream| made = Some(stream));
        tape.effect(key!("fs.append-via-stream", named), make)?;
        let stream = match made {
            Some(stream) => stream,
            None => self.table.push(Box::new(ClosedOutputStream) as DynOutputStream)?,
        };
        let line = OutLine::of(&tape, "file", &named);
        let end = id.and_then(|id| self.guard.recorder.labelled(|labels| labels.end_of(id))).flatten();
        let kept = id.map_or(Kept::Nowhere, |id| Kept::File(id, end));
        self.tap_out(&stream, flow, line, kept)?;
        Ok(stream)
    }

    async fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        self.count(Import::SetSize);
        let (of, id) = (self.may_write(&fd, "set-size", true)?, self.identity(&fd));
        let result = match self.charge_hole(&fd, size).await {
            Ok(()) => {
                let (tape, named) = self.noted(&fd);
                tape.later(key!("fs.set-size", named), async { self.inner_files().set_size(fd, size).await }).await
            }
            Err(e) => Err(e),
        };
        if let (Ok(()), Some(id)) = (&result, id) {
            self.guard.recorder.labelled(|labels| labels.resized(id, size));
        }
        self.ended(of, result)
    }

    async fn set_times(&mut self, fd: Fd, access: types::NewTimestamp, modify: types::NewTimestamp) -> FsResult<()> {
        self.count(Import::SetTimes);
        let of = self.may_write(&fd, "set-times", true)?;
        let (tape, named) = self.noted(&fd);
        let doing = async { self.inner_files().set_times(fd, access, modify).await };
        let result = tape.later(key!("fs.set-times", named), doing).await;
        self.ended(of, result)
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
        access: types::NewTimestamp,
        modify: types::NewTimestamp,
    ) -> FsResult<()> {
        self.count(Import::SetTimesAt);
        let follow = flags.contains(types::PathFlags::SYMLINK_FOLLOW);
        self.change_at(&fd, &path, "set-times-at", Change::Times { follow, access, modify }).await
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.count(Import::CreateDirectoryAt);
        self.change_at(&fd, &path, "create-directory-at", Change::CreateDirectory).await
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.count(Import::RemoveDirectoryAt);
        self.change_at(&fd, &path, "remove-directory-at", Change::RemoveDirectory).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.count(Import::UnlinkFileAt);
        self.change_at(&fd, &path, "unlink-file-at", Change::RemoveFile).await
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.count(Import::SymlinkAt);
        self.change_at(&fd, &path, "symlink-at", Change::Link { target }).await
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        old_path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        self.count(Import::LinkAt);
        if flags.contains(types::PathFlags::SYMLINK_FOLLOW) {
            return Err(ErrorCode::Invalid.into());
        }
        self.move_at((&fd, &old_path), (&new_fd, &new_path), "link-at", false).await
    }

    async fn rename_at(&mut self, fd: Fd, old_path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        self.count(Import::RenameAt);
        self.move_at((&fd, &old_path), (&new_fd, &new_path), "rename-at", true).await
    }
}
