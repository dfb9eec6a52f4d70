//! Columns that hold another part of a record of Kafka than a field of its value.

use tidemill_rows::LogicalType;

use super::column::Origin;
use crate::diagnostics::Diagnostics;
use crate::model::RecordPart;
use crate::nearest::list;
use crate::place::{Span, Spanned};
use crate::section::Section;

/// What of a record a column holds only means something where there are records, and decides which types it may have.
pub(super) fn check(
    table: &Section<'_>,
    from: &Spanned<RecordPart>,
    (ty, type_span): (LogicalType, &Span),
    origin: Origin,
    d: &mut Diagnostics,
) -> Option<()> {
    let (title, part) = (&table.title, from.value);
    if part == RecordPart::Field {
        return Some(());
    }
    if !origin.is_record() && origin != Origin::Unknown {
        d.error(&from.span, format!("`from` of {title} has no effect"))
            .label("only a record of Kafka has more than its fields")
            .help("leave it out");
        return None;
    }
    let types: &[LogicalType] = match part {
        RecordPart::Field => return Some(()),
        RecordPart::Value | RecordPart::Key | RecordPart::Header => {
            &[LogicalType::Text, LogicalType::Bytes]
        }
        RecordPart::Topic => &[LogicalType::Text],
        RecordPart::Partition | RecordPart::Offset => &[LogicalType::Integer],
        RecordPart::Timestamp | RecordPart::CreateTime | RecordPart::AppendTime => {
            &[LogicalType::Time]
        }
    };
    if types.contains(&ty) {
        return Some(());
    }
    let names: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
    d.error(type_span, format!("{title} is of the wrong type"))
        .label(format!(
            "expected {}, as the {} of a record is, found \"{ty}\"",
            list(names, "or"),
            part.word()
        ))
        .also(&from.span, "it holds that")
        .help("a number that is written in a text is a field of the value, or a function's work");
    None
}
