//! The typed return as sinks: one for each text or number, named by its place.

use crate::catalogue::Form;
use crate::report::{Content, ToolResult};
use customs_boundary::{Recorder, Stopped, Way};
use customs_ledger::material::SinkKind;
use serde_json::Value;

/// Sinks of one return. Past it the whole return is one more sink, so that nothing of it goes unrecorded.
const MAX_RETURN_SINKS: usize = 1_000;

/// A text block of more than this is not looked into: parsing it takes several times its size.
const MAX_INSIDE: usize = 1 << 20;

/// Records what is returned, before it leaves. `of` is the record of the call. `form` says what repeats what: a typed tool's text block is
/// its structured result again, a command's is its stdout, which was counted when it was written.
pub(crate) fn record(recorder: &Recorder, of: u64, result: &ToolResult, form: Form) -> Result<(), Stopped> {
    let kind = if result.is_error { SinkKind::Error } else { SinkKind::Return };
    let way = Way::Out(kind);
    if let Some(structured) = &result.structured {
        let mut leaves = Vec::new();
        // The keys of a typed result are the component's type, those of others are written by the guest at run time.
        let whole = collect(structured, String::new(), form.describes_itself(), &mut leaves);
        leaves.extend(bools(structured, ""));
        for (name, bytes) in &leaves {
            recorder.whole(of, way, name, bytes)?;
        }
        if !whole {
            recorder.whole(of, way, "", structured.to_string().as_bytes())?;
        }
        if form == Form::Typed {
            return Ok(());
        }
    }
    for (at, content) in result.content.iter().enumerate() {
        match content {
            Content::Text(written) => {
                // A command's text is its stdout, which was charged when it was written.
                let charged = form != Form::Command;
                text(recorder, of, way, &format!("/content/{at}/text"), written, charged)?;
            }
            Content::Image { data, .. } | Content::Audio { data, .. } => {
                recorder.whole(of, way, &format!("/content/{at}/data"), data)?;
            }
            Content::ResourceLink(value) | Content::Resource(value) => {
                let mut leaves = Vec::new();
                // As it stands in the answer: a link is the block itself, a resource is in it.
                let inner = if matches!(content, Content::Resource(_)) { "/resource" } else { "" };
                let name = format!("/content/{at}{inner}");
                leaves.extend(bools(value, &name));
                collect(value, name, false, &mut leaves);
                for (name, bytes) in &leaves {
                    recorder.whole(of, way, name, bytes)?;
                }
            }
        }
    }
    Ok(())
}

/// A text block. One that is JSON goes on inside: its leaves and keys are the sinks, named `NAME#POINTER`; where they do not say all that
/// stands in the text, the text is one more.
fn text(recorder: &Recorder, of: u64, way: Way, name: &str, text: &str, charged: bool) -> Result<(), Stopped> {
    let record = |name: &str, bytes: &[u8], charged: bool| {
        if charged { recorder.whole(of, way, name, bytes) } else { recorder.whole_again(of, way, name, bytes) }
    };
    let mut leaves = Vec::new();
    let all = inside(text).is_some_and(|value| {
        let gathered = collect(&value, format!("{name}#"), true, &mut leaves);
        leaves.extend(bools(&value, &format!("{name}#")));
        // Written twice, a member or an escape is there once: what the leaves would not have is in the text.
        gathered && serde_json::to_string(&value).is_ok_and(|compact| compact == without_blanks(text))
    });
    if !all || leaves.is_empty() {
        record(name, text.as_bytes(), charged)?;
    }
    for (name, bytes) in &leaves {
        record(name, bytes, charged && all)?;
    }
    Ok(())
}

/// The value of a text that is a JSON object or array.
pub(crate) fn inside(text: &str) -> Option<Value> {
    let looks = text.trim_start().starts_with(['{', '[']);
    if looks && text.len() <= MAX_INSIDE { serde_json::from_str(text).ok() } else { None }
}

/// JSON text without the blanks between its tokens.
fn without_blanks(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let mut keep = |c: &char| {
        let kept = quoted || !c.is_ascii_whitespace();
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        kept
    };
    text.chars().filter(|c| keep(c)).collect()
}

