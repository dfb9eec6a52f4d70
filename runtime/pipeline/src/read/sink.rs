//! Sinks.

use std::path::{Path, PathBuf};

use super::{Named, input, kafka, place_of, several, values};
use crate::diagnostics::Diagnostics;
use crate::keys::{FILE, FOLDER, Shape};
use crate::model::{Folder, Sink, SinkConnector, SinkFormat};
use crate::nearest::list;
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::{Entry, Value, quoted};

const CONNECTORS: [&str; 5] = ["stdout", "file", "folder", "kafka", "blackhole"];

/// Reads `[sinks.<name>]`. What is wrong in it does not keep its input from being looked at: in its place stands what asks for
/// nothing.
pub(super) fn read(named: &Named<'_>, folder: &Path, d: &mut Diagnostics) -> Option<Sink> {
    let section = &named.section;
    let inputs = input::read(section, d);
    let format = section.word("format", d);
    let connector = connector(section, folder, d);
    if let (Some(format), Some(connector)) = (&format, &connector) {
        check_format(section, format, connector, d);
    }
    let of = (format.as_ref(), connector.as_ref().map(|c| &c.value));
    let schema = values::of_sink(section, of, folder, d);
    let nowhere = || Spanned::new(SinkConnector::Blackhole, section.span.clone());
    let plain = || Spanned::new(SinkFormat::Json, section.span.clone());
    Some(Sink {
        name: named.name.clone(),
        inputs,
        connector: connector.unwrap_or_else(nowhere),
        format: format.unwrap_or_else(plain),
        schema,
    })
}

fn connector(
    section: &Section<'_>,
    folder: &Path,
    d: &mut Diagnostics,
) -> Option<Spanned<SinkConnector>> {
    let chosen = section.chosen(&CONNECTORS);
    let span = place_of(&chosen, &section.span);
    let name = match chosen.as_slice() {
        [one] => one.key.value.as_str(),
        [] if section.has_any(&CONNECTORS) => return None,
        [] => {
            d.error(
                &section.span,
                format!("{} does not say where its rows go", section.title),
            )
            .label(format!("expected one of {}", list(CONNECTORS, "or")))
            .help("add one, for example `stdout = {}` or `file = \"out.jsonl\"`");
            return None;
        }
        _ => {
            several(section, "connector", &chosen, d);
            return None;
        }
    };
    section.empty("stdout", d);
    section.empty("blackhole", d);
    let connector = match name {
        "stdout" => SinkConnector::Stdout,
        "file" => SinkConnector::File(file(section, folder, d)?),
        "folder" => SinkConnector::Folder(parts(section, folder, d)?),
        "kafka" => SinkConnector::Kafka(Box::new(kafka::sink(section, d)?)),
        _ => SinkConnector::Blackhole,
    };
    Some(Spanned::new(connector, span))
}

/// The table of a connector's settings; a text alone is its `path`.
fn settings<'a>(
    section: &Section<'a>,
    name: &str,
    shape: &'static Shape,
    short: &'a mut Vec<Entry>,
    d: &mut Diagnostics,
) -> Option<Section<'a>> {
    let entry = section.entry(name)?;
    if matches!(entry.node.value, Value::Table(_)) {
        return section.table(name, shape, d);
    }
    section.text(name, d)?;
    let span = entry.node.span.clone();
    short.push(Entry {
        key: Spanned::new("path".to_owned(), span.clone()),
        node: entry.node.clone(),
    });
    Some(Section::open(
        shape,
        format!("`{name}` of {}", section.title),
        (short, span),
        d,
    ))
}

fn file(section: &Section<'_>, folder: &Path, d: &mut Diagnostics) -> Option<PathBuf> {
    let mut short = Vec::new();
    let path = settings(section, "file", &FILE, &mut short, d)?.text("path", d)?;
    Some(folder.join(path.value))
}

fn parts(section: &Section<'_>, folder: &Path, d: &mut Diagnostics) -> Option<Folder> {
    let mut short = Vec::new();
    let settings = settings(section, "folder", &FOLDER, &mut short, d)?;
    let path = settings.text("path", d);
    let part_rows = settings.whole("part-rows", d);
    let part_age = settings.duration_or_none("part-age", d);
    let part_size = settings.size("part-size", d)?;
    let part_rows = part_rows?.map(i64::unsigned_abs);
    Some(Folder {
        path: folder.join(path?.value),
        part_rows,
        part_size,
        part_age: part_age?,
    })
}

fn check_format(
    section: &Section<'_>,
    format: &Spanned<SinkFormat>,
    connector: &SinkConnector,
    d: &mut Diagnostics,
) {
    let (title, written) = (&section.title, section.has("format"));
    match connector {
        SinkConnector::Blackhole if written => {
            d.error(&format.span, format!("`format` of {title} has no effect"))
                .label("`blackhole` writes nothing")
                .help("leave `format` out");
        }
        SinkConnector::File(path) | SinkConnector::Folder(Folder { path, .. })
            if format.value == SinkFormat::Table =>
        {
            d.error(
                &format.span,
                format!("{title} cannot write a table to `{}`", path.display()),
            )
            .label("expected \"json\", \"csv\" or \"parquet\": a table is for people, on standard output")
            .help("write `stdout = {}`, or another format");
        }
        SinkConnector::Kafka(_)
            if matches!(format.value, SinkFormat::Parquet | SinkFormat::Table) =>
        {
            d.error(
                &format.span,
                format!(
                    "{title} cannot write {} to Kafka",
                    quoted(format.value.word())
                ),
            )
            .label("expected \"json\", \"csv\", \"avro\" or \"protobuf\": a record is one row")
            .help("leave `format` out, or write another one");
        }
        SinkConnector::Stdout | SinkConnector::File(_) | SinkConnector::Folder(_)
            if matches!(format.value, SinkFormat::Avro | SinkFormat::Protobuf) =>
        {
            let word = quoted(format.value.word());
            d.error(&format.span, format!("{title} cannot write {word}"))
                .label("expected another format: only records of Kafka hold one value each")
                .help("write to `kafka`, or leave `format` out");
        }
        SinkConnector::Stdout if format.value == SinkFormat::Parquet => {
            d.error(
                &format.span,
                format!("{title} cannot write Parquet to standard output"),
            )
            .label("expected \"json\", \"csv\" or \"table\": Parquet is read only once it is whole")
            .help("write to a `file` or a `folder`");
        }
        SinkConnector::File(path) if !written => {
            let named = ["csv", "parquet"];
            let meant = named
                .into_iter()
                .find(|ending| path.extension().is_some_and(|e| e == *ending));
            if let Some(meant) = meant {
                d.warn(
                    &section.place("file"),
                    format!("{title} writes JSON lines into a file named .{meant}"),
                )
                .label("no `format` is given, and the default is \"json\"")
                .help(format!(
                    "write `format = \"{meant}\"`, or `format = \"json\"` if that is meant"
                ));
            }
        }
        _ => {}
    }
}
