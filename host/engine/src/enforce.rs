//! Flow rules, carried out: what blocks a request before it leaves, and what is taken out of an answer before it is given.

use crate::json::{Shape, Signature};
use crate::report::{Content, ToolResult};
use crate::sinks;
use crate::traced::Painted;
use customs_boundary::{Inside, Judge};
use customs_flow::{
    Action, Budget, Finding, Input, Lineage, Method, Strength, Traced, TracedLabel, find, traced as of_label,
};
use customs_ledger::material::{Class, Sink, SinkKind, Source, SourceKind};
use customs_policy::{FlowAction, FlowDefaults, FlowEnds, Policy};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Judges by the policy's flow rules, on what matching sees.
pub(crate) struct ByRules {
    pub(crate) policy: Arc<Policy>,
    pub(crate) defaults: FlowDefaults,
    pub(crate) lineage: Arc<Mutex<Lineage>>,
}

/// What the sources of a call carry of earlier ones.
pub(crate) fn trace<'s>(lineage: &Mutex<Lineage>, sources: &'s [Source], budget: &Budget) -> Traced<'s> {
    lineage.lock().unwrap_or_else(PoisonError::into_inner).trace(sources, budget)
}

impl Judge for ByRules {
    fn watches(&self, kind: SinkKind) -> bool {
        let by_rule = self.policy.may_stop_flows_to(kind.as_str(), FlowDefaults::Run);
        let by_default = || self.policy.may_stop_flows_to(kind.as_str(), self.defaults);
        by_rule || (self.may_hold_secrets() && by_default())
    }

    fn blocks(&self, sources: &[Source], sinks: &[Sink], labels: Option<&Inside>) -> Option<Arc<str>> {
        // Sinks that have not crossed have no number yet.
        let numbered: Vec<Sink> = (1..).zip(sinks).map(|(id, sink)| Sink { id, ..sink.clone() }).collect();
        let budget = budget(sources, &numbered);
        let traced = trace(&self.lineage, sources, &budget);
        let mut found = find(&Input { sources: traced.sources(), sinks: &numbered, known: &[] }, &budget);
        traced.settle(&mut found.findings, &numbered);
        let kind = numbered.first().map_or(SinkKind::HttpRequest, |sink| sink.kind);
        let names = numbered.iter().map(|sink| sink.name.as_str());
        let whole = found.complete && traced.is_complete() && labels.is_none_or(|labels| labels.whole);
        if !whole && self.concerns(sources, kind, names) {
            // What could not be looked at is not known to be harmless, and a rule asked for that.
            return Some(Arc::from("a flow rule, and what it holds could not all be searched"));
        }
        // What a trace sees of them, it sees before matching does: in what form does not matter.
        let inside = labels.map(|labels| labels.sources.as_slice()).unwrap_or_default();
        for (sink, numbers) in numbered.iter().zip(inside) {
            let label = TracedLabel { strength: Strength::Strong, ranges: Vec::new(), shared: false };
            let in_it = sources.iter().filter(|source| numbers.contains(&source.id) && !self.stands_in(source));
            found.findings.extend(in_it.filter_map(|source| of_label(source, sink, &label)));
        }
        found.findings.iter().find_map(|finding| match rule_for(self, finding, sources, &numbered)? {
            (FlowAction::Block, rule) => rule.or_else(|| Some(Arc::from("the default flow rules"))),
            _ => None,
        })
    }
}

