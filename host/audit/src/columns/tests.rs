use super::*;

fn granted(capability: Capability, what: &str) -> Declaration {
    Declaration { capability, by: By::Policy, what: what.to_owned() }
}

fn saw(capability: Capability, allowed: u64, denied: u64) -> Exercise {
    Exercise { capability, allowed, denied }
}

fn files() -> Import {
    Import::new("wasi:filesystem/types@0.2.6", Vec::new())
}

fn verdict_of(rows: &[Row], capability: Capability) -> Verdict {
    rows.iter().find(|row| row.capability == capability).expect("every capability has a row").verdict
}

#[test]
fn columns_have_a_row_for_every_capability_and_nothing_says_nothing() {
    let rows = columns(&[], &[], &[]);
    assert_eq!(rows.len(), Capability::ALL.len());
    assert!(rows.iter().all(|row| row.says().is_none() && row.evidence().is_none()));
}

#[test]
fn columns_a_refused_access_that_nobody_speaks_of_is_a_surprise_and_one_described_is_not() {
    let read = [saw(Capability::FsRead, 0, 3)];
    let rows = columns(&[], &[files()], &read);
    assert_eq!(verdict_of(&rows, Capability::FsRead), Verdict::Surprise);
    let rows = columns(&described(&["Read one file."]), &[files()], &read);
    assert_eq!(verdict_of(&rows, Capability::FsRead), Verdict::Plain);
}

#[test]
fn columns_a_grant_that_no_run_used_is_over_privilege_and_one_that_a_run_used_is_not() {
    let grants =
        [granted(Capability::FsRead, "--allow-read=./a"), granted(Capability::HttpRequest, "--allow-net=a.org")];
    let rows = columns(&grants, &[files()], &[]);
    assert_eq!(verdict_of(&rows, Capability::FsRead), Verdict::Unused);
    assert_eq!(verdict_of(&rows, Capability::HttpRequest), Verdict::Useless);
    assert!(rows.iter().filter(|row| row.verdict.is_over_privilege()).count() == 2);
    let rows = columns(&grants, &[files()], &[saw(Capability::FsRead, 1, 0)]);
    assert_eq!(verdict_of(&rows, Capability::FsRead), Verdict::Plain);
}

#[test]
fn columns_the_lookup_and_connection_of_a_request_are_part_of_it() {
    let http = Import::new("wasi:http/outgoing-handler@0.2.6", Vec::new());
    let seen =
        [saw(Capability::HttpRequest, 1, 0), saw(Capability::DnsLookup, 1, 0), saw(Capability::TcpConnect, 1, 0)];
    let grants = [granted(Capability::HttpRequest, "--allow-net=a.org")];
    let rows = columns(&grants, &[http], &seen);
    assert!(rows.iter().all(|row| row.verdict == Verdict::Plain), "{rows:?}");
    // One that made no request has no such excuse.
    let rows = columns(&[], &[], &seen);
    assert_eq!(verdict_of(&rows, Capability::DnsLookup), Verdict::Impossible);
}

#[test]
fn columns_clocks_and_streams_never_surprise() {
    let imports = [Import::new("wasi:clocks/wall-clock", Vec::new()), Import::new("wasi:cli/stdout", Vec::new())];
    let rows = columns(&[], &imports, &[saw(Capability::ClockRead, 9, 0), saw(Capability::StdioWrite, 1, 0)]);
    assert!(rows.iter().all(|row| row.verdict == Verdict::Plain));
}

#[test]
fn columns_what_is_imported_and_never_spoken_of_is_latent() {
    let rows = columns(&[], &[files()], &[]);
    assert_eq!(verdict_of(&rows, Capability::FsWrite), Verdict::Latent);
    assert!(rows.iter().all(|row| row.evidence().is_none()), "an import alone is no evidence");
}

#[test]
fn description_words_are_whole_words_or_their_endings() {
    let speaks = |text: &str, capability| described(&[text]).iter().any(|d| d.capability == capability);
    assert!(speaks("Fetches a page by its URL", Capability::HttpRequest));
    assert!(!speaks("Make a slug of a title", Capability::FsRead));
    assert!(!speaks("Make a slug of a title", Capability::HttpRequest));
    assert!(!speaks("A readjustment", Capability::FsRead));
    assert!(speaks("read-note", Capability::FsRead));
}
