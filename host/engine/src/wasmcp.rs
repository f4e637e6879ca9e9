//! `wasmcp:mcp-v*/tools`: components made for wasmcp, which describe their own tools page by page and answer in MCP content blocks that may
//! be streams. Here their words become those of `customs:tool`, and [`crate::dynamic`] does the rest.
//!
//! What they are told of a call is the revision and nothing else. What they say beside tools and answers is left out: `_meta`, icons,
//! annotations of content, and hints about what a tool does, which are the tool's own word.

use crate::call::Answer;
use crate::dynamic::{self, Listed, MAX_LISTED, MAX_TEXTS};
use crate::json::Contract;
use customs_boundary::State;
use customs_boundary::tool_types::{
    Blob, CallError, CallResult, Content, EmbeddedResource, ResourceContents, ResourceLink, Tool,
};
use customs_boundary::wasmcp::{Handed, v20250618 as june, v20251125 as november};
use wasmtime::Store;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, InstancePre};

/// Pages of one list. A page may hold one tool, and more than this is a list without end.
const MAX_PAGES: usize = MAX_LISTED;

/// What the interface of every revision begins with.
const PACKAGE: &str = "wasmcp:mcp-v";

/// What a tool is told of its call, by the names of the fields.
const CONTEXT: [&str; 6] = ["client-stream", "protocol-version", "session", "identity", "frame", "http-context"];

/// A component before its imports' state is known, by its revision of MCP.
pub(crate) enum Pre {
    November(november::ProviderPre<State>),
    June(june::ProviderPre<State>),
}

impl Pre {
    pub(crate) fn new(pre: InstancePre<State>) -> Result<Pre, String> {
        let name = exported(pre.component()).unwrap_or_default();
        let made = match revision(&name) {
            Some("20251125") => november::ProviderPre::new(pre).map(Pre::November),
            _ => june::ProviderPre::new(pre).map(Pre::June),
        };
        made.map_err(|_| unlike(&name))
    }

    pub(crate) async fn list(&self, store: &mut Store<State>) -> wasmtime::Result<Vec<Listed>> {
        let tools = match self {
            Pre::November(pre) => november_words::list(pre, store).await?,
            Pre::June(pre) => june_words::list(pre, store).await?,
        };
        dynamic::describe(tools)
    }

    pub(crate) async fn call(
        &self,
        store: &mut Store<State>,
        name: &str,
        arguments: &str,
        contract: &Contract,
    ) -> wasmtime::Result<Answer> {
        let given = match self {
            Pre::November(pre) => november_words::call(pre, store, name, arguments).await?,
            Pre::June(pre) => june_words::call(pre, store, name, arguments).await?,
        };
        let given = match given {
            Ok(given) => given,
            Err(error) => return Ok(dynamic::failed(error)),
        };
        let mut content = Vec::with_capacity(given.blocks.len());
        for (at, block) in given.blocks.into_iter().enumerate() {
            match here(block, at, store).await? {
                Ok(block) => content.push(block),
                Err(why) => return Ok(dynamic::refused_block(at, &why)),
            }
        }
        let GivenResult { structured_content, is_error, .. } = given;
        Ok(dynamic::answer(CallResult { content, structured_content, is_error }, contract))
    }
}

/// The export with tools, where there is one.
pub(crate) fn exported(component: &Component) -> Option<String> {
    let ty = component.component_type();
    let mut names = ty.exports(component.engine()).map(|(name, _)| name);
    names.find(|name| interface(name) == Some("tools")).map(str::to_owned)
}

/// What else of wasmcp the component exports: servers of other things than tools.
pub(crate) fn others(component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let names = ty.exports(component.engine()).map(|(name, _)| name);
    names.filter(|name| interface(name).is_some_and(|i| i != "tools")).map(str::to_owned).collect()
}

