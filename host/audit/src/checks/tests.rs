use super::*;

/// A situation with nothing to complain about.
fn clean() -> Situation {
    Situation {
        mounts: vec![mount("--allow-read=./data::/data", None, &[])],
        variables: vec![variable("LANG")],
        limits: Limits {
            timeout: Some(30_000),
            max_memory: Some(256 << 20),
            max_output: Some(8 << 20),
            max_input: Some(64 << 20),
            fuel: None,
        },
        pinned: Some(true),
        imports: vec![Import::new("wasi:filesystem/types@0.2.6", Vec::new())],
        memories: vec![Memory { minimum: 17, maximum: None, shared: false, wide: false }],
        ..Situation::default()
    }
}

fn mount(rule: &str, broad: Option<Broad>, secrets: &[&str]) -> Mount {
    let secret_files = secrets.iter().map(|&name| name.to_owned()).collect();
    Mount { rule: rule.to_owned(), writable: false, broad, secret_files }
}

fn variable(name: &str) -> Variable {
    Variable { name: name.to_owned(), from_host: true }
}

fn verdict(situation: &Situation, id: &str) -> Verdict {
    checks(situation).into_iter().find(|check| check.id == id).expect("there is such a check").verdict
}

#[test]
fn checks_are_sixteen_in_order_and_a_clean_situation_passes_them() {
    let all = checks(&clean());
    let ids: Vec<&str> = all.iter().map(|check| check.id).collect();
    assert_eq!(ids, (1..=16).map(|n| format!("W{n}")).collect::<Vec<_>>());
    for check in &all {
        assert_eq!(check.verdict, Verdict::Pass, "{check:?}");
        assert!(check.fix.is_empty() && !check.why.is_empty() && check.evidence().is_none());
    }
}

/// A check, what it comes to, and what makes it so.
type Bad = (&'static str, Verdict, fn(&mut Situation));

#[test]
fn checks_what_fails_says_how_to_mend_it_and_is_evidence() {
    let bad: [Bad; 15] = [
        ("W1", Verdict::Fail, |s| s.mounts.push(mount("--allow-read=/", Some(Broad::Root), &[]))),
        ("W1", Verdict::Warn, |s| s.mounts.push(mount("--allow-read=./a", None, &[".env"]))),
        ("W2", Verdict::Fail, |s| s.every_variable = true),
        ("W2", Verdict::Warn, |s| s.variables.push(variable("STRIPE_KEY"))),
        ("W4", Verdict::Fail, |s| s.network.any_host = true),
        ("W4", Verdict::Warn, |s| {
            s.network.local = true;
            s.network.rules.push("--allow-net=http://127.0.0.1:80".to_owned());
        }),
        ("W5", Verdict::Fail, |s| s.left_behind.push("customs-1".to_owned())),
        ("W7", Verdict::Fail, |s| s.memories.push(Memory { minimum: 1, maximum: Some(1), shared: true, wide: false })),
        ("W9", Verdict::Fail, |s| s.limits.max_output = None),
        ("W10", Verdict::Fail, |s| s.limits.max_memory = None),
        ("W11", Verdict::Fail, |s| s.limits.timeout = None),
        ("W11", Verdict::Warn, |s| s.limits.timeout = Some(3_600_000)),
        ("W12", Verdict::Warn, |s| s.limits.max_memory = Some(64 << 30)),
        ("W14", Verdict::Warn, |s| s.pinned = Some(false)),
        ("W16", Verdict::Fail, |s| s.imports.push(Import::new("acme:evil/exec", Vec::new()))),
    ];
    for (id, expected, change) in bad {
        let mut situation = clean();
        change(&mut situation);
        let check = checks(&situation).into_iter().find(|check| check.id == id).expect("there is such a check");
        assert_eq!(check.verdict, expected, "{check:?}");
        assert!(!check.fix.is_empty() && check.evidence().is_some(), "{check:?}");
    }
}

#[test]
fn checks_files_and_variables_together_are_worse_than_each() {
    let mut files = clean();
    files.mounts.push(mount("--allow-read=/home/me", Some(Broad::Home), &[]));
    assert_eq!(verdict(&files, "W3"), Verdict::Pass);
    let mut variables = clean();
    variables.variables.push(variable("API_KEY"));
    assert_eq!(verdict(&variables, "W3"), Verdict::Pass);
    let mut both = files;
    both.variables.push(variable("API_KEY"));
    assert_eq!(verdict(&both, "W3"), Verdict::Fail);
    let worst = checks(&both).iter().filter_map(Check::evidence).map(|piece| piece.severity).max();
    assert_eq!(worst, Some(Severity::High));
}

#[test]
fn checks_any_host_without_anything_to_give_away_is_a_warning() {
    let mut bare = clean();
    bare.mounts.clear();
    bare.variables.clear();
    bare.network.any_host = true;
    assert_eq!(verdict(&bare, "W4"), Verdict::Warn);
}

#[test]
fn checks_guest_names_in_a_reason_are_visible() {
    let mut odd = clean();
    odd.imports.push(Import::new("acme:\u{202e}live/\u{1b}[31m", Vec::new()));
    let why = checks(&odd).pop().expect("W16").why;
    assert!(!why.contains(['\u{202e}', '\u{1b}']), "{why:?}");
}
