//! The codes of an audit's own issues: what each means, how much it matters, and what others call it. Findings keep their codes
//! (`CUS..`), see docs/findings.md; docs/audit.md is held to this table by a test.

use customs_flow::Severity;

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRule {
    /// Stable: a code is never used again for something else.
    pub code: &'static str,
    pub title: &'static str,
    /// What was seen, why it may matter, what to do.
    pub explanation: &'static str,
    /// What an issue of it has unless its evidence says less.
    pub severity: Severity,
    /// Ids in public taxonomies.
    pub taxa: &'static [&'static str],
}

/// All codes, in order.
#[must_use]
pub fn audit_rules() -> &'static [AuditRule] {
    &RULES
}

/// The rule of a code.
#[must_use]
pub fn audit_rule(code: &str) -> Option<&'static AuditRule> {
    RULES.iter().find(|rule| rule.code == code)
}

const RULES: [AuditRule; 16] = [
    AuditRule {
        code: "CUA101",
        title: "A decoy left the tool",
        explanation: "Bytes of a decoy, which exist nowhere else, stand in something that the tool gave out: an answer, a request, a name, a file. It \
            steals what it finds. Do not use it.",
        severity: Severity::High,
        taxa: &["MCP01", "MCP10", "SAFE-T1503", "SAFE-T1912", "AML.T0057", "CWE-200", "CWE-522"],
    },
    AuditRule {
        code: "CUA102",
        title: "Reads credentials that no argument named",
        explanation: "The tool opened a file of keys, passwords or personal data, and nothing that it was given names that file. A tool has no business there; \
            under a policy without that path it gets nothing.",
        severity: Severity::High,
        taxa: &["MCP01", "SAFE-T1503", "AML.T0055", "CWE-522", "CWE-552"],
    },
    AuditRule {
        code: "CUA103",
        title: "Looks for credentials",
        explanation: "The tool asked whether such files are there, or listed the folder that they are in, and nothing that it was given names them.",
        severity: Severity::Medium,
        taxa: &["MCP01", "AML.T0055", "CWE-548"],
    },
    AuditRule {
        code: "CUA104",
        title: "Changes a person's own files",
        explanation: "The tool wrote to a file that decides what runs or who may log in, and nothing that it was given names it: shell start-up files, \
            authorized keys, settings of clients. That is how an attacker stays.",
        severity: Severity::High,
        taxa: &["AML.T0081", "CWE-506", "CWE-73"],
    },
    AuditRule {
        code: "CUA105",
        title: "Goes wherever its argument points",
        explanation: "An argument that names a file outside of the tool's work, or an address of this machine's own network, was followed. A model can be talked \
            into such an argument. Grant the folder and the origins that are meant; everything else is refused then.",
        severity: Severity::Low,
        taxa: &["MCP05", "ASI02", "SAFE-T1105", "CWE-22", "CWE-918"],
    },
    AuditRule {
        code: "CUA111",
        title: "Reaches out where no argument pointed",
        explanation: "The tool sent a request, looked up a name or opened a connection, to an end that neither its arguments nor the policy name. It was \
            answered by the sinkhole; nothing left the machine.",
        severity: Severity::Medium,
        taxa: &["MCP10", "ASI02", "SAFE-T1913", "AML.T0086", "CWE-506"],
    },
    AuditRule {
        code: "CUA112",
        title: "Listens, or opens a raw connection",
        explanation: "The tool asked for a socket: a connection without HTTP, a datagram, or a port to listen on.",
        severity: Severity::Medium,
        taxa: &["MCP10", "CWE-506"],
    },
    AuditRule {
        code: "CUA121",
        title: "Behaves differently later",
        explanation: "With another date, in another environment or when called again the tool asked for something that it did not ask for otherwise. Nothing \
            that it was given had changed. That is how code hides from a look at it.",
        severity: Severity::High,
        taxa: &["MCP03", "SAFE-T1201", "CWE-511"],
    },
    AuditRule {
        code: "CUA122",
        title: "Behaves differently for some arguments",
        explanation: "For few of the arguments the tool asked for something that it did not ask for otherwise, and that these arguments do not name.",
        severity: Severity::Medium,
        taxa: &["MCP03", "SAFE-T1201", "CWE-511"],
    },
    AuditRule {
        code: "CUA131",
        title: "Asks for more than is granted",
        explanation: "Under the policy that it was audited with the tool asked, by itself, for something that no grant covers. Either the policy lacks what the \
            tool needs, or the tool does more than it should.",
        severity: Severity::Low,
        taxa: &["MCP02", "ASI03", "CWE-250"],
    },
    AuditRule {
        code: "CUA132",
        title: "Granted and not used",
        explanation: "A grant of the policy was used by none of the calls. What a tool does not use it should not have.",
        severity: Severity::Low,
        taxa: &["MCP02", "ASI03", "CWE-250", "CWE-272"],
    },
    AuditRule {
        code: "CUA141",
        title: "Breaks on some arguments",
        explanation: "The tool trapped or exited on an argument that fits its schema. One call is lost and nothing else: but an error would say why.",
        severity: Severity::Low,
        taxa: &["CWE-248", "CWE-20"],
    },
    AuditRule {
        code: "CUA142",
        title: "Uses up its limits",
        explanation: "The tool ran into a limit of time, memory, output or the like on an argument that fits its schema.",
        severity: Severity::Medium,
        taxa: &["CWE-400", "CWE-770"],
    },
    AuditRule {
        code: "CUA201",
        title: "Something in its bytes",
        explanation: "A string, a name or a section of the component is what honest components do not have: an address, a path of credentials, a command, a \
            secret, hidden characters; as it is or encoded.",
        severity: Severity::Low,
        taxa: &["MCP03", "MCP04", "SAFE-T1001", "CWE-506", "CWE-798"],
    },
    AuditRule {
        code: "CUA211",
        title: "The policy is wider than it looks",
        explanation: "One of the checks W1 to W16 says that what was granted gives away more than a tool should have, or that nothing holds the component to \
            the bytes that were looked at.",
        severity: Severity::Low,
        taxa: &["MCP02", "ASI03", "CWE-250", "CWE-732"],
    },
    AuditRule {
        code: "CUA221",
        title: "Wants more than the policy of --check",
        explanation: "A run needed an access that the policy does not grant: a new version wants more than the one that the policy was written for.",
        severity: Severity::Medium,
        taxa: &["MCP03", "SAFE-T1201", "CWE-250"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_say_something() {
        assert!(RULES.iter().map(|rule| rule.code).is_sorted_by(|a, b| a < b));
        for rule in audit_rules() {
            assert!(rule.explanation.ends_with('.') && !rule.title.ends_with('.') && !rule.taxa.is_empty(), "{rule:?}");
            assert_eq!(audit_rule(rule.code), Some(rule));
        }
    }
}
