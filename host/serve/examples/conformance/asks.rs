//! Tools that ask the person at the client: in the older revisions by a request of the server, in the newest by an answer that says which
//! input is missing. Nothing here asks for sampling or roots: customs never will.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, ElicitRequest,
    ElicitRequestParams, ElicitationSchema, ErrorData, InputRequest, InputRequests, InputRequiredResult, JsonObject,
    RequestStateCodec, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use serde_json::{Value, json};

/// Which tools there are. Only the first takes an argument.
const TOOLS: [&str; 10] = [
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_input_required_result_elicitation",
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
    "test_input_required_result_multi_round",
    "test_input_required_result_capabilities",
];

pub fn tools() -> Vec<Tool> {
    TOOLS.iter().map(|name| tool(name)).collect()
}

pub fn tool(name: &str) -> Tool {
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), json!("object"));
    if name == "test_elicitation" {
        schema.insert("properties".to_owned(), json!({"message": {"type": "string"}}));
        schema.insert("required".to_owned(), json!(["message"]));
    }
    Tool::new(name.to_owned(), "For the conformance runner.", schema)
}

/// None where the tool is not one of ours.
#[allow(deprecated, reason = "the client is asked whether it can do what is deprecated; nothing does it")]
pub async fn call(
    request: &CallToolRequestParams,
    codec: &RequestStateCodec,
    cx: &RequestContext<RoleServer>,
) -> Option<Result<CallToolResponse, ErrorData>> {
    if !TOOLS.contains(&request.name.as_ref()) {
        return None;
    }
    let answer = match request.name.as_ref() {
        "test_elicitation" => {
            let message = request.arguments.as_ref().and_then(|a| a.get("message")).and_then(Value::as_str);
            let properties = json!({
                "username": {"type": "string", "description": "User's response"},
                "email": {"type": "string", "description": "User's email address"},
            });
            at_once(&cx.peer, message.unwrap_or_default(), properties, &["username", "email"]).await
        }
        "test_elicitation_sep1034_defaults" => at_once(&cx.peer, "Everything has a default.", defaults(), &[]).await,
        "test_elicitation_sep1330_enums" => at_once(&cx.peer, "Choose.", enums(), &[]).await,
        "test_missing_capability" if cx.client_capabilities().is_none_or(|c| c.sampling.is_none()) => {
            let wanted = ClientCapabilities::builder().enable_sampling().build();
            Err(ErrorData::missing_required_client_capability(wanted))
        }
        "test_missing_capability" => says("the client has what is needed"),
        "test_streaming_elicitation" => asks("value", None),
        "test_input_required_result_elicitation" => match given(request, "user_name") {
            Some(name) => says(format!("Hello, {name}!")),
            None => asks("user_name", None),
        },
        "test_input_required_result_capabilities" => {
            let may = cx.client_capabilities().is_some_and(|c| c.elicitation.is_some());
            match given(request, "user_name") {
                None if may => asks("user_name", None),
                _ => says("asked for nothing that the client cannot do"),
            }
        }
        "test_input_required_result_multi_round" => rounds(request, codec),
        _ => confirm(request, codec),
    };
    Some(answer)
}

/// A request of the server in the middle of a call.
#[allow(deprecated, reason = "the newest revision has no such requests")]
async fn at_once(
    peer: &Peer<RoleServer>,
    message: &str,
    properties: Value,
    required: &[&str],
) -> Result<CallToolResponse, ErrorData> {
    match peer.create_elicitation(form(message, properties, required)).await {
        Ok(answer) => says(format!(
            "User response: action={}, content={}",
            json!(answer.action).as_str().unwrap_or_default(),
            json!(answer.content)
        )),
        Err(error) => Ok(CallToolResult::error(vec![ContentBlock::text(error.to_string())]).into()),
    }
}

fn form(message: &str, properties: Value, required: &[&str]) -> ElicitRequestParams {
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let requested_schema: ElicitationSchema = serde_json::from_value(schema).unwrap();
    ElicitRequestParams::FormElicitationParams { meta: None, message: message.to_owned(), requested_schema }
}

fn defaults() -> Value {
    json!({
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true},
    })
}

fn enums() -> Value {
    let plain = ["option1", "option2", "option3"];
    let titled = |word: &str| {
        json!([
            {"const": "value1", "title": format!("First {word}")},
            {"const": "value2", "title": format!("Second {word}")},
            {"const": "value3", "title": format!("Third {word}")},
        ])
    };
    json!({
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled("Option")},
        "legacyEnum": {
            "type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
    })
}

fn says(text: impl Into<String>) -> Result<CallToolResponse, ErrorData> {
    Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
}

/// An answer that says which input is missing. `state` comes back with it.
fn asks(key: &str, state: Option<String>) -> Result<CallToolResponse, ErrorData> {
    Ok(missing(key, state).into())
}

pub fn missing(key: &str, state: Option<String>) -> InputRequiredResult {
    let form = match key {
        "confirm" => form("Please confirm", json!({"ok": {"type": "boolean"}}), &["ok"]),
        "step2" => form("Step 2: What is your favorite color?", json!({"color": {"type": "string"}}), &["color"]),
        "step1" => form("Step 1: What is your name?", json!({"name": {"type": "string"}}), &["name"]),
        "user_context" => form("What context?", json!({"context": {"type": "string"}}), &["context"]),
        _ => form("What is your name?", json!({"name": {"type": "string"}}), &["name"]),
    };
    let mut requests = InputRequests::new();
    requests.insert(key.to_owned(), InputRequest::Elicitation(ElicitRequest::new(form)));
    InputRequiredResult::new(Some(requests), state)
}

/// What the person gave for it: the one text of a form that was accepted.
fn given(request: &CallToolRequestParams, key: &str) -> Option<String> {
    text(request.input_responses.as_ref()?.get(key)?)
}

pub fn text(response: &Value) -> Option<String> {
    let fields = response.get("content")?.as_object()?;
    fields.values().find_map(Value::as_str).map(str::to_owned)
}

fn confirm(request: &CallToolRequestParams, codec: &RequestStateCodec) -> Result<CallToolResponse, ErrorData> {
    match request.request_state.as_deref() {
        None => asks("confirm", Some(codec.seal(b"asked"))),
        Some(state) => {
            opened(codec, state)?;
            says("Confirmed: state-ok")
        }
    }
}

fn rounds(request: &CallToolRequestParams, codec: &RequestStateCodec) -> Result<CallToolResponse, ErrorData> {
    let round = request.request_state.as_deref().map(|state| opened(codec, state)).transpose()?;
    match round.as_deref() {
        None => asks("step1", Some(codec.seal(b"one"))),
        Some(b"one") if given(request, "step1").is_some() => asks("step2", Some(codec.seal(b"two"))),
        Some(b"one") => asks("step1", Some(codec.seal(b"one"))),
        Some(_) => says("both rounds are done"),
    }
}

/// The state comes from the client, and may be anything.
fn opened(codec: &RequestStateCodec, state: &str) -> Result<Vec<u8>, ErrorData> {
    codec.open(state).map_err(|_| ErrorData::invalid_params("the request state is not ours", None))
}
