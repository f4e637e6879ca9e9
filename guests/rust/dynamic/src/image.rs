//! The picture: one red dot, and what else a result can carry beside text.

use crate::bindings::customs::tool::types::{
    Blob, CallResult, Content, EmbeddedResource, ResourceContents, ResourceLink,
};

/// A PNG of one red pixel.
const RED_DOT: [u8; 69] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01, 0x01, 0x00, 0xf7, 0x03, 0x41, 0x43,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

pub fn answer() -> CallResult {
    let link = ResourceLink {
        uri: "https://example.com/dot.png".to_owned(),
        name: "dot.png".to_owned(),
        title: Some("A dot".to_owned()),
        description: None,
        mime_type: Some("image/png".to_owned()),
        size: Some(RED_DOT.len() as u64),
    };
    let note = EmbeddedResource {
        uri: "note:dot".to_owned(),
        mime_type: Some("text/plain".to_owned()),
        contents: ResourceContents::Text("one red dot".to_owned()),
    };
    CallResult {
        content: vec![
            Content::Image(Blob { data: RED_DOT.to_vec(), mime_type: "image/png".to_owned() }),
            Content::ResourceLink(link),
            Content::Resource(note),
        ],
        structured_content: None,
        is_error: false,
    }
}
