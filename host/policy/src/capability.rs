//! The kinds of access a guest can ask for. The names are part of the contract: ledgers, reports and policies use them.

use std::fmt;
use std::str::FromStr;

macro_rules! capabilities {
    ($($variant:ident = $name:literal: $what:literal,)*) => {
        /// A kind of access across the import boundary.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $(#[doc = $what] $variant,)*
        }

        impl Capability {
            /// Every capability, in the order of the contract.
            pub const ALL: &[Capability] = &[$(Capability::$variant,)*];

            /// The stable name, such as `fs.read`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Capability::$variant => $name,)*
                }
            }
        }
    };
}

capabilities! {
    FsRead = "fs.read": "Content of a file.",
    FsWrite = "fs.write": "Any change: content, names, times, links.",
    FsList = "fs.list": "Names in a directory.",
    FsStat = "fs.stat": "Metadata of a file or directory, or the target of a link.",
    EnvGet = "env.get": "An environment variable.",
    HttpRequest = "http.request": "An HTTP or HTTPS request.",
    DnsLookup = "dns.lookup": "A name lookup.",
    TcpConnect = "tcp.connect": "An outgoing TCP connection.",
    TcpListen = "tcp.listen": "A listening TCP socket.",
    UdpSend = "udp.send": "A UDP datagram.",
    ClockRead = "clock.read": "A wall or monotonic clock.",
    RandomRead = "random.read": "Random bytes.",
    StdioRead = "stdio.read": "Standard input.",
    StdioWrite = "stdio.write": "Standard output and error.",
}

impl Capability {
    /// Whether an access of this kind can change something outside or be noticed there. What only comes in, the tool's own output, clocks and
    /// random numbers do not.
    pub const fn reaches_out(self) -> bool {
        match self {
            Capability::FsWrite
            | Capability::HttpRequest
            | Capability::DnsLookup
            | Capability::TcpConnect
            | Capability::TcpListen
            | Capability::UdpSend => true,
            Capability::FsRead
            | Capability::FsList
            | Capability::FsStat
            | Capability::EnvGet
            | Capability::ClockRead
            | Capability::RandomRead
            | Capability::StdioRead
            | Capability::StdioWrite => false,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCapability;

impl fmt::Display for UnknownCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a capability")
    }
}

impl std::error::Error for UnknownCapability {}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|capability| capability.as_str() == text).ok_or(UnknownCapability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capability_every_name_reads_back() {
        for capability in Capability::ALL {
            assert_eq!(capability.as_str().parse(), Ok(*capability));
        }
        assert_eq!(Capability::ALL.len(), 14);
        assert_eq!("FS.READ".parse::<Capability>(), Err(UnknownCapability));
    }
}
