//! What a component made for wasmcp should not do. Which of it, says a word in its data that a test writes over: a list of tools can be
//! told nothing from outside.
//!
//! It is made for the older revision, `wasmcp:mcp-v20250618`: as `honest` it is the test that this one is called too.

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../../wit/wasi/io.wit",
            "../../../wit/wasmcp/auth.wit",
            "../../../wit/wasmcp/mcp-v20250618.wit",
        ],
        inline: "package example:badwasmcp; world provider { export wasmcp:mcp-v20250618/tools@0.1.8; }",
        world: "example:badwasmcp/provider",
        generate_all,
    });
}

use bindings::{
    exports::wasmcp::mcp_v20250618::tools::Guest,
    wasmcp::mcp_v20250618::{
        mcp::{
            Blob, BlobData, CallToolRequest, CallToolResult, ContentBlock, Error, ErrorCode, ListToolsRequest,
            ListToolsResult, TextContent, TextData, Tool, ToolOptions,
        },
        server_handler::MessageContext,
    },
};

/// `mode:` and a word. Read as something that may change, so that the compiler does not.
static MODE: [u8; 32] = *b"mode:honest                     ";

fn mode() -> String {
    // SAFETY: it is a static, and this is how it is read each time anew.
    let bytes = unsafe { std::ptr::read_volatile(&MODE) };
    String::from_utf8_lossy(&bytes[5..]).trim_end().to_owned()
}

struct Provider;

impl Guest for Provider {
    fn list_tools(_: MessageContext, request: ListToolsRequest) -> Result<ListToolsResult, ErrorCode> {
        let page = request.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0_u32);
        let mut next_cursor = None;
        let tools = match mode().as_str() {
            "many-tools" => (0..1_001).map(|n| tool(&format!("tool-{n}"))).collect(),
            "many-pages" => {
                next_cursor = Some((page + 1).to_string());
                vec![tool(&format!("tool-{page}"))]
            }
            "empty-pages" => {
                next_cursor = Some((page + 1).to_string());
                Vec::new()
            }
            "a-circle" => {
                next_cursor = Some("7".to_owned());
                Vec::new()
            }
            "same-names" => vec![tool("same"), tool("same")],
            "no-name" => vec![tool("")],
            "strange-name" => vec![tool("\u{1b}[2J\u{202e}")],
            "no-json" => vec![Tool { input_schema: "{\"type\":".to_owned(), ..tool("fine") }, tool("other")],
            "no-object" => vec![Tool { input_schema: "true".to_owned(), ..tool("fine") }, tool("other")],
            "huge-text" => vec![about("fine", "x".repeat(300 << 10))],
            "huge-texts" => (0..10).map(|n| about(&format!("tool-{n}"), "x".repeat(250 << 10))).collect(),
            "error" => {
                let message = "\u{1b}[2J a handle limit that is no such thing".to_owned();
                return Err(ErrorCode::InternalError(Error { code: -7, message, data: Some("{".to_owned()) }));
            }
            "traps" => panic!("asked to panic"),
            _ => vec![tool("fine")],
        };
        Ok(ListToolsResult { meta: Some("no json".to_owned()), next_cursor, tools })
    }

    fn call_tool(context: MessageContext, request: CallToolRequest) -> Result<Option<CallToolResult>, ErrorCode> {
        let blob = |mime: &str| {
            ContentBlock::Image(Blob { data: BlobData::Blob(vec![0]), mime_type: mime.to_owned(), options: None })
        };
        let mut structured_content = None;
        let content = match mode().as_str() {
            "huge-answer" => vec![text("x".repeat(9 << 20))],
            "many-blocks" => (0..100_000).map(|_| text("x".to_owned())).collect(),
            "strange-image" => vec![blob("text/html")],
            "no-json-answer" => {
                structured_content = Some("{".to_owned());
                Vec::new()
            }
            _ => vec![text(format!("{} {}", request.name, context.protocol_version))],
        };
        Ok(Some(CallToolResult { meta: Some("no json".to_owned()), content, is_error: None, structured_content }))
    }
}

fn tool(name: &str) -> Tool {
    Tool { name: name.to_owned(), input_schema: "{\"type\":\"object\"}".to_owned(), options: None }
}

fn about(name: &str, description: String) -> Tool {
    let options =
        ToolOptions { meta: None, annotations: None, description: Some(description), output_schema: None, title: None };
    Tool { options: Some(options), ..tool(name) }
}

fn text(text: String) -> ContentBlock {
    ContentBlock::Text(TextContent { text: TextData::Text(text), options: None })
}

bindings::export!(Provider with_types_in bindings);