/// Whether the tools are of a shape that this version calls; else why not. What tools are told is looked at here, because that is what
/// has changed between versions; the rest is compared when it is instantiated.
pub(crate) fn check(component: &Component, name: &str) -> Result<(), String> {
    if !matches!(revision(name), Some("20251125" | "20250618")) {
        return Err(format!("exports {name}; this version calls {PACKAGE}20251125/tools and {PACKAGE}20250618/tools"));
    }
    let engine = component.engine();
    let told = |ty: &ComponentFunc| match ty.params().next() {
        Some((_, Type::Record(context))) => {
            let fields: Vec<String> = context.fields().map(|field| field.name.to_owned()).collect();
            fields == CONTEXT
        }
        _ => false,
    };
    let item = component.component_type().get_export(engine, name).map(|export| export.ty);
    let Some(ComponentItem::ComponentInstance(tools)) = item else { return Err(unlike(name)) };
    for function in ["list-tools", "call-tool"] {
        match tools.get_export(engine, function).map(|export| export.ty) {
            Some(ComponentItem::ComponentFunc(ty)) if told(&ty) => {}
            _ => return Err(unlike(name)),
        }
    }
    Ok(())
}

fn unlike(name: &str) -> String {
    format!("exports {name} in a shape that this version does not know; build it for {PACKAGE}20251125/tools@0.1.1")
}

/// `20251125` of `wasmcp:mcp-v20251125/tools@0.1.1`.
fn revision(name: &str) -> Option<&str> {
    name.strip_prefix(PACKAGE)?.split_once('/').map(|(revision, _)| revision)
}

/// `tools` of it.
fn interface(name: &str) -> Option<&str> {
    let (_, rest) = name.strip_prefix(PACKAGE)?.split_once('/')?;
    Some(rest.split('@').next().unwrap_or(rest))
}

/// What a call gave, in our words but for what is still in streams.
struct GivenResult {
    blocks: Vec<Given>,
    structured_content: Option<String>,
    is_error: bool,
}

/// A content block, before what it hands over as a stream was read.
enum Given {
    Text(Data),
    Image { data: Data, mime_type: String },
    Audio { data: Data, mime_type: String },
    Link(ResourceLink),
    TextResource { uri: String, mime_type: Option<String>, text: Data },
    BlobResource { uri: String, mime_type: Option<String>, blob: Data },
}

enum Data {
    Bytes(Vec<u8>),
    Text(String),
    Stream(Handed),
}

impl Data {
    async fn bytes(self, at: usize, store: &mut Store<State>) -> wasmtime::Result<Result<Vec<u8>, String>> {
        match self {
            Data::Bytes(bytes) => Ok(Ok(bytes)),
            Data::Text(text) => Ok(Ok(text.into_bytes())),
            Data::Stream(stream) => store.data_mut().read_out(stream, at as u64).await,
        }
    }

    async fn text(self, at: usize, store: &mut Store<State>) -> wasmtime::Result<Result<String, String>> {
        if let Data::Text(text) = self {
            return Ok(Ok(text));
        }
        let read = self.bytes(at, store).await?;
        Ok(read.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "its text is not UTF-8".to_owned())))
    }
}

/// The block with all of its data here. The inner error is why the block is refused.
async fn here(block: Given, at: usize, store: &mut Store<State>) -> wasmtime::Result<Result<Content, String>> {
    Ok(match block {
        Given::Text(text) => text.text(at, store).await?.map(Content::Text),
        Given::Image { data, mime_type } => {
            data.bytes(at, store).await?.map(|data| Content::Image(Blob { data, mime_type }))
        }
        Given::Audio { data, mime_type } => {
            data.bytes(at, store).await?.map(|data| Content::Audio(Blob { data, mime_type }))
        }
        Given::Link(link) => Ok(Content::ResourceLink(link)),
        Given::TextResource { uri, mime_type, text } => text
            .text(at, store)
            .await?
            .map(|text| Content::Resource(EmbeddedResource { uri, mime_type, contents: ResourceContents::Text(text) })),
        Given::BlobResource { uri, mime_type, blob } => blob
            .bytes(at, store)
            .await?
            .map(|blob| Content::Resource(EmbeddedResource { uri, mime_type, contents: ResourceContents::Blob(blob) })),
    })
}

