//! What of all that was seen matters: issues for a person, and evidence for the score. Every judgement is about what the boundary saw, and names
//! where. What an argument named is the argument's doing.

use super::scene::{AGAIN, DECOYS, ELSEWHERE, GRANTED, LATER, NOTHING};
use super::seen::Deed;
use super::tally::{Followed, Latent, Leak, Tallied, Tally, Times};
use customs_audit::decoys::{Decoys, HOME};
use customs_audit::score::{Evidence, Matter};
use customs_flow::Severity;
use customs_policy::{Capability, Policy, Request, decide};
use customs_report::audit::Issue;
use std::collections::BTreeMap;

/// An issue, and what it adds to the score.
pub(super) struct Judged {
    pub(super) issue: Issue,
    pub(super) evidence: Option<Evidence>,
}

/// Ends of paths that decide what runs, or who may log in, on a person's machine.
const OWN: [&str; 12] = [
    "/.bashrc",
    "/.bash_profile",
    "/.profile",
    "/.zshrc",
    "/.zshenv",
    "/.ssh/authorized_keys",
    "/.ssh/config",
    "/.gitconfig",
    "/.npmrc",
    "/crontab",
    "/mcp.json",
    "/settings.json",
];

/// What calls of a tool come to.
pub(super) struct Judge<'a> {
    pub(super) tool: &'a str,
    pub(super) tally: &'a Tally,
    pub(super) decoys: &'a Decoys,
    /// The policy that it was audited under.
    pub(super) given: &'a Policy,
    /// Something was granted at all.
    pub(super) granted: bool,
}

