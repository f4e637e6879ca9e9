//! `wasi:sockets/ip-name-lookup`, of our own: wasmtime-wasi's asks the system without asking anybody, and stays switched off.

use super::address::Answered;
use super::{MAX_LOOKUPS, SocketResult, error_for, trap};
use crate::flow::{FlowId, Way};
use crate::imports::Import;
use crate::network::Network;
use crate::network::resolve::{self, Unreachable};
use crate::record::{Recorder, Stopped};
use crate::state::View;
use customs_ledger::material::SourceKind;
use customs_policy::{Capability, Denial, DenialCode, Host, Permit, Request};
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::Semaphore;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{self, ResolveAddressStream};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network as NetworkHandle, Pollable};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

const OP: &str = "resolve-addresses";
/// Bytes of a name that are looked at. A host name has 253, written in Unicode up to four times that.
const MAX_NAME: usize = 1_024;

type Found = Result<Vec<IpAddr>, ErrorCode>;

/// A lookup on its way, ready to run beside the guest.
struct Question {
    recorder: Recorder,
    network: Arc<Network>,
    answered: Answered,
    asking: Arc<Semaphore>,
    permit: Permit,
    host: Host,
    /// As the guest spelled it.
    asked: String,
    of: u64,
    /// Which lookup it is, for notes.
    instance: String,
}

impl Question {
    async fn run(self) -> Found {
        let code = match self.find().await {
            Ok(found) => {
                self.answered.remember(&self.host, &found);
                // A record that cannot be written has stopped the call.
                return self.recorder.outcome(self.of, None).map(|()| found).map_err(|_| ErrorCode::Unknown);
            }
            Err(Unreachable::Denied(denial)) => {
                self.recorder.outcome(self.of, Some(denial.code.sentence())).ok();
                error_for(denial.code)
            }
            Err(Unreachable::Unresolved(why)) => {
                self.recorder.outcome(self.of, Some(&why)).ok();
                ErrorCode::NameUnresolvable
            }
            Err(Unreachable::Stopped) => ErrorCode::Unknown,
        };
        Err(code)
    }

    async fn find(&self) -> Result<Vec<IpAddr>, Unreachable> {
        let found = match (resolve::known(&self.recorder, &self.host), &self.host) {
            (None, Host::Name(name)) => {
                let place = self.asking.acquire().await;
                let names = (name.as_str(), self.asked.as_str());
                let found = resolve::ask(&self.recorder, &self.network, self.of, names, &self.instance).await?;
                drop(place);
                found
            }
            (known, _) => known.unwrap_or_default(),
        };
        let settled = resolve::settle(&self.recorder, &self.permit, OP, &self.asked, found)?;
        Ok(settled.into_iter().map(|(address, _)| address).collect())
    }
}

type Asking = Pin<Box<dyn Future<Output = Found> + Send>>;

enum Progress {
    Waiting(AbortOnDropJoinHandle<Found>),
    /// On a replay it goes on by itself.
    Replayed(Asking),
    Done(Result<std::vec::IntoIter<IpAddr>, ErrorCode>),
}

/// What a guest holds as a `resolve-address-stream`. wasmtime-wasi's type of that name cannot be made from outside: the guest's handle
/// has its type, and the index of one of these.
struct Answer {
    progress: Progress,
    recorder: Recorder,
    of: u64,
    /// The name of the source that the addresses are; none for an address, which is no news to who asked for it.
    name: Option<String>,
    flow: Option<FlowId>,
    /// For notes.
    key: String,
    host: Option<Host>,
    answered: Answered,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(flow) = self.flow {
            self.recorder.release(flow);
        }
    }
}

impl Answer {
    /// The next address, seen before it goes to the guest.
    fn next(&mut self) -> SocketResult<Option<IpAddr>> {
        let (tape, key) = (self.recorder.tape().clone(), self.key.clone());
        let address = tape.effect(|| key, || self.take())?;
        if let Some(address) = address {
            if tape.is_playing()
                && let Some(name) = &self.host
            {
                // The guest may be ahead of the lookup.
                self.answered.remember(name, &[address]);
            }
            self.see(address).map_err(trap)?;
        }
        Ok(address)
    }

