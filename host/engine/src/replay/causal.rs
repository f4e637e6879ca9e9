//! Causal evidence: one source gets other bytes, the call is replayed, and the sinks are compared. What changes with it depends on it, through
//! whatever computation; what never changes does not, as far as these bytes show it.
//!
//! Compared is everything that goes out: sinks by kind and name, and the result place by place, truth values too. The unchanged replay comes
//! first: a guest that does something else without a change (by an address of its own memory, say) gets no verdict.
//!
//! What this does not see: a branch that only some particular other value takes, such as on a password that the source does not have; and what is
//! decided by one source only together with another.

use super::Recording;
use super::compare::{self, Divergence, leaves};
use super::play::{How, NotPlayed, Played, play};
use crate::Program;
use crate::report::Report;
use customs_boundary::tape::change::{SEEDS, is_plain};
use customs_boundary::tape::{Change, Extent};
use customs_flow::{Finding, causal};
use customs_ledger::material::{SinkKind, Source, SourceKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which sources are changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    All,
    /// Its number in the run.
    Id(u64),
    /// `kind:name`.
    Name(String, String),
}

impl Named {
    /// `all`, a number, or `kind:name`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Named> {
        if text == "all" {
            return Some(Named::All);
        }
        if let Ok(id) = text.parse() {
            return Some(Named::Id(id));
        }
        let (kind, name) = text.split_once(':')?;
        KINDS.iter().any(|one| one.as_str() == kind).then(|| Named::Name(kind.to_owned(), name.to_owned()))
    }

    fn names(&self, source: &Source) -> bool {
        match self {
            Named::All => true,
            Named::Id(id) => source.id == *id,
            Named::Name(kind, name) => source.kind.as_str() == kind && source.name == *name,
        }
    }
}

const KINDS: [SourceKind; 9] = [
    SourceKind::Env,
    SourceKind::File,
    SourceKind::Listing,
    SourceKind::Metadata,
    SourceKind::Link,
    SourceKind::HttpResponse,
    SourceKind::Stdin,
    SourceKind::Argument,
    SourceKind::Socket,
];

/// A place that changed with a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Influence {
    pub kind: SinkKind,
    pub name: String,
    /// The run's sink, where the place is one.
    pub sink: Option<u64>,
    /// It changed only when the length did.
    pub by_length: bool,
    /// In how many of the replays with other bytes it changed.
    pub changed: u32,
}

/// What one source decides.
#[derive(Clone, Debug)]
pub struct Cause {
    pub source: u64,
    pub kind: SourceKind,
    pub name: String,
    /// Replays with other bytes, and with another length; of those that could not be made because what was changed did not fit any more.
    pub contents: u32,
    pub lengths: u32,
    pub refused: u32,
    pub influences: Vec<Influence>,
}

impl Cause {
    /// No place changed.
    #[must_use]
    pub fn is_cleared(&self) -> bool {
        self.influences.is_empty() && self.contents + self.lengths > 0
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        let influence = |one: &Influence| {
            json!({"kind": one.kind.as_str(), "name": one.name, "sink": one.sink,
                "by": if one.by_length { "length" } else { "content" }, "changed": one.changed})
        };
        json!({
            "source": self.source, "kind": self.kind.as_str(), "name": self.name,
            "cleared": self.is_cleared(),
            "influences": self.influences.iter().map(influence).collect::<Vec<_>>(),
            "replays": {"content": self.contents, "length": self.lengths, "refused": self.refused},
        })
    }
}

/// What the sources of a run decide.
#[derive(Debug)]
pub struct Causes {
    /// The unchanged replay, in order.
    pub unchanged: Played,
    /// Where the unchanged replay left the recording: then there is no verdict.
    pub divergence: Option<Divergence>,
    pub causes: Vec<Cause>,
    /// One for each influence that is no argument's.
    pub findings: Vec<Finding>,
}

/// Changes each of the named sources in turn. An error where a name names none.
pub async fn causes(program: &Arc<Program>, recording: &Recording, named: &[Named]) -> Result<Causes, NotPlayed> {
    let unchanged = play(program, recording, &How::in_order()).await?;
    causes_after(program, recording, named, unchanged).await
}

