//! Scans agent skills: instructions and scripts. It imports nothing, so that all it can do is to answer. See `wit/scanner.wit`.

mod scan;
#[cfg(target_family = "wasm")]
mod sealed;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "skill-scanner" });
}

use bindings::exports::customs::scanner::scanner::{Category, Finding, Guest, Report, Severity, Skill};
use scan::report::{MAX_FINDINGS, label, score};
use scan::rules;

struct Scanner;

impl Guest for Scanner {
    fn scan(skill: Skill) -> Report {
        let mut found = scan::skill(skill.files.iter().map(|file| (file.path.as_str(), file.text.as_str())));
        found.sort_by(|a, b| {
            (a.rule.severity, &a.path, a.line, a.column, a.rule.id).cmp(&(
                b.rule.severity,
                &b.path,
                b.line,
                b.column,
                b.rule.id,
            ))
        });
        let score = score(&found);
        let label = label(score, found.is_empty()).to_owned();
        let left_out = found.len().saturating_sub(MAX_FINDINGS);
        found.truncate(MAX_FINDINGS);
        Report {
            name: skill.name,
            findings: found.into_iter().map(told).collect(),
            score,
            label,
            files: u32::try_from(skill.files.len()).unwrap_or(u32::MAX),
            left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
        }
    }
}

fn told(found: scan::report::Finding) -> Finding {
    Finding {
        rule: found.rule.id.to_owned(),
        category: match found.rule.category {
            rules::Category::ApiExfiltration => Category::ApiExfiltration,
            rules::Category::SuspiciousNetwork => Category::SuspiciousNetwork,
            rules::Category::CredentialAccess => Category::CredentialAccess,
            rules::Category::ObfuscatedCode => Category::ObfuscatedCode,
            rules::Category::DangerousImports => Category::DangerousImports,
            rules::Category::Instructions => Category::Instructions,
            rules::Category::Damage => Category::Damage,
        },
        severity: match found.rule.severity {
            rules::Severity::Critical => Severity::Critical,
            rules::Severity::High => Severity::High,
            rules::Severity::Medium => Severity::Medium,
            rules::Severity::Low => Severity::Low,
        },
        path: found.path,
        line: found.line,
        column: found.column,
        snippet: found.snippet,
        description: found.description,
    }
}

bindings::export!(Scanner with_types_in bindings);
