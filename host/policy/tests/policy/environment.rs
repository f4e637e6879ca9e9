//! Environment variables.

use customs_policy::{MAX_VALUE, Policy, Request, decide, suggest};

use crate::world::{World, answer, layer, policy, refusal};

fn names(policy: &Policy) -> Vec<&str> {
    policy.env().iter().map(|variable| variable.name.as_str()).collect()
}

fn env(policy: &Policy, name: &str) -> &'static str {
    answer(&decide(policy, &Request::Env { name }))
}

#[test]
fn env_guest_sees_exactly_what_is_granted() {
    let policy = policy(&["--allow-env=APP_KEY"]);
    assert_eq!(names(&policy), ["APP_KEY"]);
    let [variable] = policy.env() else { panic!() };
    assert_eq!(
        (variable.value.as_str(), variable.from_host, &*variable.rule),
        ("canary-1", true, "--allow-env=APP_KEY")
    );
    assert_eq!(env(&policy, "APP_KEY"), "permit");
    for name in ["PATH", "HOME", "AWS_SECRET", "APP_KEY2", "APP_KE"] {
        assert_eq!(env(&policy, name), "no-grant", "{name}");
    }
}

#[test]
fn env_granted_but_unset_is_absent_not_empty() {
    let policy = policy(&["--allow-env=MISSING,APP_KEY", "--allow-env=MISSING", "--allow-env=NOPE_*"]);
    assert_eq!(names(&policy), ["APP_KEY"]);
    assert_eq!(policy.env_absent(), ["MISSING"]);
    assert_eq!(env(&policy, "MISSING"), "permit");
}

#[test]
fn env_denied_names_are_not_reported_absent() {
    let policy = policy(&["--allow-env=MISSING", "--deny-env=MISSING"]);
    assert!(policy.env_absent().is_empty());
    assert_eq!(env(&policy, "MISSING"), "deny-rule");
}

#[test]
fn env_pattern_grants_by_prefix_and_deny_takes_away() {
    let all = policy(&["--allow-env=APP_*"]);
    assert_eq!(names(&all), ["APP_KEY", "APP_NOTE"]);
    let some = policy(&["--allow-env=APP_*", "--deny-env=APP_KEY"]);
    assert_eq!(names(&some), ["APP_NOTE"]);
    assert_eq!(env(&some, "APP_KEY"), "deny-rule");
    assert_eq!(env(&some, "APP_ANYTHING"), "permit");
    assert_eq!(env(&some, "APP"), "no-grant");
}

#[test]
fn env_names_that_differ_in_case_are_different() {
    let policy = policy(&["--allow-env=app_key"]);
    assert!(names(&policy).is_empty());
    assert_eq!(policy.env_absent(), ["app_key"]);
    assert_eq!(env(&policy, "app_key"), "permit");
    assert_eq!(env(&policy, "APP_KEY"), "no-grant");
    assert_eq!(env(&policy, "App_Key"), "no-grant");
}

#[test]
fn env_literal_wins_over_the_host() {
    let policy = policy(&["--allow-env=APP_KEY", "--env=APP_KEY=a=b,c", "--env=EMPTY="]);
    let values: Vec<_> = policy.env().iter().map(|v| (v.name.as_str(), v.value.as_str(), v.from_host)).collect();
    assert_eq!(values, [("APP_KEY", "a=b,c", false), ("EMPTY", "", false)]);
    assert_eq!(env(&policy, "EMPTY"), "permit");
}

#[test]
fn env_literal_of_a_later_layer_wins_and_twice_in_one_is_refused() {
    let layers = [layer(&["--env=A=file"]), layer(&["--env=A=flag"])];
    let policy = Policy::build(&layers, &World::new()).unwrap();
    assert_eq!(policy.env()[0].value, "flag");
    let refused = refusal(&["--env=A=one", "--env=A=two"]);
    assert!(refused.contains("twice") && !refused.contains("two") && !refused.contains("one"), "{refused}");
    assert_eq!(names(&crate::world::policy(&["--env=A=one", "--env=A=one"])), ["A"]);
}

#[test]
fn env_hostile_values_reach_the_guest_whole() {
    let value = "a\n\u{1b}]52;c;x\u{7}\u{2028}";
    let world = World::new().with_env(b"ODD", value.as_bytes());
    let policy = Policy::build(&[layer(&["--allow-env=ODD"])], &world).unwrap();
    assert_eq!(policy.env()[0].value, value);
}

