//! The machine, by name: paths, environment, clock. The one file of the program with ambient authority; everything else gets what it
//! needs from here, as open handles or plain values.

#![expect(clippy::disallowed_methods, reason = "this is the file that the rest of the program is kept out of")]

use crate::exit::Fault;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use customs_boundary::network::{Lookup, Network, Resolver, Secrets, Tls};
use customs_engine::load::Cache;
use customs_policy::{HostView, PathKind, Policy};
use rustix::fs::{Mode, OFlags};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// What a policy asks about the machine.
#[derive(Debug)]
pub(crate) struct Machine;

impl HostView for Machine {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let real = std::fs::canonicalize(path).map_err(|e| plain(&e))?;
        let meta = std::fs::metadata(&real).map_err(|e| plain(&e))?;
        let kind = if meta.is_dir() {
            PathKind::Dir
        } else if meta.is_file() {
            PathKind::File
        } else {
            PathKind::Other
        };
        Ok((real, kind))
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }

    fn home(&self) -> Option<PathBuf> {
        home()
    }
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|h| !h.is_empty()).map(PathBuf::from)
}

/// The system's words without the number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let cut = text.find(" (os error").unwrap_or(text.len());
    let mut text = text.get(..cut).unwrap_or_default().to_owned();
    if let Some(first) = text.get(..1) {
        let lower = first.to_lowercase();
        text.replace_range(..1, &lower);
    }
    text
}

/// Honours <https://no-color.org>.
pub(crate) fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) || std::env::var_os("TERM").is_some_and(|t| t == "dumb")
}

pub(crate) fn working_directory() -> Result<PathBuf, Fault> {
    std::env::current_dir().map_err(|e| Fault::Refused(format!("the working directory cannot be used: {}", plain(&e))))
}

/// First argument, to recognise the compiling child before anything else.
pub(crate) fn first_argument() -> Option<OsString> {
    std::env::args_os().nth(1)
}

pub(crate) fn own_program() -> Result<PathBuf, Fault> {
    std::env::current_exe().map_err(|e| Fault::Internal(format!("the program cannot find itself: {}", plain(&e))))
}

/// Random bytes of the system.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Fault> {
    getrandom::fill(bytes).map_err(|e| Fault::Internal(format!("the system gives no random numbers: {e}")))
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest % 3_600 / 60, rest % 60)
}

/// Days since 1970-01-01 as a date of the Gregorian calendar, counted in eras of 400 years from 0000-03-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let of_era = z % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Opens a file that the person named, for reading. Anything but a regular file is refused without waiting on it.
pub(crate) fn open(path: &Path) -> Result<std::fs::File, Fault> {
    let refuse = |why: String| Fault::Refused(format!("{}: {why}", path.display()));
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| refuse(plain(&e.into())))?;
    let file = std::fs::File::from(fd);
    let meta = file.metadata().map_err(|e| refuse(plain(&e)))?;
    if meta.is_dir() {
        return Err(refuse("is a directory".to_owned()));
    }
    if !meta.is_file() {
        return Err(refuse("is not a regular file".to_owned()));
    }
    Ok(file)
}

/// Reads a small file that the person named.
pub(crate) fn read(path: &Path, at_most: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let file = open(path)?;
    file.take(at_most + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Fault::Refused(format!("{}: {}", path.display(), plain(&e))))?;
    if bytes.len() as u64 > at_most {
        return Err(Fault::Refused(format!("{}: is larger than {at_most} bytes", path.display())));
    }
    Ok(bytes)
}

/// Reads standard input.
pub(crate) fn read_stdin(at_most: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(at_most + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Fault::Refused(format!("standard input cannot be read: {}", plain(&e))))?;
    if bytes.len() as u64 > at_most {
        return Err(Fault::Refused(format!("standard input is larger than {at_most} bytes")));
    }
    Ok(bytes)
}

