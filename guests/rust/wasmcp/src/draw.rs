//! One block of each kind, with everything that it can say beside.

use crate::bindings::wasmcp::mcp_v20251125::mcp::{
    Annotations, Blob, BlobData, BlobResourceContents, CallToolResult, ContentBlock, ContentOptions,
    EmbeddedResourceContent, EmbeddedResourceOptions, ResourceContents, ResourceLinkContent, ResourceLinkOptions, Role,
    TextData, TextResourceContents,
};

/// A picture as text, which needs no bytes that nobody can read.
const DOT: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><circle r="1" fill="red"/></svg>"#;

pub fn answer() -> CallToolResult {
    let options = || {
        let annotations = Annotations { audience: Some(vec![Role::User]), last_modified: None, priority: Some(0.5) };
        Some(ContentOptions { annotations: Some(annotations), meta: Some("{\"kept\":false}".to_owned()) })
    };
    let blob = |bytes: &[u8], mime: &str| Blob {
        data: BlobData::Blob(bytes.to_vec()),
        mime_type: mime.to_owned(),
        options: options(),
    };
    let link = ResourceLinkContent {
        uri: "https://example.com/dot.svg".to_owned(),
        name: "dot.svg".to_owned(),
        options: Some(ResourceLinkOptions {
            title: Some("A dot".to_owned()),
            description: Some("It is red.".to_owned()),
            size: Some(DOT.len() as u64),
            mime_type: Some("image/svg+xml".to_owned()),
            annotations: None,
            meta: None,
            icons: None,
        }),
    };
    let resource = |resource| ContentBlock::EmbeddedResource(EmbeddedResourceContent { resource, options: options() });
    let mime = |mime: &str| Some(EmbeddedResourceOptions { mime_type: Some(mime.to_owned()), meta: None });
    let content = vec![
        ContentBlock::Image(blob(DOT.as_bytes(), "image/svg+xml")),
        ContentBlock::Audio(blob(b"RIFF", "audio/wav")),
        ContentBlock::ResourceLink(link),
        resource(ResourceContents::Text(TextResourceContents {
            uri: "note:dot".to_owned(),
            text: TextData::Text("one red dot".to_owned()),
            options: mime("text/plain"),
        })),
        resource(ResourceContents::Blob(BlobResourceContents {
            uri: "note:dot.bin".to_owned(),
            blob: BlobData::Blob(vec![1, 2, 3]),
            options: None,
        })),
    ];
    let meta = Some("{\"kept\":false}".to_owned());
    CallToolResult { meta, content, is_error: None, structured_content: None }
}
