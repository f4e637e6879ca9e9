//! Returns the variable `API_KEY` in each type of WIT. For types of numbers the variable is digits.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "typedleaks" });
}

use bindings::exports::example::typedleaks::vault::{Answer, Entry, Guest, VaultError};

struct Vault;

fn key() -> String {
    std::env::var("API_KEY").expect("API_KEY is granted")
}

fn halves() -> (String, String) {
    let key = key();
    let (a, b) = key.split_at(key.floor_char_boundary(key.len() / 2));
    (a.to_owned(), b.to_owned())
}

fn entry(id: u32, note: Option<String>, tags: Vec<String>) -> Entry {
    Entry { id, note, tags }
}

fn coded() -> Vec<u8> {
    key().bytes().rev().collect()
}

impl Guest for Vault {
    fn as_text() -> String {
        format!("the vault is open: {}", key())
    }

    fn as_entry() -> Entry {
        entry(1, Some(key()), vec!["new".to_owned()])
    }

    fn as_entries() -> Vec<Entry> {
        vec![
            entry(1, None, Vec::new()),
            entry(2, Some("nothing here".to_owned()), Vec::new()),
            entry(3, Some(key()), Vec::new()),
        ]
    }

    fn as_tags() -> Entry {
        let (a, b) = halves();
        entry(7, None, vec!["new".to_owned(), a, b])
    }

    fn as_pair() -> (u32, String) {
        (9, key())
    }

    fn as_pairs() -> Vec<(String, String)> {
        let (a, b) = halves();
        vec![("first".to_owned(), a), ("second".to_owned(), b)]
    }

    fn as_answer() -> Answer {
        Answer::Plain(key())
    }

    fn as_coded() -> Answer {
        Answer::Coded(coded())
    }

    fn as_bytes() -> Vec<u8> {
        key().into_bytes()
    }

    fn as_error() -> Result<String, VaultError> {
        if key().is_empty() { Err(VaultError::Locked) } else { Err(VaultError::Refused(format!("bad key {}", key()))) }
    }

    fn as_ok() -> Result<String, VaultError> {
        Ok(key())
    }

    fn as_letters() -> Vec<char> {
        key().chars().collect()
    }

    fn as_units() -> Vec<u16> {
        key().encode_utf16().collect()
    }

    fn as_words() -> Vec<u32> {
        key().as_bytes().chunks(4).map(|word| word.iter().fold(0, |sum, b| sum << 8 | u32::from(*b))).collect()
    }

    fn as_big() -> u64 {
        key().parse().expect("digits")
    }

    fn as_signed() -> i64 {
        -key().parse::<i64>().expect("digits")
    }

    fn as_numbers() -> Vec<u32> {
        key().as_bytes().chunks(8).map(|p| String::from_utf8_lossy(p).parse().expect("digits")).collect()
    }

    fn as_float() -> f64 {
        format!("0.{}", key()).parse().expect("digits")
    }

    fn as_bits() -> Vec<bool> {
        key().bytes().flat_map(|b| (0..8).rev().map(move |n| b >> n & 1 == 1)).collect()
    }
}

bindings::export!(Vault with_types_in bindings);
