//! Cells of the network: hosts and patterns, each with the methods and paths that a rule names, and ends of sockets.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, FRESH, MAX_CELLS, TooMany};
use crate::decide::{Request, decide};
use crate::host::{Host, HostPattern};
use crate::origin::{OriginPattern, Scheme};
use crate::policy::Policy;

/// A method that no rule names.
const OTHER_METHOD: &str = "CUSTOMSPROBE";

pub(super) fn cells(first: &Policy, second: &Policy) -> Result<Vec<(&'static str, Vec<Cell>)>, TooMany> {
    let both = [first, second];
    let udp =
        ends(both, &both.map(|p| &p.net.udp).map(|rules| rules.iter().map(|r| (r.host.clone(), r.port)).collect()));
    let tcp =
        ends(both, &both.map(|p| &p.net.tcp).map(|rules| rules.iter().map(|r| (r.host.clone(), r.port)).collect()));
    Ok(vec![
        ("http.request", requests(both)?),
        (
            "tcp.connect",
            sockets(both, &tcp, |policy, host, port| decide(policy, &Request::Tcp { host, port }).is_ok())?,
        ),
        ("udp.send", sockets(both, &udp, |policy, host, port| decide(policy, &Request::Udp { host, port }).is_ok())?),
        ("tcp.listen", listens(both)),
    ])
}

/// A host that the pattern covers and no other rule names.
fn probe(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Any => format!("{FRESH}.example.com"),
        HostPattern::Below(suffix) => format!("{FRESH}.{suffix}"),
        HostPattern::Is(host) => host.to_string(),
    }
}

/// How many hosts a pattern is for: wider ones come first.
fn width(pattern: &HostPattern) -> (u8, usize) {
    match pattern {
        HostPattern::Any => (0, 0),
        HostPattern::Below(suffix) => (1, suffix.len()),
        HostPattern::Is(_) => (2, 0),
    }
}

fn covers(outer: &HostPattern, inner: &HostPattern) -> bool {
    match (outer, inner) {
        (HostPattern::Any, _) => outer != inner,
        (HostPattern::Below(suffix), HostPattern::Below(name) | HostPattern::Is(Host::Name(name))) => {
            name.strip_suffix(suffix.as_str()).is_some_and(|front| front.ends_with('.'))
        }
        _ => false,
    }
}

fn denied_hosts(policies: [&Policy; 2]) -> Vec<HostPattern> {
    policies.iter().flat_map(|policy| policy.net.denies.iter().filter_map(|deny| deny.pattern().cloned())).collect()
}