impl ByRules {
    /// The defaults are about secrets. A call to which none is granted has none, unless one left an earlier call.
    fn may_hold_secrets(&self) -> bool {
        !self.policy.env().is_empty()
            || !self.policy.net().secrets().is_empty()
            || !self.lineage.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether the guest has a placeholder in place of this source's value: that may go where the secret itself goes, and has a rule of its own.
    pub(crate) fn stands_in(&self, source: &Source) -> bool {
        source.kind == SourceKind::Env && self.policy.net().secrets().iter().any(|secret| secret.name == source.name)
    }

    /// Whether a rule or a default could stop what one of these sources has on its way to one of these places of a kind. A place of an answer
    /// may be left without its name: then every rule that binds some place binds.
    fn concerns<'n>(&self, sources: &[Source], kind: SinkKind, names: impl Iterator<Item = &'n str> + Clone) -> bool {
        let binds = |class: Class, source_kind: SourceKind, source_name: &str| {
            let (class, source_kind, sink_kind) = (class.as_str(), source_kind.as_str(), kind.as_str());
            names.clone().any(|sink_name| {
                let ends = FlowEnds { class, source_kind, source_name, sink_kind, sink_name };
                self.policy.flow(&ends, self.defaults).0 > FlowAction::Warn
            })
        };
        // What left an earlier call may have come in as anything, and is still what it was there.
        let lineage = self.lineage.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = match lineage.left() {
            Some(mut left) => left.any(|(class, kind, name)| binds(class, kind, name)),
            None => self.policy.may_stop_flows_to(kind.as_str(), self.defaults),
        };
        earlier || sources.iter().any(|source| binds(source.class, source.kind, &source.name))
    }
}

/// Bytes up to which everything is done that can be done.
const SMALL: usize = 1 << 20;
/// Beyond this a search is one for what stands there as it is, and little more.
const LARGE: usize = 16 << 20;

/// How much a search may cost. It comes after the call and is not stopped by the call's own time, so that what a tool reads and writes must not
/// decide how long it takes: the more there is, the less deep it is looked at, and a search that left something out says so.
pub(crate) fn budget(sources: &[Source], sinks: &[Sink]) -> Budget {
    let bytes = |contents: usize, kept: &[u8]| contents.saturating_add(kept.len());
    let came = sources.iter().fold(0, |sum, s| bytes(sum, &s.content.kept));
    let went = sinks.iter().fold(0, |sum, s| bytes(sum, &s.content.kept));
    let all = Budget::default();
    match came.saturating_add(went) {
        sum if sum <= SMALL => all,
        sum if sum <= LARGE => Budget { depth: 2, view_ceiling: 4 << 20, work: 32, ..all },
        _ => Budget { depth: 1, view_ceiling: 1 << 20, work: 8, ..all },
    }
}

/// What the policy wants done about a finding. None for what has no source. Where the bytes came from an earlier call, rules for what they
/// were there hold as well, and their class where it is the stronger one.
pub(crate) fn rule_for(
    rules: &ByRules,
    finding: &Finding,
    sources: &[Source],
    sinks: &[Sink],
) -> Option<(FlowAction, Option<Arc<str>>)> {
    let source = sources.iter().find(|s| Some(s.id) == finding.source)?;
    let sink = sinks.iter().find(|s| s.id == finding.sink)?;
    let origin = finding.origin.as_ref().map(|carried| &*carried.origin);
    let class = origin.map_or(source.class, |origin| origin.class.min(source.class));
    let (sink_kind, sink_name) = (sink.kind.as_str(), sink.name.as_str());
    let flow = |class: Class, source_kind: SourceKind, source_name: &str| {
        let (class, source_kind) = (class.as_str(), source_kind.as_str());
        rules.policy.flow(&FlowEnds { class, source_kind, source_name, sink_kind, sink_name }, rules.defaults)
    };
    let own = flow(class, source.kind, &source.name);
    let (action, rule) = match origin.map(|origin| flow(origin.class, origin.kind, &origin.name)) {
        Some(earlier) if earlier.0 > own.0 => earlier,
        _ => own,
    };
    Some((action, rule.cloned()))
}

/// What was taken out of sinks of an answer, by their numbers: ranges of what the tool gave, in rising order, and what stands there instead.
pub type Cuts = BTreeMap<u64, Vec<(u64, u64, String)>>;

/// What crossed in a call, and what labels say of it where its data was followed.
pub(crate) struct Crossed<'c> {
    pub(crate) sources: &'c [Source],
    pub(crate) sinks: &'c [Sink],
    pub(crate) labels: Option<&'c Painted>,
}

/// From, to, and what stands there instead.
type Marked = (u64, u64, String);

/// What happens to an answer.
pub(crate) enum Answered {
    AsItIs,
    Redacted(ToolResult, Cuts),
    /// Withheld whole.
    Blocked,
}

