//! The codes of findings: what each means, how much it matters, and what others call it. Documentation and SARIF are made from this table.

use crate::finding::Severity;
use customs_ledger::material::{Class, SinkKind};

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable: a code is never used again for something else.
    pub code: &'static str,
    pub title: &'static str,
    /// For a person who has never seen it: what was seen, why it may matter, what to do.
    pub explanation: &'static str,
    /// A source, a sink, and what is said of them.
    pub example: &'static str,
    /// Where the evidence is strong. Partial evidence lowers it by a step.
    pub severity: Severity,
    /// Ids in public taxonomies: OWASP MCP Top 10, OWASP Agentic Top 10, SAFE-MCP, MITRE ATLAS, CWE.
    pub taxa: &'static [&'static str],
}

/// All codes, in order.
#[must_use]
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// The rule of a code.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

const RULES: [Rule; 13] = [
    Rule {
        code: "CUS101",
        title: "Secret in the output",
        explanation: "Bytes of an environment variable stand in what the tool returned, printed or logged. Whoever reads the output, a model \
            included, has the secret now. Change it if that was not meant, and take the variable away from the tool or give it as a secret that the \
            tool never holds.",
        example: "env API_KEY = SEKRET_0123456789abcdef, return /debug = \"token c2VjcmV0...\": all of it, through base64.",
        severity: Severity::High,
        taxa: &["MCP01", "MCP10", "ASI06", "SAFE-T1503", "SAFE-T1912", "AML.T0057", "CWE-200", "CWE-526", "CWE-532"],
    },
    Rule {
        code: "CUS102",
        title: "Secret sent to the network",
        explanation: "Bytes of an environment variable stand in a request, a name that was looked up, or data on a socket. They left the machine. A tool that needs \
            a key for a service should have it as a secret bound to that origin.",
        example: "env API_KEY = k7Qz2mXp, http-request GET https://collect.example/?d=k7Qz2mXp: all of it.",
        severity: Severity::High,
        taxa: &["MCP01", "MCP10", "ASI02", "SAFE-T1503", "SAFE-T1913", "AML.T0086", "AML.T0098", "CWE-200", "CWE-526"],
    },
    Rule {
        code: "CUS103",
        title: "Secret written to a file",
        explanation: "Bytes of an environment variable stand in a file that the tool wrote. What reads that file later has the secret.",
        example: "env API_KEY = k7Qz2mXp, file /cache/state.json = {\"k\":\"k7Qz2mXp\"}: all of it.",
        severity: Severity::Medium,
        taxa: &["MCP01", "ASI02", "SAFE-T1503", "AML.T0098", "CWE-312", "CWE-526"],
    },
    Rule {
        code: "CUS111",
        title: "File content in the output",
        explanation: "Bytes of a file, a listing or a link that the tool read stand in its output. That is what most tools that read files are for; it tells you \
            which file the output came from, and matters where the file should not have been read.",
        example: "file /data/notes.txt, return /text: 812 of 2048 bytes.",
        severity: Severity::Low,
        taxa: &["MCP10", "ASI06", "SAFE-T1502", "AML.T0037", "CWE-200"],
    },
    Rule {
        code: "CUS112",
        title: "File content sent to the network",
        explanation: "Bytes of a file, a listing or a link that the tool read stand in what it sent. They left the machine.",
        example: "file /data/customers.csv, http-request POST https://collect.example/: 4096 of 4096 bytes, through gzip.",
        severity: Severity::High,
        taxa: &["MCP10", "ASI02", "SAFE-T1502", "SAFE-T1913", "AML.T0037", "AML.T0086", "CWE-200"],
    },
    Rule {
        code: "CUS113",
        title: "File content written to another file",
        explanation: "Bytes of a file that the tool read stand in a file that it wrote: a copy, or a way around a rule for the first one.",
        example: "file /data/a.txt, file /out/b.txt: 120 of 120 bytes.",
        severity: Severity::Info,
        taxa: &["ASI02", "AML.T0037", "CWE-200"],
    },
    Rule {
        code: "CUS121",
        title: "Network content in the output",
        explanation: "Bytes that came from the network stand in the output. That is what most tools that fetch are for; it tells you which words are not the \
            tool's own. Where they read like instructions or stand in text that is meant as a prompt, it is of medium severity.",
        example: "http-response https://api.example/forecast, return /summary: 31 of 900 bytes.",
        severity: Severity::Info,
        taxa: &["MCP06", "ASI01", "SAFE-T1701", "AML.T0051.001", "CWE-74"],
    },
    Rule {
        code: "CUS123",
        title: "Network content written to a file",
        explanation: "Bytes that came from the network stand in a file that the tool wrote. What reads that file later reads what others wrote.",
        example: "http-response https://api.example/page, file /cache/page.html: 900 of 900 bytes.",
        severity: Severity::Info,
        taxa: &["ASI06", "AML.T0099", "CWE-74"],
    },
    Rule {
        code: "CUS131",
        title: "Network content sent to the network",
        explanation: "Bytes that came from one place on the network stand in what was sent: following a link, or somebody else deciding what this tool sends.",
        example: "http-response https://a.example/, http-request GET https://b.example/9f3a61c07d: 10 of 400 bytes.",
        severity: Severity::Low,
        taxa: &["MCP06", "ASI02", "SAFE-T1914", "AML.T0086", "CWE-441"],
    },
    Rule {
        code: "CUS201",
        title: "Placeholder of a secret in the wrong place",
        explanation: "A secret was given so that the tool never holds it, only a placeholder. The placeholder was seen somewhere else than in the headers \
            of the secret's origin. The secret itself did not leak, but the tool tried to move it.",
        example: "--secret API_KEY@https://api.example, http-request GET https://other.example/?k=<placeholder>.",
        severity: Severity::High,
        taxa: &["MCP01", "ASI02", "SAFE-T1503", "AML.T0098", "CWE-200"],
    },
    Rule {
        code: "CUS301",
        title: "Hidden characters in the output",
        explanation: "The output has characters that nobody sees and a model reads: Unicode tags, direction controls, runs of characters without width or of \
            variation selectors. They can carry instructions past a person.",
        example: "return /note = \"All fine.\" followed by 40 tag characters.",
        severity: Severity::Medium,
        taxa: &["MCP03", "ASI01", "SAFE-T1402", "AML.T0068", "CWE-451"],
    },
    Rule {
        code: "CUS302",
        title: "Text that reads like instructions",
        explanation: "The output has words that are meant for a model rather than for a person: to ignore what it was told, role markers, tool call markup. A hint, not a proof: \
            a page about prompt injection has them too.",
        example: "return /body = \"Ignore all previous instructions and ...\", from http-response https://page.example/.",
        severity: Severity::Medium,
        taxa: &["MCP06", "ASI01", "SAFE-T1001", "AML.T0051.001", "CWE-74"],
    },
    Rule {
        code: "CUS303",
        title: "Text that is meant as a prompt",
        explanation: "The output has text that the tool itself marks as a prompt: lines that begin with PROMPT:, JSON members prompt or the content of messages. Harmless by \
            itself. What comes from a source and stands there weighs more, and its own finding says so.",
        example: "stdout = \"PROMPT: summarise the following ...\".",
        severity: Severity::Info,
        taxa: &["MCP06", "ASI01", "AML.T0051.001", "CWE-74"],
    },
];

