//! A component of the shape that wasm-skill-sandbox calls a scanner: code in, JSON as text out. It looks for one thing only; the scanner of
//! customs itself is `scanner`.

wit_bindgen::generate!({ path: "wit", world: "scanner-component" });

use exports::sandbox::skill::scanner::Guest;
use serde_json::json;

struct Scanner;

impl Guest for Scanner {
    fn scan_code(code: String) -> String {
        let findings: Vec<_> = code
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains("eval("))
            .map(|(at, line)| json!({"category": "obfuscated_code", "severity": "high", "line": at + 1, "context": line}))
            .collect();
        json!({"findings": findings, "total_findings": findings.len()}).to_string()
    }
}

export!(Scanner);