/// Carries out redactions and blocks that `findings` ask for by their action; where a place cannot be redacted without breaking its type, the
/// whole answer is withheld, and the finding says blocked. So it is where a rule might have found more than the search, which was not
/// `complete`.
pub(crate) fn answer(
    rules: &ByRules,
    complete: bool,
    result: &ToolResult,
    signature: Option<&Signature>,
    findings: &mut [Finding],
    crossed: &Crossed<'_>,
) -> Answered {
    let Crossed { sources, sinks, labels } = *crossed;
    let is_answer = |f: &Finding| {
        let sink = sinks.iter().find(|s| s.id == f.sink);
        sink.filter(|s| matches!(s.kind, SinkKind::Return | SinkKind::Error))
    };
    let concerned = |f: &Finding, action: Action| f.action == action && is_answer(f).is_some();
    let kind = if result.is_error { SinkKind::Error } else { SinkKind::Return };
    let unsure = !complete && rules.concerns(sources, kind, [""].into_iter());
    if unsure || findings.iter().any(|f| concerned(f, Action::Blocked)) {
        return Answered::Blocked;
    }
    // By sink: what is taken out, and what it is called.
    let mut places: BTreeMap<(&str, u64), Vec<Marked>> = BTreeMap::new();
    let mut complete = true;
    for finding in findings.iter().filter(|f| concerned(f, Action::Redacted)) {
        let (Some(sink), Some(source)) = (is_answer(finding), sources.iter().find(|s| Some(s.id) == finding.source))
        else {
            continue;
        };
        let mark = format!("[redacted:{}]", source.kind.as_str());
        let ranges = match labels.filter(|_| finding.method == Method::Trace) {
            // A finding lists some, and what is weak only where nothing is strong. What a label says of the source goes, all of it.
            Some(labels) => labels.of_source(sink.id, source.id),
            None => {
                complete &= finding.more == 0;
                finding.sink_ranges.clone()
            }
        };
        // Where in it they are is not known.
        complete &= !ranges.is_empty();
        let ranges = ranges.into_iter().map(|(from, to)| (from, to, mark.clone()));
        places.entry((&sink.name, sink.id)).or_default().extend(ranges);
    }
    if places.is_empty() {
        return Answered::AsItIs;
    }
    let mut redacted = result.clone();
    let mut cuts = Cuts::new();
    for ((name, sink), ranges) in places {
        if !complete {
            break;
        }
        let ranges = joined(ranges);
        match redact(&mut redacted, signature, name, &ranges) {
            Some(Taken::Ranges) => drop(cuts.insert(sink, ranges)),
            Some(Taken::All) => {
                let mark = ranges.into_iter().next().map(|(_, _, mark)| mark).unwrap_or_default();
                cuts.insert(sink, vec![(0, u64::MAX, mark)]);
            }
            None => complete = false,
        }
    }
    if complete {
        if let (Some(structured), Some(_)) = (&redacted.structured, signature) {
            redacted.content = vec![Content::Text(crate::call::plain_text(structured))];
        }
        return Answered::Redacted(redacted, cuts);
    }
    for finding in findings.iter_mut().filter(|f| f.action == Action::Redacted) {
        finding.action = Action::Blocked;
    }
    Answered::Blocked
}

/// How much of a place went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Ranges,
    All,
}

/// Ranges in rising order, overlapping ones as one under the mark of the first.
fn joined(mut ranges: Vec<(u64, u64, String)>) -> Vec<(u64, u64, String)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64, String)> = Vec::new();
    for (from, to, mark) in ranges {
        match joined.last_mut() {
            // Those of one source that touch are one as well.
            Some((_, end, before)) if from < *end || (from == *end && *before == mark) => *end = to.max(*end),
            _ => joined.push((from, to, mark)),
        }
    }
    joined
}

