//! What is said of lines that are refused.

use super::super::{Misfit, Refusal, excerpt};
use super::cursor::{Cursor, Syntax, TOO_DEEP};
use super::fields::Node;
use super::line::Line;
use super::scan::Portable;
use crate::format::ColumnSpec;

/// The refusal of a line that is no JSON object.
pub fn syntax(line: &[u8], Syntax { at, what }: Syntax) -> Refusal {
    if what == NO_OBJECT {
        let found = excerpt(line.trim_ascii_start());
        return Refusal::new(
            "not-an-object",
            format!("expected a JSON object, found {found}"),
        );
    }
    // A carriage return at the end is no part of the line.
    let at = at.min(line.len());
    let found = match line.get(at..) {
        None | Some([]) => "the end of the line".to_owned(),
        Some(rest) => format!("`{}`", excerpt(&rest[..rest.len().min(20)]).escape_debug()),
    };
    let code = if what == TOO_DEEP { "depth" } else { "syntax" };
    Refusal::new(
        code,
        format!("no JSON at byte {at} of the line: expected {what}, found {found}"),
    )
}

/// What the fault of a line is that is JSON, but no object.
pub const NO_OBJECT: &str = "an object";

/// The refusal of a line with a value that does not fit its column.
pub fn misfit(line: &[u8], at: usize, why: Misfit, column: &ColumnSpec) -> Refusal {
    let mut space = Vec::new();
    let mut cursor: Cursor<Portable> = Cursor::new(Line::copied(line, &mut space));
    cursor.at = at;
    let end = cursor.skip_value(0).map_or(line.len(), |()| cursor.at);
    why.refusal(column, &excerpt(&line[at..end]))
}

/// The refusal of a field that no column wants.
pub fn stranger(line: &[u8], value: usize, node: &Node) -> Refusal {
    let name = String::from_utf8_lossy(name_before(line, value));
    let mut message = format!("field `{name}` is of no column, and `unknown` is \"refuse\"");
    if let Some(nearest) = node.nearest(&name) {
        message.push_str(&format!("; the nearest is `{nearest}`"));
    }
    Refusal::new("unknown-field", message)
}

/// The name of the field whose value begins at `value`.
fn name_before(line: &[u8], value: usize) -> &[u8] {
    let before = |mark: u8, end: usize| line[..end].iter().rposition(|&b| b == mark).unwrap_or(0);
    let end = before(b'"', before(b':', value));
    &line[(before(b'"', end) + 1).min(end)..end]
}
