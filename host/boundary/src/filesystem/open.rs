//! `open-at`.

use super::resolve::{self, Follow, Lost, WriteOpen};
use super::{Fd, Handle, Target, stopped};
use crate::flow::Way;
use crate::roots::Identity;
use crate::state::{View, path_capability};
use crate::tape::key;
use customs_ledger::material::SinkKind;
use customs_policy::{Capability, Denial, DenialCode, GuestPath};
use rustix::fd::AsFd;
use rustix::fs::FileType;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasmtime_wasi::{FsPerms, OpenMode};

const OP: &str = "open-at";

/// The flags of an open, with the meaning wasmtime-wasi gives them.
struct Mode {
    open: OpenMode,
    directory: bool,
    create: bool,
    exclusive: bool,
    truncate: bool,
    follow: bool,
}

impl Mode {
    fn from(flags: PathFlags, open: OpenFlags, descriptor: DescriptorFlags) -> Result<Mode, ErrorCode> {
        let sync = DescriptorFlags::FILE_INTEGRITY_SYNC
            | DescriptorFlags::DATA_INTEGRITY_SYNC
            | DescriptorFlags::REQUESTED_WRITE_SYNC;
        if descriptor.intersects(sync) {
            return Err(ErrorCode::Unsupported);
        }
        let directory = open.contains(OpenFlags::DIRECTORY);
        let (create, truncate) = (open.contains(OpenFlags::CREATE), open.contains(OpenFlags::TRUNCATE));
        let exclusive = open.contains(OpenFlags::EXCLUSIVE);
        if directory && (create || truncate || exclusive) {
            return Err(ErrorCode::Invalid);
        }
        let mut mode = OpenMode::empty();
        let write = descriptor.contains(DescriptorFlags::WRITE);
        if write || create || truncate {
            mode |= OpenMode::WRITE;
        }
        // Without "write" a file is opened for reading too, whatever else is asked.
        if descriptor.contains(DescriptorFlags::READ) || !write {
            mode |= OpenMode::READ;
        }
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        Ok(Mode { open: mode, directory, create, exclusive, truncate, follow })
    }

    fn write(&self) -> bool {
        self.open.contains(OpenMode::WRITE)
    }
}

