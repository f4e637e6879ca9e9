//! A component of the world `customs:tool/tool`: it lists its own tools and answers in content blocks.
//!
//! | tool | shows |
//! |---|---|
//! | `greet` | structured content that conforms to an output schema, and text |
//! | `progress` | progress and log lines while it works, and ending early when it is cancelled |
//! | `fail` | a result that is an error, and each kind of error without a result |
//! | `image` | a picture as a blob, beside a link and an embedded resource |

mod image;

use serde_json::{Value, json};

mod bindings {
    wit_bindgen::generate!({ path: "../../../wit/customs-tool.wit", world: "tool" });
}

use bindings::{
    customs::tool::{
        context,
        types::{CallError, CallResult, Content, LogLevel, Tool},
    },
    exports::customs::tool::tools::Guest,
};

const MAX_STEPS: u64 = 10_000;

struct Dynamic;

impl Guest for Dynamic {
    fn list_tools() -> Vec<Tool> {
        vec![
            tool(
                "greet",
                "Greets somebody by name.",
                json!({"name": {"type": "string", "description": "Whom to greet."}, "loud": {"type": "boolean"}}),
                &["name"],
                Some(json!({
                    "type": "object",
                    "properties": {"greeting": {"type": "string"}, "length": {"type": "integer", "minimum": 0}},
                    "required": ["greeting", "length"],
                    "additionalProperties": false,
                })),
            ),
            tool(
                "progress",
                "Counts to a number and tells how far it is.",
                json!({"steps": {"type": "integer", "minimum": 0, "maximum": MAX_STEPS}}),
                &["steps"],
                None,
            ),
            tool(
                "fail",
                "Fails in the way asked for.",
                json!({"how": {"enum": ["is-error", "invalid-arguments", "cancelled", "internal", "bad-output", "panic"]}}),
                &["how"],
                Some(json!({"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]})),
            ),
            tool("image", "Draws one red dot.", json!({}), &[], None),
        ]
    }

    fn call_tool(name: String, arguments: String) -> Result<CallResult, CallError> {
        let arguments: Value =
            serde_json::from_str(&arguments).map_err(|error| CallError::InvalidArguments(error.to_string()))?;
        match name.as_str() {
            "greet" => greet(&arguments),
            "progress" => progress(&arguments),
            "fail" => fail(&arguments),
            "image" => Ok(image::answer()),
            _ => Err(CallError::UnknownTool(name)),
        }
    }
}

fn tool(name: &str, description: &str, properties: Value, required: &[&str], output: Option<Value>) -> Tool {
    let input =
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    Tool {
        name: name.to_owned(),
        title: None,
        description: Some(description.to_owned()),
        input_schema: input.to_string(),
        output_schema: output.map(|schema| schema.to_string()),
    }
}

fn text(text: impl Into<String>) -> Content {
    Content::Text(text.into())
}

fn greet(arguments: &Value) -> Result<CallResult, CallError> {
    let name =
        arguments["name"].as_str().ok_or_else(|| CallError::InvalidArguments("name: a string is needed".to_owned()))?;
    let mut greeting = format!("Hello, {name}!");
    if arguments["loud"].as_bool().unwrap_or(false) {
        greeting = greeting.to_uppercase();
    }
    let structured = json!({"greeting": greeting, "length": greeting.chars().count()});
    Ok(CallResult { content: vec![text(greeting)], structured_content: Some(structured.to_string()), is_error: false })
}

fn progress(arguments: &Value) -> Result<CallResult, CallError> {
    let steps = arguments["steps"].as_u64().filter(|&steps| steps <= MAX_STEPS);
    let steps =
        steps.ok_or_else(|| CallError::InvalidArguments(format!("steps: a number up to {MAX_STEPS} is needed")))?;
    context::log(LogLevel::Info, &format!("counting to {steps}"));
    for step in 1..=steps {
        if context::is_cancelled() {
            context::log(LogLevel::Notice, "cancelled");
            return Err(CallError::Cancelled);
        }
        context::progress(step, Some(steps), Some(&format!("step {step}")));
    }
    Ok(CallResult { content: vec![text(format!("counted to {steps}"))], structured_content: None, is_error: false })
}

fn fail(arguments: &Value) -> Result<CallResult, CallError> {
    match arguments["how"].as_str().unwrap_or_default() {
        "is-error" => {
            Ok(CallResult { content: vec![text("it did not work")], structured_content: None, is_error: true })
        }
        "invalid-arguments" => Err(CallError::InvalidArguments("how: not like this".to_owned())),
        "cancelled" => Err(CallError::Cancelled),
        "internal" => Err(CallError::Internal("something broke".to_owned())),
        // Not what the output schema promises: the host has to notice.
        "bad-output" => Ok(CallResult {
            content: Vec::new(),
            structured_content: Some(json!({"number": "seven"}).to_string()),
            is_error: false,
        }),
        "panic" => panic!("asked to panic"),
        other => Err(CallError::InvalidArguments(format!("how: {other:?} is no way to fail"))),
    }
}

bindings::export!(Dynamic with_types_in bindings);
