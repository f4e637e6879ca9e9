//! Every host function of ours that a guest can call, with a counter each. The counts close a call's record, so that an
//! independent observer can compare: a call the guest made that is not counted here went round the boundary.

use std::collections::BTreeMap;

macro_rules! imports {
    ($($variant:ident = $interface:literal # $function:literal,)*) => {
        /// A host function, named as in WIT.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Import { $($variant,)* }

        impl Import {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Import] = &[$(Import::$variant,)*];

            /// `interface#function`, without a version.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Import::$variant => concat!($interface, "#", $function),)* }
            }
        }
    };
}

imports! {
    GetDirectories = "wasi:filesystem/preopens" # "get-directories",
    FsErrorCode = "wasi:filesystem/types" # "filesystem-error-code",
    Advise = "wasi:filesystem/types" # "[method]descriptor.advise",
    SyncData = "wasi:filesystem/types" # "[method]descriptor.sync-data",
    Sync = "wasi:filesystem/types" # "[method]descriptor.sync",
    GetFlags = "wasi:filesystem/types" # "[method]descriptor.get-flags",
    GetType = "wasi:filesystem/types" # "[method]descriptor.get-type",
    IsSameObject = "wasi:filesystem/types" # "[method]descriptor.is-same-object",
    OpenAt = "wasi:filesystem/types" # "[method]descriptor.open-at",
    Read = "wasi:filesystem/types" # "[method]descriptor.read",
    ReadViaStream = "wasi:filesystem/types" # "[method]descriptor.read-via-stream",
    ReadDirectory = "wasi:filesystem/types" # "[method]descriptor.read-directory",
    Stat = "wasi:filesystem/types" # "[method]descriptor.stat",
    StatAt = "wasi:filesystem/types" # "[method]descriptor.stat-at",
    ReadlinkAt = "wasi:filesystem/types" # "[method]descriptor.readlink-at",
    MetadataHash = "wasi:filesystem/types" # "[method]descriptor.metadata-hash",
    MetadataHashAt = "wasi:filesystem/types" # "[method]descriptor.metadata-hash-at",
    Write = "wasi:filesystem/types" # "[method]descriptor.write",
    WriteViaStream = "wasi:filesystem/types" # "[method]descriptor.write-via-stream",
    AppendViaStream = "wasi:filesystem/types" # "[method]descriptor.append-via-stream",
    SetSize = "wasi:filesystem/types" # "[method]descriptor.set-size",
    SetTimes = "wasi:filesystem/types" # "[method]descriptor.set-times",
    SetTimesAt = "wasi:filesystem/types" # "[method]descriptor.set-times-at",
    CreateDirectoryAt = "wasi:filesystem/types" # "[method]descriptor.create-directory-at",
    RemoveDirectoryAt = "wasi:filesystem/types" # "[method]descriptor.remove-directory-at",
    UnlinkFileAt = "wasi:filesystem/types" # "[method]descriptor.unlink-file-at",
    LinkAt = "wasi:filesystem/types" # "[method]descriptor.link-at",
    RenameAt = "wasi:filesystem/types" # "[method]descriptor.rename-at",
    SymlinkAt = "wasi:filesystem/types" # "[method]descriptor.symlink-at",
    ReadDirectoryEntry = "wasi:filesystem/types" # "[method]directory-entry-stream.read-directory-entry",
    GetEnvironment = "wasi:cli/environment" # "get-environment",
    GetArguments = "wasi:cli/environment" # "get-arguments",
    InitialCwd = "wasi:cli/environment" # "initial-cwd",
    GetStdin = "wasi:cli/stdin" # "get-stdin",
    GetStdout = "wasi:cli/stdout" # "get-stdout",
    GetStderr = "wasi:cli/stderr" # "get-stderr",
    GetTerminalStdin = "wasi:cli/terminal-stdin" # "get-terminal-stdin",
    GetTerminalStdout = "wasi:cli/terminal-stdout" # "get-terminal-stdout",
    GetTerminalStderr = "wasi:cli/terminal-stderr" # "get-terminal-stderr",
    Exit = "wasi:cli/exit" # "exit",
    ExitWithCode = "wasi:cli/exit" # "exit-with-code",
    WallNow = "wasi:clocks/wall-clock" # "now",
    WallResolution = "wasi:clocks/wall-clock" # "resolution",
    MonotonicNow = "wasi:clocks/monotonic-clock" # "now",
    MonotonicResolution = "wasi:clocks/monotonic-clock" # "resolution",
    SubscribeInstant = "wasi:clocks/monotonic-clock" # "subscribe-instant",
    SubscribeDuration = "wasi:clocks/monotonic-clock" # "subscribe-duration",
    GetRandomBytes = "wasi:random/random" # "get-random-bytes",
    GetRandomU64 = "wasi:random/random" # "get-random-u64",
    GetInsecureRandomBytes = "wasi:random/insecure" # "get-insecure-random-bytes",
    GetInsecureRandomU64 = "wasi:random/insecure" # "get-insecure-random-u64",
    InsecureSeed = "wasi:random/insecure-seed" # "insecure-seed",
    InstanceNetwork = "wasi:sockets/instance-network" # "instance-network",
    NetworkErrorCode = "wasi:sockets/network" # "network-error-code",
    CreateTcpSocket = "wasi:sockets/tcp-create-socket" # "create-tcp-socket",
    CreateUdpSocket = "wasi:sockets/udp-create-socket" # "create-udp-socket",
    ResolveAddresses = "wasi:sockets/ip-name-lookup" # "resolve-addresses",
    ResolveNextAddress = "wasi:sockets/ip-name-lookup" # "[method]resolve-address-stream.resolve-next-address",
    ResolveSubscribe = "wasi:sockets/ip-name-lookup" # "[method]resolve-address-stream.subscribe",
    TcpStartBind = "wasi:sockets/tcp" # "[method]tcp-socket.start-bind",
    TcpFinishBind = "wasi:sockets/tcp" # "[method]tcp-socket.finish-bind",
    TcpStartConnect = "wasi:sockets/tcp" # "[method]tcp-socket.start-connect",
    TcpFinishConnect = "wasi:sockets/tcp" # "[method]tcp-socket.finish-connect",
    TcpStartListen = "wasi:sockets/tcp" # "[method]tcp-socket.start-listen",
    TcpFinishListen = "wasi:sockets/tcp" # "[method]tcp-socket.finish-listen",
    TcpAccept = "wasi:sockets/tcp" # "[method]tcp-socket.accept",
    TcpLocalAddress = "wasi:sockets/tcp" # "[method]tcp-socket.local-address",
    TcpRemoteAddress = "wasi:sockets/tcp" # "[method]tcp-socket.remote-address",
    TcpIsListening = "wasi:sockets/tcp" # "[method]tcp-socket.is-listening",
    TcpAddressFamily = "wasi:sockets/tcp" # "[method]tcp-socket.address-family",
    TcpSetListenBacklogSize = "wasi:sockets/tcp" # "[method]tcp-socket.set-listen-backlog-size",
    TcpKeepAliveEnabled = "wasi:sockets/tcp" # "[method]tcp-socket.keep-alive-enabled",
    TcpSetKeepAliveEnabled = "wasi:sockets/tcp" # "[method]tcp-socket.set-keep-alive-enabled",
    TcpKeepAliveIdleTime = "wasi:sockets/tcp" # "[method]tcp-socket.keep-alive-idle-time",
    TcpSetKeepAliveIdleTime = "wasi:sockets/tcp" # "[method]tcp-socket.set-keep-alive-idle-time",
    TcpKeepAliveInterval = "wasi:sockets/tcp" # "[method]tcp-socket.keep-alive-interval",
    TcpSetKeepAliveInterval = "wasi:sockets/tcp" # "[method]tcp-socket.set-keep-alive-interval",
    TcpKeepAliveCount = "wasi:sockets/tcp" # "[method]tcp-socket.keep-alive-count",
    TcpSetKeepAliveCount = "wasi:sockets/tcp" # "[method]tcp-socket.set-keep-alive-count",
    TcpHopLimit = "wasi:sockets/tcp" # "[method]tcp-socket.hop-limit",
    TcpSetHopLimit = "wasi:sockets/tcp" # "[method]tcp-socket.set-hop-limit",
    TcpReceiveBufferSize = "wasi:sockets/tcp" # "[method]tcp-socket.receive-buffer-size",
    TcpSetReceiveBufferSize = "wasi:sockets/tcp" # "[method]tcp-socket.set-receive-buffer-size",
    TcpSendBufferSize = "wasi:sockets/tcp" # "[method]tcp-socket.send-buffer-size",
    TcpSetSendBufferSize = "wasi:sockets/tcp" # "[method]tcp-socket.set-send-buffer-size",
    TcpSubscribe = "wasi:sockets/tcp" # "[method]tcp-socket.subscribe",
    TcpShutdown = "wasi:sockets/tcp" # "[method]tcp-socket.shutdown",
    UdpStartBind = "wasi:sockets/udp" # "[method]udp-socket.start-bind",
    UdpFinishBind = "wasi:sockets/udp" # "[method]udp-socket.finish-bind",
    UdpStream = "wasi:sockets/udp" # "[method]udp-socket.stream",
    UdpLocalAddress = "wasi:sockets/udp" # "[method]udp-socket.local-address",
    UdpRemoteAddress = "wasi:sockets/udp" # "[method]udp-socket.remote-address",
    UdpAddressFamily = "wasi:sockets/udp" # "[method]udp-socket.address-family",
    UdpUnicastHopLimit = "wasi:sockets/udp" # "[method]udp-socket.unicast-hop-limit",
    UdpSetUnicastHopLimit = "wasi:sockets/udp" # "[method]udp-socket.set-unicast-hop-limit",
    UdpReceiveBufferSize = "wasi:sockets/udp" # "[method]udp-socket.receive-buffer-size",
    UdpSetReceiveBufferSize = "wasi:sockets/udp" # "[method]udp-socket.set-receive-buffer-size",
    UdpSendBufferSize = "wasi:sockets/udp" # "[method]udp-socket.send-buffer-size",
    UdpSetSendBufferSize = "wasi:sockets/udp" # "[method]udp-socket.set-send-buffer-size",
    UdpSubscribe = "wasi:sockets/udp" # "[method]udp-socket.subscribe",
    UdpInReceive = "wasi:sockets/udp" # "[method]incoming-datagram-stream.receive",
    UdpInSubscribe = "wasi:sockets/udp" # "[method]incoming-datagram-stream.subscribe",
    UdpOutCheckSend = "wasi:sockets/udp" # "[method]outgoing-datagram-stream.check-send",
    UdpOutSend = "wasi:sockets/udp" # "[method]outgoing-datagram-stream.send",
    UdpOutSubscribe = "wasi:sockets/udp" # "[method]outgoing-datagram-stream.subscribe",
    HttpHandle = "wasi:http/outgoing-handler" # "handle",
    HttpErrorCode = "wasi:http/types" # "http-error-code",
    HttpFieldsNew = "wasi:http/types" # "[constructor]fields",
    HttpFieldsFromList = "wasi:http/types" # "[static]fields.from-list",
    HttpFieldsGet = "wasi:http/types" # "[method]fields.get",
    HttpFieldsHas = "wasi:http/types" # "[method]fields.has",
    HttpFieldsSet = "wasi:http/types" # "[method]fields.set",
    HttpFieldsDelete = "wasi:http/types" # "[method]fields.delete",
    HttpFieldsAppend = "wasi:http/types" # "[method]fields.append",
    HttpFieldsEntries = "wasi:http/types" # "[method]fields.entries",
    HttpFieldsClone = "wasi:http/types" # "[method]fields.clone",
    HttpIncomingRequestMethod = "wasi:http/types" # "[method]incoming-request.method",
    HttpIncomingRequestPathWithQuery = "wasi:http/types" # "[method]incoming-request.path-with-query",
    HttpIncomingRequestScheme = "wasi:http/types" # "[method]incoming-request.scheme",
    HttpIncomingRequestAuthority = "wasi:http/types" # "[method]incoming-request.authority",
    HttpIncomingRequestHeaders = "wasi:http/types" # "[method]incoming-request.headers",
    HttpIncomingRequestConsume = "wasi:http/types" # "[method]incoming-request.consume",
    HttpOutgoingRequestNew = "wasi:http/types" # "[constructor]outgoing-request",
    HttpOutgoingRequestBody = "wasi:http/types" # "[method]outgoing-request.body",
    HttpOutgoingRequestMethod = "wasi:http/types" # "[method]outgoing-request.method",
    HttpOutgoingRequestSetMethod = "wasi:http/types" # "[method]outgoing-request.set-method",
    HttpOutgoingRequestPathWithQuery = "wasi:http/types" # "[method]outgoing-request.path-with-query",
    HttpOutgoingRequestSetPathWithQuery = "wasi:http/types" # "[method]outgoing-request.set-path-with-query",
    HttpOutgoingRequestScheme = "wasi:http/types" # "[method]outgoing-request.scheme",
    HttpOutgoingRequestSetScheme = "wasi:http/types" # "[method]outgoing-request.set-scheme",
    HttpOutgoingRequestAuthority = "wasi:http/types" # "[method]outgoing-request.authority",
    HttpOutgoingRequestSetAuthority = "wasi:http/types" # "[method]outgoing-request.set-authority",
    HttpOutgoingRequestHeaders = "wasi:http/types" # "[method]outgoing-request.headers",
    HttpResponseOutparamSet = "wasi:http/types" # "[static]response-outparam.set",
    HttpResponseOutparamSendInformational = "wasi:http/types" # "[method]response-outparam.send-informational",
    HttpIncomingResponseStatus = "wasi:http/types" # "[method]incoming-response.status",
    HttpIncomingResponseHeaders = "wasi:http/types" # "[method]incoming-response.headers",
    HttpIncomingResponseConsume = "wasi:http/types" # "[method]incoming-response.consume",
    HttpFutureTrailersSubscribe = "wasi:http/types" # "[method]future-trailers.subscribe",
    HttpFutureTrailersGet = "wasi:http/types" # "[method]future-trailers.get",
    HttpIncomingBodyStream = "wasi:http/types" # "[method]incoming-body.stream",
    HttpIncomingBodyFinish = "wasi:http/types" # "[static]incoming-body.finish",
    HttpOutgoingResponseNew = "wasi:http/types" # "[constructor]outgoing-response",
    HttpOutgoingResponseBody = "wasi:http/types" # "[method]outgoing-response.body",
    HttpOutgoingResponseStatusCode = "wasi:http/types" # "[method]outgoing-response.status-code",
    HttpOutgoingResponseSetStatusCode = "wasi:http/types" # "[method]outgoing-response.set-status-code",
    HttpOutgoingResponseHeaders = "wasi:http/types" # "[method]outgoing-response.headers",
    HttpFutureIncomingResponseGet = "wasi:http/types" # "[method]future-incoming-response.get",
    HttpFutureIncomingResponseSubscribe = "wasi:http/types" # "[method]future-incoming-response.subscribe",
    HttpOutgoingBodyWrite = "wasi:http/types" # "[method]outgoing-body.write",
    HttpOutgoingBodyFinish = "wasi:http/types" # "[static]outgoing-body.finish",
    HttpRequestOptionsNew = "wasi:http/types" # "[constructor]request-options",
    HttpRequestOptionsConnectTimeout = "wasi:http/types" # "[method]request-options.connect-timeout",
    HttpRequestOptionsSetConnectTimeout = "wasi:http/types" # "[method]request-options.set-connect-timeout",
    HttpRequestOptionsFirstByteTimeout = "wasi:http/types" # "[method]request-options.first-byte-timeout",
    HttpRequestOptionsSetFirstByteTimeout = "wasi:http/types" # "[method]request-options.set-first-byte-timeout",
    HttpRequestOptionsBetweenBytesTimeout = "wasi:http/types" # "[method]request-options.between-bytes-timeout",
    HttpRequestOptionsSetBetweenBytesTimeout = "wasi:http/types" # "[method]request-options.set-between-bytes-timeout",
    Poll = "wasi:io/poll" # "poll",
    PollableBlock = "wasi:io/poll" # "[method]pollable.block",
    PollableReady = "wasi:io/poll" # "[method]pollable.ready",
    ErrorToDebugString = "wasi:io/error" # "[method]error.to-debug-string",
    InRead = "wasi:io/streams" # "[method]input-stream.read",
    InBlockingRead = "wasi:io/streams" # "[method]input-stream.blocking-read",
    InSkip = "wasi:io/streams" # "[method]input-stream.skip",
    InBlockingSkip = "wasi:io/streams" # "[method]input-stream.blocking-skip",
    InSubscribe = "wasi:io/streams" # "[method]input-stream.subscribe",
    OutCheckWrite = "wasi:io/streams" # "[method]output-stream.check-write",
    OutWrite = "wasi:io/streams" # "[method]output-stream.write",
    OutBlockingWriteAndFlush = "wasi:io/streams" # "[method]output-stream.blocking-write-and-flush",
    OutFlush = "wasi:io/streams" # "[method]output-stream.flush",
    OutBlockingFlush = "wasi:io/streams" # "[method]output-stream.blocking-flush",
    OutSubscribe = "wasi:io/streams" # "[method]output-stream.subscribe",
    OutWriteZeroes = "wasi:io/streams" # "[method]output-stream.write-zeroes",
    OutBlockingWriteZeroesAndFlush = "wasi:io/streams" # "[method]output-stream.blocking-write-zeroes-and-flush",
    OutSplice = "wasi:io/streams" # "[method]output-stream.splice",
    OutBlockingSplice = "wasi:io/streams" # "[method]output-stream.blocking-splice",
    Progress = "customs:tool/context" # "progress",
    Log = "customs:tool/context" # "log",
    IsCancelled = "customs:tool/context" # "is-cancelled",
}

/// How often each host function was called in one call.
#[derive(Clone, Debug)]
pub struct Counts([u64; Import::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Counts([0; Import::ALL.len()])
    }
}

impl Counts {
    pub fn add(&mut self, import: Import) {
        if let Some(count) = self.0.get_mut(import as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// The functions that were called, by name.
    #[must_use]
    pub fn called(&self) -> BTreeMap<&'static str, u64> {
        Import::ALL.iter().zip(self.0).filter(|(_, n)| *n > 0).map(|(i, n)| (i.name(), n)).collect()
    }
}
