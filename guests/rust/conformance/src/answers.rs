//! What the tools do.

use crate::bindings::customs::tool::{
    context,
    types::{Blob, CallError, CallResult, Content, EmbeddedResource, LogLevel, ResourceContents},
};
use serde_json::Value;
use std::thread::sleep;
use std::time::Duration;

/// Between two things that a client should be able to tell apart.
const PAUSE: Duration = Duration::from_millis(50);

/// A PNG of one red pixel.
const RED_DOT: [u8; 69] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01, 0x01, 0x00, 0xf7, 0x03, 0x41, 0x43,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// A WAV file without a sample: one channel, 8 kHz, 8 bits.
const SILENCE: [u8; 44] =
    *b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";

type Answer = Result<CallResult, CallError>;

/// None where there is no such tool.
pub fn answer(tool: &str, arguments: &Value) -> Option<Answer> {
    let answer = match tool {
        "test_simple_text" => gives([text("This is a simple text response for testing.")]),
        "test_image_content" => gives([picture()]),
        "test_audio_content" => {
            gives([Content::Audio(Blob { data: SILENCE.to_vec(), mime_type: "audio/wav".to_owned() })])
        }
        "test_embedded_resource" => {
            gives([resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")])
        }
        "test_multiple_content_types" => gives([
            text("Multiple content types test:"),
            picture(),
            resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ]),
        "test_error_handling" => Ok(CallResult {
            content: vec![text("This tool intentionally returns an error for testing")],
            structured_content: None,
            is_error: true,
        }),
        "test_tool_with_progress" => with_progress(),
        "test_tool_with_logging" => with_logging(),
        "test_logging_tool" => {
            context::log(LogLevel::Info, "a line for who asked for it");
            gives([text("logged")])
        }
        "test_reconnection" => {
            sleep(2 * PAUSE);
            gives([text("Reconnection test completed")])
        }
        "json_schema_2020_12_tool" => gives([text(&format!("called with {arguments}"))]),
        "test_custom_header" => gives([text(arguments["value"].as_str().unwrap_or_default())]),
        _ => return None,
    };
    Some(answer)
}

fn gives<const N: usize>(content: [Content; N]) -> Answer {
    Ok(CallResult { content: content.into(), structured_content: None, is_error: false })
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn picture() -> Content {
    Content::Image(Blob { data: RED_DOT.to_vec(), mime_type: "image/png".to_owned() })
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Content {
    Content::Resource(EmbeddedResource {
        uri: uri.to_owned(),
        mime_type: Some(mime_type.to_owned()),
        contents: ResourceContents::Text(text.to_owned()),
    })
}

fn with_progress() -> Answer {
    for step in [0, 50, 100] {
        context::progress(step, Some(100), Some(&format!("{step} of 100")));
        sleep(PAUSE);
    }
    gives([text("done")])
}

fn with_logging() -> Answer {
    for line in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        context::log(LogLevel::Info, line);
        sleep(PAUSE);
    }
    gives([text("logged three lines")])
}