fn requests(policies: [&Policy; 2]) -> Result<Vec<Cell>, TooMany> {
    let [first, second] = policies;
    let mut paths: BTreeMap<OriginPattern, BTreeSet<String>> = BTreeMap::new();
    let mut methods: BTreeSet<String> = [OTHER_METHOD.to_owned()].into();
    for policy in policies {
        for (origin, _) in &policy.net.origins {
            paths.entry(origin.clone()).or_default();
        }
        for url in &policy.net.urls {
            methods.extend(url.method.clone());
            paths.entry(url.origin.clone()).or_default().insert(url.prefix.clone());
        }
        if policy.net.all.is_some() {
            for scheme in [Scheme::Http, Scheme::Https] {
                let port = scheme.default_port();
                paths.entry(OriginPattern { scheme, host: HostPattern::Any, port }).or_default();
            }
        }
    }
    // A denial inside a pattern, and a path that a wider pattern names.
    let denied = denied_hosts(policies);
    let known: Vec<(OriginPattern, BTreeSet<String>)> = paths.iter().map(|(o, p)| (o.clone(), p.clone())).collect();
    for (origin, _) in &known {
        for host in denied.iter().filter(|host| covers(&origin.host, host)) {
            paths.entry(OriginPattern { host: host.clone(), ..origin.clone() }).or_default();
        }
    }
    for (origin, own) in &mut paths {
        let outer = known.iter().filter(|(outer, _)| {
            outer.scheme == origin.scheme && outer.port == origin.port && covers(&outer.host, &origin.host)
        });
        own.extend(outer.flat_map(|(_, prefixes)| prefixes.iter().cloned()));
        own.insert(String::new());
    }
    let mut origins: Vec<(OriginPattern, Vec<String>)> =
        paths.into_iter().map(|(origin, prefixes)| (origin, prefixes.into_iter().collect())).collect();
    origins.sort_by_key(|(origin, _)| width(&origin.host));
    let all: usize = origins.iter().map(|(_, prefixes)| prefixes.len() * 2 * methods.len()).sum();
    if all > MAX_CELLS {
        return Err(TooMany);
    }

    // The method that stands for all others comes first.
    let mut methods: Vec<String> = methods.into_iter().collect();
    methods.sort_by_key(|method| method != OTHER_METHOD);
    let mut cells: Vec<Cell> = Vec::new();
    let mut places: BTreeMap<(OriginPattern, String, String), usize> = BTreeMap::new();
    for (origin, prefixes) in &origins {
        let base = OriginPattern { host: HostPattern::Any, ..origin.clone() };
        let at = format!("{}://{}:{}", origin.scheme.as_str(), probe(&origin.host), base.port);
        for method in &methods {
            for prefix in prefixes {
                let above = prefix.match_indices('/').map(|(at, _)| at).rev();
                let above = above
                    .filter_map(|at| prefix.get(..at))
                    .find_map(|shorter| places.get(&(origin.clone(), method.clone(), shorter.to_owned())));
                // All else below the shorter path; all paths of any method; all else of a wider pattern.
                let within = above.copied().or_else(|| {
                    (method != OTHER_METHOD)
                        .then(|| places.get(&(origin.clone(), OTHER_METHOD.to_owned(), prefix.clone())).copied())
                        .flatten()
                        .or_else(|| {
                            let outer = origins.iter().rev().find(|(outer, _)| {
                                outer.scheme == origin.scheme
                                    && outer.port == origin.port
                                    && covers(&outer.host, &origin.host)
                            });
                            outer.and_then(|(outer, _)| {
                                places.get(&(outer.clone(), method.clone(), prefix.clone())).copied()
                            })
                        })
                });
                let shown = if method == OTHER_METHOD { String::new() } else { format!("{method} ") };
                let label = format!("{shown}{origin}{prefix}");
                let exact = if prefix.is_empty() { "/" } else { prefix };
                let own = cells.len();
                // Itself, and all else below it.
                let asked = [
                    (exact.to_owned(), label.clone(), within),
                    (format!("{prefix}/{FRESH}"), format!("{label}/*"), Some(own)),
                ];
                for (path, label, within) in asked {
                    let url = format!("{at}{path}");
                    let answer = |policy: &Policy| {
                        decide(policy, &Request::Http { method, url: &url }).ok().map(|_| String::new())
                    };
                    cells.push(Cell { label, within, first: answer(first), second: answer(second) });
                }
                places.insert((origin.clone(), method.clone(), prefix.clone()), cells.len().saturating_sub(1));
            }
        }
    }
    Ok(cells)
}

/// The ends that rules name, and those that a denial takes out of a pattern.
fn ends(policies: [&Policy; 2], rules: &[BTreeSet<(HostPattern, u16)>; 2]) -> Vec<(HostPattern, u16)> {
    let mut all: BTreeSet<(HostPattern, u16)> = rules.iter().flatten().cloned().collect();
    let denied = denied_hosts(policies);
    for (pattern, port) in all.clone() {
        all.extend(denied.iter().filter(|host| covers(&pattern, host)).map(|host| (host.clone(), port)));
    }
    let mut all: Vec<(HostPattern, u16)> = all.into_iter().collect();
    all.sort_by_key(|(pattern, _)| width(pattern));
    all
}

fn sockets(
    policies: [&Policy; 2],
    ends: &[(HostPattern, u16)],
    allows: fn(&Policy, &str, u16) -> bool,
) -> Result<Vec<Cell>, TooMany> {
    if ends.len() > MAX_CELLS / 100 {
        return Err(TooMany);
    }
    let mut cells = Vec::new();
    for (at, (pattern, port)) in ends.iter().enumerate() {
        let within = ends.iter().take(at).rposition(|(outer, own)| own == port && covers(outer, pattern));
        let host = probe(pattern);
        let [first, second] = policies.map(|policy| allows(policy, &host, *port).then(String::new));
        cells.push(Cell { label: format!("{pattern}:{port}"), within, first, second });
    }
    Ok(cells)
}

fn listens(policies: [&Policy; 2]) -> Vec<Cell> {
    let rules = policies.iter().flat_map(|policy| &policy.net.listens);
    let ends: BTreeSet<(String, u16)> = rules
        .flat_map(|rule| rule.addresses.iter().map(|address| (Host::Address(*address).to_string(), rule.port)))
        .collect();
    let cell = |(host, port): (String, u16)| {
        let [first, second] = policies
            .map(|policy| decide(policy, &Request::TcpListen { host: &host, port }).ok().map(|_| String::new()));
        Cell { label: format!("{host}:{port}"), within: None, first, second }
    };
    ends.into_iter().map(cell).collect()
}