    fn take(&mut self) -> SocketResult<Option<IpAddr>> {
        let cx = &mut Context::from_waker(Waker::noop());
        let found = match &mut self.progress {
            Progress::Waiting(handle) => Pin::new(handle).poll(cx),
            Progress::Replayed(asking) => asking.as_mut().poll(cx),
            Progress::Done(Err(code)) => return Err((*code).into()),
            Progress::Done(Ok(rest)) => return Ok(rest.next()),
        };
        match found {
            Poll::Pending => Err(ErrorCode::WouldBlock.into()),
            Poll::Ready(found) => {
                self.progress = Progress::Done(found.map(Vec::into_iter));
                self.take()
            }
        }
    }

    fn see(&mut self, address: IpAddr) -> Result<(), Stopped> {
        let flow = match (self.flow, &self.name) {
            (Some(flow), _) => flow,
            (None, None) => return Ok(()),
            (None, Some(name)) => {
                let flow = self.recorder.begin(self.of, Way::In(SourceKind::Socket), format!("dns:{name}"))?;
                self.flow = Some(flow);
                flow
            }
        };
        self.recorder.see(flow, format!("{address}\n").as_bytes())
    }
}

#[async_trait::async_trait]
impl Pollable for Answer {
    async fn ready(&mut self) {
        let found = match &mut self.progress {
            Progress::Waiting(handle) => handle.await,
            Progress::Replayed(asking) => asking.await,
            Progress::Done(_) => return,
        };
        self.progress = Progress::Done(found.map(Vec::into_iter));
    }
}

impl ip_name_lookup::Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<NetworkHandle>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.count(Import::ResolveAddresses);
        self.table.get(&network)?;
        let refused = |code| Denial::new(Capability::DnsLookup, code);
        if name.len() > MAX_NAME {
            return Err(self.refuse_socket(&refused(DenialCode::BadRequest), OP, &name, None));
        }
        // A lookup takes a bare IPv6 address; a host is written with brackets.
        let bracketed = name.parse().ok().map(|six: Ipv6Addr| format!("[{six}]"));
        let permit = self.near(&Request::Dns { name: bracketed.as_deref().unwrap_or(&name) }, OP, &name)?;
        let Some(host) = permit.endpoint().map(|end| end.host.clone()) else {
            return Err(self.refuse_socket(&refused(DenialCode::BadRequest), OP, &name, None));
        };
        if self.guard.sockets.lookups >= MAX_LOOKUPS {
            self.guard.recorder.deny(&refused(DenialCode::Limit), OP, &name, None).map_err(trap)?;
            return Err(ErrorCode::TemporaryResolverFailure.into());
        }
        self.guard.sockets.lookups += 1;
        let recorder = self.guard.recorder.clone();
        let of = recorder.allow(&permit, OP, &name, Some(&host.to_string()), true).map_err(trap)?;
        recorder.expect_outcome(of);
        recorder.labelled(|labels| labels.promise_name(of, "name", &name));
        let source = matches!(host, Host::Name(_)).then(|| host.to_string());
        let tape = recorder.tape().clone();
        let instance = if tape.is_on() { format!("lookup {}", tape.instance("lookup")) } else { String::new() };
        let key = format!("dns.next\0{instance}");
        let (known, answered) = (Some(host.clone()), self.guard.sockets.answered.clone());
        let question = Question {
            recorder: recorder.beside(),
            instance,
            network: Arc::clone(&self.guard.network),
            answered: self.guard.sockets.answered.clone(),
            asking: Arc::clone(&self.guard.sockets.asking),
            permit,
            host,
            asked: name,
            of,
        };
        let progress = match tape.detach(question.run()) {
            Ok(found) => Progress::Replayed(Box::pin(async { found.await.unwrap_or(Err(ErrorCode::Unknown)) })),
            Err(running) => Progress::Waiting(spawn(running)),
        };
        let name = source;
        let answer =
            self.table.push(Answer { progress, recorder, of, name, flow: None, key, host: known, answered })?;
        Ok(Resource::new_own(answer.rep()))
    }
}

impl ip_name_lookup::HostResolveAddressStream for View<'_> {
    fn resolve_next_address(&mut self, stream: Resource<ResolveAddressStream>) -> SocketResult<Option<IpAddress>> {
        self.count(Import::ResolveNextAddress);
        let answer = self.table.get_mut(&Resource::<Answer>::new_borrow(stream.rep()))?;
        let next = answer.next();
        self.unless_stopped(next.map(|address| address.map(IpAddress::from)))
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::ResolveSubscribe);
        wasmtime_wasi::p2::subscribe(self.table, Resource::<Answer>::new_borrow(stream.rep()))
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Answer>::new_own(stream.rep()))?;
        Ok(())
    }
}
