//! `wasi:http` outgoing requests: where a request is counted, decided and recorded, and handed to [`crate::network`] to be sent.
//! wasmtime-wasi-http builds the request and is compiled without a sender of its own, so there is no other way out.

use crate::imports::Import;
use crate::labels;
use crate::network::{Exchange, Network, Options};
use crate::record::{Recorder, Stop, Stopped};
use crate::state::View;
use customs_policy::{Capability, Denial, DenialCode, Request, decide};
use std::sync::Arc;
use tokio::sync::Semaphore;
use wasmtime::component::Resource;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::p2::{HttpError, HttpResult};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Connections that one call may have at once; further requests wait. Browsers hold fewer to all hosts together than this.
const MAX_CONNECTIONS: usize = 64;
/// Pieces of a body that a replay takes before anybody has looked at them: more than a guest writes between two looks.
const MAX_CHUNKS: usize = 1 << 20;
/// Characters of a request's parts that are recorded of one that was not even well-formed.
const MAX_ASKED: usize = 8 * 1024;

type Answer = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// Sends the requests of one call.
pub(crate) struct Sender {
    recorder: Recorder,
    network: Arc<Network>,
    places: Arc<Semaphore>,
    started: u64,
    /// The request that is being handled, as the guest spelled it; taken by the hook that sends it.
    asked: Option<String>,
    /// Its labels.
    labels: Option<Arc<labels::web::Request>>,
    /// The access record of the one that was handled last.
    last: Option<u64>,
}

impl Sender {
    pub(crate) fn new(recorder: Recorder, network: Arc<Network>) -> Sender {
        Sender {
            recorder,
            network,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            started: 0,
            asked: None,
            labels: None,
            last: None,
        }
    }

    /// Decides and records; nothing has left yet when this returns.
    fn start(&mut self, request: http::Request<WasiBody>, options: Option<RequestOptions>) -> Result<Exchange, Error> {
        let stopped = |s: Stopped| Error::InternalError(Some(s.to_string()));
        let (method, uri) = (request.method().as_str(), request.uri().to_string());
        let asked = self.asked.take().unwrap_or_else(|| format!("{method} {uri}"));
        let permit = match decide(self.recorder.policy(), &Request::Http { method, url: &uri }) {
            Ok(permit) => permit,
            Err(denial) => {
                self.recorder.deny(&denial, "handle", &asked, None).map_err(stopped)?;
                return Err(guest_error(denial.code));
            }
        };
        let limit = self.recorder.policy().limits().max_requests;
        if self.started >= limit {
            let denial = Denial::new(Capability::HttpRequest, DenialCode::Limit);
            self.recorder.deny(&denial, "handle", &asked, None).map_err(stopped)?;
            let observed = format!("request {}, the limit is {limit}", self.started.saturating_add(1));
            return Err(stopped(self.recorder.stop(Stop::Limit { limit: "requests", observed })));
        }
        self.started += 1;
        let Some(endpoint) = permit.endpoint().cloned() else { return Err(Error::HttpRequestUriInvalid) };
        let resolved = format!("{endpoint}{}", request.uri().path());
        // Buffered: nothing leaves before the lookup or the connection, and the records of those take this one with them.
        let of = self.recorder.allow(&permit, "handle", &asked, Some(&resolved), false).map_err(stopped)?;
        self.recorder.expect_outcome(of);
        self.last = Some(of);
        if let Some(request) = self.labels.take() {
            self.recorder.labelled(|labels| labels.promise(of, request));
        }
        let (recorder, network) = (self.recorder.clone(), Arc::clone(&self.network));
        let (places, options) = (Arc::clone(&self.places), Options::from(options));
        let tape = recorder.tape();
        let name = if tape.is_on() {
            let of = format!("{method} {uri}");
            format!("{of}\0{}", tape.instance(&of))
        } else {
            String::new()
        };
        let (recorder, sending, receiving) = (recorder.beside(), recorder.beside(), recorder.beside());
        Ok(Exchange { recorder, network, places, permit, endpoint, of, request, options, name, sending, receiving })
    }
}

fn guest_error(code: DenialCode) -> Error {
    match code {
        DenialCode::BadRequest => Error::HttpRequestUriInvalid,
        DenialCode::Address => Error::DestinationIpProhibited,
        _ => Error::HttpRequestDenied,
    }
}

impl WasiHttpHooks for Sender {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        match self.start(request, options) {
            Ok(exchange) => match self.recorder.tape().detach(exchange.run()) {
                Ok(answer) => Box::new(async move { answer.await.unwrap_or(Err(Error::InternalError(None))) }),
                Err(running) => Box::new(running),
            },
            Err(error) => Box::new(async move { Err(error) }),
        }
    }

    /// On a replay nothing holds up a body: how much a guest may write is answered from the recording.
    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        if self.recorder.tape().is_playing() { MAX_CHUNKS } else { 1 }
    }

    /// The host that was decided is written, not the one that was spelled.
    fn set_host_header(&mut self) -> bool {
        false
    }
}

/// The request as the guest spelled it.
fn asked(request: &HostOutgoingRequest) -> String {
    let method = match &request.method {
        types::Method::Get => "GET",
        types::Method::Head => "HEAD",
        types::Method::Post => "POST",
        types::Method::Put => "PUT",
        types::Method::Delete => "DELETE",
        types::Method::Connect => "CONNECT",
        types::Method::Options => "OPTIONS",
        types::Method::Trace => "TRACE",
        types::Method::Patch => "PATCH",
        types::Method::Other(other) => other,
    };
    let scheme = match &request.scheme {
        Some(types::Scheme::Http) => "http",
        Some(types::Scheme::Https) | None => "https",
        Some(types::Scheme::Other(other)) => other,
    };
    let authority = request.authority.as_deref().unwrap_or_default();
    let path = request.path_with_query.as_deref().unwrap_or("/");
    let text = format!("{method} {scheme}://{authority}{path}");
    match text.char_indices().nth(MAX_ASKED) {
        Some((cut, _)) => text.get(..cut).unwrap_or_default().to_owned(),
        None => text,
    }
}

impl outgoing_handler::Host for View<'_> {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        options: Option<Resource<types::RequestOptions>>,
    ) -> HttpResult<Resource<HostFutureIncomingResponse>> {
        self.count(Import::HttpHandle);
        self.sender.asked = Some(asked(self.table.get(&request)?));
        let made = self.guard.web.handled(request.rep());
        (self.sender.labels, self.sender.last) = (made.map(Arc::new), None);
        let answer = outgoing_handler::Host::handle(&mut self.inner_http(), request, options);
        if let (Ok(future), Some(of)) = (&answer, self.sender.last) {
            self.guard.web.asked(future.rep(), of);
        }
        let recorder = self.guard.recorder.clone();
        // The sender was not reached: the request is malformed, and what was asked is still recorded.
        if let Some(asked) = self.sender.asked.take() {
            let denial = Denial::new(Capability::HttpRequest, DenialCode::BadRequest);
            recorder.deny(&denial, "handle", &asked, None).map_err(HttpError::trap)?;
        }
        if recorder.stopped().is_some() {
            return Err(HttpError::trap(Stopped));
        }
        answer
    }
}
