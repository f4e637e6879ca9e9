//! Files and directories.

use crate::support::case;

#[test]
fn filesystem_cases_hold() {
    case::play("filesystem", &[1]);
}
