//! What the tools do. They describe themselves in `list_tools`; the world is in wit/deps/customs-tool.wit.

use serde_json::{Value, json};
use std::{fs, io::ErrorKind};

wit_bindgen::generate!({ path: "wit", world: "tool", generate_all });

use customs::tool::{
    context,
    types::{CallError, CallResult, Content, Tool},
};
use exports::customs::tool::tools::Guest;

const TEMPLATE: &str = "/templates/hello.txt";

struct Tools;

impl Guest for Tools {
    // Runs without any grant: what it says must not depend on files or variables.
    fn list_tools() -> Vec<Tool> {
        let input = json!({
            "type": "object",
            "properties": {
                "names": {"type": "array", "items": {"type": "string"}, "maxItems": 1000, "description": "Whom to greet."},
                "template": {"type": "string", "description": "A text file in which {name} stands for the name."},
            },
            "required": ["names"],
            "additionalProperties": false,
        });
        let output = json!({
            "type": "object",
            "properties": {"greetings": {"type": "array", "items": {"type": "string"}}},
            "required": ["greetings"],
        });
        vec![Tool {
            name: "greet-all".to_owned(),
            title: Some("Greet everybody".to_owned()),
            description: Some("Greet people by name, with the words of a template.".to_owned()),
            input_schema: input.to_string(),
            output_schema: Some(output.to_string()),
        }]
    }

    fn call_tool(name: String, arguments: String) -> Result<CallResult, CallError> {
        let arguments: Value =
            serde_json::from_str(&arguments).map_err(|error| CallError::InvalidArguments(error.to_string()))?;
        match name.as_str() {
            "greet-all" => greet_all(&arguments),
            _ => Err(CallError::UnknownTool(name)),
        }
    }
}

fn greet_all(arguments: &Value) -> Result<CallResult, CallError> {
    let names: Vec<&str> = arguments["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let template = arguments["template"].as_str().unwrap_or(TEMPLATE);
    let words = match fs::read_to_string(template) {
        Ok(words) => words,
        // What the host refuses is an ordinary error here: a result that the model may read about.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(failed(format!("{template}: not permitted"))),
        Err(error) => return Ok(failed(format!("{template}: {error}"))),
    };
    let mut greetings = Vec::new();
    for (done, name) in (1..).zip(&names) {
        if context::is_cancelled() {
            return Err(CallError::Cancelled);
        }
        greetings.push(words.trim_end().replace("{name}", name));
        context::progress(done, Some(names.len() as u64), Some(name));
    }
    let content = greetings.iter().cloned().map(Content::Text).collect();
    let structured = json!({"greetings": greetings}).to_string();
    Ok(CallResult { content, structured_content: Some(structured), is_error: false })
}

fn failed(why: String) -> CallResult {
    CallResult { content: vec![Content::Text(why)], structured_content: None, is_error: true }
}

export!(Tools);
