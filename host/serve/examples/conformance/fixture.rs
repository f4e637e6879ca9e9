//! The server, and around it what only the runner asks for.

use crate::{asks, texts};
#[allow(deprecated, reason = "older revisions have it")]
use rmcp::model::SetLevelRequestParams;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, CompletionInfo,
    ContentBlock, ErrorData, GetPromptRequestParams, GetPromptResponse, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, RequestStateCodec, ServerConfig, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext, SubscriptionSink};
use rmcp::{RoleServer, ServerHandler};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What requests of the newest revision share: they have no connection.
pub struct Shared {
    listeners: Mutex<BTreeMap<u64, SubscriptionSink>>,
    next: AtomicU64,
    codec: RequestStateCodec,
}

impl Shared {
    pub fn new() -> Shared {
        let codec = RequestStateCodec::try_new(*b"a key that is known to everybody").unwrap();
        Shared { listeners: Mutex::default(), next: AtomicU64::new(0), codec }
    }
}

/// `served` answers for everything that is not named here.
#[derive(Clone)]
pub struct Fixture<H> {
    served: H,
    shared: Arc<Shared>,
}

/// Tools that make the fixture tell listeners of a change.
const CHANGES: [&str; 2] = ["test_trigger_tool_change", "test_trigger_prompt_change"];

impl<H: ServerHandler> Fixture<H> {
    pub fn new(served: H, shared: Arc<Shared>) -> Fixture<H> {
        Fixture { served, shared }
    }

    async fn tell(&self, change: &str) -> CallToolResponse {
        let listeners: Vec<_> = self.shared.listeners.lock().unwrap().values().cloned().collect();
        for listener in listeners {
            let told = match change {
                "test_trigger_tool_change" => listener.notify_tool_list_changed().await,
                _ => listener.notify_prompt_list_changed().await,
            };
            // It did not want to hear of this, or has gone.
            told.ok();
        }
        CallToolResult::success(vec![ContentBlock::text("told")]).into()
    }
}

#[allow(deprecated, reason = "older revisions have what the newest has not")]
impl<H: ServerHandler> ServerHandler for Fixture<H> {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.served.get_info();
        let capabilities = &mut info.capabilities;
        capabilities.prompts.get_or_insert_default().list_changed = Some(true);
        capabilities.completions.get_or_insert_default();
        capabilities.resources.get_or_insert_default().subscribe = Some(true);
        info
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.served.get_tool(name)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        self.shared.listeners.lock().unwrap().insert(number, context.sink().clone());
        context.cancelled().await;
        self.shared.listeners.lock().unwrap().remove(&number);
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut listed = self.served.list_tools(request, cx).await?;
        listed.tools.extend(asks::tools());
        listed.tools.extend(CHANGES.map(asks::tool));
        Ok(listed)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if CHANGES.contains(&request.name.as_ref()) {
            return Ok(self.tell(&request.name).await);
        }
        match asks::call(&request, &self.shared.codec, &cx).await {
            Some(answer) => answer,
            None => self.served.call_tool(request, cx).await,
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut listed = self.served.list_resources(request, cx).await?;
        listed.resources.extend(texts::resources());
        Ok(listed)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut listed = self.served.list_resource_templates(request, cx).await?;
        listed.resource_templates.push(texts::template());
        Ok(listed)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match texts::resource(&request.uri) {
            Some(contents) => Ok(ReadResourceResult::new(vec![contents]).into()),
            None => self.served.read_resource(request, cx).await,
        }
    }

    /// Nothing here ever changes.
    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _request: UnsubscribeRequestParams,
        _cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(texts::prompts()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _cx: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name == "test_input_required_result_prompt" {
            let given = request.input_responses.as_ref().and_then(|all| all.get("user_context")).and_then(asks::text);
            return Ok(match given {
                None => asks::missing("user_context", None).into(),
                Some(context) => texts::says(format!("In the context of {context}.")).into(),
            });
        }
        texts::prompt(&request).map(GetPromptResponse::from)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _cx: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let all = ["paris", "park", "party"].map(str::to_owned);
        let fitting = all.into_iter().filter(|word| word.starts_with(&request.argument.value)).collect();
        CompletionInfo::new(fitting).map(CompleteResult::new).map_err(|why| ErrorData::internal_error(why, None))
    }

    async fn set_level(&self, request: SetLevelRequestParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.served.set_level(request, cx).await
    }
}
