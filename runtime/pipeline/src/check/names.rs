//! Names are unique over sources, operators and sinks.

use crate::diagnostics::Diagnostics;
use crate::place::Spanned;
use crate::read::Draft;

pub(super) fn check(draft: &Draft, d: &mut Diagnostics) {
    let mut seen: Vec<(&str, &Spanned<String>)> = Vec::new();
    let groups = [
        ("source", &draft.sources),
        ("operator", &draft.operators),
        ("sink", &draft.sinks),
    ];
    for (kind, names) in groups {
        for name in names {
            match seen.iter().find(|(_, first)| first.value == name.value) {
                Some((first_kind, first)) => {
                    d.error(
                        &name.span,
                        format!("the name `{name}` stands for two things"),
                    )
                    .label(format!("{kind} here"))
                    .also(&first.span, format!("{first_kind} here"))
                    .help("rename one of them: names are unique in a file");
                }
                None => seen.push((kind, name)),
            }
        }
    }
}
