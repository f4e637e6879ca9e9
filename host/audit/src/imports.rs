//! From the name of an import to what it lets a component do. An interface that is not known can do anything as far as anybody here can tell, so it has no
//! capability and is named instead.

use customs_policy::Capability;

/// Something a component asks its host for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The interface without its version (`wasi:filesystem/types`), or the module of a core module.
    pub interface: String,
    /// The functions of it that are used, sorted; empty where that can't be told from outside, and then all of them count.
    pub functions: Vec<String>,
    /// What they let it do, sorted.
    pub capabilities: Vec<Capability>,
    /// Whether this is an interface that the program knows: of WASI 0.2, preview 1 or `customs:tool`.
    pub known: bool,
}

impl Import {
    /// An import with what it lets a component do. The version is taken off.
    #[must_use]
    pub fn new(interface: &str, functions: Vec<String>) -> Import {
        let interface = interface.split_once('@').map_or(interface, |(name, _)| name).to_owned();
        let mut capabilities: Vec<Capability> = if functions.is_empty() {
            of_interface(&interface).to_vec()
        } else {
            functions.iter().flat_map(|function| of_function(&interface, function)).copied().collect()
        };
        capabilities.sort_unstable();
        capabilities.dedup();
        let known = is_known(&interface);
        Import { interface, functions, capabilities, known }
    }

    /// An import of which only the types are used: it lets nobody do anything.
    #[must_use]
    pub fn of_types(interface: &str) -> Import {
        Import { capabilities: Vec::new(), ..Import::new(interface, Vec::new()) }
    }
}

/// Everything that these imports let a component do, sorted.
#[must_use]
pub fn capabilities_of(imports: &[Import]) -> Vec<Capability> {
    Capability::ALL
        .iter()
        .copied()
        .filter(|capability| imports.iter().any(|import| import.capabilities.contains(capability)))
        .collect()
}

const PREVIEW1: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

fn is_known(interface: &str) -> bool {
    PREVIEW1.contains(&interface)
        || ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:http/", "wasi:io/", "wasi:random/", "wasi:sockets/"]
            .iter()
            .any(|package| interface.starts_with(package))
        || interface.starts_with("customs:tool/")
}

/// What an interface lets a component do that uses all of it.
fn of_interface(interface: &str) -> &'static [Capability] {
    use Capability::{
        ClockRead, DnsLookup, EnvGet, FsList, FsRead, FsStat, FsWrite, HttpRequest, RandomRead, StdioRead, StdioWrite,
        TcpConnect, TcpListen, UdpSend,
    };
    match interface {
        "wasi:filesystem/types" => &[FsRead, FsWrite, FsList, FsStat],
        "wasi:filesystem/preopens" => &[],
        "wasi:cli/environment" => &[EnvGet],
        "wasi:cli/stdin" => &[StdioRead],
        "wasi:cli/stdout" | "wasi:cli/stderr" => &[StdioWrite],
        "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" => &[ClockRead],
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => &[RandomRead],
        "wasi:http/outgoing-handler" => &[HttpRequest],
        "wasi:sockets/ip-name-lookup" => &[DnsLookup],
        "wasi:sockets/tcp" => &[TcpConnect, TcpListen],
        "wasi:sockets/udp" => &[UdpSend],
        _ if PREVIEW1.contains(&interface) => {
            &[FsRead, FsWrite, FsList, FsStat, EnvGet, ClockRead, RandomRead, StdioRead, StdioWrite]
        }
        _ => &[],
    }
}

/// What one function of an interface lets a component do.
fn of_function(interface: &str, function: &str) -> &'static [Capability] {
    use Capability::{FsList, FsRead, FsStat, FsWrite, StdioRead, StdioWrite, TcpConnect, TcpListen, UdpSend};
    let plain = function.rsplit_once('.').map_or(function, |(_, name)| name);
    match interface {
        // What opening asks for is in its flags: content, names, or a change.
        "wasi:filesystem/types" => match plain {
            "open-at" => &[FsRead, FsList, FsWrite],
            "read" | "read-via-stream" => &[FsRead],
            "read-directory" | "read-directory-entry" => &[FsList],
            "stat" | "stat-at" | "readlink-at" | "metadata-hash" | "metadata-hash-at" => &[FsStat],
            "write"
            | "write-via-stream"
            | "append-via-stream"
            | "set-size"
            | "set-times"
            | "set-times-at"
            | "create-directory-at"
            | "remove-directory-at"
            | "unlink-file-at"
            | "link-at"
            | "rename-at"
            | "symlink-at" => &[FsWrite],
            _ => &[],
        },
        "wasi:cli/environment" if plain != "get-environment" => &[],
        "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" if plain != "now" => &[],
        "wasi:sockets/tcp" => match plain {
            "start-connect" | "finish-connect" => &[TcpConnect],
            "start-listen" | "finish-listen" | "accept" => &[TcpListen],
            _ => &[],
        },
        "wasi:sockets/udp" => match plain {
            "stream" | "send" => &[UdpSend],
            _ => &[],
        },
        "wasi:sockets/ip-name-lookup" if plain != "resolve-addresses" => &[],
        _ if PREVIEW1.contains(&interface) => match plain {
            "path_open" => &[FsRead, FsList, FsWrite],
            // A descriptor may be a file or a standard stream.
            "fd_read" => &[FsRead, StdioRead],
            "fd_pread" => &[FsRead],
            "fd_write" => &[FsWrite, StdioWrite],
            "fd_readdir" => &[FsList],
            "fd_filestat_get" | "path_filestat_get" | "path_readlink" => &[FsStat],
            "fd_pwrite"
            | "fd_allocate"
            | "fd_filestat_set_size"
            | "fd_filestat_set_times"
            | "path_create_directory"
            | "path_filestat_set_times"
            | "path_link"
            | "path_remove_directory"
            | "path_rename"
            | "path_symlink"
            | "path_unlink_file" => &[FsWrite],
            "environ_get" | "environ_sizes_get" => &[Capability::EnvGet],
            "clock_time_get" => &[Capability::ClockRead],
            "random_get" => &[Capability::RandomRead],
            _ => &[],
        },
        _ => of_interface(interface),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_a_reader_of_files_does_not_list_them() {
        let all = Import::new("wasi:filesystem/types@0.2.6", Vec::new());
        assert_eq!(all.interface, "wasi:filesystem/types");
        assert_eq!(all.capabilities.len(), 4);
        let reader = Import::new("wasi:filesystem/types@0.2.6", vec!["[method]descriptor.read".to_owned()]);
        assert_eq!(reader.capabilities, [Capability::FsRead]);
    }

    #[test]
    fn import_of_nobody_knows_what_has_no_capability_and_is_not_known() {
        let odd = Import::new("acme:billing/charge@1.0.0", Vec::new());
        assert!(!odd.known && odd.capabilities.is_empty());
        assert!(Import::new("wasi:io/streams@0.2.6", Vec::new()).known);
    }
}