/// Takes ranges out of the place with this name. None where that cannot be done.
fn redact(
    result: &mut ToolResult,
    signature: Option<&Signature>,
    name: &str,
    ranges: &[(u64, u64, String)],
) -> Option<Taken> {
    if let Some((at, pointer)) = name.strip_prefix("/content/").and_then(|rest| rest.split_once("/text")) {
        let block = at.parse::<usize>().ok().and_then(|at| result.content.get_mut(at));
        return match (block, pointer.strip_prefix('#')) {
            (Some(Content::Text(text)), None) if pointer.is_empty() => cut(text, ranges),
            (Some(Content::Text(text)), Some(pointer)) if !pointer.ends_with("#key") => {
                let mut value = sinks::inside(text)?;
                let path = parts(pointer);
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                let done = leaf(&mut value, None, &path, ranges);
                *text = value.to_string();
                done
            }
            _ => None,
        };
    }
    let structured = result.structured.as_mut()?;
    let path = parts(name);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let Some(signature) = signature else { return leaf(structured, None, &path, ranges) };
    let shape = match (&signature.result, result.is_error) {
        (Some(Shape::Result(_, err)), true) => err.as_deref(),
        (Some(Shape::Result(ok, _)), false) => ok.as_deref(),
        (shape, _) => shape.as_ref(),
    };
    let shape = shape?;
    // What is not an object is wrapped in one with a single key.
    match (shape, path.split_first()) {
        (Shape::Record(_), _) if !result.is_error => leaf(structured, Some(shape), &path, ranges),
        (_, Some((first, rest))) => leaf(structured.get_mut(*first)?, Some(shape), rest, ranges),
        _ => None,
    }
}