/// The directory of a file to be made, open, and the file's name in it.
pub(crate) fn parent(path: &Path) -> Result<(Dir, String, PathBuf), Fault> {
    let refuse = |why: &str| Fault::Refused(format!("{}: {why}", path.display()));
    let name = path.file_name().and_then(OsStr::to_str).ok_or_else(|| refuse("is not a file name"))?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = std::fs::canonicalize(parent).map_err(|e| refuse(&format!("its directory: {}", plain(&e))))?;
    let dir = Dir::open_ambient_dir(&real, ambient_authority()).map_err(|e| refuse(&plain(&e)))?;
    Ok((dir, name.to_owned(), real.join(name)))
}

/// A directory for files of ours, open, and where it really is.
pub(crate) fn directory(path: &Path) -> Result<(Dir, PathBuf), Fault> {
    let refuse = |e: std::io::Error| Fault::Refused(format!("{}: {}", path.display(), plain(&e)));
    let real = std::fs::canonicalize(path).map_err(refuse)?;
    Ok((Dir::open_ambient_dir(&real, ambient_authority()).map_err(refuse)?, real))
}

/// Standard input and output, for a protocol.
pub(crate) fn stdio() -> Result<(OwnedFd, OwnedFd), Fault> {
    let again = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(Fault::internal);
    Ok((again(rustix::stdio::stdin())?, again(rustix::stdio::stdout())?))
}

/// Returns when someone wants the program to end: SIGINT or SIGTERM.
pub(crate) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Then a signal ends the program at once, as it does by default.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The real path of something that exists.
pub(crate) fn canonical(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// A variable of this program's own environment.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Fault> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Fault::Refused(format!("{name} is not UTF-8"))),
    }
}

/// The wall clock now.
#[cfg(feature = "otel")]
pub(crate) fn clock() -> customs_serve::Clock {
    let moment = std::time::Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    customs_serve::Clock { moment, nanoseconds: u64::try_from(since).unwrap_or(u64::MAX) }
}

/// A socket that clients connect to.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).map_err(|e| Fault::Refused(format!("{address} cannot be listened on: {}", plain(&e))))
}

/// True where others than the owner may read.
pub(crate) fn readable_by_others(file: &std::fs::File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|m| m.mode() & 0o044 != 0)
}

/// What a file looks like from outside: enough to see that it may be another one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// When its content changed, and when anything of it did, as seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
    /// It had not changed for a while when it was looked at. Clocks of file systems are coarse: a file that has just been changed may be
    /// changed again without looking different.
    settled: bool,
}

/// The file at the end of this path as it is now; none where there is none.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    const COARSE: i64 = 1;
    let meta = std::fs::metadata(path).ok()?;
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
    Some(Stamp {
        device: meta.dev(),
        inode: meta.ino(),
        size: meta.size(),
        modified: (meta.mtime(), meta.mtime_nsec()),
        changed: (meta.ctime(), meta.ctime_nsec()),
        settled: now.saturating_sub(meta.ctime()) > COARSE,
    })
}

/// Whether a file is surely what it was.
pub(crate) fn is_same(was: Option<&Stamp>, is: Option<&Stamp>) -> bool {
    match (was, is) {
        (Some(was), Some(is)) => was.settled && Stamp { settled: true, ..*is } == *was,
        (None, None) => true,
        _ => false,
    }
}

/// Whether this file is the person's to write, and so is its place.
pub(crate) fn may_replace(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(meta) = std::fs::symlink_metadata(path) else { return false };
    let may = |path: &Path, access| rustix::fs::access(path, access).is_ok();
    meta.is_file()
        && meta.uid() == rustix::process::geteuid().as_raw()
        && may(path, rustix::fs::Access::WRITE_OK)
        && path.parent().is_some_and(|dir| may(dir, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK))
}

