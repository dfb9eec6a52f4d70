//! Connectors of sources.

use super::{kafka, place_of, several};
use crate::diagnostics::Diagnostics;
use crate::keys::{DATAGEN, FILES, NEXMARK};
use crate::model::{Connector, Datagen, Files, Nexmark};
use crate::nearest::list;
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::Value;

const CONNECTORS: [&str; 5] = ["files", "stdin", "kafka", "nexmark", "datagen"];

/// Reads the one key that says where rows come from.
pub(super) fn read(section: &Section<'_>, d: &mut Diagnostics) -> Option<Spanned<Connector>> {
    let chosen = section.chosen(&CONNECTORS);
    let span = place_of(&chosen, &section.span);
    let name = match chosen.as_slice() {
        [one] => one.key.value.as_str(),
        [] if section.has_any(&CONNECTORS) => return None,
        [] => {
            d.error(
                &section.span,
                format!("{} does not say where its rows come from", section.title),
            )
            .label(format!("expected one of {}", list(CONNECTORS, "or")))
            .help("add one, for example `files = \"input/*.jsonl\"` or `stdin = {}`");
            return None;
        }
        _ => {
            several(section, "connector", &chosen, d);
            return None;
        }
    };
    let connector = match name {
        "files" => Connector::Files(files(section, d)?),
        "stdin" => {
            section.empty("stdin", d);
            Connector::Stdin
        }
        "kafka" => Connector::Kafka(Box::new(kafka::source(section, d)?)),
        "nexmark" => Connector::Nexmark(nexmark(&section.table("nexmark", &NEXMARK, d)?, d)?),
        _ => Connector::Datagen(datagen(&section.table("datagen", &DATAGEN, d)?, d)?),
    };
    Some(Spanned::new(connector, span))
}

fn files(section: &Section<'_>, d: &mut Diagnostics) -> Option<Files> {
    let span = section.span.clone();
    let entry = section.entry("files")?;
    if !matches!(entry.node.value, Value::Table(_)) {
        let patterns = section.texts("files", d);
        let follow = Spanned::new(false, span);
        return (!patterns.is_empty()).then_some(Files { patterns, follow });
    }
    let table = section.table("files", &FILES, d)?;
    let patterns = table.texts("path", d);
    let follow = table.bool("follow", d)?;
    for pattern in patterns.iter().filter(|_| follow.value) {
        check_follow(&table, &follow, pattern, d);
    }
    (!patterns.is_empty()).then_some(Files { patterns, follow })
}

fn check_follow(
    table: &Section<'_>,
    follow: &Spanned<bool>,
    pattern: &Spanned<String>,
    d: &mut Diagnostics,
) {
    if [".gz", ".zst"]
        .iter()
        .any(|ending| pattern.value.ends_with(ending))
    {
        d.error(&pattern.span, format!("{} cannot be followed", table.title))
            .label("a compressed file does not grow line by line")
            .also(&follow.span, "following is asked for here")
            .help("leave `follow` out, or follow the plain file");
    }
}

fn nexmark(table: &Section<'_>, d: &mut Diagnostics) -> Option<Nexmark> {
    let events = table.whole("events", d).map(|n| n.map(i64::unsigned_abs));
    let rate = table.rate("rate", d);
    let event_rate = table.whole("event-rate", d);
    let seed = table.whole("seed", d);
    let splits = table.whole("splits", d);
    let only = table.word("only", d);
    let start = super::generator::moment(table, "start", d);
    let shuffle = table.whole("shuffle", d);
    Some(Nexmark {
        events,
        rate,
        event_rate: event_rate?.map(i64::unsigned_abs),
        seed: seed?.map(i64::unsigned_abs),
        splits: splits?.map(|n| n as u32),
        only,
        start: start?,
        shuffle: shuffle?.map(i64::unsigned_abs),
    })
}

fn datagen(table: &Section<'_>, d: &mut Diagnostics) -> Option<Datagen> {
    let rows = table.whole("rows", d).map(|n| n.map(i64::unsigned_abs));
    let rate = table.rate("rate", d);
    let seed = table.whole("seed", d);
    let splits = table.whole("splits", d);
    Some(Datagen {
        rows,
        rate,
        seed: seed?.map(i64::unsigned_abs),
        splits: splits?.map(|n| n as u32),
    })
}
