//! MCP: what a client asks, and what it gets. All revisions come through here; rmcp knows how each writes its messages.

use crate::answer::{refusal, result};
use crate::desk::Desk;
use crate::flights::Flights;
use crate::provenance::{PREFIX, Runs, TRUST};
use crate::shelf::{Offer, Shelf, Subject};
use crate::voice::{Listening, Voice};
use customs_engine::{CallError, Report, Session};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, ExtensionCapabilities, Implementation,
    JsonObject, ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
};
#[allow(deprecated, reason = "logging is deprecated in the newest revision and in use by older clients")]
use rmcp::model::{LoggingLevel, SetLevelRequestParams};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::Map;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What the program knows of files, policy and people, and this room does not.
pub trait Ground: Send + Sync {
    /// A finished call, for the person: told on stderr.
    fn finished(&self, subject: &Subject, report: &Report);

    /// A sentence for the person.
    fn tell(&self, sentence: &str);
}

/// Everything that connections share.
pub(crate) struct House {
    pub(crate) shelf: RwLock<Arc<Shelf>>,
    pub(crate) desk: Desk,
    pub(crate) runs: Runs,
    pub(crate) flights: Arc<Flights>,
    pub(crate) ground: Arc<dyn Ground>,
    /// Why no call can be recorded any more.
    pub(crate) broken: Mutex<Option<String>>,
}

/// One connection.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) house: Arc<House>,
    /// The least level of log lines that this client wants.
    #[allow(deprecated, reason = "as above")]
    log: Arc<Mutex<LoggingLevel>>,
}

/// The newest revision: requests carry what older ones agreed on at the start.
fn is_modern(version: Option<&ProtocolVersion>) -> bool {
    version.is_some_and(|v| !v.has_initialize())
}

/// The revision from which arguments that do not fit are an error that the model reads (SEP-1303).
fn tells_the_model(version: Option<&ProtocolVersion>) -> bool {
    version.is_some_and(|v| v.as_str() >= ProtocolVersion::V_2025_11_25.as_str())
}

impl Server {
    #[allow(deprecated, reason = "as above")]
    pub(crate) fn new(house: Arc<House>) -> Server {
        Server { house, log: Arc::new(Mutex::new(LoggingLevel::Info)) }
    }

    fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.house.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[allow(deprecated, reason = "as above")]
    fn listening(&self, cx: &RequestContext<RoleServer>, modern: bool) -> Listening {
        let log =
            if modern { cx.meta.log_level() } else { Some(*self.log.lock().unwrap_or_else(PoisonError::into_inner)) };
        Listening { peer: cx.peer.clone(), progress: cx.meta.get_progress_token(), log }
    }

    async fn call(
        &self,
        offer: &Arc<Offer>,
        arguments: JsonObject,
        cx: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let version = cx.protocol_version();
        let subject = &offer.subject;
        let session = &subject.session;
        let prepared = match Session::prepare(session.program(), session.policy(), &offer.own, arguments) {
            Ok(prepared) => prepared,
            Err(why) if tells_the_model(version.as_ref()) => return Ok(refusal(format!("invalid arguments: {why}"))),
            Err(why) => return Err(ErrorData::invalid_params(format!("invalid arguments: {why}"), None)),
        };
        if let Some(why) = &*self.house.broken.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(ErrorData::internal_error(why.clone(), None));
        }
        let place = tokio::select! {
            place = self.house.desk.place() => place,
            () = cx.ct.cancelled() => None,
        };
        let Some(_place) = place else { return Ok(refusal("the call was cancelled before it began")) };
        let (context, voice) = Voice::new(subject, self.listening(cx, is_modern(version.as_ref())));
        let flight = self.house.flights.begin(&context);
        let running = {
            let subject = Arc::clone(subject);
            async move { subject.session.call(prepared, context).await }
        };
        let mut running = std::pin::pin!(self.house.desk.run(running));
        let ran = tokio::select! {
            biased;
            ran = running.as_mut() => ran,
            () = cx.ct.cancelled() => {
                flight.cancel();
                running.await
            }
        };
        drop(flight);
        voice.finish().await;
        let report = match ran {
            Some(Ok(report)) => report,
            Some(Err(CallError::Guest(why))) => return Ok(refusal(why)),
            Some(Err(error)) => return Err(self.fault(&error.to_string())),
            None => return Err(self.fault("internal error: a call ended without an answer")),
        };
        self.house.ground.finished(subject, &report);
        let meta = self.house.runs.label(subject, &report);
        Ok(result(&report, meta))
    }

    /// Ours, and it ends serving: what cannot be recorded does not run.
    fn fault(&self, why: &str) -> ErrorData {
        self.house.ground.tell(why);
        *self.house.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
        // The reason may name host paths; it is for the person.
        ErrorData::internal_error("the call could not be recorded, and nothing more runs", None)
    }
}

impl ServerHandler for Server {
    #[allow(deprecated, reason = "as above")]
    fn get_info(&self) -> ServerConfig {
        let mut extensions = ExtensionCapabilities::new();
        extensions.insert(TRUST.to_owned(), Map::new());
        let capabilities = ServerCapabilities::builder()
            .enable_logging()
            .enable_resources()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_extensions_with(extensions)
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("customs", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "Tools of untrusted components. Each answer's _meta says what it may hold and points to the record of the call.",
            )
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.shelf().offers.get(name).map(|offer| offer.tool.clone())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.shelf().offers.values().map(|offer| offer.tool.clone()).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(offer) = self.shelf().offers.get(request.name.as_ref()).cloned() else {
            let shown: String = request.name.chars().take(80).collect();
            return Err(ErrorData::invalid_params(format!("there is no tool {shown:?}"), None));
        };
        self.call(&offer, request.arguments.unwrap_or_default(), &cx).await.map(CallToolResponse::from)
    }

    /// Records are for whoever was given their name.
    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(Vec::new()))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut template = ResourceTemplate::new(format!("{PREFIX}{{id}}"), "provenance");
        template.title = Some("Record of a call".to_owned());
        template.description = Some(
            "What crossed in a call: sources, sinks, denials, findings. Its address is in the answer's _meta."
                .to_owned(),
        );
        template.mime_type = Some("application/json".to_owned());
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let record = request.uri.strip_prefix(PREFIX).and_then(|id| self.house.runs.get(id));
        let Some(record) = record else {
            return Err(ErrorData::resource_not_found("there is no such record, or it is no longer kept", None));
        };
        let contents = ResourceContents::text(record.as_ref(), request.uri).with_mime_type("application/json");
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    #[allow(deprecated, reason = "as above")]
    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = request.level;
        Ok(())
    }
}