/// Puts other content in place of a file's, at once or not at all; its mode stays. `before` is what must still be in it. `word` makes the name
/// of the file that is written first.
pub(crate) fn replace(path: &Path, before: &[u8], after: &[u8], word: &str) -> Result<(), Fault> {
    use std::io::Write as _;
    let refuse = |e: std::io::Error| Fault::Refused(format!("{}: {}", path.display(), plain(&e)));
    let (dir, name, _) = parent(path)?;
    let new = format!(".{name}.{word}");
    let mode = std::fs::symlink_metadata(path).map_err(refuse)?.permissions();
    let written = || {
        let mut options = cap_std::fs::OpenOptions::new();
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = dir.open_with(&new, options.write(true).create_new(true))?.into_std();
        file.write_all(after)?;
        file.set_permissions(mode)?;
        file.sync_all()
    };
    let done = written().map_err(refuse).and_then(|()| {
        if read(path, before.len() as u64).is_ok_and(|now| now == before) {
            dir.rename(&new, &dir, &name).map_err(refuse)
        } else {
            Err(Fault::Refused(format!("{}: was changed meanwhile", path.display())))
        }
    });
    if done.is_err() {
        dir.remove_file(&new).ok();
    }
    done
}

/// True where others than the owner may write.
pub(crate) fn world_writable(file: &std::fs::File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|m| m.mode() & 0o002 != 0)
}

/// Our own directories: compiled code, and the empty directory that stands for "/".
pub(crate) struct State {
    pub(crate) cache: Option<Cache>,
    pub(crate) empty: std::fs::File,
    /// Where they really are; code that a tool could write there would run outside of the sandbox.
    pub(crate) place: Option<PathBuf>,
    /// Why there is no cache, for a person.
    pub(crate) warning: Option<String>,
}

fn cache_base() -> Option<PathBuf> {
    std::env::var_os("CUSTOMS_CACHE_DIR")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute()).map(|p| p.join("customs"))
        })
        .or_else(|| home().map(|h| h.join(".cache").join("customs")))
}

/// Opens them below the user's cache directory. Without one everything works, uncached.
pub(crate) fn state() -> Result<State, Fault> {
    let Some(base) = cache_base() else { return without_cache("there is no home directory".to_owned()) };
    match private(&base.join("code")) {
        Ok(code) => {
            let empty =
                private(&base.join("empty")).map_err(|e| Fault::Internal(format!("{}: {e}", base.display())))?;
            let (cache, warning) = match Cache::open(code) {
                Ok(cache) => (Some(cache), None),
                Err(e) => (None, Some(e.to_string())),
            };
            Ok(State { cache, empty: checked_empty(empty.into_std_file())?, place: canonical(&base), warning })
        }
        Err(why) => without_cache(format!("{}: {why}", base.display())),
    }
}

fn without_cache(why: String) -> Result<State, Fault> {
    // A directory that is removed at once: an empty place that nothing can be put into.
    let path = std::env::temp_dir().join(format!("customs-{}-{}", std::process::id(), now().replace(':', "")));
    let fail = |e: std::io::Error| Fault::Internal(format!("no temporary directory can be made: {}", plain(&e)));
    std::fs::create_dir(&path).map_err(fail)?;
    let dir = Dir::open_ambient_dir(&path, ambient_authority()).map_err(fail)?;
    std::fs::remove_dir(&path).map_err(fail)?;
    let warning = Some(format!("compiled code is not kept ({why})"));
    Ok(State { cache: None, empty: dir.into_std_file(), place: None, warning })
}

/// A directory that is ours alone and gone when this is dropped. Where the program was killed meanwhile, the next one that makes one removes it:
/// whoever has a directory holds a lock on it.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Canonical.
    pub(crate) path: PathBuf,
    pub(crate) dir: Dir,
    _lock: OwnedFd,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one.
        std::fs::remove_dir_all(&self.path).ok();
    }
}

