//! What the tools are: names, descriptions and schemas.

use crate::bindings::customs::tool::types::Tool;
use serde_json::{Value, json};

/// Without arguments.
const PLAIN: [(&str, &str); 10] = [
    ("test_simple_text", "Answers with a text."),
    ("test_image_content", "Answers with a picture."),
    ("test_audio_content", "Answers with a sound."),
    ("test_embedded_resource", "Answers with a resource inside the answer."),
    ("test_multiple_content_types", "Answers with a text, a picture and a resource."),
    ("test_error_handling", "Fails, and says so in its answer."),
    ("test_tool_with_progress", "Tells three times how far it is."),
    ("test_tool_with_logging", "Writes three log lines while it works."),
    ("test_logging_tool", "Writes a log line."),
    ("test_reconnection", "Takes its time."),
];

pub fn tools() -> Vec<Tool> {
    let plain = PLAIN.iter().map(|(name, description)| tool(name, description, &json!({"type": "object"})));
    let others = [
        tool("json_schema_2020_12_tool", "Has a schema with what JSON Schema 2020-12 can say.", &dialect()),
        tool("test_custom_header", "Takes an argument that HTTP clients repeat in a header.", &header()),
    ];
    plain.chain(others).collect()
}

fn tool(name: &str, description: &str, input: &Value) -> Tool {
    Tool {
        name: name.to_owned(),
        title: None,
        description: Some(description.to_owned()),
        input_schema: input.to_string(),
        output_schema: None,
    }
}

/// Its keywords have to reach the client as they are.
fn dialect() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

fn header() -> Value {
    json!({
        "type": "object",
        "properties": {"value": {"type": "string", "x-mcp-header": "Value"}},
        "required": ["value"],
        "additionalProperties": false,
    })
}
