//! The typed return as sinks: one for each text or number, named by its place.

use crate::report::{Content, ToolResult};
use customs_boundary::{Recorder, Stopped, Way};
use customs_ledger::material::SinkKind;
use serde_json::Value;

/// Sinks of one return. Past it the whole return is one more sink, so that nothing of it goes unrecorded.
const MAX_RETURN_SINKS: usize = 1_000;

/// Records what is returned, before it leaves. `of` is the record of the call.
pub(crate) fn record(recorder: &Recorder, of: u64, result: &ToolResult) -> Result<(), Stopped> {
    let kind = if result.is_error { SinkKind::Error } else { SinkKind::Return };
    let way = Way::Out(kind);
    if let Some(structured) = &result.structured {
        let mut leaves = Vec::new();
        let whole = collect(structured, String::new(), &mut leaves);
        for (name, bytes) in &leaves {
            recorder.whole(of, way, name, bytes)?;
        }
        if !whole {
            recorder.whole(of, way, "", structured.to_string().as_bytes())?;
        }
        // Its text form repeats the same bytes.
        return Ok(());
    }
    for (at, content) in result.content.iter().enumerate() {
        match content {
            Content::Text(text) => recorder.whole(of, way, &format!("/content/{at}/text"), text.as_bytes())?,
            Content::Image { data, .. } | Content::Audio { data, .. } => {
                recorder.whole(of, way, &format!("/content/{at}/data"), data)?;
            }
            Content::ResourceLink(value) | Content::Resource(value) => {
                let mut leaves = Vec::new();
                collect(value, format!("/content/{at}"), &mut leaves);
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
fn collect(value: &Value, pointer: String, leaves: &mut Vec<(String, Vec<u8>)>) -> bool {
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
            items.iter().enumerate().all(|(at, item)| collect(item, format!("{pointer}/{at}"), leaves))
        }
        Value::Object(members) => members.iter().all(|(key, member)| {
            let escaped = key.replace('~', "~0").replace('/', "~1");
            collect(member, format!("{pointer}/{escaped}"), leaves)
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
        assert!(collect(&json!({"items": [{"a/b~c": "x"}, 7], "ok": true}), String::new(), &mut leaves));
        let names: Vec<&str> = leaves.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["/items/0/a~1b~0c", "/items/1"]);
        assert_eq!(leaves[1].1, b"7");
    }

    #[test]
    fn too_many_leaves_are_noticed_not_dropped() {
        let mut leaves = Vec::new();
        let many: Vec<u32> = (0..2_000).collect();
        assert!(!collect(&json!(many), String::new(), &mut leaves));
        assert_eq!(leaves.len(), MAX_RETURN_SINKS);
    }
}
