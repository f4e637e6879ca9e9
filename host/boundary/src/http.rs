//! `wasi:http` outgoing requests. The one place where a request could leave refuses it and records what was asked: this version opens no
//! connections. wasmtime-wasi-http is built without its own sender, so there is no other way out.

use crate::imports::Import;
use crate::record::Recorder;
use crate::state::State;
use customs_policy::{Capability, Denial, DenialCode};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

type Answer = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// The view that `outgoing-handler` is linked with. It is taken once for each call of its one function, which is the moment to count it: a
/// request that wasmtime-wasi-http finds malformed never comes to the hook below.
pub(crate) fn outgoing(state: &mut State) -> WasiHttpCtxView<'_> {
    state.guard.recorder.count(Import::HttpHandle);
    state.http()
}

pub(crate) struct RefuseHttp {
    pub(crate) recorder: Recorder,
}

impl WasiHttpHooks for RefuseHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let requested = format!("{} {}", request.method(), request.uri());
        let denial = Denial::new(Capability::HttpRequest, DenialCode::NotSupported);
        // A record that cannot be written has stopped the call already; the request is refused either way.
        let recorded = self.recorder.deny(&denial, "handle", &requested, None);
        let error = match recorded {
            Ok(()) => Error::HttpRequestDenied,
            Err(stopped) => Error::InternalError(Some(stopped.to_string())),
        };
        Box::new(async move { Err(error) })
    }
}
