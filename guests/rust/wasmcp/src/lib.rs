//! A component as people make them for wasmcp: it exports `tools` of `wasmcp:mcp-v20251125` and knows nothing of customs.
//!
//! | tool | shows |
//! |---|---|
//! | `count` | structured content that conforms to an output schema, and text |
//! | `read` | a file handed over as a stream, as text, as a resource or as bytes |
//! | `draw` | a picture, a sound, a link and resources, with everything that they can say |
//! | `context` | what the tool is told of its call |
//! | `fail` | a result that is an error, each kind of error without a result, a tool that is not its own, a function of a server |
//!
//! The list has two pages.

mod draw;
mod file;

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../../wit/wasi/io.wit",
            "../../../wit/wasi/clocks.wit",
            "../../../wit/wasi/random.wit",
            "../../../wit/wasi/filesystem.wit",
            "../../../wit/wasi/sockets.wit",
            "../../../wit/wasi/cli.wit",
            "../../../wit/wasmcp/auth.wit",
            "../../../wit/wasmcp/mcp-v20251125.wit",
            "wit",
        ],
        world: "example:wasmcp/provider",
        generate_all,
    });
}

use bindings::{
    exports::wasmcp::mcp_v20251125::tools::Guest,
    wasi::cli::stdout::get_stdout,
    wasmcp::mcp_v20251125::{
        mcp::{
            CallToolRequest, CallToolResult, ContentBlock, Error, ErrorCode, ListToolsRequest, ListToolsResult,
            TextContent, TextData, Tool, ToolAnnotations, ToolOptions,
        },
        server_handler::MessageContext,
        server_io,
    },
};
use serde_json::{Value, json};

struct Provider;

impl Guest for Provider {
    fn list_tools(_: MessageContext, request: ListToolsRequest) -> Result<ListToolsResult, ErrorCode> {
        let (tools, next_cursor) = match request.cursor.as_deref() {
            None => (first_page(), Some("second".to_owned())),
            Some("second") => (second_page(), None),
            Some(other) => return Err(ErrorCode::InvalidParams(error(-32602, &format!("no page {other}")))),
        };
        Ok(ListToolsResult { meta: None, next_cursor, tools })
    }

    fn call_tool(context: MessageContext, request: CallToolRequest) -> Result<Option<CallToolResult>, ErrorCode> {
        let arguments: Value = serde_json::from_str(request.arguments.as_deref().unwrap_or("{}"))
            .map_err(|wrong| ErrorCode::ParseError(error(-32700, &wrong.to_string())))?;
        match request.name.as_str() {
            "count" => Ok(Some(count(arguments["text"].as_str().unwrap_or_default()))),
            "read" => Ok(Some(file::answer(&arguments))),
            "draw" => Ok(Some(draw::answer())),
            "context" => Ok(Some(text(told(&context)))),
            "fail" => fail(arguments["how"].as_str().unwrap_or_default()),
            _ => Ok(None),
        }
    }
}

fn first_page() -> Vec<Tool> {
    let output = json!({
        "type": "object",
        "properties": {"words": {"type": "integer"}, "longest": {"type": "string"}},
        "required": ["words", "longest"],
    });
    let mut count = tool("count", "Counts the words of a text.", json!({"text": {"type": "string"}}), &["text"]);
    if let Some(options) = &mut count.options {
        options.output_schema = Some(output.to_string());
        options.title = Some("Count words".to_owned());
        options.meta = Some(json!({"example.com/kept": "by wasmcp"}).to_string());
    }
    let ways = json!({"enum": ["text", "resource", "blob"]});
    let read = tool("read", "Reads a file.", json!({"path": {"type": "string"}, "as": ways}), &["path"]);
    vec![count, read]
}

fn second_page() -> Vec<Tool> {
    let ways =
        json!({"enum": ["is-error", "invalid-params", "internal", "not-mine", "structured", "server-io", "panic"]});
    let mut draw = tool("draw", "Draws one red dot.", json!({}), &[]);
    if let Some(options) = &mut draw.options {
        // As older servers say it, and a promise that nobody checks.
        options.annotations = Some(ToolAnnotations {
            title: Some("A dot".to_owned()),
            read_only_hint: Some(true),
            destructive_hint: Some(false),
            idempotent_hint: Some(true),
            open_world_hint: Some(false),
        });
    }
    let bare = Tool { name: "context".to_owned(), input_schema: json!({"type": "object"}).to_string(), options: None };
    vec![draw, bare, tool("fail", "Fails in the way asked for.", json!({"how": ways}), &["how"])]
}

fn tool(name: &str, description: &str, properties: Value, required: &[&str]) -> Tool {
    let input = json!({"type": "object", "properties": properties, "required": required});
    let options = ToolOptions {
        meta: None,
        annotations: None,
        description: Some(description.to_owned()),
        output_schema: None,
        title: None,
        icons: None,
    };
    Tool { name: name.to_owned(), input_schema: input.to_string(), options: Some(options) }
}

fn count(text: &str) -> CallToolResult {
    let words: Vec<&str> = text.split_whitespace().collect();
    let longest = words.iter().copied().max_by_key(|word| word.chars().count()).unwrap_or_default();
    let structured = json!({"words": words.len(), "longest": longest});
    CallToolResult { structured_content: Some(structured.to_string()), ..self::text(structured.to_string()) }
}

fn told(context: &MessageContext) -> String {
    json!({
        "protocol": context.protocol_version,
        "stream": context.client_stream.is_some(),
        "session": context.session.is_some(),
        "identity": context.identity.is_some(),
        "http": context.http_context.is_some(),
        "frame": context.frame.prefix.len() + context.frame.suffix.len(),
    })
    .to_string()
}

fn fail(how: &str) -> Result<Option<CallToolResult>, ErrorCode> {
    match how {
        "is-error" => Ok(Some(CallToolResult { is_error: Some(true), ..text("it did not work".to_owned()) })),
        "invalid-params" => Err(ErrorCode::InvalidParams(error(-32602, "how: not like this"))),
        "internal" => Err(ErrorCode::InternalError(error(-32603, "something broke"))),
        "structured" => {
            Ok(Some(CallToolResult { structured_content: Some("[\"no object\"]".to_owned()), ..text(String::new()) }))
        }
        // As a tool does that has something to tell while it works.
        "server-io" => {
            let sent = server_io::flush_buffer(&get_stdout());
            Ok(Some(text(format!("sent: {}", sent.is_ok()))))
        }
        "panic" => panic!("asked to panic"),
        _ => Ok(None),
    }
}

fn error(code: i64, message: &str) -> Error {
    Error { code, message: message.to_owned(), data: None }
}

fn text(text: String) -> CallToolResult {
    let text = ContentBlock::Text(TextContent { text: TextData::Text(text), options: None });
    CallToolResult { meta: None, content: vec![text], is_error: None, structured_content: None }
}

bindings::export!(Provider with_types_in bindings);
