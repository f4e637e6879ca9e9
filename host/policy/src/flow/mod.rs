//! Flow rules: what is to be done where a source is seen in a sink. `[[tool.NAME.flow]]` in a policy file.
//!
//! The strictest rule that matches decides; where none does, the defaults of the program's part that asks. What a rule
//! promises is checked when the policy is built: an action that cannot be carried out at a sink is an error there.
//!
//! The names of sources and sinks are partly the guest's choice. So there are places that a name *may* mean (another
//! spelling of a URL, what lies below a name, a return recorded as a whole): there a rule binds and does not loosen.

mod kind;
mod name;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::entry::place;
use crate::error::{PolicyError, shown};
use crate::raw::{Layer, Origin, RawFlow};
use kind::{CLASSES, Kind, SINKS, SOURCES, find, words};
use name::{Fit, Name};

/// What is to be done about a flow, from mild to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowAction {
    /// Nothing, and nobody is told.
    Allow,
    /// The person is told.
    Warn,
    /// The bytes are replaced before they leave.
    Redact,
    /// Nothing leaves.
    Block,
}

impl FlowAction {
    /// Every action, mild ones first.
    pub const ALL: &[FlowAction] = &[FlowAction::Allow, FlowAction::Warn, FlowAction::Redact, FlowAction::Block];

    /// The stable name, such as `redact`.
    pub const fn as_str(self) -> &'static str {
        match self {
            FlowAction::Allow => "allow",
            FlowAction::Warn => "warn",
            FlowAction::Redact => "redact",
            FlowAction::Block => "block",
        }
    }

    fn can_be_done_at(self, sink: &Kind) -> bool {
        match self {
            FlowAction::Allow | FlowAction::Warn => true,
            FlowAction::Redact => sink.redact,
            FlowAction::Block => sink.block,
        }
    }
}

impl fmt::Display for FlowAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What holds where no rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowDefaults {
    /// A person looks: warn.
    Run,
    /// A client and a model look: what is secret is redacted from a return or an error and blocked in a request or a lookup; otherwise warn.
    Serve,
}

impl FlowDefaults {
    fn action(self, class: &str, sink_kind: &str) -> FlowAction {
        match (self, class, sink_kind) {
            (FlowDefaults::Serve, "secret", "return" | "error") => FlowAction::Redact,
            (FlowDefaults::Serve, "secret", "http-request" | "dns") => FlowAction::Block,
            _ => FlowAction::Warn,
        }
    }
}

/// The two ends of a flow, in the words of the contract: classes, kinds and names as the ledger has them.
#[derive(Debug, Clone, Copy)]
pub struct FlowEnds<'a> {
    /// `secret`, `private`, `untrusted` or `public`.
    pub class: &'a str,
    /// Such as `env`.
    pub source_kind: &'a str,
    /// Such as `API_KEY`.
    pub source_name: &'a str,
    /// Such as `return`.
    pub sink_kind: &'a str,
    /// Such as `/debug`.
    pub sink_name: &'a str,
}

/// One end of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Any,
    Class(&'static str),
    Kind(&'static Kind, Name),
}

impl End {
    fn source(text: &str) -> Result<End, String> {
        let class = text.split(':').next().and_then(|word| CLASSES.iter().find(|class| **class == word));
        match class {
            Some(class) if *class == text => Ok(End::Class(class)),
            Some(class) => Err(format!("a class has no name; write {class}, or a kind with a name such as env:API_*")),
            None => End::kind(text, SOURCES).map_err(|error| {
                error.unwrap_or_else(|| {
                    format!(
                        "from is a class ({}), a kind ({}), KIND:NAME, or *",
                        CLASSES.join(", "),
                        words(SOURCES.iter(), ", ")
                    )
                })
            }),
        }
    }

    fn sink(text: &str) -> Result<End, String> {
        End::kind(text, SINKS).map_err(|error| {
            error.unwrap_or_else(|| format!("to is a kind ({}), KIND:NAME, or *", words(SINKS.iter(), ", ")))
        })
    }

    /// `*`, `KIND` or `KIND:NAME`. The error is none where there is no such kind.
    fn kind(text: &str, kinds: &'static [Kind]) -> Result<End, Option<String>> {
        if text.is_empty() {
            return Err(Some("it is empty; * stands for everything".to_owned()));
        }
        if text.find('*').is_some_and(|at| at + 1 < text.len()) {
            return Err(Some("* can only be the end of a name".to_owned()));
        }
        if text == "*" {
            return Ok(End::Any);
        }
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind, Some(name)),
            None => (text, None),
        };
        let kind = find(kinds, kind).ok_or(None)?;
        Ok(End::Kind(kind, name.map_or(Ok(Name::Any), |name| Name::parse(kind, name))?))
    }

    /// Whether only what the caller sent comes from here. It makes no finding, so no rule about it can stop anything.
    fn is_public(&self) -> bool {
        match self {
            End::Any => false,
            End::Class(class) => *class == "public",
            End::Kind(kind, _) => kind.public,
        }
    }

    fn fit(&self, class: &str, kind: &str, name: &str) -> Fit {
        match self {
            End::Any => Fit::Yes,
            End::Class(own) if *own == class => Fit::Yes,
            End::Kind(own, pattern) if own.word == kind => pattern.fit(own, name),
            End::Class(_) | End::Kind(..) => Fit::No,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Any => f.write_str("*"),
            End::Class(class) => f.write_str(class),
            End::Kind(kind, Name::Any) => f.write_str(kind.word),
            End::Kind(kind, Name::Is(name)) => write!(f, "{}:{name}", kind.word),
            End::Kind(kind, Name::Begins(name)) => write!(f, "{}:{name}*", kind.word),
        }
    }
}

