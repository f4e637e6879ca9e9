//! Components that describe their tools themselves and answer in MCP content blocks: `customs:tool/tools` here, those of wasmcp in
//! [`crate::wasmcp`], which puts what it gets into the same words. What a tool may say about itself and answer is decided here for both.

use crate::call::{Answer, Words};
use crate::ending::Ending;
use crate::json::Contract;
use crate::report::{Content, ToolResult};
use customs_boundary::{State, ToolPre, tool_types};
use customs_ledger::is_unsafe_char;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use wasmtime::Store;

/// Tools one component may list.
pub(crate) const MAX_LISTED: usize = 1_000;
/// Bytes of one tool's texts together.
const MAX_TEXT: usize = 256 * 1024;
/// Bytes of the texts of all tools. Their schemas are looked through and compiled before anything else happens.
pub(crate) const MAX_TEXTS: usize = 2 * 1024 * 1024;
/// Bytes of a media type.
const MAX_MIME_TYPE: usize = 255;
/// Bytes of an address. Data travels in blobs, not in `data:` addresses.
const MAX_URI: usize = 8 * 1024;
/// Bytes of a link's name, title and description.
const MAX_LINK_TEXT: usize = 16 * 1024;

/// A tool as its component describes it. All text is the guest's.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub input_schema: Value,
    pub output_schema: Option<Value>,
    pub checks: Checks,
}

/// What holds a tool to its schemas.
#[derive(Clone, Debug)]
pub enum Checks {
    /// The types of the component: nothing else can cross.
    ByType,
    /// The schemas, compiled once.
    Contract(Arc<Contract>),
    /// The tool cannot be called: why, in a sentence.
    Refused(String),
}

impl Listed {
    /// Why the tool cannot be called, where that is so.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        match &self.checks {
            Checks::Refused(why) => Some(why),
            Checks::ByType | Checks::Contract(_) => None,
        }
    }
}

pub(crate) async fn list(pre: &ToolPre<State>, store: &mut Store<State>) -> wasmtime::Result<Vec<Listed>> {
    let tool = pre.instantiate_async(&mut *store).await?;
    let tools = tool.customs_tool_tools().call_list_tools(&mut *store).await?;
    describe(tools)
}

/// The tools as they will be listed, in the order of their names.
pub(crate) fn describe(tools: Vec<tool_types::Tool>) -> wasmtime::Result<Vec<Listed>> {
    if tools.len() > MAX_LISTED {
        wasmtime::bail!("the component lists {} tools, and at most {MAX_LISTED} are taken", tools.len());
    }
    let texts: usize = tools.iter().map(size).sum();
    if texts > MAX_TEXTS {
        wasmtime::bail!("the texts of the tools have {texts} bytes, and at most {MAX_TEXTS} are taken");
    }
    let mut listed: Vec<Listed> = tools.into_iter().map(listed).collect::<wasmtime::Result<_>>()?;
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some([a, _]) = listed.windows(2).find(|w| matches!(w, [a, b] if a.name == b.name)) {
        wasmtime::bail!("the component lists two tools named {}", a.name);
    }
    Ok(listed)
}

pub(crate) fn size(tool: &tool_types::Tool) -> usize {
    tool.input_schema.len()
        + tool.output_schema.as_ref().map_or(0, String::len)
        + tool.description.as_ref().map_or(0, String::len)
        + tool.title.as_ref().map_or(0, String::len)
}

