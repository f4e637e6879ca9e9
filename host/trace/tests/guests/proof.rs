//! A guest is held against the table: what it gives, traced or not; which bytes are labelled, and that nothing else is;
//! and that no byte changes with the secret that is not.

use customs_trace::{Label, SOURCES};
use wasmtime::component::Val;

use super::place::Place;
use super::rig::{FILE, Outcome, Traced, summary};
use super::table::{BRANCHES, Language, NEGATIVES, ROWS, Row};

pub const INTERFACE: &str = "customs:transforms/transforms@0.1.0";
pub const SOURCE: &str = "file:/data/secret.txt";

fn apply(guest: &Traced, traced: bool, transform: &str, secret: &str) -> Outcome {
    let arguments = [Val::String(transform.into()), Val::String(SOURCE.into())];
    guest.run(traced, secret, INTERFACE, "apply", &arguments, None)
}

/// Labels of the bytes that are there: `1` strong, `w` weak, `.` clean, `!` strong of another source than the file.
fn picture(place: Place, outcome: &Outcome, length: usize) -> String {
    let mut picture = vec!['.'; length];
    for run in outcome.seen.iter().filter(|run| place.has(run)) {
        let sign = if run.label.strong(FILE) {
            '1'
        } else if (0..SOURCES).any(|source| run.label.strong(source)) {
            '!'
        } else {
            'w'
        };
        picture.iter_mut().skip(run.offset).take(run.length).for_each(|at| *at = sign);
    }
    picture.into_iter().collect()
}

/// One row; a sentence for each thing that is not as it should be.
fn differences(guest: &Traced, language: Language, row: &Row) -> Vec<String> {
    let (before, after) =
        (apply(guest, false, row.transform, row.secret), apply(guest, true, row.transform, row.secret));
    let mut wrong = Vec::new();
    if format!("{:?}", before.answer) != format!("{:?}", after.answer)
        || (before.printed, before.written) != (after.printed.clone(), after.written.clone())
    {
        wrong.push("tracing changed what it gives".to_owned());
    }
    let Some(bytes) = row.place.bytes(&after) else {
        return vec![format!("nothing is there: {:?}", after.answer)];
    };
    let shown = row.place.shown(&bytes);
    if shown != row.gives(language) {
        wrong.push(format!("it gives {shown}\n  and should give {}", row.gives(language)));
    }
    let picture = picture(row.place, &after, bytes.len());
    println!("{:18} {shown}\n{:18} {picture}", row.transform, "");
    let creeps = row.creeps(language);
    let fits = |(is, want): (char, char)| is == want || (creeps.is_some() && want == '.' && is == 'w');
    if picture.len() != row.labels(language).len() || !picture.chars().zip(row.labels(language).chars()).all(fits) {
        wrong.push(format!("labels are\n  {picture}\n  and should be\n  {}", row.labels(language)));
    }
    let tolerated = |label: Label| creeps.is_some() && (0..SOURCES).all(|source| !label.strong(source));
    let elsewhere = after.seen.into_iter().filter(|run| !row.place.has(run) && !tolerated(run.label));
    let elsewhere: Vec<_> = elsewhere.collect();
    if !elsewhere.is_empty() {
        wrong.push(format!("labelled besides: {:?}", summary(&elsewhere)));
    }
    if let Some(why) = creeps {
        println!("{:18} may be weak besides: {why}", "");
    }
    wrong
}

/// The secret with one byte changed, in so many places.
fn others(secret: &str, places: usize) -> impl Iterator<Item = String> {
    (0..places).map(move |at| {
        let mut other = secret.as_bytes().to_vec();
        let at = at * (other.len() - 1) / places.max(2).saturating_sub(1);
        other[at] ^= 0x15;
        String::from_utf8(other).unwrap().replace(char::is_control, "~")
    })
}

/// The original with other secrets: every byte that changes must have been labelled.
fn unlabelled(guest: &Traced, row: &Row, places: usize, changed: &mut usize) -> Vec<String> {
    let after = apply(guest, true, row.transform, row.secret);
    let Some(bytes) = row.place.bytes(&after) else { return Vec::new() };
    let labels = picture(row.place, &after, bytes.len());
    let mut wrong = Vec::new();
    for other in others(row.secret, places) {
        let changes = row.place.bytes(&apply(guest, false, row.transform, &other)).unwrap_or_default();
        if changes.len() != bytes.len() {
            wrong.push(format!("with {other} it is longer or shorter, which no label says"));
        }
        for (at, label) in labels.bytes().enumerate() {
            if changes.get(at).is_some_and(|byte| *byte != bytes[at]) {
                *changed += 1;
                if label == b'.' {
                    wrong.push(format!("with {other} byte {at} changes and has no label"));
                }
            }
        }
    }
    wrong
}

/// All rows of the table and the negatives; then the oracle, with the secret changed in so many places.
pub fn prove(guest: &Traced, language: Language, places: usize) {
    let mut wrong = Vec::new();
    let mut changed = 0;
    for row in ROWS.iter().chain(NEGATIVES).chain([&BRANCHES]) {
        let mut of_row = differences(guest, language, row);
        if !row.by_branches {
            of_row.extend(unlabelled(guest, row, places, &mut changed));
        }
        wrong.extend(of_row.into_iter().map(|what| format!("{}: {what}", row.transform)));
    }
    // Each change reaches at least one byte of each row that is oracled but the negatives.
    let rows = ROWS.iter().filter(|row| !row.by_branches).count();
    assert!(changed >= rows * places, "only {changed} bytes changed: the oracle has seen nothing");
    assert!(wrong.is_empty(), "{language:?}: {} things are not as they should be\n{}", wrong.len(), wrong.join("\n"));
}
