//! A finished call as MCP's result.

use customs_engine::{Content, Ending, Report};
use rmcp::model::{CallToolResult, ContentBlock, EmbeddedResource, MetaObject, Resource};
use serde_json::Value;

/// The result as the client gets it, flow rules carried out already.
pub(crate) fn result(report: &Report, meta: MetaObject) -> CallToolResult {
    let mut result = match &report.result {
        Some(given) => {
            let blocks = given.content.iter().map(block).collect();
            let mut result =
                if given.is_error { CallToolResult::error(blocks) } else { CallToolResult::success(blocks) };
            result.structured_content = given.structured.clone();
            result
        }
        None => CallToolResult::error(vec![ContentBlock::text(stopped(&report.ending))]),
    };
    result.meta = Some(meta);
    result
}

/// A refusal of ours, as a result that the model reads.
pub(crate) fn refusal(why: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why)])
}

/// Why there is no result. The guest's own words (a trap's message) are not among them: they were meant for nobody.
fn stopped(ending: &Ending) -> String {
    match ending {
        Ending::Limit { limit, observed } => format!("the tool was stopped: {limit} limit ({observed})"),
        Ending::Trap { .. } => "the tool was stopped: it failed (trap)".to_owned(),
        Ending::Exit { code } => format!("the tool was stopped: it exited with code {code}"),
        Ending::Cancelled => "the call was cancelled".to_owned(),
        Ending::Refused { detail } => detail.clone(),
        Ending::Returned | Ending::Error => "the tool gave no result".to_owned(),
    }
}

fn block(content: &Content) -> ContentBlock {
    let as_text = |value: &Value| ContentBlock::text(value.to_string());
    match content {
        Content::Text(text) => ContentBlock::text(text.clone()),
        Content::Image { .. } | Content::Audio { .. } => {
            let json = content.to_json();
            let field = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            match content {
                Content::Image { .. } => ContentBlock::image(field("data"), field("mimeType")),
                _ => ContentBlock::audio(field("data"), field("mimeType")),
            }
        }
        Content::ResourceLink(link) => {
            serde_json::from_value::<Resource>(link.clone()).map_or_else(|_| as_text(link), ContentBlock::ResourceLink)
        }
        Content::Resource(_) => {
            let json = content.to_json();
            serde_json::from_value::<EmbeddedResource>(json.clone())
                .map_or_else(|_| as_text(&json), ContentBlock::Resource)
        }
    }
}