fn listed(tool: tool_types::Tool) -> wasmtime::Result<Listed> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if tool.name.is_empty() || tool.name.len() > 128 || !tool.name.chars().all(allowed) {
        let shown: String = tool.name.chars().take(40).collect();
        wasmtime::bail!("a tool's name must be 1 to 128 characters of A-Z a-z 0-9 _ . -, not {shown:?}");
    }
    let size = size(&tool);
    if size > MAX_TEXT {
        wasmtime::bail!("the texts of tool {} have {size} bytes, and at most {MAX_TEXT} are taken", tool.name);
    }
    let mut listed = Listed {
        name: tool.name,
        title: tool.title,
        description: tool.description,
        input_schema: Value::Object(Map::new()),
        output_schema: None,
        checks: Checks::ByType,
    };
    listed.checks = match schemas(&tool.input_schema, tool.output_schema.as_deref()) {
        Ok((input, output)) => {
            let contract = Contract::new(&input, output.as_ref());
            (listed.input_schema, listed.output_schema) = (input, output);
            contract.map_or_else(Checks::Refused, |contract| Checks::Contract(Arc::new(contract)))
        }
        Err(why) => Checks::Refused(why),
    };
    Ok(listed)
}

fn schemas(input: &str, output: Option<&str>) -> Result<(Value, Option<Value>), String> {
    let schema = |which: &str, text: &str| match serde_json::from_str::<Value>(text) {
        Ok(schema @ Value::Object(_)) => Ok(schema),
        _ => Err(format!("its {which} schema is not a JSON object")),
    };
    Ok((schema("input", input)?, output.map(|text| schema("output", text)).transpose()?))
}

pub(crate) async fn call(
    pre: &ToolPre<State>,
    store: &mut Store<State>,
    name: &str,
    arguments: &str,
    contract: &Contract,
) -> wasmtime::Result<Answer> {
    let tool = pre.instantiate_async(&mut *store).await?;
    let result = tool.customs_tool_tools().call_call_tool(&mut *store, name, arguments).await?;
    Ok(match result {
        Ok(result) => answer(result, contract),
        Err(error) => failed(error),
    })
}

/// Why there is no result.
pub(crate) fn failed(error: tool_types::CallError) -> Answer {
    let (ours, text) = match error {
        tool_types::CallError::Cancelled => return Answer::of(Ending::Cancelled, None),
        tool_types::CallError::UnknownTool(text) => ("unknown tool: ", text),
        tool_types::CallError::InvalidArguments(text) => ("invalid arguments: ", text),
        tool_types::CallError::Internal(text) => ("", text),
    };
    Answer { words: Words::Behind(ours.len() as u64), ..not_this(format!("{ours}{text}")) }
}

fn not_this(text: String) -> Answer {
    Answer { words: Words::Ours, ..Answer::of(Ending::Error, Some(ToolResult::error(text))) }
}

/// What was refused of a block of a result.
pub(crate) fn refused_block(at: usize, why: &str) -> Answer {
    not_this(format!("the tool's content block {at} is refused: {why}"))
}

pub(crate) fn answer(result: tool_types::CallResult, contract: &Contract) -> Answer {
    let structured = match result.structured_content.as_deref().map(serde_json::from_str::<Value>) {
        None => None,
        Some(Ok(value @ Value::Object(_))) => Some(value),
        Some(_) => return not_this("the tool's structured content is not a JSON object".to_owned()),
    };
    // An error is for reading, whatever else it is.
    if !result.is_error
        && let Err(why) = contract.check_structured(structured.as_ref())
    {
        return not_this(why);
    }
    for (at, block) in result.content.iter().enumerate() {
        if let Err(why) = check_block(block) {
            return refused_block(at, &why);
        }
    }
    let content = result.content.into_iter().map(content).collect();
    let ending = if result.is_error { Ending::Error } else { Ending::Returned };
    let words = Words::Guests(result.structured_content);
    Answer { ending, result: Some(ToolResult { is_error: result.is_error, content, structured }), words }
}

