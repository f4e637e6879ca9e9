//! What to do about the evidence: a sentence for each matter, naming what it goes by. The heaviest first.

use super::{Evidence, Matter};
use crate::severity::Severity;

/// Pieces of evidence that one sentence names; the rest is counted.
const NAMED: usize = 3;

/// Sentences, the most urgent first; none where there is nothing to be done. Every sentence names its evidence.
#[must_use]
pub fn recommend(evidence: &[Evidence]) -> Vec<String> {
    let mut groups: Vec<(u32, Matter, Vec<&Evidence>)> = Matter::ALL
        .iter()
        .filter_map(|&matter| {
            let mut pieces: Vec<&Evidence> =
                evidence.iter().filter(|piece| piece.matter == matter && piece.severity > Severity::Info).collect();
            pieces.sort_unstable_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
            pieces.dedup();
            let most = pieces.first()?.points();
            Some((most, matter, pieces))
        })
        .collect();
    groups.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    groups.into_iter().map(|(_, matter, pieces)| sentence(matter, &pieces)).collect()
}

fn sentence(matter: Matter, pieces: &[&Evidence]) -> String {
    let named = named(pieces);
    match matter {
        Matter::DecoyLeaked => format!("Do not run this tool: it gave away {named}, which nothing but theft explains."),
        Matter::DecoyTouched => {
            format!("Give it no home directory and no environment of yours: it went for {named}.")
        }
        Matter::Leak => format!("Keep secrets from it, or add a flow rule that redacts or blocks: {named}."),
        Matter::CausalLeak => {
            format!(
                "Bytes were changed and the output changed with them, whatever it looks like; withhold the source: {named}."
            )
        }
        Matter::FollowedPayload => {
            format!("Grant narrow paths and origins only, for arguments lead it where they want: {named}.")
        }
        Matter::Denied => format!("Ask its author why it wants {named}; do not grant it because it is denied."),
        Matter::OwnDestination => format!("Grant no host that you do not know; it went of its own accord to {named}."),
        Matter::Latent => format!("Do not trust one clean run: it behaves differently with {named}."),
        Matter::Trap => format!("Expect it to fail on unusual arguments: {named}."),
        Matter::Limit => format!("Keep its limits low, and tell its author: {named}."),
        Matter::Instructions => {
            format!("Do not show its texts to a model unlooked at; they speak to one: {named}.")
        }
        Matter::UnusedGrant => format!("Take away what no run needed: {named}."),
        Matter::Undeclared => format!("Have it said in its description or leave it ungranted: {named}."),
        Matter::OddImport => format!("It wants what this program does not offer: {named}."),
        Matter::Check => format!("Mend the policy or the component: {named}."),
        Matter::Secret => format!("Have the author revoke it, whoever has the file has it too: {named}."),
        Matter::Address => format!("Ask what it wants there, and grant no such host: {named}."),
        Matter::SensitivePath => format!("Ask why it knows this path, and do not grant what holds it: {named}."),
        Matter::Command => format!("No component can run a command; ask what it is for: {named}."),
        Matter::HiddenText => format!("Read it with the hidden characters made visible before a model does: {named}."),
        Matter::Advisory => format!("Ask for a build with a newer toolchain: {named}."),
    }
}

fn named(pieces: &[&Evidence]) -> String {
    let mut names: Vec<String> = Vec::new();
    for piece in pieces {
        let name =
            if piece.place.is_empty() { piece.what.clone() } else { format!("{} ({})", piece.what, piece.place) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
