//! MCP: what a client asks, and what it gets. All revisions come through here; rmcp knows how each writes its messages.

use crate::answer::{refusal, result};
use crate::ask::{self, Ask, Choice, Hold, Pending, Proposal};
use crate::desk::Desk;
use crate::flights::Flights;
use crate::provenance::{GRANTED, PREFIX, Runs, TRUST};
use crate::reload::{REFUSED, Reload, Renewed};
use crate::shelf::{Offer, Shelf, Subject};
use crate::trace::Traceparent;
use crate::voice::{Listening, Voice};
use crate::watch::Observers;
use customs_boundary::Context;
use customs_engine::{CallError, Ending, Report};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams,
    ElicitResult, ErrorData, ExtensionCapabilities, Implementation, InputRequest, InputRequests, InputRequiredResult,
    InputResponses, JsonObject, ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig,
    SubscriptionFilter, Tool,
};
#[allow(deprecated, reason = "logging is deprecated in the newest revision and in use by older clients")]
use rmcp::model::{LoggingLevel, SetLevelRequestParams};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Map, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What the program knows of files, policy and people, and this room does not.
pub trait Ground: Send + Sync {
    /// A finished call, for the person: told on stderr.
    fn finished(&self, subject: &Subject, report: &Report);

    /// A sentence for the person.
    fn tell(&self, sentence: &str);

    /// Whether the policy or a component may have changed since [`Ground::renew`] looked. Asked before each call: quick.
    fn moved(&self) -> bool {
        false
    }

    /// Looks closely, and makes what is to be served from now on. It may read, compile and block; a runtime is there. A component whose bytes
    /// changed without the policy's consent is marked by [`Subject::held`].
    fn renew(&self, _current: &[Arc<Subject>]) -> Renewed {
        Renewed::Same
    }

    /// What a person could grant so that this call would not have been refused. None where nobody is to be asked.
    fn proposal(&self, _subject: &Subject, _report: &Report) -> Option<Proposal> {
        None
    }

    /// The same component under a policy that is wider by a grant which a person gave.
    ///
    /// # Errors
    /// Why not, in one sentence for the person; then nothing has changed.
    fn widen(&self, _subject: &Arc<Subject>, _proposal: &Proposal, _hold: Hold) -> Result<Arc<Subject>, String> {
        Err("grants cannot be given here".to_owned())
    }
}

/// The question's name among the input requests.
const QUESTION: &str = "dev.customs/grant";

/// Everything that connections share.
pub(crate) struct House {
    pub(crate) shelf: RwLock<Arc<Shelf>>,
    pub(crate) desk: Desk,
    pub(crate) runs: Runs,
    pub(crate) flights: Arc<Flights>,
    pub(crate) ground: Arc<dyn Ground>,
    pub(crate) reload: Reload,
    /// Where people are asked for grants.
    pub(crate) ask: Option<Ask>,
    /// Why no call can be recorded any more.
    pub(crate) broken: Mutex<Option<String>>,
    /// They are told how calls end.
    pub(crate) observers: Observers,
}

/// One connection.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) house: Arc<House>,
    /// The least level of log lines that this client wants.
    #[allow(deprecated, reason = "as above")]
    log: Arc<Mutex<LoggingLevel>>,
    /// It is told of changes.
    known: Arc<AtomicBool>,
    /// Cancelled once the client has closed its end: what only listens has nothing to wait for then.
    pub(crate) gone: Context,
}

