//! The table of transformations: what a guest gives for a secret, and which bytes of it come from the secret. The rows
//! are the same for each language that the guest is written in; where a language makes one differ, it says why.

use super::place::Place::{self, Error, Note, Numbers, Piece, Printed, Text, Written};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    C,
    Rust,
    JavaScript,
    Python,
}

use Language::{JavaScript, Python, Rust};

/// One transformation of a secret. Labels have one sign for each byte: `1` the secret's value is in it, `w` the secret
/// only chose it, `.` it does not come from the secret.
#[derive(Debug)]
pub struct Row {
    pub transform: &'static str,
    pub place: Place,
    pub secret: &'static str,
    pub gives: &'static str,
    pub labels: &'static str,
    pub but: &'static [But],
    /// Bytes that other secrets change may be clean, because branches decided them.
    pub by_branches: bool,
}

/// What differs in a language, and why. What is empty does not.
#[derive(Debug)]
pub struct But {
    pub language: Language,
    pub gives: &'static str,
    pub labels: &'static str,
    pub why: &'static str,
    /// Bytes that are clean in the table may be weak, here and elsewhere in the answer.
    pub creeps: bool,
}

pub const SECRET: &str = "token id 42 true";

const fn row(transform: &'static str, gives: &'static str, labels: &'static str) -> Row {
    Row { transform, place: Text, secret: SECRET, gives, labels, but: &[], by_branches: false }
}

const fn at(place: Place, row: Row) -> Row {
    Row { place, ..row }
}

const fn but(row: Row, but: &'static [But]) -> Row {
    Row { but, ..row }
}

const fn labels(language: Language, labels: &'static str, why: &'static str) -> But {
    But { language, gives: "", labels, why, creeps: false }
}

/// What is clean in the table, and weak in this language.
const fn creeps(language: Language, gives: &'static str, labels: &'static str, why: &'static str) -> But {
    But { language, gives, labels, why, creeps: true }
}

/// CPython has an object for each small number, and for each letter of Latin-1.
const NUMBERS: &str = "a byte becomes the address of the object that CPython keeps for this number";
/// SpiderMonkey has a string for each letter.
const LETTERS: &str = "a letter becomes the address of the string that the engine keeps for it";
const NUMBERS_AS_KEYS: &str = "numbers as above; after arithmetic on them an attribute of the answer is found at a weak address: where that begins is not known";
/// A goal that is missed. Which rows it is in cannot be said, so that it is for all of them.
const BUILDS: &str = "some addresses that the interpreter goes by are weak, others with each build of the guest, in which hashes begin elsewhere";
/// Of strings that are long enough, which those of other rows are not.
const HEAP: &str = "letters as above; the length of a string that is joined of them moves the engine's own heap on, so that addresses are weak";