/// Gathers texts and numbers with their JSON Pointers; false where there were too many. Keys that the guest chose are texts too: a key
/// is its own sink, named by the pointer of its member with `#key`.
fn collect(value: &Value, pointer: String, keys: bool, leaves: &mut Vec<(String, Vec<u8>)>) -> bool {
    if leaves.len() >= MAX_RETURN_SINKS {
        return false;
    }
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => {
            leaves.push((pointer, number.to_string().into_bytes()));
            true
        }
        Value::String(text) => {
            leaves.push((pointer, text.clone().into_bytes()));
            true
        }
        Value::Array(items) => {
            items.iter().enumerate().all(|(at, item)| collect(item, format!("{pointer}/{at}"), keys, leaves))
        }
        Value::Object(members) => members.iter().all(|(key, member)| {
            let escaped = key.replace('~', "~0").replace('/', "~1");
            let pointer = format!("{pointer}/{escaped}");
            if keys {
                leaves.push((format!("{pointer}#key"), key.clone().into_bytes()));
            }
            collect(member, pointer, keys, leaves)
        }),
    }
}

/// Truth values that can hold eight bytes.
const BITS: usize = 64;

/// All truth values as one text of `0` and `1`, in their order, named by what holds all of them with `#bools`. One alone says next to nothing, and
/// a sink for each would be a flood; so many can be a message.
fn bools(value: &Value, pointer: &str) -> Option<(String, Vec<u8>)> {
    let mut bits = Vec::new();
    gather(value, &mut bits);
    if bits.len() < BITS {
        return None;
    }
    let count = |value: &Value| {
        let mut bits = Vec::new();
        gather(value, &mut bits);
        bits.len()
    };
    let (mut value, mut pointer) = (value, pointer.to_owned());
    loop {
        let below = match value {
            Value::Array(items) => {
                let at = items.iter().position(|item| count(item) == bits.len());
                at.and_then(|at| Some((at.to_string(), items.get(at)?)))
            }
            Value::Object(members) => {
                let member = members.iter().find(|(_, member)| count(member) == bits.len());
                member.map(|(key, member)| (key.replace('~', "~0").replace('/', "~1"), member))
            }
            _ => None,
        };
        let Some((key, inner)) = below else { break };
        pointer = format!("{pointer}/{key}");
        value = inner;
    }
    Some((format!("{pointer}#bools"), bits))
}

fn gather(value: &Value, bits: &mut Vec<u8>) {
    match value {
        Value::Bool(bit) => bits.push(if *bit { b'1' } else { b'0' }),
        Value::Array(items) => items.iter().for_each(|item| gather(item, bits)),
        Value::Object(members) => members.values().for_each(|member| gather(member, bits)),
        Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_are_named_by_json_pointer() {
        let mut leaves = Vec::new();
        assert!(collect(&json!({"items": [{"a/b~c": "x"}, 7], "ok": true}), String::new(), false, &mut leaves));
        let names: Vec<&str> = leaves.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["/items/0/a~1b~0c", "/items/1"]);
        assert_eq!(leaves[1].1, b"7");
    }

    #[test]
    fn truth_values_are_one_text_where_they_can_hold_a_message() {
        let flags: Vec<bool> = (0..64).map(|n| n % 3 == 0).collect();
        let (name, bits) = bools(&json!({"a": true, "items": {"x/y": flags}}), "").unwrap();
        assert_eq!((name.as_str(), bits.len(), &bits[..5]), ("#bools", 65, &b"11001"[..]));
        let (name, bits) = bools(&json!({"a": 1, "items": {"x/y": flags}}), "/p").unwrap();
        assert_eq!((name.as_str(), &bits[..4]), ("/p/items/x~1y#bools", &b"1001"[..]));
        assert_eq!(bools(&json!({"items": &flags[1..]}), ""), None);
    }

    #[test]
    fn keys_that_the_guest_wrote_are_leaves_too() {
        let mut leaves = Vec::new();
        assert!(collect(&json!({"sekret": {"a": 1}}), String::new(), true, &mut leaves));
        let names: Vec<&str> = leaves.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["/sekret#key", "/sekret/a#key", "/sekret/a"]);
    }

    #[test]
    fn blanks_between_tokens_go_and_those_in_texts_stay() {
        assert_eq!(without_blanks(" { \"a b\" : [ 1 , \"x \\\" y\" ] }\n"), r#"{"a b":[1,"x \" y"]}"#);
    }

    #[test]
    fn only_objects_and_arrays_go_on_inside() {
        assert!(inside("{\"a\":1}\n").is_some() && inside(" [1]").is_some());
        assert!(["\"text\"", "7", "{", "PROMPT: {}", ""].iter().all(|text| inside(text).is_none()));
    }

    #[test]
    fn too_many_leaves_are_noticed_not_dropped() {
        let mut leaves = Vec::new();
        let many: Vec<u32> = (0..2_000).collect();
        assert!(!collect(&json!(many), String::new(), false, &mut leaves));
        assert_eq!(leaves.len(), MAX_RETURN_SINKS);
    }
}
