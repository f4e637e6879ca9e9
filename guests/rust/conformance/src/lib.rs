//! The tools that MCP's conformance runner asks for by name, as far as a tool can be what it asks for. What a host answers with no tool's
//! help (prompts, elicitation) is not here. The texts are the runner's: it compares them.

mod answers;
mod offered;

mod bindings {
    wit_bindgen::generate!({ path: "../../../wit/customs-tool.wit", world: "tool" });
}

use bindings::{
    customs::tool::types::{CallError, CallResult, Tool},
    exports::customs::tool::tools::Guest,
};
use serde_json::Value;

struct Conformance;

impl Guest for Conformance {
    fn list_tools() -> Vec<Tool> {
        offered::tools()
    }

    fn call_tool(name: String, arguments: String) -> Result<CallResult, CallError> {
        let arguments: Value =
            serde_json::from_str(&arguments).map_err(|error| CallError::InvalidArguments(error.to_string()))?;
        answers::answer(&name, &arguments).unwrap_or(Err(CallError::UnknownTool(name)))
    }
}

bindings::export!(Conformance with_types_in bindings);