/// The next page, or why there is none. What was listed so far is bounded here, because no page is bounded by those before it.
fn turn(
    tools: &[Tool],
    cursor: Option<&String>,
    next: Option<String>,
    pages: usize,
) -> wasmtime::Result<Option<String>> {
    let texts: usize = tools.iter().map(dynamic::size).sum();
    if tools.len() > MAX_LISTED || texts > MAX_TEXTS || pages >= MAX_PAGES && next.is_some() {
        wasmtime::bail!(
            "the component lists {} tools with {texts} bytes of text on {pages} pages and more; at most {MAX_LISTED} with {MAX_TEXTS} on \
             {MAX_PAGES} are taken",
            tools.len()
        );
    }
    if next.is_some() && next.as_ref() == cursor {
        wasmtime::bail!("the component's list of tools goes round in a circle");
    }
    Ok(next)
}

/// The words of one revision. The two have the same ones but for icons, which are left out, so that one text reads both.
macro_rules! words {
    ($words:ident, $revision:ident, $protocol:literal) => {
        mod $words {
            use super::$revision::{
                Provider, ProviderPre, mcp, server_handler::MessageContext, server_io::MessageFrame,
            };
            use super::*;

            /// No stream to the client, no session and nobody who calls.
            fn context() -> MessageContext {
                MessageContext {
                    client_stream: None,
                    protocol_version: $protocol.to_owned(),
                    session: None,
                    identity: None,
                    frame: MessageFrame { prefix: Vec::new(), suffix: Vec::new() },
                    http_context: None,
                }
            }

            async fn provider(pre: &ProviderPre<State>, store: &mut Store<State>) -> wasmtime::Result<Provider> {
                let instance = pre.instance_pre().instantiate_async(&mut *store).await?;
                // What wasmtime says of types that do not match is for people who know how they are numbered.
                Provider::new(&mut *store, &instance)
                    .map_err(|_| wasmtime::format_err!("its functions are of a shape that this version does not know"))
            }

            pub(super) async fn list(
                pre: &ProviderPre<State>,
                store: &mut Store<State>,
            ) -> wasmtime::Result<Vec<Tool>> {
                let provider = provider(pre, store).await?;
                let (mut tools, mut cursor) = (Vec::new(), None);
                for page in 1.. {
                    let request = mcp::ListToolsRequest { cursor: cursor.clone() };
                    let listed = provider.tools().call_list_tools(&mut *store, &context(), &request).await?;
                    let listed = match listed {
                        Ok(listed) => listed,
                        // Its message is the guest's, and what ends a call is named in our words.
                        Err(error) => wasmtime::bail!("answers with the error {}", error_of(error).1.code),
                    };
                    tools.extend(listed.tools.into_iter().map(tool));
                    cursor = super::turn(&tools, cursor.as_ref(), listed.next_cursor, page)?;
                    if cursor.is_none() {
                        break;
                    }
                }
                Ok(tools)
            }

            pub(super) async fn call(
                pre: &ProviderPre<State>,
                store: &mut Store<State>,
                name: &str,
                arguments: &str,
            ) -> wasmtime::Result<Result<GivenResult, CallError>> {
                let provider = provider(pre, store).await?;
                let request = mcp::CallToolRequest { name: name.to_owned(), arguments: Some(arguments.to_owned()) };
                let given = provider.tools().call_call_tool(&mut *store, &context(), &request).await?;
                Ok(match given {
                    Ok(Some(given)) => Ok(GivenResult {
                        blocks: given.content.into_iter().map(block).collect(),
                        structured_content: given.structured_content,
                        is_error: given.is_error.unwrap_or(false),
                    }),
                    // It listed the tool and says that it is not its own.
                    Ok(None) => Err(CallError::UnknownTool(name.to_owned())),
                    Err(error) => Err(match error_of(error) {
                        (true, error) => CallError::InvalidArguments(error.message),
                        (false, error) => CallError::Internal(error.message),
                    }),
                })
            }

            /// The error, and whether it is about the arguments.
            fn error_of(error: mcp::ErrorCode) -> (bool, mcp::Error) {
                match error {
                    mcp::ErrorCode::InvalidParams(error) => (true, error),
                    mcp::ErrorCode::ParseError(error)
                    | mcp::ErrorCode::InvalidRequest(error)
                    | mcp::ErrorCode::MethodNotFound(error)
                    | mcp::ErrorCode::InternalError(error)
                    | mcp::ErrorCode::Server(error)
                    | mcp::ErrorCode::JsonRpc(error)
                    | mcp::ErrorCode::Mcp(error) => (false, error),
                }
            }

            fn tool(tool: mcp::Tool) -> Tool {
                let mcp::Tool { name, input_schema, options } = tool;
                let (mut title, mut description, mut output_schema) = (None, None, None);
                if let Some(options) = options {
                    // A title among the hints is the older place for it.
                    title = options.title.or(options.annotations.and_then(|annotations| annotations.title));
                    (description, output_schema) = (options.description, options.output_schema);
                }
                Tool { name, title, description, input_schema, output_schema }
            }

            fn block(block: mcp::ContentBlock) -> Given {
                match block {
                    mcp::ContentBlock::Text(content) => Given::Text(text(content.text)),
                    mcp::ContentBlock::Image(blob) => Given::Image { data: data(blob.data), mime_type: blob.mime_type },
                    mcp::ContentBlock::Audio(blob) => Given::Audio { data: data(blob.data), mime_type: blob.mime_type },
                    mcp::ContentBlock::ResourceLink(link) => Given::Link(self::link(link)),
                    mcp::ContentBlock::EmbeddedResource(content) => resource(content.resource),
                }
            }

            fn link(link: mcp::ResourceLinkContent) -> ResourceLink {
                let mcp::ResourceLinkContent { uri, name, options } = link;
                let mut link = ResourceLink { uri, name, title: None, description: None, mime_type: None, size: None };
                if let Some(options) = options {
                    (link.title, link.description) = (options.title, options.description);
                    (link.mime_type, link.size) = (options.mime_type, options.size);
                }
                link
            }

            fn resource(contents: mcp::ResourceContents) -> Given {
                let mime = |options: Option<mcp::EmbeddedResourceOptions>| options.and_then(|o| o.mime_type);
                match contents {
                    mcp::ResourceContents::Text(contents) => Given::TextResource {
                        uri: contents.uri,
                        mime_type: mime(contents.options),
                        text: text(contents.text),
                    },
                    mcp::ResourceContents::Blob(contents) => Given::BlobResource {
                        uri: contents.uri,
                        mime_type: mime(contents.options),
                        blob: data(contents.blob),
                    },
                }
            }

            fn text(text: mcp::TextData) -> Data {
                match text {
                    mcp::TextData::Text(text) => Data::Text(text),
                    mcp::TextData::TextStream(stream) => Data::Stream(stream),
                }
            }

            fn data(data: mcp::BlobData) -> Data {
                match data {
                    mcp::BlobData::Blob(bytes) => Data::Bytes(bytes),
                    mcp::BlobData::BlobStream(stream) => Data::Stream(stream),
                }
            }
        }
    };
}