/// One rule, checked.
#[derive(Debug, Clone)]
pub struct FlowRule {
    from: End,
    to: End,
    action: FlowAction,
    rule: Arc<str>,
}

impl FlowRule {
    /// Where the bytes come from, in its plain spelling.
    pub fn from(&self) -> String {
        self.from.to_string()
    }

    /// Where they go, in its plain spelling.
    pub fn to(&self) -> String {
        self.to.to_string()
    }

    /// What is done about it.
    pub fn action(&self) -> FlowAction {
        self.action
    }

    /// The rule as written, with file and line: `flow secret -> return: redact (customs.toml:7)`.
    pub fn rule(&self) -> &Arc<str> {
        &self.rule
    }

    fn parse(layer: &Layer, index: usize, raw: &RawFlow) -> Result<FlowRule, PolicyError> {
        let wrong = |key, value: &str, reason: String| {
            PolicyError::new(place(layer, key, index), format!("{}: {reason}", shown(value)))
        };
        let from = End::source(&raw.from).map_err(|reason| wrong("flow.from", &raw.from, reason))?;
        let to = End::sink(&raw.to).map_err(|reason| wrong("flow.to", &raw.to, reason))?;
        let refused = |reason: String| wrong("flow.do", &raw.action, reason);
        let Some(action) = FlowAction::ALL.iter().copied().find(|action| action.as_str() == raw.action) else {
            return Err(refused("do is allow, warn, redact or block".to_owned()));
        };
        let possible = |sink: &&Kind| action.can_be_done_at(sink);
        let everywhere = match to {
            End::Kind(sink, _) => action.can_be_done_at(sink),
            End::Any | End::Class(_) => SINKS.iter().all(|sink| action.can_be_done_at(sink)),
        };
        if !everywhere {
            let sinks = words(SINKS.iter().filter(possible), " or ");
            return Err(refused(format!("this cannot be enforced for {}; write a rule to {sinks}", shown(&raw.to))));
        }
        if action > FlowAction::Warn && from.is_public() {
            return Err(refused(format!(
                "this cannot be enforced for {}: what the caller sent makes no finding",
                shown(&raw.from)
            )));
        }
        if let (FlowAction::Allow, End::Kind(Kind { word: "dns", .. }, Name::Begins(_))) = (action, &to) {
            return Err(refused("who answers for a name is said by its end, which * leaves open".to_owned()));
        }
        let rule = match (&layer.origin, raw.text()) {
            (Origin::File { name, lines, .. }, text) => match lines.of("flow", index) {
                Some(line) => format!("{text} ({name}:{line})"),
                None => text,
            },
            (Origin::Flags, text) => text,
        };
        Ok(FlowRule { from, to, action, rule: rule.into() })
    }

    fn fit(&self, ends: &FlowEnds<'_>) -> Fit {
        let from = self.from.fit(ends.class, ends.source_kind, ends.source_name);
        from.min(self.to.fit("", ends.sink_kind, ends.sink_name))
    }
}

/// All rules, in the order in which they were written, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlowRules(Vec<FlowRule>);

impl FlowRules {
    pub(crate) fn build(layers: &[Layer]) -> Result<FlowRules, PolicyError> {
        let mut rules = Vec::new();
        let mut seen: BTreeMap<(End, End), (FlowAction, Arc<str>)> = BTreeMap::new();
        for layer in layers {
            for (index, raw) in layer.raw.flow.iter().enumerate() {
                let rule = FlowRule::parse(layer, index, raw)?;
                let ends = (rule.from.clone(), rule.to.clone());
                match seen.get(&ends) {
                    Some((action, _)) if *action == rule.action => continue,
                    Some((_, other)) => {
                        let reason = format!("{}: this contradicts {}", shown(&raw.action), shown(other));
                        return Err(PolicyError::new(place(layer, "flow.do", index), reason));
                    }
                    None => drop(seen.insert(ends, (rule.action, Arc::clone(&rule.rule)))),
                }
                rules.push(rule);
            }
        }
        Ok(FlowRules(rules))
    }

    pub(crate) fn as_slice(&self) -> &[FlowRule] {
        &self.0
    }

    /// For the policy's digest. No name holds a NUL.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|rule| format!("flow {}\0{}\0{}", rule.action, rule.from, rule.to))
    }

    /// | rules that match | answer |
    /// |---|---|
    /// | none | the default |
    /// | some | the strictest action among them, also where the default is stricter |
    /// | some, but each only *may* mean this place | the stricter of the default and of those that are no `allow` |
    pub(crate) fn decide(&self, ends: &FlowEnds<'_>, defaults: FlowDefaults) -> (FlowAction, Option<&Arc<str>>) {
        let mut strictest: Option<&FlowRule> = None;
        let mut certain = false;
        for rule in &self.0 {
            match rule.fit(ends) {
                Fit::Yes => certain = true,
                Fit::Perhaps if rule.action > FlowAction::Allow => {}
                Fit::Perhaps | Fit::No => continue,
            }
            if strictest.is_none_or(|found| found.action < rule.action) {
                strictest = Some(rule);
            }
        }
        let default = defaults.action(ends.class, ends.sink_kind);
        match strictest {
            Some(rule) if certain || rule.action >= default => (rule.action, Some(&rule.rule)),
            _ => (default, None),
        }
    }

    pub(crate) fn may_stop(&self, sink_kind: &str, defaults: FlowDefaults) -> bool {
        let stops = |action: FlowAction| action > FlowAction::Warn;
        CLASSES.iter().any(|class| stops(defaults.action(class, sink_kind)))
            || self.0.iter().any(|rule| {
                stops(rule.action)
                    && match rule.to {
                        End::Kind(kind, _) => kind.word == sink_kind,
                        End::Any | End::Class(_) => true,
                    }
            })
    }
}
