use super::*;
use proptest::prelude::*;

fn piece(matter: Matter, severity: Severity, what: &str) -> Evidence {
    Evidence::new(matter, severity, what, "")
}

#[test]
fn score_of_nothing_is_zero_and_quiet() {
    let score = score(&[]);
    assert_eq!((score.total, score.band()), (0, Band::Quiet));
    assert_eq!(score.parts.len(), Part::ALL.len());
    assert!(recommend(&[]).is_empty());
}

#[test]
fn score_information_adds_nothing_and_is_not_advised_on() {
    let pieces: Vec<Evidence> = Matter::ALL.iter().map(|m| piece(*m, Severity::Info, "x")).collect();
    assert_eq!(score(&pieces).total, 0);
    assert!(recommend(&pieces).is_empty());
}

#[test]
fn score_a_word_repeated_a_hundred_times_does_not_collapse_it() {
    let many: Vec<Evidence> =
        (0..100).map(|n| piece(Matter::SensitivePath, Severity::High, &format!("/etc/{n}"))).collect();
    let total = score(&many).total;
    assert!(total <= 2 * Matter::SensitivePath.points(Severity::High), "{total}");
    let all: Vec<Evidence> =
        Matter::ALL.iter().filter(|m| m.part() == Part::Static).map(|m| piece(*m, Severity::High, "x")).collect();
    let score = score(&all);
    assert_eq!(score.total, 20);
    assert_eq!(score.band(), Band::Look);
}

#[test]
fn score_what_nothing_has_to_run_for_is_worth_a_look_and_no_more() {
    let unrun = |m: &&Matter| matches!(m.part(), Part::Static | Part::Policy);
    let all: Vec<Evidence> = Matter::ALL
        .iter()
        .filter(unrun)
        .flat_map(|m| (0..20).map(|n| piece(*m, Severity::High, &n.to_string())))
        .collect();
    assert_eq!(score(&all).band(), Band::Look);
}

#[test]
fn score_a_leaked_decoy_alone_refuses_the_tool_and_a_touched_one_is_risky() {
    assert_eq!(score(&[piece(Matter::DecoyLeaked, Severity::High, "~/.netrc")]).band(), Band::Refuse);
    assert_eq!(score(&[piece(Matter::DecoyTouched, Severity::High, "~/.netrc")]).band(), Band::Risky);
}

#[test]
fn score_matters_are_worth_more_the_worse_they_are() {
    for matter in Matter::ALL {
        let by = |severity| matter.points(severity);
        assert!(by(Severity::Low) > 0 && by(Severity::Low) < by(Severity::Medium), "{matter:?}");
        assert!(by(Severity::Medium) < by(Severity::High) && by(Severity::High) <= matter.part().cap(), "{matter:?}");
    }
}

#[test]
fn advice_names_the_evidence_and_the_worst_comes_first() {
    let advice = recommend(&[
        Evidence::new(Matter::UnusedGrant, Severity::Low, "env.get PATH", "notes"),
        Evidence::new(Matter::DecoyLeaked, Severity::High, "~/.aws/credentials", "decoys"),
    ]);
    assert_eq!(advice.len(), 2);
    assert!(advice[0].contains("~/.aws/credentials (decoys)"), "{advice:?}");
    assert!(advice[1].contains("env.get PATH (notes)"), "{advice:?}");
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (0..Matter::ALL.len(), 0..4_usize, "[a-d]{0,2}", "[a-b]?").prop_map(|(matter, severity, what, place)| {
        let severity = [Severity::Info, Severity::Low, Severity::Medium, Severity::High][severity];
        Evidence::new(Matter::ALL[matter], severity, what, place)
    })
}

proptest! {
    #[test]
    fn score_more_evidence_never_lowers_it(pieces in prop::collection::vec(evidence(), 0..40), more in evidence()) {
        let before = score(&pieces);
        let mut after = pieces.clone();
        after.push(more);
        let after = score(&after);
        prop_assert!(after.total >= before.total);
        for (before, after) in before.parts.iter().zip(&after.parts) {
            prop_assert!(after.points >= before.points && after.points <= after.cap);
        }
    }

    #[test]
    fn score_worse_evidence_never_lowers_it(pieces in prop::collection::vec(evidence(), 1..20), at in 0..20_usize) {
        let at = at % pieces.len();
        let mut worse = pieces.clone();
        worse[at].severity = Severity::High;
        // Raising one may make it equal to another, which then counts once; they are told apart here.
        worse[at].place = "elsewhere".to_owned();
        prop_assert!(score(&worse).total >= score(&pieces).total);
    }

    #[test]
    fn score_does_not_depend_on_the_order(pieces in prop::collection::vec(evidence(), 0..20)) {
        let mut reversed = pieces.clone();
        reversed.reverse();
        prop_assert_eq!(score(&pieces), score(&reversed));
        prop_assert_eq!(recommend(&pieces), recommend(&reversed));
    }
}
