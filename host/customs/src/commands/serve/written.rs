//! A grant written into the policy file: everything else in it stays as it is, comments and order too.

use super::granting::list;
use customs_policy::file::{PolicyFile, parse};
use customs_serve::Grant;
use toml_edit::{Array, DocumentMut, Item, Value};

/// The text of the file with the grants in `[tool.NAME]`. What comes out differs from what went in by these grants and nothing else, or it is
/// an error.
pub(super) fn with_grants(text: &str, name: &str, grants: &[Grant]) -> Result<(String, PolicyFile), String> {
    const SHOWN: &str = "the policy file";
    let before = parse(text.as_bytes(), SHOWN).map_err(|e| e.to_string())?;
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.message().to_owned())?;
    let table = document
        .get_mut("tool")
        .and_then(Item::as_table_like_mut)
        .and_then(|tools| tools.get_mut(name))
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| format!("the policy file has no [tool.{name}]"))?;
    for grant in grants {
        let entries = table.entry(grant.key).or_insert_with(|| toml_edit::value(Array::new()));
        let entries = entries.as_array_mut().ok_or_else(|| format!("{} is not a list", grant.key))?;
        add(entries, &grant.entry);
    }
    let text = document.to_string();
    let after = parse(text.as_bytes(), SHOWN).map_err(|e| e.to_string())?;
    if same_but_for(&before, &after, name, grants) {
        Ok((text, after))
    } else {
        Err("the grant cannot be written into the policy file without changing what else it says".to_owned())
    }
}

/// Adds an entry, on a line of its own where the others have one.
fn add(entries: &mut Array, entry: &str) {
    let mut value = Value::from(entry);
    let before = entries.iter().last().and_then(|last| last.decor().prefix()?.as_str());
    let indent = before.and_then(|prefix| prefix.rfind('\n').and_then(|at| prefix.get(at..))).map(str::to_owned);
    if let Some(indent) = indent {
        // A comment behind the last entry goes on belonging to that entry.
        let comment = if entries.trailing_comma() {
            entries.trailing().as_str().map(str::to_owned)
        } else {
            let at = entries.len().saturating_sub(1);
            let last = entries.get_mut(at).map(Value::decor_mut);
            last.and_then(|decor| {
                let suffix = decor.suffix()?.as_str().map(str::to_owned);
                decor.set_suffix("");
                suffix
            })
        };
        let comment = comment.unwrap_or_default();
        let comment = comment.rfind('\n').and_then(|at| comment.get(..at)).unwrap_or_default();
        value.decor_mut().set_prefix(format!("{comment}{indent}"));
        entries.set_trailing("\n");
        entries.set_trailing_comma(true);
    } else if !entries.is_empty() {
        value.decor_mut().set_prefix(" ");
    }
    entries.push_formatted(value);
}

fn same_but_for(before: &PolicyFile, after: &PolicyFile, name: &str, grants: &[Grant]) -> bool {
    before.tools.len() == after.tools.len()
        && before.tools.iter().zip(&after.tools).all(|((x, old), (y, new))| {
            let mut wanted = old.raw.clone();
            for grant in grants.iter().filter(|_| x == name) {
                match list(&mut wanted, grant.key) {
                    Some(list) => list.push(grant.entry.clone()),
                    None => return false,
                }
            }
            x == y
                && old.component == new.component
                && old.sha256 == new.sha256
                && old.expose == new.expose
                && wanted == new.raw
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(key: &'static str, entry: &str) -> Grant {
        Grant { capability: "fs.read", requested: String::new(), key, entry: entry.to_owned() }
    }

    /// What the file becomes with `/new` to read in `[tool.a]`.
    fn written(text: &str) -> String {
        with_grants(text, "a", &[grant("allow-read", "/new")]).unwrap().0
    }

    #[test]
    fn comments_order_and_other_tables_stay() {
        let text = "# top\n[tool.b] # other\ntimeout = \"5s\"\n\n[tool.a]\n# why\nallow-env = [\"X\"] # end\nallow-read = [\"/x\"]   # reads\n";
        let wanted = text.replace("[\"/x\"]", "[\"/x\", \"/new\"]");
        assert_eq!(written(text), wanted);
    }

    #[test]
    fn a_table_without_the_key_gets_it() {
        assert_eq!(
            written("[tool.a]\ncomponent = \"a.wasm\"\n"),
            "[tool.a]\ncomponent = \"a.wasm\"\nallow-read = [\"/new\"]\n"
        );
        assert_eq!(written("[tool.a]\n"), "[tool.a]\nallow-read = [\"/new\"]\n");
        assert_eq!(written("[tool.a]\nallow-read = []\n"), "[tool.a]\nallow-read = [\"/new\"]\n");
        let inline = "tool.a = { allow-env = [\"X\"] }\n";
        assert_eq!(written(inline), "tool.a = { allow-env = [\"X\"] , allow-read = [\"/new\"] }\n");
    }

    #[test]
    fn entries_on_lines_of_their_own_keep_their_comments() {
        let text = "[tool.a]\nallow-read = [\n  # first\n  \"/x\", # why x\n  \"/y\", # why y\n]\n";
        let wanted = "[tool.a]\nallow-read = [\n  # first\n  \"/x\", # why x\n  \"/y\", # why y\n  \"/new\",\n]\n";
        assert_eq!(written(text), wanted);
        let without_a_comma = "[tool.a]\nallow-read = [\n  \"/x\",\n  \"/y\" # why y\n]\n";
        let wanted = "[tool.a]\nallow-read = [\n  \"/x\",\n  \"/y\", # why y\n  \"/new\",\n]\n";
        assert_eq!(written(without_a_comma), wanted);
    }

    #[test]
    fn an_entry_is_a_text_whatever_is_in_it() {
        let entry = "/a\"]\ndangerously-allow = true\n#";
        let (text, after) = with_grants("[tool.a]\n", "a", &[grant("dir", entry)]).unwrap();
        assert_eq!(after.tools["a"].raw.dir, [entry]);
        assert!(!after.tools["a"].raw.dangerously_allow, "{text}");
    }

    #[test]
    fn a_file_that_has_no_such_table_or_is_wrong_is_left_alone() {
        for text in ["", "[tool.b]\n", "[tool.a]\nallow-read = \"/x\"\n", "[tool.a\n"] {
            assert!(with_grants(text, "a", &[grant("allow-read", "/new")]).is_err(), "{text}");
        }
    }
}
