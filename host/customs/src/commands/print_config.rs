//! `customs serve --print-config CLIENT`: the same command line, for a client that starts it somewhere else.

use crate::cli::{Grants, Limits, Serve};
use crate::exit::{Exit, Fault};
use crate::show::client::{Client, place, settings};
use crate::{machine, output};
use std::path::{Component, Path, PathBuf};

pub(crate) fn run(args: &Serve, client: Client) -> Result<Exit, Fault> {
    let here = machine::working_directory()?;
    let absolute = |path: &Path| -> Result<String, Fault> {
        let full = machine::canonical(path)
            .ok_or_else(|| Fault::Refused(format!("{}: there is no such file or directory", path.display())))?;
        full.into_os_string()
            .into_string()
            .map_err(|_| Fault::Refused(format!("{}: the path is not UTF-8, and settings are", path.display())))
    };
    let mut words = vec!["serve".to_owned()];
    for component in &args.components {
        words.push(absolute(component)?);
    }
    for (flag, path) in [("--policy", &args.policy), ("--ledger", &args.ledger)] {
        if let Some(path) = path {
            words.push(format!("{flag}={}", absolute(path)?));
        }
    }
    if args.max_calls != customs_serve::DEFAULT_CALLS {
        words.push(format!("--max-calls={}", args.max_calls));
    }
    words.extend(grants(&args.grants, &here));
    words.extend(limits(&args.limits));

    let command = machine::own_program()?.display().to_string();
    let name = name(args);
    output::person(&format!("{}\n", place(client)));
    output::result(&settings(client, &name, &command, &words))?;
    Ok(Exit::Returned)
}

/// What the client calls the server.
fn name(args: &Serve) -> String {
    let stem = |path: &PathBuf| path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let name = match (args.components.as_slice(), &args.policy) {
        ([only], _) => stem(only),
        (_, Some(policy)) => stem(policy),
        _ => None,
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    name.map_or_else(|| "customs".to_owned(), |n| n.chars().map(plain).collect())
}

/// Grants as flags that mean the same in any directory.
fn grants(grants: &Grants, here: &Path) -> Vec<String> {
    let mut words = Vec::new();
    let paths = [
        ("--allow-read", &grants.allow_read),
        ("--allow-write", &grants.allow_write),
        ("--deny-read", &grants.deny_read),
        ("--deny-write", &grants.deny_write),
    ];
    for (flag, entries) in paths {
        let denies = flag.starts_with("--deny");
        for entry in entries.iter().flat_map(|list| list.split(',')).filter(|entry| !entry.trim().is_empty()) {
            words.push(format!("{flag}={}", anywhere(entry.trim(), here, denies)));
        }
    }
    words.extend(grants.dir.iter().map(|entry| format!("--dir={}", anywhere(entry, here, false))));
    if let Some(roots) = &grants.tls_roots {
        words.push(format!("--tls-roots={}", here.join(roots).display()));
    }
    let plain = [
        ("--allow-env", &grants.allow_env),
        ("--env", &grants.env),
        ("--allow-net", &grants.allow_net),
        ("--allow-http", &grants.allow_http),
        ("--allow-tcp", &grants.allow_tcp),
        ("--allow-udp", &grants.allow_udp),
        ("--allow-listen", &grants.allow_listen),
        ("--resolve", &grants.resolve),
        ("--secret", &grants.secret),
        ("--deny-env", &grants.deny_env),
        ("--deny-net", &grants.deny_net),
    ];
    words.extend(plain.iter().flat_map(|(flag, entries)| entries.iter().map(move |e| format!("{flag}={e}"))));
    let switches = [
        ("--deny-clock", grants.deny_clock),
        ("--deny-random", grants.deny_random),
        ("--dangerously-allow", grants.dangerously_allow),
        ("-A", grants.allow_all),
    ];
    words.extend(switches.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()));
    words
}

fn limits(limits: &Limits) -> Vec<String> {
    let given = [
        ("--timeout", &limits.timeout),
        ("--max-memory", &limits.max_memory),
        ("--max-output", &limits.max_output),
        ("--max-input", &limits.max_input),
        ("--max-file-write", &limits.max_file_write),
        ("--max-requests", &limits.max_requests),
        ("--fuel", &limits.fuel),
    ];
    given.iter().filter_map(|(flag, value)| value.as_ref().map(|value| format!("{flag}={value}"))).collect()
}

/// `./data` becomes `/here/data::/data`: the same directory under the same name. A denial has no guest name of its own.
fn anywhere(entry: &str, here: &Path, denies: bool) -> String {
    let (host, rest) = entry.split_once("::").map_or((entry, None), |(host, rest)| (host, Some(rest)));
    if Path::new(host).is_absolute() {
        return entry.to_owned();
    }
    let written: PathBuf = Path::new(host)
        .components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .collect();
    let full = here.join(&written);
    match rest {
        Some(rest @ ("ro" | "rw")) => format!("{}::/{}::{rest}", full.display(), written.display()),
        Some(rest) => format!("{}::{rest}", full.display()),
        None if denies => full.display().to_string(),
        None => format!("{}::/{}", full.display(), written.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::anywhere;
    use std::path::Path;

    #[test]
    fn a_grant_means_the_same_in_any_directory() {
        let here = Path::new("/box/work");
        for (entry, denies, wanted) in [
            ("./data", false, "/box/work/data::/data"),
            ("data/in", false, "/box/work/data/in::/data/in"),
            ("./data::/d", false, "/box/work/data::/d"),
            ("data::/d::ro", false, "/box/work/data::/d::ro"),
            ("data::rw", false, "/box/work/data::/data::rw"),
            ("/srv/data", false, "/srv/data"),
            ("./data/private", true, "/box/work/data/private"),
        ] {
            assert_eq!(anywhere(entry, here, denies), wanted, "{entry}");
        }
    }
}