/// The same where the unchanged replay was made already.
pub async fn causes_after(
    program: &Arc<Program>,
    recording: &Recording,
    named: &[Named],
    unchanged: Played,
) -> Result<Causes, NotPlayed> {
    let divergence = compare::parts(recording, &unchanged);
    let mut causes = Causes { unchanged, divergence, causes: Vec::new(), findings: Vec::new() };
    if causes.divergence.is_some() {
        return Ok(causes);
    }
    let sources = chosen(&causes.unchanged.report.sources, named).map_err(NotPlayed::Refused)?;
    // What a loose replay does differently by itself is no influence.
    let loose = play(program, recording, &How::default()).await?;
    let baseline = outputs(&loose.report);
    for source in sources {
        let cause = cause(program, recording, source, &baseline, &causes.unchanged.report).await?;
        for influence in &cause.influences {
            let sink = causes.unchanged.report.sinks.iter().find(|sink| Some(sink.id) == influence.sink);
            let place = if influence.name.is_empty() { influence.kind.as_str() } else { &influence.name };
            let note = if influence.by_length {
                format!("{place} changed when the length of {} did", source.name)
            } else {
                format!(
                    "{place} changed in {} of {} replays with other bytes in {}",
                    influence.changed, cause.contents, source.name
                )
            };
            causes.findings.extend(causal(source, influence.kind, sink, influence.by_length, note));
        }
        causes.causes.push(cause);
    }
    Ok(causes)
}

/// The sources that are named, those of one name once: they are changed together.
fn chosen<'s>(sources: &'s [Source], named: &[Named]) -> Result<Vec<&'s Source>, String> {
    let mut chosen: Vec<&Source> = Vec::new();
    for name in named {
        let before = chosen.len();
        let found: Vec<&Source> = sources.iter().filter(|source| name.names(source)).collect();
        for source in &found {
            if !chosen.iter().any(|one| one.kind == source.kind && one.name == source.name) {
                chosen.push(source);
            }
        }
        if found.is_empty() && chosen.len() == before && *name != Named::All {
            let shown = match name {
                Named::Id(id) => id.to_string(),
                Named::Name(kind, name) => format!("{kind}:{name}"),
                Named::All => String::new(),
            };
            return Err(format!("the run has no source {shown}; it has {}", known(sources)));
        }
    }
    Ok(chosen)
}

fn known(sources: &[Source]) -> String {
    let names: BTreeSet<String> = sources.iter().map(|s| format!("{}:{}", s.kind.as_str(), s.name)).collect();
    let shown: Vec<&str> = names.iter().map(String::as_str).take(8).collect();
    match shown.len() {
        0 => "none".to_owned(),
        n if n < names.len() => format!("{}, ..", shown.join(", ")),
        _ => shown.join(", "),
    }
}

/// The changes that are tried for a source.
fn extents(source: &Source) -> Vec<Extent> {
    let mut extents: Vec<Extent> = (0..SEEDS).map(Extent::Content).collect();
    let (length, some) = (source.content.bytes, (source.content.bytes / 4).max(1));
    // Where a length stands in a message of its own (a header, a record), the message would contradict itself.
    if matches!(source.kind, SourceKind::Env | SourceKind::File | SourceKind::Stdin | SourceKind::Argument)
        && length > 0
    {
        extents.push(Extent::Length(length - some));
    }
    if matches!(source.kind, SourceKind::Env | SourceKind::Argument) {
        extents.push(Extent::Length(length + some));
    }
    extents
}

async fn cause(
    program: &Arc<Program>,
    recording: &Recording,
    source: &Source,
    baseline: &Outputs,
    unchanged: &Report,
) -> Result<Cause, NotPlayed> {
    let mut cause = Cause {
        source: source.id,
        kind: source.kind,
        name: source.name.clone(),
        contents: 0,
        lengths: 0,
        refused: 0,
        influences: Vec::new(),
    };
    let mut places: BTreeMap<Place, (u32, u32)> = BTreeMap::new();
    let plain = is_plain(&source.content.kept);
    for extent in extents(source) {
        let change = Change { kind: source.kind, name: source.name.clone(), extent, plain };
        let how = How { change: Some(change), ..How::default() };
        let played = match play(program, recording, &how).await {
            Ok(played) => played,
            Err(NotPlayed::Refused(_)) => {
                cause.refused += 1;
                continue;
            }
            Err(other) => return Err(other),
        };
        let by_length = matches!(extent, Extent::Length(_));
        *(if by_length { &mut cause.lengths } else { &mut cause.contents }) += 1;
        for place in changed(baseline, &outputs(&played.report)) {
            let count = places.entry(place).or_default();
            *(if by_length { &mut count.1 } else { &mut count.0 }) += 1;
        }
    }
    for ((kind, name), (by_content, by_length)) in &places {
        let sink = unchanged.sinks.iter().find(|sink| sink.kind.as_str() == *kind && sink.name == *name);
        let kind = kind_of(kind);
        cause.influences.push(Influence {
            kind,
            name: name.clone(),
            sink: sink.map(|sink| sink.id),
            by_length: *by_content == 0,
            changed: if *by_content == 0 { *by_length } else { *by_content },
        });
    }
    Ok(cause)
}

