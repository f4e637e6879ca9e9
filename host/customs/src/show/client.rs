//! What a person pastes into an MCP client.

use clap::ValueEnum;
use serde_json::json;

/// A client that we know the settings of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    ClaudeCode,
    ClaudeDesktop,
    Vscode,
    Cursor,
}

/// The settings for a server that is started as `command` with `args`: a line for a shell where the client has a command for it, else
/// JSON. The comment says where it goes.
pub(crate) fn settings(client: Client, name: &str, command: &str, args: &[String]) -> String {
    let server = json!({"command": command, "args": args});
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default();
    match client {
        Client::ClaudeCode => {
            let words: Vec<String> = [command].into_iter().chain(args.iter().map(String::as_str)).map(quoted).collect();
            format!("claude mcp add {} -- {}\n", quoted(name), words.join(" "))
        }
        Client::ClaudeDesktop | Client::Cursor => format!("{}\n", pretty(&json!({"mcpServers": {name: server}}))),
        Client::Vscode => {
            let server = json!({"type": "stdio", "command": command, "args": args});
            format!("{}\n", pretty(&json!({"servers": {name: server}})))
        }
    }
}

/// Where it goes, for a person.
pub(crate) fn place(client: Client) -> &'static str {
    match client {
        Client::ClaudeCode => "run this line; add --scope user for all projects",
        Client::ClaudeDesktop => "claude_desktop_config.json (Settings, Developer, Edit Config)",
        Client::Vscode => ".vscode/mcp.json in the workspace, or the user's mcp.json (MCP: Open User Configuration)",
        Client::Cursor => "~/.cursor/mcp.json, or .cursor/mcp.json in the project",
    }
}

/// A word as a POSIX shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_for_a_shell() {
        for (word, wanted) in [
            ("--allow-read=/srv/data::/data", "--allow-read=/srv/data::/data"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), wanted);
        }
    }
}