impl View<'_> {
    pub(crate) fn open(
        &mut self,
        fd: &Fd,
        path_flags: PathFlags,
        guest_path: &str,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let mode = Mode::from(path_flags, open_flags, flags)?;
        if mode.write() {
            let target = self.target(fd, guest_path, Capability::FsWrite, OP)?;
            self.open_write(&target, &mode)
        } else {
            // A directory above the grants can be listed, which shows the grants, and nothing else.
            let cap = if mode.directory { Capability::FsList } else { path_capability(false) };
            let target = self.target(fd, guest_path, cap, OP)?;
            self.open_read(&target, cap, &mode)
        }
    }

    fn open_read(&mut self, target: &Target, cap: Capability, mode: &Mode) -> FsResult<Fd> {
        let recorder = &self.guard.recorder;
        let Some(mount) = target.mount else {
            let path = target.guest.as_str();
            let of = recorder.allow(&target.permit, OP, &target.requested, Some(path), false).map_err(stopped)?;
            let dir = Descriptor::Dir(self.guard.roots.sentinel.clone());
            return self.adopt(dir, Handle::new(target.guest.clone(), None, Some(of), false));
        };
        let open = || resolve::open_read(target.dir.as_fd(), &target.path, mode.directory, mode.follow);
        let opened = recorder
            .tape()
            .effect(key!("fs.open", target.requested, mode.directory, mode.follow), open)
            .map_err(|lost| self.lost(lost, target, cap, OP, None))?;
        let (real, permit) = if opened.direct {
            (target.guest.clone(), None)
        } else {
            let (real, permit) = self.settle(target, cap, OP, self.real(target, mount, &opened.fd))?;
            (real, Some(permit))
        };
        self.not_denied(opened.identity, cap, OP, &target.requested, &real)?;
        let permit = permit.as_ref().unwrap_or(&target.permit);
        let of = recorder.allow(permit, OP, &target.requested, Some(real.as_str()), false).map_err(stopped)?;
        let (mount, size, identity) = (permit.mount(), opened.size, opened.identity);
        recorder.labelled(|labels| labels.opened(identity, size, false));
        let descriptor = self.descriptor(opened, mount, mode.open);
        let handle = Handle::new(real, mount, Some(of), false);
        self.adopt(descriptor, Handle { size, identity: Some(identity), ..handle })
    }

    fn open_write(&mut self, target: &Target, mode: &Mode) -> FsResult<Fd> {
        let cap = Capability::FsWrite;
        let base = target.dir.as_fd();
        // O_EXCL does not follow a link either.
        let follow = if mode.follow && !mode.exclusive { Follow::Yes } else { Follow::Slashed };
        let tape = self.guard.recorder.tape();
        let place = tape
            .effect(key!("fs.locate", target.requested, OP), || resolve::locate(base, &target.path, follow))
            .map_err(|e| self.lost(e, target, cap, OP, None))?;
        let (real, permit) = self.settle_place(target, &place, cap, OP)?;
        let parent = place.parent(base);
        match tape.effect(key!("fs.look", real, OP), || resolve::look(parent, &place.name)) {
            Ok(None) => {}
            Ok(Some((FileType::RegularFile | FileType::Directory | FileType::Symlink, identity))) => {
                self.not_denied(identity, cap, OP, &target.requested, &real)?;
            }
            Ok(Some(_)) => return Err(self.lost(Lost::Special, target, cap, OP, None)),
            // The open fails as well, and with the error that a guest knows.
            Err(_) => {}
        }
        let recorder = &self.guard.recorder;
        let of = recorder.allow(&permit, OP, &target.requested, Some(real.as_str()), true).map_err(stopped)?;
        let how = WriteOpen {
            read: mode.open.contains(OpenMode::READ),
            create: mode.create,
            exclusive: mode.exclusive,
            truncate: mode.truncate,
        };
        let opened = tape
            .effect(key!("fs.open-write", real, how), || resolve::open_write(parent, &place.name, how))
            .map_err(|lost| self.lost(lost, target, cap, OP, Some(of)))?;
        if mode.create {
            self.name_sink(of, &real)?;
        }
        let (mount, identity) = (permit.mount(), opened.identity);
        recorder.labelled(|labels| labels.opened(identity, opened.size, true));
        let descriptor = self.descriptor(opened, mount, mode.open);
        self.adopt(descriptor, Handle { identity: Some(identity), ..Handle::new(real, mount, Some(of), true) })
    }

    /// A hard link, or another spelling on a file system that folds case, is another name for a file that a rule denies by its name.
    pub(crate) fn not_denied(
        &self,
        identity: Identity,
        cap: Capability,
        op: &'static str,
        requested: &str,
        real: &GuestPath,
    ) -> FsResult<()> {
        match self.guard.roots.denied(identity, cap == Capability::FsWrite) {
            None => Ok(()),
            Some(rule) => {
                let denial = Denial::by_rule(cap, DenialCode::DenyRule, rule);
                Err(self.refuse(&denial, op, requested, Some(real.as_str())))
            }
        }
    }

    /// The name of something created is text the guest chose: a sink.
    pub(crate) fn name_sink(&self, of: u64, path: &GuestPath) -> FsResult<()> {
        let name = path.file_name().unwrap_or("/");
        let label = format!("{path}#name");
        self.guard.recorder.labelled(|labels| labels.place_name(name));
        // Not counted as file content: a name is written to a directory, and the number of names is bounded by the records they cause.
        self.guard.recorder.whole_again(of, Way::Out(SinkKind::File), &label, name.as_bytes()).map_err(stopped)
    }

    fn descriptor(&self, opened: resolve::Opened, mount: Option<usize>, mode: OpenMode) -> Descriptor {
        let writable = mount.and_then(|at| self.guard.roots.mounts.get(at)).is_some_and(|root| root.writable);
        let perms = if writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        let file = std::fs::File::from(opened.fd);
        if opened.directory {
            Descriptor::Dir(Dir::new(file, perms, mode, true))
        } else {
            Descriptor::File(File::new(file, perms, mode, true))
        }
    }
}