#[test]
fn env_oversized_value_is_refused_by_name() {
    let fits = World::new().with_env(b"BIG", &vec![b'v'; MAX_VALUE]);
    assert_eq!(names(&Policy::build(&[layer(&["--allow-env=BIG"])], &fits).unwrap()), ["BIG"]);
    let world = World::new().with_env(b"BIG", &vec![b'v'; MAX_VALUE + 1]);
    let error = Policy::build(&[layer(&["--allow-env=B*"])], &world).unwrap_err().to_string();
    assert!(error.contains("BIG") && !error.contains("vvv"), "{error}");
    assert!(Policy::build(&[layer(&["--allow-env=APP_KEY"])], &world).is_ok());
    let literal = refusal(&[format!("--env=BIG={}", "v".repeat(MAX_VALUE + 1))]);
    assert!(literal.starts_with("--env=BIG=…: ") && !literal.contains("vvv"), "{literal}");
}

#[test]
fn env_values_that_are_not_text_are_skipped_and_named() {
    let world = World::new().with_env(b"RAW", b"\xff\xfe").with_env(b"N\xffME", b"v").with_env(b"SECRET_RAW", b"\xff");
    let policy = Policy::build(&[layer(&["--allow-env=RAW,N*"])], &world).unwrap();
    assert!(names(&policy).is_empty());
    assert_eq!(policy.env_skipped(), ["N\u{fffd}ME", "RAW"]);
    assert!(policy.env_absent().is_empty());
}

#[test]
fn env_junk_is_refused_with_a_reason() {
    for (flag, reason) in [
        ("--allow-env=", "empty"),
        ("--allow-env=A,,B", "empty"),
        ("--allow-env=A=B", "no ="),
        ("--allow-env=A\0", "NUL"),
        ("--allow-env=A*B", "end of a name"),
        ("--allow-env=**", "end of a name"),
        ("--allow-env=*", "--dangerously-allow"),
        ("--deny-env=A*B", "end of a name"),
        ("--env=A", "NAME=VALUE"),
        ("--env==v", "missing"),
        ("--env=A=\0", "NUL"),
    ] {
        let refused = refusal(&[flag]);
        assert!(refused.contains(reason), "{flag:?}: {refused}");
    }
    assert_eq!(policy(&["--allow-env=*", "--dangerously-allow"]).env().len(), 5);
    assert!(policy(&["--allow-env=APP_KEY", "--deny-env=*"]).env().is_empty());
}

#[test]
fn env_request_for_an_impossible_name_is_malformed() {
    let policy = policy(&["-A"]);
    for name in ["", "A=B", "A\0"] {
        assert_eq!(env(&policy, name), "bad-request");
    }
    assert_eq!(env(&policy, "A"), "permit");
}

#[test]
fn env_secret_is_never_also_a_variable() {
    let secret = "--secret=APP_KEY@https://api.example.com";
    assert!(refusal(&[secret, "--allow-env=APP_KEY"]).contains("also a secret"));
    assert!(refusal(&[secret, "--env=APP_KEY=v"]).contains("also a secret"));
    let policy = policy(&[secret, "--allow-env=APP_*"]);
    assert_eq!(names(&policy), ["APP_NOTE"]);
    let permit = decide(&policy, &Request::Env { name: "APP_KEY" }).unwrap();
    assert_eq!(&**permit.rule(), secret, "what the guest gets is the placeholder, by the rule of the secret");
    let denied = crate::world::policy(&[secret, "--deny-env=APP_KEY"]);
    assert_eq!(env(&denied, "APP_KEY"), "deny-rule");
    assert!(
        denied
            .warnings()
            .iter()
            .any(|warning| warning.ends_with("--deny-env=APP_KEY keeps its placeholder from the tool"))
    );
    let other = crate::world::policy(&[secret, "--deny-env=APP_NOTE"]);
    assert_eq!((env(&other, "APP_KEY"), env(&other, "APP_KE")), ("permit", "no-grant"));
    assert!(!other.warnings().iter().any(|warning| warning.contains("placeholder")), "{:?}", other.warnings());
}

#[test]
fn env_suggestion_names_the_variable() {
    let policy = policy(&["--allow-env=APP_KEY"]);
    assert_eq!(suggest(&policy, &Request::Env { name: "API_KEY" }).as_deref(), Some("--allow-env=API_KEY"));
    for name in ["APP_KEY", "A*", "A,B", "", "A=B", "A\nB"] {
        assert_eq!(suggest(&policy, &Request::Env { name }), None, "{name:?}");
    }
}