fn kind_of(word: &str) -> SinkKind {
    const ALL: [SinkKind; 10] = [
        SinkKind::Return,
        SinkKind::Error,
        SinkKind::HttpRequest,
        SinkKind::Dns,
        SinkKind::File,
        SinkKind::Stdout,
        SinkKind::Stderr,
        SinkKind::Progress,
        SinkKind::Log,
        SinkKind::Socket,
    ];
    ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(SinkKind::Return)
}

/// Kind and name of where something goes out.
type Place = (&'static str, String);

/// Everything that went out of a call.
type Outputs = BTreeMap<Place, Vec<Vec<u8>>>;

fn outputs(report: &Report) -> Outputs {
    let mut all = Outputs::new();
    for sink in &report.sinks {
        let mut bytes = sink.content.kept.clone();
        if bytes.len() as u64 != sink.content.bytes {
            // Only its start was kept: the digest has the rest.
            bytes.extend_from_slice(&sink.content.digest.bytes);
        }
        all.entry((sink.kind.as_str(), sink.name.clone())).or_default().push(bytes);
    }
    all.insert(("return", "#ending".to_owned()), vec![report.ending.kind().as_bytes().to_vec()]);
    let Some(result) = &report.result else { return all };
    let kind = if result.is_error { "error" } else { "return" };
    // What is no sink of its own: truth values, and texts whose parts are sinks.
    let (prefix, value) = match &result.structured {
        Some(structured) => ("", structured.clone()),
        None => ("/content", json!(result.content.iter().map(crate::Content::to_json).collect::<Vec<_>>())),
    };
    for (place, leaf) in leaves(&value) {
        let place = (kind, format!("{prefix}{place}"));
        all.entry(place).or_insert_with(|| vec![leaf.to_string().into_bytes()]);
    }
    all
}

/// The places whose bytes differ. A text whose parts are sinks is named only where none of its parts is; and of a place that has another name now
/// only the old one.
fn changed(before: &Outputs, after: &Outputs) -> Vec<Place> {
    let differ: Vec<&Place> =
        before.iter().filter(|(place, bytes)| after.get(*place) != Some(bytes)).map(|(p, _)| p).collect();
    let new = after.keys().filter(|place| !before.contains_key(*place) && !differ.iter().any(|old| old.0 == place.0));
    let all: Vec<&Place> = differ.iter().copied().chain(new).collect();
    let has_part =
        |place: &Place| all.iter().any(|one| one.0 == place.0 && one.1.starts_with(&format!("{}#", place.1)));
    let ending = |place: &Place| place.1 == "#ending";
    // That it ended otherwise is worth a word of its own only where nothing else shows it.
    let only_ending = all.iter().all(|place| ending(place));
    all.iter()
        .filter(|place| !has_part(place) && (only_ending || !ending(place)))
        .map(|place| (*place).clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(all: &[(&'static str, &str, &str)]) -> Outputs {
        let mut outputs = Outputs::new();
        for (kind, name, bytes) in all {
            outputs.entry((kind, (*name).to_owned())).or_default().push(bytes.as_bytes().to_vec());
        }
        outputs
    }

    #[test]
    fn a_place_is_named_once_by_its_smallest_part() {
        let before = outputs(&[
            ("return", "/content/0/text", "{..a}"),
            ("return", "/content/0/text#/a", "a"),
            ("dns", "a.b", "a.b"),
        ]);
        let after = outputs(&[
            ("return", "/content/0/text", "{..b}"),
            ("return", "/content/0/text#/a", "b"),
            ("dns", "c.b", "c.b"),
        ]);
        let places = changed(&before, &after);
        assert_eq!(places, [("dns", "a.b".to_owned()), ("return", "/content/0/text#/a".to_owned())]);
        assert!(changed(&before, &before).is_empty());
        let ended = outputs(&[("return", "#ending", "trap")]);
        assert_eq!(changed(&outputs(&[("return", "#ending", "returned")]), &ended), [("return", "#ending".to_owned())]);
    }

    #[test]
    fn sources_are_named_by_number_kind_and_name_or_all() {
        assert_eq!(Named::parse("3"), Some(Named::Id(3)));
        assert_eq!(Named::parse("env:A:B"), Some(Named::Name("env".to_owned(), "A:B".to_owned())));
        assert_eq!(Named::parse("all"), Some(Named::All));
        assert_eq!((Named::parse("API_KEY"), Named::parse("x:y")), (None, None));
    }
}
