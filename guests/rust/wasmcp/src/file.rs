//! A file as a stream: the tool opens it and reads nothing of it. The host does, when it has the answer.

use crate::bindings::{
    wasi::{
        filesystem::{
            preopens::get_directories,
            types::{DescriptorFlags, OpenFlags, PathFlags},
        },
        io::streams::InputStream,
    },
    wasmcp::mcp_v20251125::mcp::{
        BlobData, BlobResourceContents, CallToolResult, ContentBlock, EmbeddedResourceContent, EmbeddedResourceOptions,
        ResourceContents, TextContent, TextData, TextResourceContents,
    },
};
use serde_json::Value;

pub fn answer(arguments: &Value) -> CallToolResult {
    let path = arguments["path"].as_str().unwrap_or_default();
    let stream = match open(path) {
        Ok(stream) => stream,
        Err(why) => return CallToolResult { is_error: Some(true), ..crate::text(format!("{path}: {why}")) },
    };
    let uri = format!("file://{path}");
    let options = |mime: &str| Some(EmbeddedResourceOptions { mime_type: Some(mime.to_owned()), meta: None });
    let resource = |resource| ContentBlock::EmbeddedResource(EmbeddedResourceContent { resource, options: None });
    let block = match arguments["as"].as_str().unwrap_or("text") {
        "resource" => {
            let (text, options) = (TextData::TextStream(stream), options("text/plain"));
            resource(ResourceContents::Text(TextResourceContents { uri, text, options }))
        }
        "blob" => {
            let (blob, options) = (BlobData::BlobStream(stream), options("application/octet-stream"));
            resource(ResourceContents::Blob(BlobResourceContents { uri, blob, options }))
        }
        _ => ContentBlock::Text(TextContent { text: TextData::TextStream(stream), options: None }),
    };
    CallToolResult { meta: None, content: vec![block], is_error: None, structured_content: None }
}

fn open(path: &str) -> Result<InputStream, String> {
    let closest = get_directories()
        .into_iter()
        .filter_map(|(folder, name)| Some((below(&name, path)?, folder)))
        .min_by_key(|(rest, _)| rest.len());
    let (rest, folder) = closest.ok_or("no folder given to this tool covers it")?;
    let file = folder.open_at(PathFlags::SYMLINK_FOLLOW, rest, OpenFlags::empty(), DescriptorFlags::READ);
    file.and_then(|file| file.read_via_stream(0)).map_err(|code| code.message().to_owned())
}

/// `path` as seen from `folder`, where it is below it.
fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/')
}