/// Makes one below the user's cache directory, or where there is none below the directory for temporary files.
pub(crate) fn scratch() -> Result<Scratch, Fault> {
    let base = cache_base()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("customs-{}", rustix::process::geteuid().as_raw())));
    let refuse =
        |why: String| Fault::Refused(format!("no private directory can be made below {}: {why}", base.display()));
    let all = base.join("scratch");
    let parent = private(&all).map_err(refuse)?;
    let real = std::fs::canonicalize(&all).map_err(|e| refuse(plain(&e)))?;
    sweep(&parent, &real);
    let name = customs_ledger::run_id().map_err(Fault::internal)?;
    let path = real.join(name);
    let dir = private(&path).map_err(refuse)?;
    let lock = locked(&path).ok_or_else(|| refuse("it cannot be locked".to_owned()))?;
    Ok(Scratch { path, dir, _lock: lock })
}

/// Holds a directory that nobody else holds.
fn locked(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    rustix::fs::flock(&fd, rustix::fs::FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(fd)
}

/// Removes what a killed program left.
fn sweep(parent: &Dir, real: &Path) {
    for entry in parent.entries().into_iter().flatten().flatten() {
        let name = entry.file_name();
        // One that was made this moment may not be locked yet.
        let old = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.into_std().elapsed().ok());
        let path = real.join(&name);
        if old.is_some_and(|age| age.as_secs() > 60) && locked(&path).is_some() {
            parent.remove_dir_all(&name).ok();
        }
    }
}

/// Makes a directory that is ours alone, and opens it.
fn private(path: &Path) -> Result<Dir, String> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| plain(&e))?;
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|e| plain(&e))
}

/// The stand-in for "/" is listed to guests: it must stay empty.
fn checked_empty(dir: std::fs::File) -> Result<std::fs::File, Fault> {
    let fail = |e: std::io::Error| Fault::Internal(format!("the empty directory cannot be read: {}", plain(&e)));
    let handle = Dir::from_std_file(dir.try_clone().map_err(fail)?);
    if handle.entries().map_err(fail)?.next().is_some() {
        return Err(Fault::Internal(
            "the directory \"empty\" in the cache directory is not empty; remove what is in it".to_owned(),
        ));
    }
    Ok(dir)
}

/// The network of this machine, for calls under this policy.
pub(crate) fn network(policy: &Policy) -> Result<Network, Fault> {
    let values = |name: &str| std::env::var(name).ok();
    let secrets = Secrets::of(policy, values).map_err(Fault::Refused)?;
    let tls = match policy.net().tls_roots() {
        // Read now: a file that does not hold certificates is the person's to mend, not the tool's to stumble over.
        Some(path) => {
            let roots = certificates(&read(path, MAX_ROOTS)?)
                .map_err(|why| Fault::Refused(format!("--tls-roots={}: {why}", path.display())))?;
            Tls::trusting(move || Ok(roots.clone()))
        }
        None => Tls::trusting(platform_roots),
    };
    Ok(Network::new(Arc::new(SystemResolver(Arc::new(Semaphore::new(MAX_LOOKUPS)))), tls, secrets))
}

/// The largest file of certificates that is read: the usual bundle of a platform has a quarter of a megabyte.
const MAX_ROOTS: u64 = 8 << 20;

fn certificates(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "is not PEM".to_owned())?;
        roots.add(certificate).map_err(|e| format!("holds a certificate that cannot be used: {e}"))?;
    }
    if roots.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(roots) }
}

/// What this platform trusts, or the roots that came with the program where it has none (a bare container).
fn platform_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // One certificate that cannot be read is no reason not to trust the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

/// Lookups at once: each holds a thread until the system answers.
const MAX_LOOKUPS: usize = 16;

/// Names as the system resolves them for every program: hosts file, DNS servers, search list. The addresses are checked whatever it says.
struct SystemResolver(Arc<Semaphore>);

impl Resolver for SystemResolver {
    fn lookup(&self, name: &str) -> Lookup {
        let (name, places) = (name.to_owned(), Arc::clone(&self.0));
        Box::pin(async move {
            let _place = places.acquire().await.map_err(|_| std::io::ErrorKind::Interrupted)?;
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_are_right_around_leap_days() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(11_017), (2000, 3, 1));
        assert_eq!(civil(20_777), (2026, 11, 20));
    }
}