/// A finished run of a tool.
enum Ran {
    /// It did not begin.
    Not(CallToolResult),
    /// The last progress that was told, for a second run.
    Done { report: Box<Report>, told: Option<u64> },
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
        Server { house, log: Arc::new(Mutex::new(LoggingLevel::Info)), known: Arc::default(), gone: Context::default() }
    }

    fn shelf(&self) -> Arc<Shelf> {
        self.house.shelf()
    }

    #[allow(deprecated, reason = "as above")]
    fn listening(&self, cx: &RequestContext<RoleServer>, modern: bool, after: Option<u64>) -> Listening {
        let log =
            if modern { cx.meta.log_level() } else { Some(*self.log.lock().unwrap_or_else(PoisonError::into_inner)) };
        Listening { peer: cx.peer.clone(), progress: cx.meta.get_progress_token(), after, log }
    }

    /// Runs a tool once. `after` is the progress that its caller knows already.
    async fn run(
        &self,
        subject: &Arc<Subject>,
        own: &str,
        arguments: JsonObject,
        cx: &RequestContext<RoleServer>,
        after: Option<u64>,
    ) -> Result<Ran, ErrorData> {
        let version = cx.protocol_version();
        let mut watch = self.house.observers.watch(&subject.name, own, cx);
        if let Some(why) = subject.held.why() {
            watch.ends("refused");
            return Ok(Ran::Not(refusal(why)));
        }
        let prepared = match subject.prepare(own, arguments) {
            Ok(prepared) => prepared,
            Err(why) => {
                watch.ends("invalid");
                let why = format!("invalid arguments: {why}");
                let told = tells_the_model(version.as_ref());
                return if told { Ok(Ran::Not(refusal(why))) } else { Err(ErrorData::invalid_params(why, None)) };
            }
        };
        if let Some(why) = &*self.house.broken.lock().unwrap_or_else(PoisonError::into_inner) {
            watch.ends("fault");
            return Err(ErrorData::internal_error(why.clone(), None));
        }
        let is_alone = self.shelf().subjects.len() < 2;
        let place = tokio::select! {
            place = self.house.desk.place(&subject.name, is_alone) => place,
            () = cx.ct.cancelled() => None,
        };
        let Some(_place) = place else { return Ok(Ran::Not(refusal("the call was cancelled before it began"))) };
        watch.begins();
        let (context, voice) = Voice::new(subject, self.listening(cx, is_modern(version.as_ref()), after));
        let flight = self.house.flights.begin(&context);
        let running = {
            let (subject, aboard) = (Arc::clone(subject), self.house.flights.board());
            async move {
                let _aboard = aboard;
                subject.session.call(prepared, context).await
            }
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
        let told = voice.finish().await;
        let report = match ran {
            Some(Ok(report)) => report,
            Some(Err(CallError::Guest(why))) => {
                watch.ends("refused");
                return Ok(Ran::Not(refusal(why)));
            }
            other => {
                watch.ends("fault");
                let error = other.and_then(Result::err).map(|error| error.to_string());
                return Err(self.fault(error.as_deref().unwrap_or("internal error: a call ended without an answer")));
            }
        };
        watch.ended(&report);
        self.house.ground.finished(subject, &report);
        Ok(Ran::Done { report: Box::new(report), told })
    }

    fn answer(&self, subject: &Subject, report: &Report, cx: &RequestContext<RoleServer>) -> CallToolResult {
        result(report, self.house.runs.label(subject, report, Traceparent::of(cx).as_ref()))
    }

    /// A call, and where it was refused something a person may grant, the question and what comes of it.
    async fn call(
        &self,
        name: &str,
        offer: &Offer,
        arguments: JsonObject,
        cx: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let subject = &offer.subject;
        let generation = self.house.reload.generation();
        let asking = self.house.ask.as_ref().filter(|_| ask::shows_forms(cx.client_capabilities().as_ref()));
        let kept = asking.map(|_| arguments.clone());
        let (report, told) = match self.run(subject, &offer.own, arguments, cx, None).await? {
            Ran::Done { report, told } => (report, told),
            Ran::Not(why) => return Ok(why.into()),
        };
        let first = self.answer(subject, &report, cx);
        let (Some(ask), Some(arguments)) = (asking, kept) else { return Ok(first.into()) };
        if report.denials.is_empty() || report.ending == Ending::Cancelled {
            return Ok(first.into());
        }
        let Some(proposal) = self.house.ground.proposal(subject, &report) else { return Ok(first.into()) };
        let again = !report.reached_out;
        let Some(question) = question(&offer.own, subject, &proposal, again) else { return Ok(first.into()) };
        let modern = is_modern(cx.protocol_version().as_ref());
        if (modern && !ask.has_room(&report)) || !ask.open(&subject.name, &proposal) {
            return Ok(first.into());
        }
        if modern {
            let pending = Pending::new(ask, subject.name.clone(), proposal, again, generation, first.clone());
            let Some(state) = ask.wait(name, &arguments, pending) else { return Ok(first.into()) };
            let question = InputRequest::Elicitation(ElicitRequest::new(question));
            let requests = InputRequests::from([(QUESTION.to_owned(), question)]);
            return Ok(InputRequiredResult::new(Some(requests), Some(state)).into());
        }
        let answer = self.elicit(question, ask, cx).await;
        let choice = answer.map_or(Choice::Deny, |answer| ask::understood(&answer, &proposal, again));
        let pending = Pending::new(ask, subject.name.clone(), proposal, again, generation, first);
        Ok(self.chosen(ask, pending, choice, offer, arguments, cx, told).await?.into())
    }

    /// Puts the question to the person while the call is open. None where no answer comes.
    #[allow(deprecated, reason = "the clients that this is for know no other way")]
    async fn elicit(
        &self,
        question: ElicitRequestParams,
        ask: &Ask,
        cx: &RequestContext<RoleServer>,
    ) -> Option<ElicitResult> {
        // It is under way like a call, and ends when the client or the server goes.
        let context = Context::default();
        let flight = self.house.flights.begin(&context);
        let answer = tokio::select! {
            answer = cx.peer.create_elicitation_with_timeout(question, Some(ask.time)) => answer.ok(),
            () = context.given_up() => None,
            () = cx.ct.cancelled() => None,
        };
        drop(flight);
        answer
    }

    /// Carries out what the person chose.
    #[allow(clippy::too_many_arguments, reason = "a call and its question have that many sides")]
    async fn chosen(
        &self,
        ask: &Ask,
        pending: Pending,
        choice: Choice,
        offer: &Offer,
        arguments: JsonObject,
        cx: &RequestContext<RoleServer>,
        told: Option<u64>,
    ) -> Result<CallToolResult, ErrorData> {
        let Pending { subject, proposal, again, generation, mut first, .. } = pending;
        ask.close(&subject, &proposal, choice == Choice::Deny);
        let Choice::Grant(hold) = choice else { return Ok(first) };
        let Some(wider) = self.house.widen(subject, proposal, hold, generation).await else { return Ok(first) };
        if again {
            let mut answer = match self.run(&wider, &offer.own, arguments, cx, told).await? {
                Ran::Done { report, .. } => self.answer(&wider, &report, cx),
                Ran::Not(why) => why,
            };
            answer.meta.get_or_insert_default().insert(GRANTED.to_owned(), json!(hold.as_str()));
            return Ok(answer);
        }
        let note = "access was granted for the next calls; this one was not made again, because it has already reached outside";
        first.content.push(ContentBlock::text(note));
        first.meta.get_or_insert_default().insert(GRANTED.to_owned(), json!(hold.as_str()));
        Ok(first)
    }

    /// The client's next request after a question, with the person's answer.
    async fn resume(
        &self,
        name: &str,
        state: &str,
        responses: Option<InputResponses>,
        arguments: JsonObject,
        cx: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let refuse = |why: &'static str| ErrorData::invalid_params(why, None);
        let Some(ask) = &self.house.ask else { return Err(refuse("this server gave no request state")) };
        let pending = ask.take(name, &arguments, state).map_err(refuse)?;
        let offer = self.shelf().offers.get(name).cloned().ok_or_else(|| refuse("the tool is gone"))?;
        let answer = responses.and_then(|mut responses| responses.remove(QUESTION));
        let answer = answer.and_then(|answer| serde_json::from_value::<ElicitResult>(answer).ok());
        let choice = answer.map_or(Choice::Deny, |a| ask::understood(&a, &pending.proposal, pending.again));
        Ok(self.chosen(ask, pending, choice, &offer, arguments, cx, None).await?.into())
    }

    /// Ours, and it ends serving: what cannot be recorded does not run.
    fn fault(&self, why: &str) -> ErrorData {
        self.house.ground.tell(why);
        *self.house.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
        // The reason may name host paths; it is for the person.
        ErrorData::internal_error("the call could not be recorded, and nothing more runs", None)
    }
}