pub const ROWS: &[Row] = &[
    row("plain", "token id 42 true", "1111111111111111"),
    but(row("reverse", "eurt 24 di nekot", "1111111111111111"), &[labels(JavaScript, "wwwwwwwwwwwwwwww", LETTERS)]),
    but(row("caesar", "\"|xr{-vq-A?-\" #r", "1111111111111111"), &[labels(Python, "wwwwwwwwwwwwwwww", NUMBERS)]),
    but(
        at(Piece, row("xor", "1f0a1248054510494b514b0d1f170c48", "1111111111111111")),
        &[labels(Python, "wwwwwwwwwwwwwwww", NUMBERS)],
    ),
    row("base64-table", "dG9rZW4gaWQgNDIgdHJ1ZQ==", "wwwwwwwwwwwwwwwwwwwwww.."),
    but(
        row("base64-arithmetic", "dG9rZW4gaWQgNDIgdHJ1ZQ==", "1111111111111111111111.."),
        &[creeps(Python, "", "wwwwwwwwwwwwwwwwwwwwww..", NUMBERS_AS_KEYS)],
    ),
    but(
        row("hex-table", "746f6b656e2069642034322074727565", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"),
        &[creeps(JavaScript, "", "", HEAP)],
    ),
    but(
        row("hex-arithmetic", "746f6b656e2069642034322074727565", "11111111111111111111111111111111"),
        &[labels(Python, "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww", NUMBERS)],
    ),
    row("split", "HEAD: 42 true--token id", ".....11111111..11111111"),
    Row {
        secret: "bookkeeper 4222!",
        // How many there are is counted by branches.
        by_branches: true,
        ..but(
            row("run-length", "1b2o2k2e1p1e1r1 14321!", ".1.1.1.1.1.1.1.1.1.1.1"),
            &[labels(JavaScript, ".w.w.w.w.w.w.w.w.w.w.w", LETTERS), labels(Python, ".w.w.w.w.w.w.w.w.w.w.w", NUMBERS)],
        )
    },
    at(
        Piece,
        row(
            "sha256",
            "db87379dadab82d9c008db541495b882d3bbe841fb4cdf245d2e83f4ff5288b2",
            "11111111111111111111111111111111",
        ),
    ),
    but(
        row("json", r#"{"k":"token id 42 true","n":[1,2]}"#, "......1111111111111111............"),
        &[
            labels(
                Rust,
                "......1111111111111111...w...w.w..",
                "the reader finds the end of a text by arithmetic on eight of its bytes, and reads on from there",
            ),
            creeps(
                Python,
                r#"{"k": "token id 42 true", "n": [1, 2]}"#,
                ".......1111111111111111...............",
                "Python puts blanks between; single letters behind the secret become weak addresses",
            ),
        ],
    ),
    but(
        at(Piece, row("deflate", "2bc9cf4ecd53c84c5130315228292a4d0500", "111111111111111111")),
        &[
            labels(Rust, "wwwwwwwwwwwwwwwwww", "the codes are in a table"),
            labels(Python, "wwwwwwwwwwwwwwwwww", "the codes are in a table"),
        ],
    ),
    but(
        at(Note, row("note", "note: token id 42 true", "......1111111111111111")),
        &[creeps(
            Python,
            "",
            "",
            "an attribute is found at a weak address, of another source: where that begins is not known",
        )],
    ),
    at(Error, row("error", "what is token id 42 true?", "........1111111111111111.")),
    Row {
        secret: "key",
        // 1107, 1101 and 1121, and above a sum what it may carry into.
        ..but(
            at(Numbers, row("numbers", "530400004d04000061040000", "111111111111")),
            &[creeps(Python, "", "wwwwwwwwwwww", NUMBERS_AS_KEYS)],
        )
    },
    at(Printed, row("print", "[token id 42 true]\n", ".1111111111111111..")),
    at(Written, row("write", "kept: token id 42 true", "......1111111111111111")),
];

/// Answers that do not come from the secret, and have no label at all.
pub const NEGATIVES: &[Row] = &[
    but(
        row("unrelated", r#"{"id":42,"token":true,"list":["a","b"]}"#, "......................................."),
        &[
            creeps(JavaScript, "", "", HEAP),
            But {
                language: Python,
                gives: r#"{"id": 42, "token": true, "list": ["a", "b"]}"#,
                labels: ".............................................",
                why: "Python puts blanks between",
                creeps: false,
            },
        ],
    ),
    row("untouched", "the answer is 42, as ever", "........................."),
];

/// What is not followed, so that nobody believes it is.
pub const BRANCHES: Row = Row { by_branches: true, ..row("branch", SECRET, "................") };

impl Row {
    fn but(&self, language: Language) -> Option<&But> {
        self.but.iter().find(|but| but.language == language)
    }

    /// Why clean bytes may be weak.
    pub fn creeps(&self, language: Language) -> Option<&'static str> {
        let own = self.but(language).filter(|but| but.creeps).map(|but| but.why);
        own.or((language == Python).then_some(BUILDS))
    }

    pub fn gives(&self, language: Language) -> &'static str {
        self.but(language).map(|but| but.gives).filter(|gives| !gives.is_empty()).unwrap_or(self.gives)
    }

    pub fn labels(&self, language: Language) -> &'static str {
        self.but(language).map(|but| but.labels).filter(|labels| !labels.is_empty()).unwrap_or(self.labels)
    }
}
