//! `wasi:http/types`: requests, headers and bodies are wasmtime-wasi-http's own. Nothing crosses here: what is built leaves through
//! [`crate::http`] and its bytes are seen there. The calls are counted, and a function that an upgrade adds does not compile unless it is
//! looked at here. What a handle stands for where labels are kept is in [`crate::http_labels`].

use crate::imports::Import;
use crate::state::View;
use crate::tap::{Arriving, Kept, OutLine, OutTap};
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

impl types::HostFields for View<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<FieldMap>> {
        self.count(Import::HttpFieldsNew);
        types::HostFields::new(&mut self.inner_http())
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> HeaderResult<Resource<FieldMap>> {
        self.count(Import::HttpFieldsFromList);
        let told = self.is_labelled().then(|| sizes(&entries));
        let made = types::HostFields::from_list(&mut self.inner_http(), entries)?;
        if let Some(entries) = told {
            self.fields_made(&made, &entries);
        }
        Ok(made)
    }

    fn drop(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<()> {
        self.guard.web.dropped(fields.rep());
        types::HostFields::drop(&mut self.inner_http(), fields)
    }

    fn get(&mut self, fields: Resource<FieldMap>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.count(Import::HttpFieldsGet);
        let (rep, asked) = (fields.rep(), self.is_labelled().then(|| name.clone()));
        let values = types::HostFields::get(&mut self.inner_http(), fields, name)?;
        if let Some(name) = asked {
            self.fields_given(rep, values.iter().map(|value| (name.as_str(), value.len())));
        }
        Ok(values)
    }

    fn has(&mut self, fields: Resource<FieldMap>, name: String) -> wasmtime::Result<bool> {
        self.count(Import::HttpFieldsHas);
        types::HostFields::has(&mut self.inner_http(), fields, name)
    }

    fn set(&mut self, fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()> {
        self.count(Import::HttpFieldsSet);
        let told = self.is_labelled().then(|| (name.clone(), values.iter().map(Vec::len).collect::<Vec<_>>()));
        let rep = fields.rep();
        types::HostFields::set(&mut self.inner_http(), fields, name, values)?;
        if let Some((name, values)) = told {
            self.fields_set(rep, &name, &values);
        }
        Ok(())
    }

    fn delete(&mut self, fields: Resource<FieldMap>, name: String) -> HeaderResult<()> {
        self.count(Import::HttpFieldsDelete);
        let (rep, told) = (fields.rep(), self.is_labelled().then(|| name.clone()));
        types::HostFields::delete(&mut self.inner_http(), fields, name)?;
        if let Some(name) = told {
            self.fields_removed(rep, &name);
        }
        Ok(())
    }

    fn append(&mut self, fields: Resource<FieldMap>, name: String, value: Vec<u8>) -> HeaderResult<()> {
        self.count(Import::HttpFieldsAppend);
        let (rep, bytes) = (fields.rep(), value.len());
        let told = self.is_labelled().then(|| (name.clone(), self.fields_count(rep, &name)));
        types::HostFields::append(&mut self.inner_http(), fields, name, value)?;
        if let Some((name, nth)) = told {
            self.fields_appended(rep, &name, nth, bytes);
        }
        Ok(())
    }

    fn entries(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        self.count(Import::HttpFieldsEntries);
        let rep = fields.rep();
        let entries = types::HostFields::entries(&mut self.inner_http(), fields)?;
        if self.is_labelled() {
            self.fields_given(rep, entries.iter().map(|(name, value)| (name.as_str(), value.len())));
        }
        Ok(entries)
    }

    fn clone(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<Resource<FieldMap>> {
        self.count(Import::HttpFieldsClone);
        let rep = fields.rep();
        let copy = types::HostFields::clone(&mut self.inner_http(), fields)?;
        self.fields_copied(rep, copy.rep());
        Ok(copy)
    }
}

/// Names, and how many bytes their values have.
fn sizes(entries: &[(String, Vec<u8>)]) -> Vec<(String, usize)> {
    entries.iter().map(|(name, value)| (name.clone(), value.len())).collect()
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

impl types::HostOutgoingRequest for View<'_> {
    fn new(&mut self, headers: Resource<FieldMap>) -> wasmtime::Result<Resource<HostOutgoingRequest>> {
        self.count(Import::HttpOutgoingRequestNew);
        let rep = headers.rep();
        let request = types::HostOutgoingRequest::new(&mut self.inner_http(), headers)?;
        if self.is_labelled() {
            self.request_made(rep, request.rep());
        }
        Ok(request)
    }

    fn body(
        &mut self,
        request: Resource<HostOutgoingRequest>,
    ) -> wasmtime::Result<Result<Resource<HostOutgoingBody>, ()>> {
        self.count(Import::HttpOutgoingRequestBody);
        let rep = request.rep();
        let body = types::HostOutgoingRequest::body(&mut self.inner_http(), request)?;
        if let Ok(body) = &body {
            self.request_body(rep, body.rep());
        }
        Ok(body)
    }

    fn drop(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<()> {
        self.guard.web.dropped(request.rep());
        types::HostOutgoingRequest::drop(&mut self.inner_http(), request)
    }

    fn method(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Method> {
        self.count(Import::HttpOutgoingRequestMethod);
        self.part_given(request.rep(), |request| &request.method);
        types::HostOutgoingRequest::method(&mut self.inner_http(), request)
    }

    fn set_method(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.count(Import::HttpOutgoingRequestSetMethod);
        let (rep, told) = (request.rep(), self.is_labelled().then(|| method.clone()));
        let set = types::HostOutgoingRequest::set_method(&mut self.inner_http(), request, method)?;
        if let (Ok(()), Some(method)) = (set, told) {
            self.method_set(rep, &method);
        }
        Ok(set)
    }

    fn path_with_query(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<String>> {
        self.count(Import::HttpOutgoingRequestPathWithQuery);
        self.part_given(request.rep(), |request| &request.path);
        types::HostOutgoingRequest::path_with_query(&mut self.inner_http(), request)
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.count(Import::HttpOutgoingRequestSetPathWithQuery);
        let (rep, told) = (request.rep(), self.is_labelled().then(|| path.clone()));
        let set = types::HostOutgoingRequest::set_path_with_query(&mut self.inner_http(), request, path)?;
        if let (Ok(()), Some(path)) = (set, told) {
            self.path_set(rep, path.as_deref());
        }
        Ok(set)
    }

    fn scheme(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        self.count(Import::HttpOutgoingRequestScheme);
        self.part_given(request.rep(), |request| &request.scheme);
        types::HostOutgoingRequest::scheme(&mut self.inner_http(), request)
    }

    fn set_scheme(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.count(Import::HttpOutgoingRequestSetScheme);
        let (rep, told) = (request.rep(), self.is_labelled().then(|| scheme.clone()));
        let set = types::HostOutgoingRequest::set_scheme(&mut self.inner_http(), request, scheme)?;
        if let (Ok(()), Some(scheme)) = (set, told) {
            self.scheme_set(rep, scheme.as_ref());
        }
        Ok(set)
    }

    fn authority(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<String>> {
        self.count(Import::HttpOutgoingRequestAuthority);
        self.part_given(request.rep(), |request| &request.authority);
        types::HostOutgoingRequest::authority(&mut self.inner_http(), request)
    }

    fn set_authority(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.count(Import::HttpOutgoingRequestSetAuthority);
        let (rep, told) = (request.rep(), self.is_labelled().then(|| authority.clone()));
        let set = types::HostOutgoingRequest::set_authority(&mut self.inner_http(), request, authority)?;
        if let (Ok(()), Some(authority)) = (set, told) {
            self.authority_set(rep, authority.as_deref());
        }
        Ok(set)
    }

    fn headers(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Resource<FieldMap>> {
        self.count(Import::HttpOutgoingRequestHeaders);
        let rep = request.rep();
        let fields = types::HostOutgoingRequest::headers(&mut self.inner_http(), request)?;
        self.request_headers(rep, fields.rep());
        Ok(fields)
    }
}

delegate! { HostResponseOutparam:
    fn drop(id: Resource<HostResponseOutparam>) -> wasmtime::Result<()>;
    fn set(id: Resource<HostResponseOutparam>, resp: Result<Resource<HostOutgoingResponse>, types::ErrorCode>) -> wasmtime::Result<()> = HttpResponseOutparamSet;
    fn send_informational(id: Resource<HostResponseOutparam>, status: u16, headers: Resource<FieldMap>) -> HttpResult<()> = HttpResponseOutparamSendInformational;
}

impl types::HostIncomingResponse for View<'_> {
    fn drop(&mut self, response: Resource<HostIncomingResponse>) -> wasmtime::Result<()> {
        self.guard.web.dropped(response.rep());
        types::HostIncomingResponse::drop(&mut self.inner_http(), response)
    }

    fn status(&mut self, response: Resource<HostIncomingResponse>) -> wasmtime::Result<StatusCode> {
        self.count(Import::HttpIncomingResponseStatus);
        self.status_given(response.rep());
        types::HostIncomingResponse::status(&mut self.inner_http(), response)
    }

    fn headers(&mut self, response: Resource<HostIncomingResponse>) -> wasmtime::Result<Resource<FieldMap>> {
        self.count(Import::HttpIncomingResponseHeaders);
        let rep = response.rep();
        let fields = types::HostIncomingResponse::headers(&mut self.inner_http(), response)?;
        self.fields_came(rep, &fields);
        Ok(fields)
    }

    fn consume(
        &mut self,
        response: Resource<HostIncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<HostIncomingBody>, ()>> {
        self.count(Import::HttpIncomingResponseConsume);
        let rep = response.rep();
        let body = types::HostIncomingResponse::consume(&mut self.inner_http(), response)?;
        if let Ok(body) = &body {
            self.guard.web.consumed(rep, body.rep());
        }
        Ok(body)
    }
}

impl types::HostFutureTrailers for View<'_> {
    fn drop(&mut self, id: Resource<HostFutureTrailers>) -> wasmtime::Result<()> {
        self.guard.web.dropped(id.rep());
        types::HostFutureTrailers::drop(&mut self.inner_http(), id)
    }

    fn subscribe(&mut self, id: Resource<HostFutureTrailers>) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::HttpFutureTrailersSubscribe);
        types::HostFutureTrailers::subscribe(&mut self.inner_http(), id)
    }

    fn get(&mut self, id: Resource<HostFutureTrailers>) -> wasmtime::Result<Came<Option<Resource<Trailers>>>> {
        self.count(Import::HttpFutureTrailersGet);
        let rep = id.rep();
        let came = types::HostFutureTrailers::get(&mut self.inner_http(), id)?;
        if let Some(Ok(Ok(Some(fields)))) = &came {
            self.fields_came(rep, fields);
        }
        Ok(came)
    }
}

/// What a future has come to: nothing yet, asked for before, an error, or this.
type Came<T> = Option<Result<Result<T, types::ErrorCode>, ()>>;

impl types::HostIncomingBody for View<'_> {
    fn stream(&mut self, id: Resource<HostIncomingBody>) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        self.count(Import::HttpIncomingBodyStream);
        let of = self.guard.web.body(id.rep());
        let stream = types::HostIncomingBody::stream(&mut self.inner_http(), id)?;
        if let (Ok(stream), true) = (&stream, of.is_some() || self.guard.recorder.tape().is_on()) {
            let recorder = self.guard.recorder.clone();
            let slot = self.table.get_mut(stream)?;
            let inner = std::mem::replace(slot, Box::new(ClosedInputStream));
            *slot = Box::new(Arriving::new(inner, recorder, of));
        }
        Ok(stream)
    }

    fn finish(&mut self, id: Resource<HostIncomingBody>) -> wasmtime::Result<Resource<HostFutureTrailers>> {
        self.count(Import::HttpIncomingBodyFinish);
        let rep = id.rep();
        let trailers = types::HostIncomingBody::finish(&mut self.inner_http(), id)?;
        self.guard.web.read(rep, trailers.rep());
        Ok(trailers)
    }

    fn drop(&mut self, id: Resource<HostIncomingBody>) -> wasmtime::Result<()> {
        self.guard.web.dropped(id.rep());
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

impl types::HostFutureIncomingResponse for View<'_> {
    fn drop(&mut self, id: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<()> {
        self.guard.web.dropped(id.rep());
        types::HostFutureIncomingResponse::drop(&mut self.inner_http(), id)
    }

    fn get(
        &mut self,
        id: Resource<HostFutureIncomingResponse>,
    ) -> wasmtime::Result<Came<Resource<HostIncomingResponse>>> {
        self.count(Import::HttpFutureIncomingResponseGet);
        let rep = id.rep();
        let came = types::HostFutureIncomingResponse::get(&mut self.inner_http(), id)?;
        if let Some(Ok(Ok(response))) = &came {
            self.guard.web.answered(rep, response.rep());
        }
        Ok(came)
    }

    fn subscribe(&mut self, id: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::HttpFutureIncomingResponseSubscribe);
        types::HostFutureIncomingResponse::subscribe(&mut self.inner_http(), id)
    }
}

impl types::HostOutgoingBody for View<'_> {
    fn write(&mut self, id: Resource<HostOutgoingBody>) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        self.count(Import::HttpOutgoingBodyWrite);
        let labelled = self.guard.web.stream(id.rep());
        let stream = types::HostOutgoingBody::write(&mut self.inner_http(), id)?;
        if let (Ok(stream), true) = (&stream, labelled.is_some() || self.guard.recorder.tape().is_on()) {
            let recorder = self.guard.recorder.clone();
            let line = OutLine::of(recorder.tape(), "http", "");
            let kept = labelled.map_or(Kept::Nowhere, Kept::Body);
            let slot = self.table.get_mut(stream)?;
            let inner = std::mem::replace(slot, Box::new(ClosedOutputStream));
            *slot = Box::new(OutTap::unseen(inner, recorder, line).keeping(kept));
        }
        Ok(stream)
    }

    fn finish(&mut self, id: Resource<HostOutgoingBody>, ts: Option<Resource<Trailers>>) -> HttpResult<()> {
        self.count(Import::HttpOutgoingBodyFinish);
        // Before the trailers leave.
        self.body_finished(id.rep(), ts.as_ref().map(Resource::rep));
        types::HostOutgoingBody::finish(&mut self.inner_http(), id, ts)
    }

    fn drop(&mut self, id: Resource<HostOutgoingBody>) -> wasmtime::Result<()> {
        self.guard.web.dropped(id.rep());
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