/// The parts of a JSON Pointer (RFC 6901).
fn parts(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

/// Follows the path down value and type to a leaf, and redacts that.
fn leaf(value: &mut Value, shape: Option<&Shape>, path: &[&str], ranges: &[(u64, u64, String)]) -> Option<Taken> {
    if let (Some(Shape::Option(inner)), true) = (shape, !value.is_null()) {
        return match path.split_first() {
            Some((&"some", rest)) if inner.is_nullable() => leaf(value.get_mut("some")?, Some(inner), rest, ranges),
            _ if inner.is_nullable() => None,
            _ => leaf(value, Some(inner), path, ranges),
        };
    }
    let Some((first, rest)) = path.split_first() else { return blank(value, shape, ranges) };
    let below = match shape {
        None => None,
        Some(Shape::Record(fields)) => fields.get(first),
        Some(Shape::List(item) | Shape::Array(item, _)) => Some(&**item),
        Some(Shape::Tuple(items)) => first.parse().ok().and_then(|at: usize| items.get(at)),
        Some(Shape::Variant(cases)) => cases.get(first).and_then(Option::as_ref),
        Some(Shape::Result(ok, err)) => (if *first == "ok" { ok } else { err }).as_deref(),
        Some(_) => return None,
    };
    if shape.is_some() && below.is_none() {
        return None;
    }
    let next = match value {
        Value::Object(members) => members.get_mut(*first),
        Value::Array(items) => first.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
        _ => None,
    };
    leaf(next?, below, rest, ranges)
}

/// The typed placeholder: of a text what stands in the ranges goes, of anything else all of it.
fn blank(value: &mut Value, shape: Option<&Shape>, ranges: &[(u64, u64, String)]) -> Option<Taken> {
    match (shape, &mut *value) {
        (Some(Shape::Text) | None, Value::String(text)) => return cut(text, ranges),
        (Some(Shape::Bytes), Value::String(text)) => text.clear(),
        (Some(Shape::Char), Value::String(text)) => "\u{fffd}".clone_into(text),
        (Some(Shape::Integer(_) | Shape::Float32 | Shape::Float64) | None, Value::Number(_))
        | (Some(Shape::Integer(_)), Value::String(_)) => *value = Value::from(0),
        _ => return None,
    }
    Some(Taken::All)
}

/// Replaces the ranges of a text by their marks; overlapping ones are one.
fn cut(text: &mut String, ranges: &[(u64, u64, String)]) -> Option<Taken> {
    let mut sorted: Vec<(usize, usize, &str)> = Vec::new();
    for (from, to, mark) in ranges {
        let (from, to) = (usize::try_from(*from).ok()?, usize::try_from(*to).ok()?);
        sorted.push((from, to.min(text.len()), mark));
    }
    sorted.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (from, to, mark) in sorted {
        // A range may begin or end within a character: that goes as a whole.
        let from = (0..=from).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let to = (to..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
        if from >= at {
            out.push_str(text.get(at..from).unwrap_or_default());
            out.push_str(mark);
        }
        at = at.max(to);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    *text = out;
    Some(Taken::Ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_ledger::digest::Digest;
    use customs_ledger::material::Content as Bytes;
    use customs_policy::{HostView, Layer, Origin, PathKind, RawFlow, RawGrants};
    use serde_json::json;
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    struct Nowhere;

    impl HostView for Nowhere {
        fn canonical(&self, _: &Path) -> Result<(PathBuf, PathKind), String> {
            Err("there is nothing".to_owned())
        }

        fn env(&self) -> Vec<(OsString, OsString)> {
            Vec::new()
        }

        fn home(&self) -> Option<PathBuf> {
            None
        }
    }

    /// What could not be searched is held back where a rule is about that source and that place, and only there.
    #[test]
    fn an_unsearched_request_is_blocked_by_the_rule_for_its_own_address() {
        let rule = |to: &str| RawFlow { from: "file".to_owned(), to: to.to_owned(), action: "block".to_owned() };
        let blocked = |to: &str, kind: SourceKind| {
            let raw = RawGrants { flow: vec![rule(to)], ..RawGrants::default() };
            let layer = Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags };
            let policy = Arc::new(Policy::build(&[layer], &Nowhere).unwrap());
            let rules = ByRules { policy, defaults: FlowDefaults::Run, lineage: Arc::default() };
            // More came in than was kept.
            let bytes = |text: &str, of: u64| Bytes {
                bytes: of,
                digest: Digest::of(text.as_bytes()),
                kept: text.as_bytes().to_vec(),
                complete: false,
            };
            let source = Source {
                id: 1,
                kind,
                name: "/data/f".to_owned(),
                class: kind.class(),
                content: bytes("a line of the file", 1 << 30),
            };
            let name = "https://one.example/x#body".to_owned();
            let sink = Sink { id: 0, kind: SinkKind::HttpRequest, name, content: bytes("something else", 14) };
            rules.blocks(&[source], &[sink], None).is_some()
        };
        for (to, kind, wanted) in [
            ("http-request", SourceKind::File, true),
            ("http-request:https://one.example/*", SourceKind::File, true),
            ("http-request:https://two.example/*", SourceKind::File, false),
            ("http-request:https://one.example/*", SourceKind::Listing, false),
        ] {
            assert_eq!(blocked(to, kind), wanted, "{to} {kind:?}");
        }
    }

    fn ranges(of: &[(u64, u64)]) -> Vec<(u64, u64, String)> {
        of.iter().map(|(from, to)| (*from, *to, "[x]".to_owned())).collect()
    }

    #[test]
    fn exactly_the_ranges_are_replaced() {
        for (text, at, wanted) in [
            ("key=SECRET.", &[(4, 10)][..], "key=[x]."),
            ("SECRET and SECRET", &[(0, 6), (11, 17)], "[x] and [x]"),
            ("abcdef", &[(1, 3), (2, 5)], "a[x]f"),
            ("aé", &[(2, 3)], "a[x]"),
            ("abc", &[(2, 99)], "ab[x]"),
        ] {
            let mut text = text.to_owned();
            assert_eq!(cut(&mut text, &ranges(at)), Some(Taken::Ranges));
            assert_eq!(text, wanted);
        }
    }

    #[test]
    fn a_place_keeps_its_type_or_is_not_redacted() {
        let all = ranges(&[(0, 3)]);
        for (shape, before, after) in [
            (Shape::Text, json!("abcd"), Some(json!("[x]d"))),
            (Shape::Bytes, json!("YWJj"), Some(json!(""))),
            (Shape::Char, json!("a"), Some(json!("\u{fffd}"))),
            (Shape::Float64, json!(1.5), Some(json!(0))),
            (Shape::Bool, json!(true), None),
        ] {
            let mut value = before.clone();
            assert_eq!(blank(&mut value, Some(&shape), &all).is_some(), after.is_some(), "{before}");
            assert_eq!(value, after.unwrap_or(before));
        }
    }
}
