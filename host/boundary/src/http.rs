//! `wasi:http` outgoing requests. The one place where a request could leave refuses it and records what was asked: this version opens no
//! connections. wasmtime-wasi-http is built without its own sender, so there is no other way out.

use crate::imports::Import;
use crate::record::Recorder;
use customs_policy::{Capability, Denial, DenialCode};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

type Answer = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

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
        self.recorder.count(Import::HttpHandle);
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
