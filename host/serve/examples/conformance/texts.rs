//! Prompts and resources that the runner asks for. The texts are the runner's: it compares some of them.

use rmcp::model::{
    ContentBlock, ErrorData, GetPromptRequestParams, GetPromptResult, JsonObject, Prompt, PromptArgument,
    PromptMessage, Resource, ResourceContents, ResourceTemplate, Role,
};
use serde_json::json;

/// A PNG of one red pixel.
const RED_DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";

pub fn resources() -> Vec<Resource> {
    vec![
        Resource::new(TEXT, "a text").with_mime_type("text/plain"),
        Resource::new(BINARY, "a picture").with_mime_type("image/png"),
    ]
}

pub fn template() -> ResourceTemplate {
    ResourceTemplate::new("test://template/{id}/data", "data by id").with_mime_type("application/json")
}

/// None where the address is not one of ours.
pub fn resource(uri: &str) -> Option<ResourceContents> {
    let contents = match uri {
        TEXT => {
            ResourceContents::text("This is the content of the static text resource.", uri).with_mime_type("text/plain")
        }
        BINARY => ResourceContents::blob(RED_DOT, uri).with_mime_type("image/png"),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            ResourceContents::text(data.to_string(), uri).with_mime_type("application/json")
        }
    };
    Some(contents)
}

pub fn prompts() -> Vec<Prompt> {
    let two = vec![
        PromptArgument::new("arg1").with_description("The first.").with_required(true),
        PromptArgument::new("arg2").with_description("The second.").with_required(true),
    ];
    let with = |name: &str, arguments| Prompt::new(name, Some("For the conformance runner."), arguments);
    vec![
        with("test_simple_prompt", None),
        with("test_prompt_with_arguments", Some(two)),
        with(
            "test_prompt_with_embedded_resource",
            Some(vec![PromptArgument::new("resourceUri").with_description("Which resource.").with_required(true)]),
        ),
        with("test_prompt_with_image", None),
        with("test_input_required_result_prompt", None),
    ]
}

pub fn prompt(request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
    let nothing = JsonObject::new();
    let arguments = request.arguments.as_ref().unwrap_or(&nothing);
    let argument = |name: &str| arguments.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let says = |text: String| PromptMessage::new_text(Role::User, text);
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![says("This is a simple prompt for testing.".to_owned())],
        "test_prompt_with_arguments" => {
            let text = format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1"), argument("arg2"));
            vec![says(text)]
        }
        "test_prompt_with_embedded_resource" => {
            let contents = ResourceContents::text("Embedded resource content for testing.", argument("resourceUri"))
                .with_mime_type("text/plain");
            vec![
                PromptMessage::new(Role::User, ContentBlock::resource(contents)),
                says("Please process the embedded resource above.".to_owned()),
            ]
        }
        "test_prompt_with_image" => vec![
            PromptMessage::new(Role::User, ContentBlock::image(RED_DOT, "image/png")),
            says("Please analyze the image above.".to_owned()),
        ],
        other => return Err(ErrorData::invalid_params(format!("there is no prompt {other:?}"), None)),
    };
    Ok(GetPromptResult::new(messages))
}

/// A prompt of one text.
pub fn says(text: String) -> GetPromptResult {
    GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)])
}