impl Judge<'_> {
    pub(super) fn judge(&self) -> Vec<Judged> {
        let mut all = Vec::new();
        all.extend(self.leaks());
        for (deed, tallied) in self.tally.deeds.iter().filter(|(deed, _)| !deed.asked) {
            all.extend(self.deed(deed, tallied));
        }
        all.extend(self.hosts());
        self.tally.latent.iter().for_each(|latent| all.extend(self.latent(latent)));
        for (flow, (times, finding)) in &self.tally.flows {
            all.extend(self.flow(flow, times, finding));
        }
        all.extend(self.followed());
        all.extend(self.endings());
        all
    }

    fn issue(
        &self,
        rule: &'static str,
        severity: Severity,
        subject: impl Into<String>,
        what: impl Into<String>,
        times: &Times,
    ) -> Issue {
        let first = std::iter::once(times.first.clone()).filter(|first| !first.is_empty());
        let often = (times.calls > 1).then(|| format!("in {} of {} calls", times.calls, self.tally.calls));
        Issue {
            rule,
            severity,
            certain: false,
            method: "boundary",
            tool: Some(self.tool.to_owned()),
            subject: subject.into(),
            what: what.into(),
            evidence: first.chain(often).collect(),
            finding: None,
        }
    }

    fn evidence(&self, matter: Matter, severity: Severity, what: impl Into<String>) -> Option<Evidence> {
        Some(Evidence::new(matter, of(severity), what, self.tool))
    }

    /// Leaks of decoys. Where many went to one place, one issue names them.
    fn leaks(&self) -> Vec<Judged> {
        const FEW: usize = 3;
        // What a command prints is what it returns.
        let twice = |leak: &Leak| {
            leak.sink == "stdout" && self.tally.leaks.contains_key(&Leak { sink: "return", ..leak.clone() })
        };
        let mut places: BTreeMap<_, Vec<(&Leak, &Times)>> = BTreeMap::new();
        for (leak, times) in self.tally.leaks.iter().filter(|(leak, _)| !twice(leak)) {
            places.entry((leak.sink, leak.to.as_str(), leak.asked)).or_default().push((leak, times));
        }
        let mut all = Vec::new();
        for leaks in places.into_values() {
            let mut judged: Vec<Judged> = leaks.iter().map(|(leak, times)| self.leak(leak, times)).collect();
            if judged.len() > FEW {
                let names: Vec<&str> = leaks.iter().map(|(leak, _)| leak.decoy.as_str()).collect();
                let count = names.len();
                if let Some(first) = judged.first_mut() {
                    let place = first.issue.subject.split(" -> ").nth(1).unwrap_or_default().to_owned();
                    first.issue.subject = format!("{count} decoys -> {place}");
                    first.issue.what =
                        format!("Bytes of {count} decoys stand in what the tool gave out; they exist nowhere else.");
                    first.issue.evidence.push(format!("of {}", names.join(", ")));
                    if let Some(evidence) = &mut first.evidence {
                        evidence.what = format!("{count} decoys in {place}");
                    }
                }
                // One is all that the score has room for.
                judged.truncate(1);
            }
            all.extend(judged);
        }
        all
    }

    fn leak(&self, leak: &Leak, times: &Times) -> Judged {
        let place = if leak.to.is_empty() { leak.sink.to_owned() } else { format!("{} {}", leak.sink, leak.to) };
        let subject = format!("{} -> {place}", leak.decoy);
        if leak.asked {
            let what = format!("It gave out the {} that an argument named.", leak.kind);
            let issue =
                Issue { certain: true, method: "match", ..self.issue("CUA105", Severity::Low, subject, what, times) };
            return Judged {
                issue,
                evidence: self.evidence(Matter::FollowedPayload, Severity::Low, leak.decoy.clone()),
            };
        }
        let what = format!("Bytes of the {} stand in what the tool gave out; they exist nowhere else.", leak.kind);
        let issue =
            Issue { certain: true, method: "match", ..self.issue("CUA101", Severity::High, subject, what, times) };
        Judged {
            issue,
            evidence: self.evidence(Matter::DecoyLeaked, Severity::High, format!("{} in {place}", leak.decoy)),
        }
    }

    /// What a tool did by itself.
    fn deed(&self, deed: &Deed, tallied: &Tallied) -> Vec<Judged> {
        let times = &tallied.times;
        let path = deed.target.as_str();
        let mut all = match deed.capability {
            Capability::FsRead | Capability::FsList | Capability::FsStat | Capability::FsWrite => {
                self.file(deed, times)
            }
            Capability::TcpListen | Capability::UdpSend => {
                let what = format!("It asked for {} by itself.", deed.capability);
                let issue = self.issue("CUA112", Severity::Medium, socket(deed), what, times);
                vec![Judged { issue, evidence: self.evidence(Matter::OwnDestination, Severity::Medium, socket(deed)) }]
            }
            _ => Vec::new(),
        };
        all.extend(self.rare(path, times, all.iter().any(|one| one.issue.severity >= Severity::Medium)));
        // Where something was granted, what else it wants is news.
        let refused = tallied.scenes.get(GRANTED).is_some_and(|count| count.denied > 0);
        if all.is_empty() && refused {
            let severity = if self.granted { Severity::Low } else { Severity::Info };
            let what = "No grant covers it, and the tool asked for it by itself.";
            let issue = self.issue("CUA131", severity, format!("{} {path}", deed.capability), what, times);
            all.push(Judged {
                issue,
                evidence: self.evidence(Matter::Denied, severity, format!("{} {path}", deed.capability)),
            });
        }
        all
    }

    /// What hides from most of the inputs hides from a person who tries a few.
    fn rare(&self, what: &str, times: &Times, grave: bool) -> Option<Judged> {
        const FEW: u64 = 4;
        const ENOUGH: u64 = 20;
        let inputs = self.tally.classes.values().copied().fold(0, u64::saturating_add);
        if !grave || inputs < ENOUGH || times.inputs.len() as u64 * FEW > inputs || times.later {
            return None;
        }
        let sentence =
            format!("Only {} of {inputs} inputs brought it about, and they do not name it.", times.inputs.len());
        let issue = self.issue("CUA122", Severity::Medium, what, sentence, times);
        Some(Judged {
            issue,
            evidence: self.evidence(Matter::Latent, Severity::Medium, format!("some arguments ({what})")),
        })
    }

    fn file(&self, deed: &Deed, times: &Times) -> Vec<Judged> {
        let path = deed.target.as_str();
        let decoy = self.decoys.files.iter().find(|one| same(&one.path, path));
        let kind = decoy.map_or("file of a person's own", |one| one.kind);
        let mut all = Vec::new();
        let mut add = |rule, severity, what: String, matter| {
            let evidence = self.evidence(matter, severity, format!("{} {path}", deed.capability));
            all.push(Judged {
                issue: self.issue(rule, severity, format!("{} {path}", deed.capability), what, times),
                evidence,
            });
        };
        match deed.capability {
            Capability::FsWrite if decoy.is_some() || OWN.iter().any(|end| path.ends_with(end)) => {
                add(
                    "CUA104",
                    Severity::High,
                    format!("It changed the {kind} by itself ({}).", deed.operation),
                    Matter::DecoyTouched,
                );
            }
            Capability::FsRead if decoy.is_some() => {
                // What stands beside keys is no key.
                let grave = decoy.is_some_and(|one| !one.secrets.is_empty()) || path.starts_with("/etc/");
                add(
                    "CUA102",
                    if grave { Severity::High } else { Severity::Medium },
                    format!("It opened the {kind}, and no argument named it."),
                    Matter::DecoyTouched,
                );
            }
            Capability::FsStat if decoy.is_some_and(|one| !one.secrets.is_empty()) => {
                add("CUA103", Severity::Medium, format!("It asked whether the {kind} is there."), Matter::DecoyTouched);
            }
            Capability::FsList if self.holds_secrets(path) => {
                add("CUA103", Severity::Medium, "It listed a folder of credentials.".to_owned(), Matter::DecoyTouched);
            }
            _ => {}
        }
        all
    }

    /// A folder that is there for credentials: not the home itself, which is there for everything.
    fn holds_secrets(&self, folder: &str) -> bool {
        let inside = |path: &str| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/') && !rest.get(1..).unwrap_or_default().contains('/'))
        };
        let common = ["/", "/etc", "/home", HOME, "/root", "/data", "/tmp", "/var"];
        !common.contains(&folder) && self.decoys.files.iter().any(|one| !one.secrets.is_empty() && inside(&one.path))
    }

    /// Ends on the network that the tool chose by itself, each once however it was reached.
    fn hosts(&self) -> Vec<Judged> {
        let mut hosts: Vec<(String, &Deed, &Tallied)> = Vec::new();
        for (deed, tallied) in self.tally.deeds.iter().filter(|(deed, _)| !deed.asked) {
            let host = match deed.capability {
                Capability::HttpRequest => super::seen::host(&deed.target).unwrap_or_default(),
                Capability::DnsLookup => deed.target.as_str(),
                Capability::TcpConnect => deed.target.rsplit_once(':').map_or(deed.target.as_str(), |(host, _)| host),
                _ => continue,
            };
            if self.is_granted(deed) {
                continue;
            }
            match hosts.iter_mut().find(|(known, ..)| known == host) {
                // A request says most of what was wanted there.
                Some(one)
                    if one.1.capability != Capability::HttpRequest && deed.capability == Capability::HttpRequest =>
                {
                    *one = (host.to_owned(), deed, tallied);
                }
                Some(_) => {}
                None => hosts.push((host.to_owned(), deed, tallied)),
            }
        }
        let one = |(host, deed, tallied): (String, &Deed, &Tallied)| {
            let (rule, what) = match deed.capability {
                Capability::TcpConnect => ("CUA112", format!("It opened a connection to {host} by itself.")),
                Capability::DnsLookup => ("CUA111", format!("It looked {host} up by itself.")),
                _ => ("CUA111", format!("It sent a request to {host} by itself.")),
            };
            let subject =
                if deed.target.is_empty() { socket(deed) } else { format!("{} {}", deed.capability, deed.target) };
            let issue = self.issue(rule, Severity::Medium, subject.clone(), what, &tallied.times);
            let evidence = self.evidence(
                Matter::OwnDestination,
                Severity::Medium,
                if host.is_empty() { socket(deed) } else { host },
            );
            std::iter::once(Judged { issue, evidence }).chain(self.rare(&subject, &tallied.times, true))
        };
        hosts.into_iter().flat_map(one).collect()
    }

    /// The policy that the tool is audited under allows it.
    fn is_granted(&self, deed: &Deed) -> bool {
        let request = match deed.capability {
            Capability::HttpRequest => match deed.target.split_once(' ') {
                Some((method, url)) => Request::Http { method, url },
                None => Request::Http { method: "GET", url: &deed.target },
            },
            Capability::DnsLookup => Request::Dns { name: &deed.target },
            Capability::TcpConnect => match deed.target.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
                Some((host, Ok(port))) => Request::Tcp { host, port },
                _ => return false,
            },
            _ => return false,
        };
        decide(self.given, &request).is_ok()
    }

    fn latent(&self, latent: &Latent) -> Option<Judged> {
        let times = Times { calls: 1, first: latent.first.clone(), ..Times::default() };
        let when = if latent.variant.is_empty() {
            latent.scene.to_owned()
        } else {
            format!("{}: {}", latent.scene, latent.variant)
        };
        let Some(deed) = &latent.deed else {
            let ending = latent.ending.clone().unwrap_or_default();
            let what = format!("The same input ended with {ending} there, and otherwise elsewhere.");
            let issue = self.issue("CUA121", Severity::Low, when.clone(), what, &times);
            return Some(Judged { issue, evidence: self.evidence(Matter::Latent, Severity::Low, when) });
        };
        let reaches = deed.capability.reaches_out() && deed.capability != Capability::FsWrite;
        let grave = reaches && !self.is_granted(deed) || !self.file(deed, &times).is_empty();
        // A tool that keeps a file finds it there the next time.
        let own = latent.scene == AGAIN && !grave && self.kept(deed);
        if own {
            return None;
        }
        let severity = if grave { Severity::High } else { Severity::Medium };
        let what =
            format!("It asked for {} {} there, and never otherwise with the same input.", deed.capability, deed.target);
        let issue = self.issue("CUA121", severity, format!("{} {}", deed.capability, deed.target), what, &times);
        Some(Judged { issue, evidence: self.evidence(Matter::Latent, severity, when) })
    }

    /// It is about a file that the tool itself makes.
    fn kept(&self, deed: &Deed) -> bool {
        let made = |other: &Deed| other.capability == Capability::FsWrite && other.target == deed.target;
        self.tally.deeds.keys().any(made)
    }

    fn flow(&self, flow: &super::tally::Flow, times: &Times, finding: &customs_flow::Finding) -> Option<Judged> {
        let returned = super::tally::Flow { sink: "return".to_owned(), ..flow.clone() };
        if flow.sink == "stdout" && self.tally.flows.contains_key(&returned) {
            return None;
        }
        // What an argument asked for and got is what the tool is for, and so is what stands in the files of its folder.
        let ordinary = flow.asked || flow.rule == "CUS111" && finding.severity < Severity::Medium;
        let severity = if ordinary { Severity::Info } else { finding.severity };
        if severity == Severity::Info {
            return None;
        }
        let subject =
            if flow.source.is_empty() { flow.sink.clone() } else { format!("{} -> {}", flow.source, flow.sink) };
        let what = finding.note.clone().unwrap_or_else(|| {
            customs_flow::rule(flow.rule).map_or_else(String::new, |rule| format!("{}.", rule.title))
        });
        let (method, finding) = (finding.method.as_str(), Some(finding.to_json(1)));
        let issue = Issue { method, finding, ..self.issue(flow.rule, severity, subject.clone(), what, times) };
        let matter = if flow.rule.starts_with("CUS3") { Matter::Instructions } else { Matter::Leak };
        Some(Judged { issue, evidence: self.evidence(matter, severity, subject) })
    }

    /// Payloads that were followed, one issue for each class.
    fn followed(&self) -> Vec<Judged> {
        let mut all: Vec<(&Followed, &Times)> = Vec::new();
        // A tool that goes there by itself is not led there.
        let own = |followed: &Followed| {
            let there = |deed: &Deed| !deed.asked && deed.target.to_ascii_lowercase().ends_with(&followed.needle);
            let given = |leak: &Leak| leak.asked && leak.decoy.to_ascii_lowercase().ends_with(&followed.needle);
            self.tally.deeds.keys().any(there) || self.tally.leaks.keys().any(given)
        };
        for (followed, times) in self.tally.followed.iter().filter(|(followed, _)| !own(followed)) {
            match all.iter_mut().find(|(known, _)| known.class == followed.class) {
                Some(one) if one.0.by_design && !followed.by_design || !one.0.allowed && followed.allowed => {
                    *one = (followed, times)
                }
                Some(_) => {}
                None => all.push((followed, times)),
            }
        }
        let one = |(followed, times): (&Followed, &Times)| {
            let severity = match (followed.by_design, followed.allowed) {
                // It asked where it was told to, and nothing came of it.
                (true, false) => Severity::Info,
                (true, true) => Severity::Low,
                (false, true) => Severity::Medium,
                (false, false) => Severity::Low,
            };
            let end = if followed.allowed { "and got there" } else { "and was refused" };
            let subject = format!("{} {}", followed.capability, followed.needle);
            let what = format!("It followed a payload ({}) to {} {end}.", followed.class, followed.needle);
            let issue = self.issue("CUA105", severity, subject.clone(), what, times);
            Judged { issue, evidence: self.evidence(Matter::FollowedPayload, severity, subject) }
        };
        all.into_iter().map(one).filter(|one: &Judged| one.issue.severity > Severity::Info).collect()
    }

    fn endings(&self) -> Vec<Judged> {
        let mut all = Vec::new();
        for (ending, times) in &self.tally.endings {
            let (rule, severity, matter, what) = match ending.strip_prefix("limit ") {
                Some(limit) => {
                    ("CUA142", Severity::Medium, Matter::Limit, format!("It was stopped by the {limit} limit."))
                }
                None if matches!(ending.as_str(), "trap" | "exit") => {
                    ("CUA141", Severity::Low, Matter::Trap, "It broke off instead of returning an error.".to_owned())
                }
                None => continue,
            };
            let issue = self.issue(rule, severity, ending.clone(), what, times);
            all.push(Judged { issue, evidence: self.evidence(matter, severity, ending.clone()) });
        }
        all
    }
}

