//! A connection to one of the addresses that were decided, and to nothing else.

use super::Network;
use super::resolve::{Unreachable, addresses};
use crate::record::{Recorder, Stopped};
use crate::tape::key;
use customs_policy::{DenialCode, Endpoint, Permit};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use wasmtime_wasi_http::Error;

/// How long one address may take while there is another to try.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a request failed: what the guest is told, and what the record says.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) guest: Error,
    pub(crate) record: String,
}

impl Failed {
    pub(crate) fn new(guest: Error, record: impl Into<String>) -> Failed {
        Failed { guest, record: record.into() }
    }
}

impl From<Stopped> for Failed {
    fn from(stopped: Stopped) -> Self {
        Failed::new(Error::InternalError(Some(stopped.to_string())), "the call was stopped")
    }
}

impl From<Unreachable> for Failed {
    fn from(unreachable: Unreachable) -> Self {
        match unreachable {
            Unreachable::Denied(denial) => {
                let guest = match denial.code {
                    DenialCode::Address => Error::DestinationIpProhibited,
                    _ => Error::HttpRequestDenied,
                };
                Failed::new(guest, denial.code.sentence())
            }
            Unreachable::Unresolved(why) => Failed::new(Error::DnsError { rcode: None, info_code: None }, why),
            Unreachable::Stopped => Stopped.into(),
        }
    }
}

/// Resolves and connects, for the request of this access record. Each attempt is recorded before it is made. No stream: somebody else answers, a peer or a tape.
pub(crate) async fn connect(
    recorder: &Recorder,
    network: &Network,
    permit: &Permit,
    endpoint: &Endpoint,
    of_request: u64,
    exchange: &str,
) -> Result<Option<TcpStream>, Failed> {
    let addresses = addresses(recorder, network, permit, of_request, exchange).await?;
    let mut last = Failed::new(Error::DestinationNotFound, "there is no address");
    let asked = endpoint.to_string();
    let count = addresses.len();
    for (at, (address, granted)) in addresses.into_iter().enumerate() {
        let to = SocketAddr::new(address, endpoint.port);
        let of = recorder.allow(&granted, "connect", &asked, Some(&to.to_string()), true)?;
        let mut made = None;
        let attempt = async {
            // A peer takes the place of whatever is there.
            if network.peer.is_some() {
                return Ok(());
            }
            let attempt = TcpStream::connect(to);
            let connected = if at + 1 < count {
                let late = |_| Err(std::io::ErrorKind::TimedOut.into());
                tokio::time::timeout(PATIENCE, attempt).await.unwrap_or_else(late)
            } else {
                attempt.await
            };
            let stream = connected.map_err(|e| Failed::new(guest_error(&e), e.kind().to_string()))?;
            // A small request waits for nothing to be added to it.
            stream.set_nodelay(true).ok();
            made = Some(stream);
            Ok(())
        };
        let connected: Result<(), Failed> = recorder.tape().later(key!("http.connect", exchange, to), attempt).await;
        recorder.outcome(of, connected.as_ref().err().map(|failed| failed.record.as_str()))?;
        match connected {
            Ok(()) => return Ok(made),
            Err(failed) => last = failed,
        }
    }
    Err(last)
}

fn guest_error(error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::TimedOut => Error::ConnectionTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            Error::DestinationIpUnroutable
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Error::ConnectionTerminated,
        _ => Error::ConnectionRefused,
    }
}
