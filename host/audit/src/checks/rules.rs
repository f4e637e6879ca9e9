//! The checks themselves, one function each.

use super::{Check, Situation, Verdict, is_secret_name};
use crate::shown::shown;
use Verdict::{Fail, NotApplicable, Pass, Warn};

pub(super) const ALL: [fn(&Situation) -> Check; 16] = [
    broad_files,
    environment,
    files_and_environment,
    network,
    left_behind,
    arguments,
    shared_memory,
    host_checks,
    results,
    memory_maximum,
    endless_loop,
    heap,
    module_from_argument,
    substituted,
    unknown_tool,
    imports,
];

fn check(id: &'static str, title: &'static str, verdict: Verdict, why: impl Into<String>, fix: &str) -> Check {
    Check { id, title, verdict, why: why.into(), fix: fix.to_owned() }
}

/// Names for a sentence: three and the number of the others.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| shown(name, 80)).collect();
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn broad_files(facts: &Situation) -> Check {
    let (id, title) = ("W1", "Files: no broad directory");
    if facts.mounts.is_empty() {
        return check(id, title, Pass, "no file is granted", "");
    }
    if let Some((mount, broad)) = facts.mounts.iter().find_map(|mount| mount.broad.map(|broad| (mount, broad))) {
        let verdict = if broad == super::Broad::WorkingDirectory && !mount.writable { Warn } else { Fail };
        let why = format!("{} grants {}", shown(&mount.rule, 120), broad.what());
        return check(id, title, verdict, why, "grant the one directory below it that the tool needs");
    }
    if let Some(mount) = facts.mounts.iter().find(|mount| !mount.secret_files.is_empty()) {
        let names = list(mount.secret_files.iter().map(String::as_str));
        let why = format!("below {} there is {names}", shown(&mount.rule, 120));
        return check(id, title, Warn, why, "deny them with --deny-read, or grant a directory that has none");
    }
    check(id, title, Pass, format!("{} grants, none of them broad", facts.mounts.len()), "")
}

fn environment(facts: &Situation) -> Check {
    let (id, title) = ("W2", "Environment: named variables, no secrets");
    if facts.every_variable {
        let why = "a rule gives the tool every variable of the host";
        return check(id, title, Fail, why, "name the variables that it needs with --allow-env=NAME");
    }
    let secret = || facts.variables.iter().map(|variable| variable.name.as_str()).filter(|name| is_secret_name(name));
    if secret().next().is_some() {
        let why = format!("{} reaches the tool and has the name of a secret", list(secret()));
        return check(
            id,
            title,
            Warn,
            why,
            "bind it to where it is used with --secret NAME@ORIGIN: the tool never holds it",
        );
    }
    let why = if facts.variables.is_empty() {
        "no variable is granted".to_owned()
    } else {
        format!("{} named variables, none with the name of a secret", facts.variables.len())
    };
    check(id, title, Pass, why, "")
}

fn files_and_environment(facts: &Situation) -> Check {
    let (id, title) = ("W3", "Not both broad files and secrets in the environment");
    let (files, variables) = (broad_files(facts), environment(facts));
    let bad = |check: &Check| check.verdict >= Warn;
    match (bad(&files), bad(&variables)) {
        (true, true) => check(
            id,
            title,
            Fail,
            format!("{}, and {}: what one gives access to, the other unlocks", files.why, variables.why),
            "mend W1 and W2",
        ),
        _ => check(id, title, Pass, "W1 and W2 do not come together", ""),
    }
}

fn network(facts: &Situation) -> Check {
    let (id, title) = ("W4", "Network: named hosts only");
    let rules = || list(facts.network.rules.iter().map(String::as_str));
    let fix = "name the origins that it needs with --allow-net=https://HOST";
    if facts.network.any_host {
        let why = "a rule reaches every host";
        let files = !facts.mounts.is_empty() || facts.variables.iter().any(|variable| variable.from_host);
        return check(id, title, if files { Fail } else { Warn }, why, fix);
    }
    if facts.network.rules.is_empty() {
        return check(id, title, Pass, "nothing on the network is granted", "");
    }
    if facts.network.local {
        let why = format!("{} leads to this machine or a private network", rules());
        return check(id, title, Warn, why, "grant it only where the service there is meant for tools");
    }
    check(id, title, Pass, format!("only {}", rules()), "")
}

fn left_behind(facts: &Situation) -> Check {
    let (id, title) = ("W5", "Nothing left behind");
    if facts.left_behind.is_empty() {
        check(id, title, Pass, "no temporary tree of this run is left; a call itself makes none", "")
    } else {
        let why = format!("{} is still there", list(facts.left_behind.iter().map(String::as_str)));
        check(id, title, Fail, why, "remove it; the program could not")
    }
}

fn arguments(_: &Situation) -> Check {
    let why = "by construction: a tool gets the arguments of its call, none of the program's own";
    check("W6", "Arguments are not inherited", Pass, why, "")
}

