//! References to outputs.

use crate::diagnostics::Diagnostics;
use crate::model::Input;
use crate::section::Section;
use crate::tree::quoted;

/// Reads `input`. That what it names exists is checked later.
pub(super) fn read(section: &Section<'_>, d: &mut Diagnostics) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    if !section.chosen(&["left", "right"]).is_empty() {
        // Joins, which are reported as not built yet.
        return inputs;
    }
    for text in section.texts("input", d) {
        let (name, side) = match text.value.split_once('.') {
            Some((name, side)) => (name.to_owned(), Some(side.to_owned())),
            None => (text.value.clone(), None),
        };
        let malformed = name.is_empty()
            || side
                .as_ref()
                .is_some_and(|s| s.is_empty() || s.contains('.'));
        if malformed {
            d.error(
                &text.span,
                format!(
                    "`input` of {} is no output: {}",
                    section.title,
                    quoted(&text.value)
                ),
            )
            .label("expected a source or an operator, or one of its side outputs")
            .help("for example \"payments\", \"velocity.late\" or \"velocity.failed\"");
            continue;
        }
        let input = Input {
            name,
            side,
            span: text.span,
        };
        match inputs
            .iter()
            .find(|known| known.name == input.name && known.side == input.side)
        {
            Some(first) => {
                d.error(
                    &input.span,
                    format!("{} takes `{input}` twice", section.title),
                )
                .label("a second time here")
                .also(&first.span, "first here")
                .help("leave one of them out: each of its rows would come twice");
            }
            None => inputs.push(input),
        }
    }
    inputs
}
