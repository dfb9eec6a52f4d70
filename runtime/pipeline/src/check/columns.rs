//! Columns that are named where it is known which there are: at sources, and at operators that take from sources only.

use tidemill_rows::LogicalType;

use crate::diagnostics::Diagnostics;
use crate::model::{Column, EventTime, Operator, Source};
use crate::nearest::{list, suggestion};
use crate::place::Spanned;
use crate::read::Draft;

pub(super) fn check(draft: &Draft, d: &mut Diagnostics) {
    let sources = &draft.pipeline.sources;
    for source in sources.iter().filter(|source| !source.columns.is_empty()) {
        event_time(source, d);
    }
    for operator in &draft.pipeline.operators {
        of_operator(operator, sources, d);
    }
}

fn event_time(source: &Source, d: &mut Diagnostics) {
    let EventTime::Columns(names) = &source.event_time else { return };
    for name in names {
        let Some(column) = find(&source.columns, name) else {
            missing(name, &format!("`event-time` of source `{}`", source.name), source, d);
            continue;
        };
        if column.ty != LogicalType::Time {
            d.error(&name.span, format!("`event-time` of source `{}` is not a time", source.name))
                .label(format!("expected a column of type time, found \"{}\"", column.ty))
                .also(&column.type_span, "its type")
                .help(time_help(column));
        }
    }
}

fn time_help(column: &Column) -> String {
    let name = &column.name;
    match column.ty {
        LogicalType::Integer | LogicalType::Float => format!(
            "if it counts from the Unix epoch: `{name} = {{ type = \"time\", format = \"epoch-ms\" }}` (or epoch-s, epoch-us)"
        ),
        _ => format!("declare it as `{name} = \"time\"` (RFC 3339), or name another column"),
    }
}

/// Key and renamed columns of an operator that takes the main outputs of sources.
fn of_operator(operator: &Operator, sources: &[Source], d: &mut Diagnostics) {
    for input in operator.inputs.iter().filter(|input| input.side.is_none()) {
        let source = sources.iter().find(|source| source.name.value == input.name);
        let Some(source) = source.filter(|source| !source.columns.is_empty()) else { continue };
        let key = format!("`key` of operator `{}`", operator.name);
        for name in operator.key.iter().filter(|name| find(&source.columns, name).is_none()) {
            missing(name, &key, source, d);
        }
        let rename = format!("`rename` of operator `{}`", operator.name);
        for name in operator.rename.iter().map(|rename| &rename.input) {
            if find(&source.columns, name).is_none() {
                missing(name, &rename, source, d);
            }
        }
    }
}

fn find<'a>(columns: &'a [Column], name: &Spanned<String>) -> Option<&'a Column> {
    columns.iter().find(|column| column.name.value == name.value)
}

/// More columns than this are not listed.
const LISTED: usize = 12;

fn missing(name: &Spanned<String>, what: &str, source: &Source, d: &mut Diagnostics) {
    let names: Vec<&str> = source.columns.iter().map(|column| column.name.value.as_str()).collect();
    let help = match names.len() {
        0..=LISTED => suggestion(name, &names),
        n => format!("there are {n}, among them {}", list(names[..LISTED].iter().copied(), "and")),
    };
    d.error(&name.span, format!("{what} names a column that source `{}` does not have", source.name))
        .label(format!("there is no column `{name}`"))
        .also(&source.name.span, "the source's columns are declared here")
        .help(help);
}
