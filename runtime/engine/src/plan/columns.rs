//! Finding the columns that a function, a key or an event time names.

use arrow_schema::{Field, SchemaRef};
use tidemill_pipeline::nearest::nearest;
use tidemill_pipeline::{Span, Spanned};
use tidemill_rows::LogicalType;

use super::functions::Called;
use super::streams::{Planner, columns_of};

/// The columns of the input that a function declares, as indices.
pub fn of_function(
    planner: &mut Planner<'_>,
    called: Called<'_>,
    declared: &[Field],
    input: &SchemaRef,
) -> Option<Vec<usize>> {
    for rename in called.rename {
        if declared
            .iter()
            .all(|field| *field.name() != rename.column.value)
        {
            let names: Vec<&str> = declared.iter().map(|field| field.name().as_str()).collect();
            planner
                .diagnostics
                .error(
                    &rename.column.span,
                    format!("the function has no column {}", rename.column),
                )
                .label(format!("its columns: {}", names.join(", ")))
                .help(match nearest(&rename.column.value, names) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "`rename` is `function's column = \"input's column\"`".to_owned(),
                });
        }
    }
    let found: Vec<Option<usize>> = declared
        .iter()
        .map(|field| of_field(planner, called, field, input))
        .collect();
    found.into_iter().collect()
}

fn of_field(
    planner: &mut Planner<'_>,
    called: Called<'_>,
    field: &Field,
    input: &SchemaRef,
) -> Option<usize> {
    let renamed = called
        .rename
        .iter()
        .find(|rename| rename.column.value == *field.name());
    let (name, span): (&str, &Span) = match renamed {
        Some(rename) => (&rename.input.value, &rename.input.span),
        None => (field.name(), &called.function.span),
    };
    let Ok(index) = input.index_of(name) else {
        let wanted = LogicalType::word(field);
        let names = input.fields().iter().map(|field| field.name().as_str());
        let help = match nearest(name, names) {
            Some(near) => {
                format!(
                    "`rename = {{ {} = \"{near}\" }}` would give it {near}",
                    field.name()
                )
            }
            None => format!("the input has: {}", columns_of(input)),
        };
        planner
            .diagnostics
            .error(
                span,
                format!("the input of {} has no column {name}", called.by),
            )
            .label(format!("the function wants {}: {wanted}", field.name()))
            .help(help);
        return None;
    };
    let there = input.field(index);
    let same_type = LogicalType::of(there.data_type()) == LogicalType::of(field.data_type());
    if !same_type || (there.is_nullable() && !field.is_nullable()) {
        let help = if same_type {
            format!(
                "the column may be null: make it `Option` in the function, or `{}` without `?` in the source",
                LogicalType::of(there.data_type())
            )
        } else {
            "declare the column with the function's type, or give the function another column with `rename`".to_owned()
        };
        planner
            .diagnostics
            .error(
                span,
                format!("column {name} is of another type than the function takes"),
            )
            .label(format!(
                "expected {}, found {}",
                LogicalType::word(field),
                LogicalType::word(there)
            ))
            .help(help);
        return None;
    }
    Some(index)
}

/// A column that the file names, as an index.
pub fn named(
    planner: &mut Planner<'_>,
    name: &Spanned<String>,
    input: &SchemaRef,
) -> Option<usize> {
    if let Ok(index) = input.index_of(&name.value) {
        return Some(index);
    }
    let names = input.fields().iter().map(|field| field.name().as_str());
    let help = match nearest(&name.value, names) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the input has: {}", columns_of(input)),
    };
    planner
        .diagnostics
        .error(&name.span, format!("the input has no column {name}"))
        .label("no such column")
        .help(help);
    None
}
