//! How deep a text nests, found before any parser sees it: a parser, and the tree it makes, may use the stack per level.

/// The deepest nesting of lists and inline tables, and the longest dotted key. A policy needs three.
const MAX_DEPTH: usize = 16;

/// Where the text nests too deeply, as an offset; none if it does not. One pass, no memory. It knows strings and comments,
/// so that brackets in them do not count; in a malformed text it may count wrongly, and the parser refuses that anyway.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut dots, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let step = match byte {
            b'#' => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
            b'"' | b'\'' => string_length(rest, byte),
            b'[' | b'{' => {
                depth += 1;
                dots = 0;
                1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                dots = 0;
                1
            }
            b'.' => {
                dots += 1;
                1
            }
            b'=' | b',' | b'\n' => {
                dots = 0;
                1
            }
            _ => 1,
        };
        if depth > MAX_DEPTH || dots > MAX_DEPTH {
            return Some(at);
        }
        at += step.max(1);
    }
    None
}

/// The length of the string that `rest` starts with, quotes included. A single-line string ends at its line.
fn string_length(rest: &[u8], quote: u8) -> usize {
    let triple = [quote; 3];
    let (open, multiline) = if rest.starts_with(&triple) { (3, true) } else { (1, false) };
    let mut at = open;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            b'\n' if !multiline => return at,
            _ if multiline && rest.get(at..).is_some_and(|tail| tail.starts_with(&triple)) => {
                // Up to two quotes may stand right before the closing three.
                let more =
                    rest.get(at + 3..).unwrap_or_default().iter().take(2).take_while(|&&byte| byte == quote).count();
                return at + 3 + more;
            }
            _ if byte == quote && !multiline => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_of_real_policies_is_fine() {
        for text in [
            "",
            "[tool.a]\nallow-read = ['./x', \"./y\"]\nsecret = [{ name = 'K', to = 'https://a.example' }]",
            "[[tool.a.flow]]\nfrom = 'x'\n[[tool.a.flow]]\n",
            "# [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\nx = '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['",
            "x = \"a\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[\"\ny = '''\n[[[[[[[[[[[[[[[[[[[[[[\n'''",
            "x = \"\"\"[[[[[[[[[[[[[[[[[[[[[\"\"\"\"\"\ny = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]",
        ] {
            assert_eq!(too_deep(text), None, "{text}");
        }
    }

    #[test]
    fn nesting_bombs_are_found() {
        for text in [
            "x = ".to_owned() + &"[".repeat(10_000),
            "x = ".to_owned() + &"{a=".repeat(10_000),
            "a.".repeat(10_000),
            "[".repeat(17),
        ] {
            assert!(too_deep(&text).is_some_and(|at| at < 100));
        }
    }

    #[test]
    fn nesting_after_an_open_string_is_still_counted_on_the_next_line() {
        assert!(too_deep(&("x = \"abc\ny = ".to_owned() + &"[".repeat(100))).is_some());
    }
}
