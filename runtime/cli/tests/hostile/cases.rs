//! All cases. Each of `docs/hostile-modules.md` is one, under the same name.

mod boundary;
mod describe;
mod modules;
mod rows;
mod wasi;
mod windows;

use crate::case::Case;

/// Every case.
pub fn all() -> Vec<Case> {
    let mut cases = rows::transforms();
    cases.extend(rows::aggregates());
    cases.extend(windows::windows());
    cases.extend(windows::watermarks());
    cases.extend(boundary::calls());
    cases.extend(boundary::returns());
    cases.extend(wasi::cases());
    cases.extend(describe::cases());
    cases.extend(modules::bytes());
    cases
}
