//! The question, and what counts as an answer.

use super::{Grant, Hold, Proposal};
use crate::hygiene::is_hidden;
use rmcp::model::{ElicitResult, ElicitationAction, ElicitationSchema};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Characters of what the tool asked for that are shown; the middle of longer texts is left out.
const MAX_SHOWN: usize = 160;
/// A rule is shown whole or the question is not put.
const MAX_RULE: usize = 400;
/// The one member of the form.
const FIELD: &str = "grant";

/// What the person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Deny,
    Grant(Hold),
}

/// Text of the tool's, in quotes: what cannot be seen is an escape, and a long text is cut in the middle.
fn quoted(guest_text: &str) -> String {
    let length = guest_text.chars().count();
    let mut shown = String::from("\"");
    for (at, c) in guest_text.chars().enumerate() {
        if length > MAX_SHOWN && at == MAX_SHOWN / 2 {
            let _infallible = write!(shown, "..({length} characters)..");
        }
        if length > MAX_SHOWN && (MAX_SHOWN / 2..length - MAX_SHOWN / 4).contains(&at) {
            continue;
        }
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            c if is_hidden(c) || c == '\n' || c == '\t' || (c.is_whitespace() && c != ' ') => {
                shown.extend(c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}

/// Whether a person who reads the rule sees all of it.
fn can_be_shown(grant: &Grant) -> bool {
    let rule = grant.rule();
    rule.chars().count() <= MAX_RULE && !rule.chars().any(|c| is_hidden(c) || (c.is_whitespace() && c != ' '))
}

/// The question in words. None where it cannot be put so that a person sees what the answer means.
pub(crate) fn wording(tool: &str, component: &str, proposal: &Proposal, again: bool) -> Option<String> {
    if proposal.grants.is_empty() || !proposal.grants.iter().all(can_be_shown) {
        return None;
    }
    let mut text = format!("The tool {} ({}) was refused access:\n", quoted(tool), quoted(component));
    for grant in &proposal.grants {
        let _infallible = writeln!(text, "  {} {}", grant.capability, quoted(&grant.requested));
    }
    text.push_str("To allow it means:\n");
    for grant in &proposal.grants {
        let _infallible = writeln!(text, "  {}", grant.rule());
    }
    text.push_str(if again {
        "The call has changed nothing outside; if you allow it, it is made again."
    } else {
        "The call has already reached outside, so it is not made again; if you allow it, that holds from the next call."
    });
    Some(text)
}

/// What can be chosen. `once` means the call that is made again, so it is no choice where none is.
fn choices(proposal: &Proposal, again: bool) -> Vec<&'static str> {
    let mut choices = vec!["deny"];
    if again {
        choices.push("once");
    }
    choices.push("session");
    if proposal.lasting {
        choices.push("always");
    }
    choices
}

/// The form of the question: one choice, and it is no unless a person makes it another.
pub(crate) fn schema(proposal: &Proposal, again: bool) -> Option<ElicitationSchema> {
    let mut what = "deny: no.".to_owned();
    if again {
        what.push_str(" once: for this call only.");
    }
    what.push_str(" session: until the server ends or its policy changes.");
    if proposal.lasting {
        what.push_str(" always: written to the policy file.");
    }
    let choices = choices(proposal, again);
    let schema = json!({
        "type": "object",
        "properties": {FIELD: {"type": "string", "title": "Allow it?", "description": what, "enum": choices, "default": "deny"}},
        "required": [FIELD],
    });
    serde_json::from_value(schema).ok()
}

/// The choice in an answer. What was not offered, or is no answer at all, is a no.
pub(crate) fn understood(answer: &ElicitResult, proposal: &Proposal, again: bool) -> Choice {
    let chosen = match (&answer.action, &answer.content) {
        (ElicitationAction::Accept, Some(Value::Object(content))) => content.get(FIELD).and_then(Value::as_str),
        _ => None,
    };
    match chosen.filter(|chosen| choices(proposal, again).contains(chosen)) {
        Some("once") => Choice::Grant(Hold::Once),
        Some("session") => Choice::Grant(Hold::Session),
        Some("always") => Choice::Grant(Hold::Always),
        _ => Choice::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(requested: &str, entry: &str, lasting: bool) -> Proposal {
        let grant = Grant {
            capability: "fs.read",
            requested: requested.to_owned(),
            key: "allow-read",
            entry: entry.to_owned(),
        };
        Proposal { grants: vec![grant], lasting }
    }

    fn answer(action: ElicitationAction, content: Value) -> ElicitResult {
        ElicitResult::new(action).with_content(content)
    }

    #[test]
    fn what_a_tool_asked_for_is_one_quoted_line_with_nothing_hidden() {
        for (text, wanted) in [
            ("/etc/passwd", r#""/etc/passwd""#),
            ("a\nTo allow it means:\n  nothing", r#""a\u{a}To allow it means:\u{a}  nothing""#),
            ("a\u{202e}b\u{200b}", r#""a\u{202e}b\u{200b}""#),
            ("a\u{2028}b\u{a0}c", r#""a\u{2028}b\u{a0}c""#),
            (r#"a" and "b"#, r#""a\" and \"b""#),
            ("Zürich", r#""Zürich""#),
        ] {
            assert_eq!(quoted(text), wanted);
        }
        let long = quoted(&format!("head{}tail", "x".repeat(100_000)));
        assert!(long.starts_with("\"headxx") && long.ends_with("xxtail\""), "{long}");
        assert!(long.contains("..(100008 characters)..") && long.chars().count() < 200, "{long}");
    }

    #[test]
    fn a_rule_that_cannot_be_seen_whole_is_not_asked_for() {
        assert!(wording("t", "c", &proposal("/a", "/a", false), true).is_some());
        assert!(wording("t", "c", &proposal("/a", "/a\u{200b}", false), true).is_none());
        assert!(wording("t", "c", &proposal("/a", &"a".repeat(MAX_RULE), false), true).is_none());
        assert!(wording("t", "c", &Proposal { grants: Vec::new(), lasting: true }, true).is_none());
    }

    #[test]
    fn only_an_accepted_choice_that_was_offered_is_a_yes() {
        use ElicitationAction::{Accept, Cancel, Decline};
        let asked = proposal("/a", "/a", true);
        let yes = |hold| Choice::Grant(hold);
        for (action, content, again, wanted) in [
            (Accept, json!({"grant": "once"}), true, yes(Hold::Once)),
            (Accept, json!({"grant": "session"}), true, yes(Hold::Session)),
            (Accept, json!({"grant": "always"}), true, yes(Hold::Always)),
            (Accept, json!({"grant": "once"}), false, Choice::Deny),
            (Accept, json!({"grant": "deny"}), true, Choice::Deny),
            (Accept, json!({"grant": "Once"}), true, Choice::Deny),
            (Accept, json!({"grant": true}), true, Choice::Deny),
            (Accept, json!({}), true, Choice::Deny),
            (Accept, json!("once"), true, Choice::Deny),
            (Decline, json!({"grant": "once"}), true, Choice::Deny),
            (Cancel, json!({"grant": "always"}), true, Choice::Deny),
        ] {
            assert_eq!(
                understood(&answer(action.clone(), content.clone()), &asked, again),
                wanted,
                "{action:?} {content}"
            );
        }
        let fleeting = proposal("/a", "/a", false);
        assert_eq!(understood(&answer(Accept, json!({"grant": "always"})), &fleeting, true), Choice::Deny);
        assert_eq!(understood(&ElicitResult::new(Accept), &asked, true), Choice::Deny);
    }

    #[test]
    fn the_form_offers_what_is_understood_and_means_no_by_default() {
        for (lasting, again, wanted) in [
            (true, true, json!(["deny", "once", "session", "always"])),
            (false, true, json!(["deny", "once", "session"])),
            (true, false, json!(["deny", "session", "always"])),
        ] {
            let schema = serde_json::to_value(schema(&proposal("/a", "/a", lasting), again).unwrap()).unwrap();
            assert_eq!(schema["properties"]["grant"]["enum"], wanted);
            assert_eq!(schema["properties"]["grant"]["default"], "deny");
        }
    }
}