words!(november_words, november, "2025-11-25");
words!(june_words, june, "2025-06-18");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_exports_have_a_revision_and_an_interface() {
        for (name, is) in [
            ("wasmcp:mcp-v20251125/tools@0.1.1", Some(("20251125", "tools"))),
            ("wasmcp:mcp-v20250618/resources", Some(("20250618", "resources"))),
            ("wasmcp:mcp-v20251125", None),
            ("wasmcp:auth/types@0.1.1", None),
            ("other:mcp-v20251125/tools", None),
        ] {
            assert_eq!(revision(name).zip(interface(name)), is, "{name}");
        }
    }

    #[test]
    fn lists_without_end_are_cut_where_they_are_noticed() {
        let tool = |name: String| Tool {
            name,
            title: None,
            description: None,
            input_schema: "{}".to_owned(),
            output_schema: None,
        };
        let few: Vec<Tool> = (0..MAX_LISTED).map(|n| tool(n.to_string())).collect();
        let next = || Some("next".to_owned());
        assert_eq!(turn(&few, None, next(), 1).unwrap(), next());
        assert_eq!(turn(&few, None, None, MAX_PAGES).unwrap(), None);
        assert!(turn(&few, next().as_ref(), next(), 2).unwrap_err().to_string().contains("in a circle"));
        assert!(turn(&few, None, next(), MAX_PAGES).is_err());
        let many: Vec<Tool> = (0..=MAX_LISTED).map(|n| tool(n.to_string())).collect();
        assert!(turn(&many, None, None, 1).is_err());
        let long = [Tool { description: Some("x".repeat(MAX_TEXTS)), ..tool("a".to_owned()) }];
        assert!(turn(&long, None, None, 1).is_err());
    }
}
