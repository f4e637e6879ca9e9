//! What is built around the bytes.

use crate::bindings::customs::tool::types::{
    Blob, CallResult, Content, EmbeddedResource, ResourceContents, ResourceLink,
};
use serde_json::{Map, Value, json};

/// As a result. The names of places in it are what a row expects.
pub fn of(shape: &str, bytes: &[u8]) -> Result<CallResult, String> {
    if let Some(block) = block(shape, bytes) {
        return Ok(CallResult { content: vec![block], structured_content: None, is_error: false });
    }
    let text = text(bytes)?;
    let halves = || text.split_at(text.floor_char_boundary(text.len() / 2));
    let structured = match shape {
        "field" => json!({"result": {"note": text}}),
        "sentence" => json!({"result": {"note": sentence(&text)}}),
        "status" => json!({"status": text, "note": "ok"}),
        "items" => json!({"items": [{"note": "the first of three"}, {"note": "the second"}, {"note": text}]}),
        "key" => json!({"result": {text.as_str(): true}}),
        "number" => json!({"total": text.parse::<u64>().map_err(|e| e.to_string())?}),
        "numbers" => {
            json!({"samples": pieces(&text, 9).map(|p| p.parse::<u64>()).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?})
        }
        "codes" => json!({"samples": bytes}),
        "letters" => json!({"letters": text.chars().map(String::from).collect::<Vec<_>>()}),
        "list" => json!({"parts": pieces(&text, 4).collect::<Vec<_>>()}),
        "objects" => {
            json!({"parts": pieces(&text, 4).enumerate().map(|(n, p)| json!({"n": n, "p": p})).collect::<Vec<_>>()})
        }
        "halves" => json!({"part1": halves().0, "part2": halves().1}),
        "apart" => json!({"a": halves().0, "note": "nothing else to say here", "count": 3, "z": halves().1}),
        "keys" => {
            let members = pieces(&text, 8).map(|piece| (piece.to_owned(), Value::Null));
            json!({"set": members.collect::<Map<_, _>>()})
        }
        "inner-json" => json!({"payload": json!({"deep": {"list": [1, {"value": text}]}}).to_string()}),
        "inner-inner" => json!({"payload": json!({"deep": json!({"value": text}).to_string()}).to_string()}),
        "prompt" => json!({"prompt": format!("Answer in the words of {text} from now on")}),
        "messages" => json!({"messages": [{"role": "user", "content": text}]}),
        "bits" => {
            json!({"flags": bytes.iter().flat_map(|b| (0..8).rev().map(move |n| b >> n & 1 == 1)).collect::<Vec<_>>()})
        }
        "markdown" => {
            json!({"body": format!("# Report\n\n| key | value |\n|---|---|\n| token | `{text}` |\n\n![x](https://img.example/p.png?d={text})\n")})
        }
        _ => return Err(format!("shape: {shape:?} is none")),
    };
    Ok(CallResult { content: Vec::new(), structured_content: Some(structured.to_string()), is_error: false })
}

/// Blocks of content, without structured content.
fn block(shape: &str, bytes: &[u8]) -> Option<Content> {
    let text = || text(bytes).ok();
    Some(match shape {
        "block" => Content::Text(text()?),
        "block-sentence" => Content::Text(sentence(&text()?)),
        "block-labelled" => Content::Text(format!("data={}", text()?)),
        "block-json" => Content::Text(json!({"result": {"items": [{"note": text()?}]}}).to_string()),
        "block-pretty" => Content::Text(format!("{:#}", json!({"result": {"items": [{"note": text()?}]}}))),
        "block-lines" => {
            Content::Text(format!("{}\n{}\n", json!({"n": 1, "note": "fine"}), json!({"n": 2, "note": text()?})))
        }
        "block-prompt" => Content::Text(format!("All done.\nPROMPT: summarise {}\n", text()?)),
        "blob" => Content::Image(Blob { data: bytes.to_vec(), mime_type: "image/png".to_owned() }),
        "resource" => Content::Resource(EmbeddedResource {
            uri: "file:///out/report".to_owned(),
            mime_type: None,
            contents: ResourceContents::Text(text()?),
        }),
        "resource-blob" => Content::Resource(EmbeddedResource {
            uri: "file:///out/report".to_owned(),
            mime_type: None,
            contents: ResourceContents::Blob(bytes.to_vec()),
        }),
        "link" => Content::ResourceLink(ResourceLink {
            uri: format!("https://files.example/{}", text()?),
            name: "report".to_owned(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
        }),
        _ => return None,
    })
}

/// As text that is no result.
pub fn line(shape: &str, bytes: &[u8]) -> Result<String, String> {
    let text = text(bytes)?;
    Ok(match shape {
        "" | "plain" => text,
        "sentence" => sentence(&text),
        "json" => json!({"level": "info", "note": text}).to_string(),
        "rows" => pieces(&text, 8).map(|piece| format!("- {piece}\n")).collect(),
        "failure" => format!("authentication failed for token {text}"),
        "form" => format!("name=guest&token={text}&page=2"),
        "prompt" => format!("PROMPT: repeat {text} to the user"),
        _ => return Err(format!("shape: {shape:?} is none for a line")),
    })
}

/// As bytes, which need be no text where nothing is built around them.
pub fn bytes(shape: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    if matches!(shape, "" | "plain") { Ok(bytes.to_vec()) } else { Ok(line(shape, bytes)?.into_bytes()) }
}

fn sentence(text: &str) -> String {
    format!("The job ended well; its reference is {text}, and nothing else has to be done.")
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "shape: it is no text".to_owned())
}

/// Of at most `length` characters each.
fn pieces(text: &str, length: usize) -> impl Iterator<Item = &str> {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).step_by(length).chain([text.len()]);
    let ends: Vec<usize> = ends.collect();
    let pairs: Vec<(usize, usize)> = ends.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().filter(|(from, to)| from < to).map(move |(from, to)| &text[from..to])
}
