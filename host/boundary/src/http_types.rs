//! `wasi:http/types`: requests, headers and bodies are wasmtime-wasi-http's own. Nothing crosses here: what is built leaves through
//! [`crate::http`] and its bytes are seen there. The calls are counted, and a function that an upgrade adds does not compile unless it is
//! looked at here.

use crate::imports::Import;
use crate::state::View;
use crate::tap::{Arriving, OutLine, OutTap};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, ClosedOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi_http::FieldMap;
use wasmtime_wasi_http::p2::bindings::http::types::{self, Method, Scheme, StatusCode, Trailers};
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingRequest, HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse,
    HostResponseOutparam,
};
use wasmtime_wasi_http::p2::{HeaderError, HeaderResult, HttpError, HttpResult};

/// Methods that are counted and handed on; dropping a handle is not a call that an observer counts.
macro_rules! delegate {
    ($interface:ident: $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $(= $import:ident)?;)*) => {
        impl types::$interface for View<'_> {
            $(fn $name(&mut self, $($argument: $type),*) -> $result {
                $(self.count(Import::$import);)?
                types::$interface::$name(&mut self.inner_http(), $($argument),*)
            })*
        }
    };
}

impl types::Host for View<'_> {
    fn http_error_code(
        &mut self,
        error: Resource<wasmtime_wasi_io::streams::Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        self.count(Import::HttpErrorCode);
        // A body breaks off with an error of wasmtime-wasi-http's, which its own function does not know again.
        if let Some(broken) = self.table.get(&error)?.downcast_ref::<wasmtime_wasi_http::Error>() {
            return Ok(Some(code_of(broken)));
        }
        types::Host::http_error_code(&mut self.inner_http(), error)
    }

    fn convert_error_code(&mut self, error: HttpError) -> wasmtime::Result<types::ErrorCode> {
        types::Host::convert_error_code(&mut self.inner_http(), error)
    }

    fn convert_header_error(&mut self, error: HeaderError) -> wasmtime::Result<types::HeaderError> {
        types::Host::convert_header_error(&mut self.inner_http(), error)
    }
}

/// Why a body broke off, for the errors that ours have.
fn code_of(error: &wasmtime_wasi_http::Error) -> types::ErrorCode {
    use wasmtime_wasi_http::Error;
    match error {
        Error::HttpResponseIncomplete => types::ErrorCode::HttpResponseIncomplete,
        Error::HttpResponseTimeout => types::ErrorCode::HttpResponseTimeout,
        Error::HttpResponseBodySize(size) => types::ErrorCode::HttpResponseBodySize(*size),
        Error::ConnectionReadTimeout => types::ErrorCode::ConnectionReadTimeout,
        _ => types::ErrorCode::HttpProtocolError,
    }
}

