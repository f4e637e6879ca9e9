//! `customs:tool/tools`: components that describe their tools themselves and answer in MCP content blocks.

use crate::call::Answer;
use crate::ending::Ending;
use crate::report::{Content, ToolResult};
use customs_boundary::{State, ToolPre, tool_types};
use serde_json::{Map, Value, json};
use wasmtime::Store;

/// Tools one component may list.
const MAX_LISTED: usize = 1_000;
/// Bytes of one tool's texts together.
const MAX_TEXT: usize = 256 * 1024;

/// A tool as its component describes it. All text is the guest's.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub input_schema: Value,
    pub output_schema: Option<Value>,
}

pub(crate) async fn list(pre: &ToolPre<State>, store: &mut Store<State>) -> wasmtime::Result<Vec<Listed>> {
    let tool = pre.instantiate_async(&mut *store).await?;
    let tools = tool.customs_tool_tools().call_list_tools(&mut *store).await?;
    if tools.len() > MAX_LISTED {
        wasmtime::bail!("the component lists {} tools, and at most {MAX_LISTED} are taken", tools.len());
    }
    let mut listed: Vec<Listed> = tools.into_iter().map(listed).collect::<wasmtime::Result<_>>()?;
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some([a, _]) = listed.windows(2).find(|w| matches!(w, [a, b] if a.name == b.name)) {
        wasmtime::bail!("the component lists two tools named {}", a.name);
    }
    Ok(listed)
}

fn listed(tool: tool_types::Tool) -> wasmtime::Result<Listed> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if tool.name.is_empty() || tool.name.len() > 128 || !tool.name.chars().all(allowed) {
        let shown: String = tool.name.chars().take(40).collect();
        wasmtime::bail!("a tool's name must be 1 to 128 characters of A-Z a-z 0-9 _ . -, not {shown:?}");
    }
    let size = tool.input_schema.len()
        + tool.output_schema.as_ref().map_or(0, String::len)
        + tool.description.as_ref().map_or(0, String::len)
        + tool.title.as_ref().map_or(0, String::len);
    if size > MAX_TEXT {
        wasmtime::bail!("the texts of tool {} have {size} bytes, and at most {MAX_TEXT} are taken", tool.name);
    }
    let schema = |which: &str, text: &str| match serde_json::from_str::<Value>(text) {
        Ok(schema @ Value::Object(_)) => Ok(schema),
        _ => Err(wasmtime::format_err!("the {which} schema of tool {} is not a JSON object", tool.name)),
    };
    Ok(Listed {
        input_schema: schema("input", &tool.input_schema)?,
        output_schema: tool.output_schema.as_deref().map(|text| schema("output", text)).transpose()?,
        name: tool.name.clone(),
        title: tool.title.clone(),
        description: tool.description.clone(),
    })
}

pub(crate) async fn call(
    pre: &ToolPre<State>,
    store: &mut Store<State>,
    name: &str,
    arguments: &str,
) -> wasmtime::Result<Answer> {
    let tool = pre.instantiate_async(&mut *store).await?;
    let result = tool.customs_tool_tools().call_call_tool(&mut *store, name, arguments).await?;
    Ok(match result {
        Ok(result) => answer(result),
        Err(tool_types::CallError::Cancelled) => Answer { ending: Ending::Cancelled, result: None },
        Err(error) => {
            let text = match error {
                tool_types::CallError::UnknownTool(text) => format!("unknown tool: {text}"),
                tool_types::CallError::InvalidArguments(text) => format!("invalid arguments: {text}"),
                tool_types::CallError::Internal(text) => text,
                tool_types::CallError::Cancelled => "cancelled".to_owned(),
            };
            Answer { ending: Ending::Error, result: Some(ToolResult::error(text)) }
        }
    })
}

fn answer(result: tool_types::CallResult) -> Answer {
    let structured = match result.structured_content.as_deref().map(serde_json::from_str::<Value>) {
        None => None,
        Some(Ok(value @ Value::Object(_))) => Some(value),
        Some(_) => {
            let text = "the tool's structured content is not a JSON object".to_owned();
            return Answer { ending: Ending::Error, result: Some(ToolResult::error(text)) };
        }
    };
    let content = result.content.into_iter().map(content).collect();
    let ending = if result.is_error { Ending::Error } else { Ending::Returned };
    Answer { ending, result: Some(ToolResult { is_error: result.is_error, content, structured }) }
}

fn content(block: tool_types::Content) -> Content {
    match block {
        tool_types::Content::Text(text) => Content::Text(text),
        tool_types::Content::Image(blob) => Content::Image { data: blob.data, mime_type: blob.mime_type },
        tool_types::Content::Audio(blob) => Content::Audio { data: blob.data, mime_type: blob.mime_type },
        tool_types::Content::ResourceLink(link) => Content::ResourceLink(resource_link(link)),
        tool_types::Content::Resource(resource) => Content::Resource(embedded(resource)),
    }
}

fn resource_link(link: tool_types::ResourceLink) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("resource_link"));
    object.insert("uri".to_owned(), json!(link.uri));
    object.insert("name".to_owned(), json!(link.name));
    for (key, value) in [("title", link.title), ("description", link.description), ("mimeType", link.mime_type)] {
        if let Some(value) = value {
            object.insert(key.to_owned(), json!(value));
        }
    }
    if let Some(size) = link.size {
        object.insert("size".to_owned(), json!(size));
    }
    Value::Object(object)
}

fn embedded(resource: tool_types::EmbeddedResource) -> Value {
    use base64::Engine as _;
    let mut object = Map::new();
    object.insert("uri".to_owned(), json!(resource.uri));
    if let Some(mime_type) = resource.mime_type {
        object.insert("mimeType".to_owned(), json!(mime_type));
    }
    match resource.contents {
        tool_types::ResourceContents::Text(text) => object.insert("text".to_owned(), json!(text)),
        tool_types::ResourceContents::Blob(data) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(data);
            object.insert("blob".to_owned(), json!(encoded))
        }
    };
    Value::Object(object)
}
