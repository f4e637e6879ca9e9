//! The typed return as sinks: one for each text or number, named by its place.

use crate::catalogue::Form;
use crate::report::{Content, ToolResult};
use customs_boundary::{Recorder, Stopped, Way};
use customs_ledger::material::SinkKind;
use serde_json::Value;

/// Sinks of one return. Past it the whole return is one more sink, so that nothing of it goes unrecorded.
const MAX_RETURN_SINKS: usize = 1_000;

/// Records what is returned, before it leaves. `of` is the record of the call. `form` says what repeats what: a typed tool's text block is
/// its structured result again, a command's is its stdout, which was counted when it was written.
pub(crate) fn record(recorder: &Recorder, of: u64, result: &ToolResult, form: Form) -> Result<(), Stopped> {
    let kind = if result.is_error { SinkKind::Error } else { SinkKind::Return };
    let way = Way::Out(kind);
    if let Some(structured) = &result.structured {
        let mut leaves = Vec::new();
        // The keys of a typed result are the component's type, those of a dynamic one are written by the guest at run time.
        let whole = collect(structured, String::new(), form == Form::Dynamic, &mut leaves);
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
            Content::Text(text) if form == Form::Command => {
                recorder.whole_again(of, way, &format!("/content/{at}/text"), text.as_bytes())?;
            }
            Content::Text(text) => recorder.whole(of, way, &format!("/content/{at}/text"), text.as_bytes())?,
            Content::Image { data, .. } | Content::Audio { data, .. } => {
                recorder.whole(of, way, &format!("/content/{at}/data"), data)?;
            }
            Content::ResourceLink(value) | Content::Resource(value) => {
                let mut leaves = Vec::new();
                collect(value, format!("/content/{at}"), false, &mut leaves);
                for (name, bytes) in &leaves {
                    recorder.whole(of, way, name, bytes)?;
                }
            }
        }
    }
    Ok(())
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
    fn keys_that_the_guest_wrote_are_leaves_too() {
        let mut leaves = Vec::new();
        assert!(collect(&json!({"sekret": {"a": 1}}), String::new(), true, &mut leaves));
        let names: Vec<&str> = leaves.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["/sekret#key", "/sekret/a#key", "/sekret/a"]);
    }

    #[test]
    fn too_many_leaves_are_noticed_not_dropped() {
        let mut leaves = Vec::new();
        let many: Vec<u32> = (0..2_000).collect();
        assert!(!collect(&json!(many), String::new(), false, &mut leaves));
        assert_eq!(leaves.len(), MAX_RETURN_SINKS);
    }
}