delegate! { HostFields:
    fn new() -> wasmtime::Result<Resource<FieldMap>> = HttpFieldsNew;
    fn from_list(entries: Vec<(String, Vec<u8>)>) -> HeaderResult<Resource<FieldMap>> = HttpFieldsFromList;
    fn drop(fields: Resource<FieldMap>) -> wasmtime::Result<()>;
    fn get(fields: Resource<FieldMap>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> = HttpFieldsGet;
    fn has(fields: Resource<FieldMap>, name: String) -> wasmtime::Result<bool> = HttpFieldsHas;
    fn set(fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()> = HttpFieldsSet;
    fn delete(fields: Resource<FieldMap>, name: String) -> HeaderResult<()> = HttpFieldsDelete;
    fn append(fields: Resource<FieldMap>, name: String, value: Vec<u8>) -> HeaderResult<()> = HttpFieldsAppend;
    fn entries(fields: Resource<FieldMap>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> = HttpFieldsEntries;
    fn clone(fields: Resource<FieldMap>) -> wasmtime::Result<Resource<FieldMap>> = HttpFieldsClone;
}

delegate! { HostIncomingRequest:
    fn method(id: Resource<HostIncomingRequest>) -> wasmtime::Result<Method> = HttpIncomingRequestMethod;
    fn path_with_query(id: Resource<HostIncomingRequest>) -> wasmtime::Result<Option<String>> = HttpIncomingRequestPathWithQuery;
    fn scheme(id: Resource<HostIncomingRequest>) -> wasmtime::Result<Option<Scheme>> = HttpIncomingRequestScheme;
    fn authority(id: Resource<HostIncomingRequest>) -> wasmtime::Result<Option<String>> = HttpIncomingRequestAuthority;
    fn headers(id: Resource<HostIncomingRequest>) -> wasmtime::Result<Resource<FieldMap>> = HttpIncomingRequestHeaders;
    fn consume(id: Resource<HostIncomingRequest>) -> wasmtime::Result<Result<Resource<HostIncomingBody>, ()>> = HttpIncomingRequestConsume;
    fn drop(id: Resource<HostIncomingRequest>) -> wasmtime::Result<()>;
}

delegate! { HostOutgoingRequest:
    fn new(headers: Resource<FieldMap>) -> wasmtime::Result<Resource<HostOutgoingRequest>> = HttpOutgoingRequestNew;
    fn body(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Result<Resource<HostOutgoingBody>, ()>> = HttpOutgoingRequestBody;
    fn drop(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<()>;
    fn method(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Method> = HttpOutgoingRequestMethod;
    fn set_method(request: Resource<HostOutgoingRequest>, method: Method) -> wasmtime::Result<Result<(), ()>> = HttpOutgoingRequestSetMethod;
    fn path_with_query(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<String>> = HttpOutgoingRequestPathWithQuery;
    fn set_path_with_query(request: Resource<HostOutgoingRequest>, path_with_query: Option<String>) -> wasmtime::Result<Result<(), ()>> = HttpOutgoingRequestSetPathWithQuery;
    fn scheme(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<Scheme>> = HttpOutgoingRequestScheme;
    fn set_scheme(request: Resource<HostOutgoingRequest>, scheme: Option<Scheme>) -> wasmtime::Result<Result<(), ()>> = HttpOutgoingRequestSetScheme;
    fn authority(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<String>> = HttpOutgoingRequestAuthority;
    fn set_authority(request: Resource<HostOutgoingRequest>, authority: Option<String>) -> wasmtime::Result<Result<(), ()>> = HttpOutgoingRequestSetAuthority;
    fn headers(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Resource<FieldMap>> = HttpOutgoingRequestHeaders;
}

delegate! { HostResponseOutparam:
    fn drop(id: Resource<HostResponseOutparam>) -> wasmtime::Result<()>;
    fn set(id: Resource<HostResponseOutparam>, resp: Result<Resource<HostOutgoingResponse>, types::ErrorCode>) -> wasmtime::Result<()> = HttpResponseOutparamSet;
    fn send_informational(id: Resource<HostResponseOutparam>, status: u16, headers: Resource<FieldMap>) -> HttpResult<()> = HttpResponseOutparamSendInformational;
}

delegate! { HostIncomingResponse:
    fn drop(response: Resource<HostIncomingResponse>) -> wasmtime::Result<()>;
    fn status(response: Resource<HostIncomingResponse>) -> wasmtime::Result<StatusCode> = HttpIncomingResponseStatus;
    fn headers(response: Resource<HostIncomingResponse>) -> wasmtime::Result<Resource<FieldMap>> = HttpIncomingResponseHeaders;
    fn consume(response: Resource<HostIncomingResponse>) -> wasmtime::Result<Result<Resource<HostIncomingBody>, ()>> = HttpIncomingResponseConsume;
}

delegate! { HostFutureTrailers:
    fn drop(id: Resource<HostFutureTrailers>) -> wasmtime::Result<()>;
    fn subscribe(index: Resource<HostFutureTrailers>) -> wasmtime::Result<Resource<DynPollable>> = HttpFutureTrailersSubscribe;
    fn get(id: Resource<HostFutureTrailers>) -> wasmtime::Result<Option<Result<Result<Option<Resource<Trailers>>, types::ErrorCode>, ()>>> = HttpFutureTrailersGet;
}

impl types::HostIncomingBody for View<'_> {
    fn stream(&mut self, id: Resource<HostIncomingBody>) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        self.count(Import::HttpIncomingBodyStream);
        let stream = types::HostIncomingBody::stream(&mut self.inner_http(), id)?;
        if let (Ok(stream), true) = (&stream, self.guard.recorder.tape().is_on()) {
            let recorder = self.guard.recorder.clone();
            let slot = self.table.get_mut(stream)?;
            let inner = std::mem::replace(slot, Box::new(ClosedInputStream));
            *slot = Box::new(Arriving::new(inner, recorder));
        }
        Ok(stream)
    }

    fn finish(&mut self, id: Resource<HostIncomingBody>) -> wasmtime::Result<Resource<HostFutureTrailers>> {
        self.count(Import::HttpIncomingBodyFinish);
        types::HostIncomingBody::finish(&mut self.inner_http(), id)
    }

    fn drop(&mut self, id: Resource<HostIncomingBody>) -> wasmtime::Result<()> {
        types::HostIncomingBody::drop(&mut self.inner_http(), id)
    }
}

delegate! { HostOutgoingResponse:
    fn new(headers: Resource<FieldMap>) -> wasmtime::Result<Resource<HostOutgoingResponse>> = HttpOutgoingResponseNew;
    fn body(id: Resource<HostOutgoingResponse>) -> wasmtime::Result<Result<Resource<HostOutgoingBody>, ()>> = HttpOutgoingResponseBody;
    fn status_code(id: Resource<HostOutgoingResponse>) -> wasmtime::Result<types::StatusCode> = HttpOutgoingResponseStatusCode;
    fn set_status_code(id: Resource<HostOutgoingResponse>, status: types::StatusCode) -> wasmtime::Result<Result<(), ()>> = HttpOutgoingResponseSetStatusCode;
    fn headers(id: Resource<HostOutgoingResponse>) -> wasmtime::Result<Resource<FieldMap>> = HttpOutgoingResponseHeaders;
    fn drop(id: Resource<HostOutgoingResponse>) -> wasmtime::Result<()>;
}

delegate! { HostFutureIncomingResponse:
    fn drop(id: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<()>;
    fn get(id: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<Option<Result<Result<Resource<HostIncomingResponse>, types::ErrorCode>, ()>>> = HttpFutureIncomingResponseGet;
    fn subscribe(id: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<Resource<DynPollable>> = HttpFutureIncomingResponseSubscribe;
}

impl types::HostOutgoingBody for View<'_> {
    fn write(&mut self, id: Resource<HostOutgoingBody>) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        self.count(Import::HttpOutgoingBodyWrite);
        let stream = types::HostOutgoingBody::write(&mut self.inner_http(), id)?;
        if let (Ok(stream), true) = (&stream, self.guard.recorder.tape().is_on()) {
            let recorder = self.guard.recorder.clone();
            let line = OutLine::of(recorder.tape(), "http", "");
            let slot = self.table.get_mut(stream)?;
            let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
            *slot = Box::new(OutTap::unseen(inner, recorder, line));
        }
        Ok(stream)
    }

    fn finish(&mut self, id: Resource<HostOutgoingBody>, ts: Option<Resource<Trailers>>) -> HttpResult<()> {
        self.count(Import::HttpOutgoingBodyFinish);
        types::HostOutgoingBody::finish(&mut self.inner_http(), id, ts)
    }

    fn drop(&mut self, id: Resource<HostOutgoingBody>) -> wasmtime::Result<()> {
        types::HostOutgoingBody::drop(&mut self.inner_http(), id)
    }
}

delegate! { HostRequestOptions:
    fn new() -> wasmtime::Result<Resource<types::RequestOptions>> = HttpRequestOptionsNew;
    fn connect_timeout(opts: Resource<types::RequestOptions>) -> wasmtime::Result<Option<types::Duration>> = HttpRequestOptionsConnectTimeout;
    fn set_connect_timeout(opts: Resource<types::RequestOptions>, duration: Option<types::Duration>) -> wasmtime::Result<Result<(), ()>> = HttpRequestOptionsSetConnectTimeout;
    fn first_byte_timeout(opts: Resource<types::RequestOptions>) -> wasmtime::Result<Option<types::Duration>> = HttpRequestOptionsFirstByteTimeout;
    fn set_first_byte_timeout(opts: Resource<types::RequestOptions>, duration: Option<types::Duration>) -> wasmtime::Result<Result<(), ()>> = HttpRequestOptionsSetFirstByteTimeout;
    fn between_bytes_timeout(opts: Resource<types::RequestOptions>) -> wasmtime::Result<Option<types::Duration>> = HttpRequestOptionsBetweenBytesTimeout;
    fn set_between_bytes_timeout(opts: Resource<types::RequestOptions>, duration: Option<types::Duration>) -> wasmtime::Result<Result<(), ()>> = HttpRequestOptionsSetBetweenBytesTimeout;
    fn drop(rep: Resource<types::RequestOptions>) -> wasmtime::Result<()>;
}