/// None where it cannot be put so that a person sees what the answer means.
fn question(tool: &str, subject: &Subject, proposal: &Proposal, again: bool) -> Option<ElicitRequestParams> {
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: ask::wording(tool, &subject.component, proposal, again)?,
        requested_schema: ask::schema(proposal, again)?,
    })
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
        cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.house.refresh().await;
        if !is_modern(cx.protocol_version().as_ref()) && !self.known.swap(true, Ordering::Relaxed) {
            self.house.reload.add_peer(&cx.peer);
        }
        Ok(ListToolsResult::with_all_items(self.shelf().offers.values().map(|offer| offer.tool.clone()).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.house.refresh().await;
        if self.house.reload.is_refused() {
            return Ok(refusal(REFUSED).into());
        }
        let arguments = request.arguments.unwrap_or_default();
        if let Some(state) = &request.request_state {
            return self.resume(&request.name, state, request.input_responses, arguments, &cx).await;
        }
        let Some(offer) = self.shelf().offers.get(request.name.as_ref()).cloned() else {
            let shown: String = request.name.chars().take(80).collect();
            return Err(ErrorData::invalid_params(format!("there is no tool {shown:?}"), None));
        };
        self.call(&request.name, &offer, arguments, &cx).await
    }

    /// A client that wants to know of changes.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        // Also where nobody polls this to its end.
        let _listed = self.house.reload.add_subscription(context.sink());
        tokio::select! {
            () = context.cancelled() => {}
            () = self.gone.given_up() => {}
        }
        Ok(())
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
            let which = json!({"uri": request.uri});
            return Err(ErrorData::resource_not_found("there is no such record, or it is no longer kept", Some(which)));
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
