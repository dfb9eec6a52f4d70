//! Columns that are named where it is known which there are: at sources, and at operators that take from sources only.

use tidemill_rows::LogicalType;

use crate::diagnostics::Diagnostics;
use crate::model::{Column, Connector, EventTime, Operator, Source};
use crate::nearest::{list, suggestion};
use crate::place::Spanned;
use crate::read::Draft;

pub(super) fn check(draft: &Draft, d: &mut Diagnostics) {
    let sources: Vec<Known<'_>> = draft
        .pipeline
        .sources
        .iter()
        .zip(&draft.columns)
        .filter_map(|(source, names)| {
            Some(Known {
                source,
                names: names.as_ref()?,
            })
        })
        .collect();
    for source in &sources {
        event_time(source, d);
        partitioned_by(source, d);
    }
    for operator in &draft.pipeline.operators {
        of_operator(operator, &sources, d);
    }
}

/// A source of which the names of the columns are known.
struct Known<'a> {
    source: &'a Source,
    names: &'a [String],
}

impl Known<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

fn event_time(known: &Known<'_>, d: &mut Diagnostics) {
    let source = known.source;
    let EventTime::Columns(names) = &source.event_time else {
        return;
    };
    for name in names {
        if !known.has(name) {
            missing(
                name,
                &format!("`event-time` of source `{}`", source.name),
                known,
                d,
            );
        }
        let column = source
            .columns
            .iter()
            .find(|column| column.name.value == name.value);
        if let Some(column) = column.filter(|column| column.ty != LogicalType::Time) {
            d.error(
                &name.span,
                format!("`event-time` of source `{}` is not a time", source.name),
            )
            .label(format!(
                "expected a column of type time, found \"{}\"",
                column.ty
            ))
            .also(&column.type_span, "its type")
            .help(time_help(column));
        }
    }
}

fn partitioned_by(known: &Known<'_>, d: &mut Diagnostics) {
    let source = known.source;
    if let Connector::Kafka(kafka) = &source.connector.value {
        let what = format!("`partitioned-by` of source `{}`", source.name);
        let unknown = kafka.partitioned_by.iter().filter(|name| !known.has(name));
        unknown.for_each(|name| missing(name, &what, known, d));
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
fn of_operator(operator: &Operator, sources: &[Known<'_>], d: &mut Diagnostics) {
    for input in operator.inputs.iter().filter(|input| input.side.is_none()) {
        let known = sources
            .iter()
            .find(|known| known.source.name.value == input.name);
        let Some(known) = known else { continue };
        let key = format!("`key` of operator `{}`", operator.name);
        for name in operator.key.iter().filter(|name| !known.has(name)) {
            missing(name, &key, known, d);
        }
        let rename = format!("`rename` of operator `{}`", operator.name);
        let renamed = operator.rename.iter().map(|rename| &rename.input);
        for name in renamed.filter(|name| !known.has(name)) {
            missing(name, &rename, known, d);
        }
    }
}

/// More columns than this are not listed.
const LISTED: usize = 12;

fn missing(name: &Spanned<String>, what: &str, known: &Known<'_>, d: &mut Diagnostics) {
    let names: Vec<&str> = known.names.iter().map(String::as_str).collect();
    let help = match names.len() {
        0..=LISTED => suggestion(name, &names),
        n => format!(
            "there are {n}, among them {}",
            list(names[..LISTED].iter().copied(), "and")
        ),
    };
    let source = &known.source.name;
    d.error(
        &name.span,
        format!("{what} names a column that source `{source}` does not have"),
    )
    .label(format!("there is no column `{name}`"))
    .also(&source.span, "the source's columns are declared here")
    .help(help);
}