/// Where a sink leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    /// To the caller, and so to a model.
    Back,
    Network,
    File,
}

pub(crate) fn leads(kind: SinkKind) -> Leads {
    match kind {
        SinkKind::HttpRequest | SinkKind::Dns | SinkKind::Socket => Leads::Network,
        SinkKind::File => Leads::File,
        SinkKind::Return
        | SinkKind::Error
        | SinkKind::Stdout
        | SinkKind::Stderr
        | SinkKind::Progress
        | SinkKind::Log => Leads::Back,
    }
}

/// The code for a source of a class in a sink of a kind; none for what the caller sent itself.
pub(crate) fn code(class: Class, kind: SinkKind) -> Option<&'static str> {
    Some(match (class, leads(kind)) {
        (Class::Secret, Leads::Back) => "CUS101",
        (Class::Secret, Leads::Network) => "CUS102",
        (Class::Secret, Leads::File) => "CUS103",
        (Class::Private, Leads::Back) => "CUS111",
        (Class::Private, Leads::Network) => "CUS112",
        (Class::Private, Leads::File) => "CUS113",
        (Class::Untrusted, Leads::Back) => "CUS121",
        (Class::Untrusted, Leads::Network) => "CUS131",
        (Class::Untrusted, Leads::File) => "CUS123",
        (Class::Public, _) => return None,
    })
}

impl Severity {
    /// One step less.
    pub(crate) fn lowered(self) -> Severity {
        match self {
            Severity::High => Severity::Medium,
            Severity::Medium => Severity::Low,
            Severity::Low | Severity::Info => Severity::Info,
        }
    }

    /// One step more.
    pub(crate) fn raised(self) -> Severity {
        match self {
            Severity::Info => Severity::Low,
            Severity::Low => Severity::Medium,
            Severity::Medium | Severity::High => Severity::High,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_in_order_and_every_code_in_use_has_its_rule() {
        let codes: Vec<_> = rules().iter().map(|r| r.code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b));
        let classes = [Class::Secret, Class::Private, Class::Untrusted];
        let kinds = [SinkKind::Return, SinkKind::Dns, SinkKind::File];
        for code in classes.iter().flat_map(|class| kinds.map(|kind| code(*class, kind).unwrap())) {
            assert!(rule(code).is_some(), "{code}");
        }
        assert_eq!(code(Class::Public, SinkKind::Return), None);
        for rule in rules() {
            assert!(
                !rule.title.is_empty()
                    && !rule.explanation.contains("  ")
                    && rule.taxa.iter().any(|t| t.starts_with("CWE-"))
            );
        }
    }
}
