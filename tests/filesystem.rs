//! Files and directories.

use crate::support::case;

#[test]
fn filesystem_cases_hold() {
    case::play("filesystem", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 18, 20, 21, 23, 24, 139]);
}