/// The same word in the words of the score.
pub(super) fn of(severity: Severity) -> customs_audit::Severity {
    match severity {
        Severity::Info => customs_audit::Severity::Info,
        Severity::Low => customs_audit::Severity::Low,
        Severity::Medium => customs_audit::Severity::Medium,
        Severity::High => customs_audit::Severity::High,
    }
}

pub(super) fn from(severity: customs_audit::Severity) -> Severity {
    match severity {
        customs_audit::Severity::Info => Severity::Info,
        customs_audit::Severity::Low => Severity::Low,
        customs_audit::Severity::Medium => Severity::Medium,
        customs_audit::Severity::High => Severity::High,
    }
}

fn socket(deed: &Deed) -> String {
    format!("{} {}", deed.capability, deed.target).trim_end().to_owned()
}

/// A deed's path has `#` for long numbers.
pub(super) fn same(decoy: &str, target: &str) -> bool {
    decoy == target || target.contains('#') && super::seen::numbers(decoy) == target
}

/// Where a deed was seen: the worlds that every input is tried in, and the variants where it was in none of those.
pub(super) fn told<T: Copy>(scenes: &std::collections::BTreeMap<&'static str, T>) -> Vec<(&'static str, T)> {
    let of = |names: &[&'static str]| -> Vec<(&'static str, T)> {
        names.iter().filter_map(|name| scenes.get(name).map(|count| (*name, *count))).collect()
    };
    let worlds = of(&[GRANTED, NOTHING, DECOYS]);
    if worlds.is_empty() { of(&[LATER, ELSEWHERE, AGAIN]) } else { worlds }
}