fn shared_memory(facts: &Situation) -> Check {
    let (id, title) = ("W7", "No shared memory");
    if facts.memories.iter().any(|memory| memory.shared) {
        let why = "a module has a shared memory, with which a value can change after it was checked";
        return check(id, title, Fail, why, "build it without threads; it is refused when it is loaded");
    }
    check(id, title, Pass, "no module has one, and threads are off", "")
}

fn host_checks(_: &Situation) -> Check {
    let why = "by construction: values are copied out of the guest before they are looked at, and what was checked is what is used";
    check("W8", "No check of what the guest can still change", Pass, why, "")
}

fn results(facts: &Situation) -> Check {
    let (id, title) = ("W9", "Results are bounded");
    match facts.limits.max_output {
        Some(most) => check(id, title, Pass, format!("results have lengths, and at most {most} bytes are taken"), ""),
        None => check(id, title, Fail, "there is no limit on the output", "set --max-output"),
    }
}

fn memory_maximum(facts: &Situation) -> Check {
    let (id, title) = ("W10", "Memory has a maximum");
    let open = facts.memories.iter().filter(|memory| memory.maximum.is_none()).count();
    match facts.limits.max_memory {
        Some(most) if open == 0 => {
            check(id, title, Pass, format!("at most {most} bytes, and each module says its own"), "")
        }
        Some(most) => {
            let why = format!("{open} modules say no maximum; growing stops at {most} bytes all the same");
            check(id, title, Pass, why, "")
        }
        None => check(id, title, Fail, "there is no limit on memory", "set --max-memory"),
    }
}

/// Longer than anybody waits for a tool.
const PATIENCE: u64 = 10 * 60 * 1000;

fn endless_loop(facts: &Situation) -> Check {
    let (id, title) = ("W11", "An endless loop ends");
    match (facts.limits.timeout, facts.limits.fuel) {
        (None, None) => check(id, title, Fail, "there is no limit on time", "set --timeout"),
        (Some(timeout), None) if timeout > PATIENCE => {
            let why = format!("a call may take {} minutes", timeout / 60_000);
            check(id, title, Warn, why, "set a shorter --timeout")
        }
        (Some(timeout), _) => {
            check(id, title, Pass, format!("stopped after {timeout} ms, also inside a call of the host"), "")
        }
        (None, Some(fuel)) => {
            let why = format!("stopped after {fuel} instructions, but waiting has no end");
            check(id, title, Warn, why, "set --timeout")
        }
    }
}

/// More than a tool needs, and enough to hurt a laptop.
const MUCH_MEMORY: u64 = 4 << 30;

fn heap(facts: &Situation) -> Check {
    let (id, title) = ("W12", "The heap of the host is bounded");
    match facts.limits.max_memory {
        Some(most) if most > MUCH_MEMORY => {
            check(id, title, Warn, format!("a call may use {} MiB", most >> 20), "set a smaller --max-memory")
        }
        Some(_) if facts.limits.max_input.is_none() => {
            check(id, title, Fail, "there is no limit on what comes in", "set --max-input")
        }
        Some(_) => {
            check(id, title, Pass, "memory, tables, handles and what comes in have limits, all instances together", "")
        }
        None => check(id, title, Fail, "there is no limit on memory", "set --max-memory"),
    }
}

fn module_from_argument(_: &Situation) -> Check {
    let why = "by construction: no loader takes a path or URL from a call; components are named by the person before any guest runs";
    check("W13", "No module from an argument", Pass, why, "")
}

fn substituted(facts: &Situation) -> Check {
    let (id, title) = ("W14", "The bytes are pinned");
    match facts.pinned {
        Some(true) => check(id, title, Pass, "sha256 is compared with the bytes that are compiled", ""),
        Some(false) => {
            check(id, title, Warn, "the policy does not say which bytes it is for", "add sha256 = \"..\" to it")
        }
        None => check(id, title, NotApplicable, "no policy file names this component", "write one with --write-policy"),
    }
}

fn unknown_tool(_: &Situation) -> Check {
    let why = "by construction: a tool that is not listed, or not in `expose`, is refused before guest code runs";
    check("W15", "Unknown tools are refused", Pass, why, "")
}

fn imports(facts: &Situation) -> Check {
    let (id, title) = ("W16", "Imports are looked at when it is loaded");
    let unknown = || facts.imports.iter().filter(|import| !import.known).map(|import| import.interface.as_str());
    if unknown().next().is_some() {
        let why = format!("it imports {}, which this program does not have", list(unknown()));
        return check(id, title, Fail, why, "it is refused when it is loaded; ask for a build without it");
    }
    let names = list(facts.imports.iter().map(|import| import.interface.as_str()));
    let why =
        if facts.imports.is_empty() { "it imports nothing".to_owned() } else { format!("all are known: {names}") };
    check(id, title, Pass, why, "")
}