/// What a client does with a block depends on its media type and addresses: they are what they should be, or it gets none of it.
fn check_block(block: &tool_types::Content) -> Result<(), String> {
    match block {
        tool_types::Content::Text(_) => Ok(()),
        tool_types::Content::Image(blob) => check_mime_type(&blob.mime_type, &["image"]),
        tool_types::Content::Audio(blob) => check_mime_type(&blob.mime_type, &["audio"]),
        tool_types::Content::ResourceLink(link) => {
            check_uri(&link.uri)?;
            let texts = [Some(&link.name), link.title.as_ref(), link.description.as_ref()];
            if texts.iter().flatten().map(|text| text.len()).sum::<usize>() > MAX_LINK_TEXT {
                return Err(format!("the texts of the link have more than {MAX_LINK_TEXT} bytes"));
            }
            if [Some(&link.name), link.title.as_ref()].iter().flatten().any(|text| text.chars().any(is_unsafe_char)) {
                return Err("the name of the link has characters that are not shown".to_owned());
            }
            link.mime_type.as_ref().map_or(Ok(()), |mime_type| check_mime_type(mime_type, &[]))
        }
        tool_types::Content::Resource(resource) => {
            check_uri(&resource.uri)?;
            resource.mime_type.as_ref().map_or(Ok(()), |mime_type| check_mime_type(mime_type, &[]))
        }
    }
}

/// `type/subtype`, and whatever parameters of printable ASCII. `kinds` are the types that may be, with none given all.
fn check_mime_type(mime_type: &str, kinds: &[&str]) -> Result<(), String> {
    let is_token =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    let (essence, parameters) = mime_type.split_once(';').unwrap_or((mime_type, ""));
    let named = essence.trim_end_matches(' ').split_once('/');
    let fits = named.is_some_and(|(kind, subtype)| {
        is_token(kind)
            && is_token(subtype)
            && (kinds.is_empty() || kinds.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind)))
    });
    let plain = parameters.bytes().all(|b| (b' '..=b'~').contains(&b));
    if fits && plain && mime_type.len() <= MAX_MIME_TYPE {
        return Ok(());
    }
    Err(match kinds {
        [] => "its media type is not one".to_owned(),
        kinds => format!("its media type is not one of {}", kinds.join(", ")),
    })
}

/// An address with a scheme. Those that a browser would run are none that a tool gives.
fn check_uri(uri: &str) -> Result<(), String> {
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    });
    let Some(scheme) = scheme else { return Err("its address has no scheme".to_owned()) };
    if uri.len() > MAX_URI {
        return Err(format!("its address has more than {MAX_URI} bytes"));
    }
    if uri.chars().any(|c| c.is_whitespace() || c.is_control() || is_unsafe_char(c)) {
        return Err("its address has blanks or characters that are not shown".to_owned());
    }
    if ["javascript", "vbscript"].iter().any(|runs| runs.eq_ignore_ascii_case(scheme)) {
        return Err("its address is a script".to_owned());
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_two_tokens_of_the_kind_that_the_block_is() {
        let long = format!("image/{}", "x".repeat(MAX_MIME_TYPE));
        for (mime_type, kinds, fits) in [
            ("image/png", &["image"][..], true),
            ("IMAGE/svg+xml; charset=utf-8", &["image"], true),
            ("text/html", &["image"], false),
            ("text/plain;charset=utf-8", &[], true),
            ("text", &[], false),
            ("text/", &[], false),
            ("text/plain\n", &[], false),
            ("text/plain; a=\u{202e}", &[], false),
            ("text/pl ain", &[], false),
            ("", &[], false),
            (&long, &["image"], false),
        ] {
            assert_eq!(check_mime_type(mime_type, kinds).is_ok(), fits, "{mime_type:?}");
        }
    }

    #[test]
    fn addresses_have_a_scheme_and_nothing_hidden() {
        let long = format!("https://example.com/{}", "x".repeat(MAX_URI));
        for (uri, fits) in [
            ("https://example.com/a?b=c#d", true),
            ("test://static-text", true),
            ("urn:isbn:0451450523", true),
            ("file:///box/a.md", true),
            ("/box/a.md", false),
            ("1a:b", false),
            (":b", false),
            ("https://example.com/a b", false),
            ("https://example.com/\u{1b}[2J", false),
            ("https://example.com/\u{202e}gpj", false),
            ("https://example.com/\r\nx", false),
            ("JavaScript:alert(1)", false),
            (&long, false),
        ] {
            assert_eq!(check_uri(uri).is_ok(), fits, "{uri:?}");
        }
    }
}
