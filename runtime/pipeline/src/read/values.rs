//! Where the schema of values is from: `schema` or `registry`.

use std::path::Path;

use crate::diagnostics::Diagnostics;
use crate::keys::{REGISTRY, SINK_REGISTRY};
use crate::model::{
    Connector, Format, KafkaTopic, Registration, Registry, SinkConnector, SinkFormat, ValueSchema,
    WrittenSchema,
};
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::quoted;

/// The keys that say where it is from.
const KEYS: [&str; 2] = ["schema", "registry"];

/// These, and the one that says what of it values are.
const ALL: [&str; 3] = ["schema", "message", "registry"];

/// Reads it of a source with this format, if there is any.
pub(super) fn of_source(
    section: &Section<'_>,
    (format, connector): (Option<&Spanned<Format>>, Option<&Spanned<Connector>>),
    folder: &Path,
    d: &mut Diagnostics,
) -> Option<ValueSchema> {
    let (format, connector) = (format?, connector?);
    let needs = matches!(format.value, Format::Avro | Format::Protobuf);
    if needs && !matches!(connector.value, Connector::Kafka(_)) {
        let word = quoted(format.value.word());
        d.error(
            &format.span,
            format!("{} cannot read {word}", section.title),
        )
        .label("expected \"json\" or \"csv\": only records of Kafka hold one value each")
        .help("read from `kafka`, or write another format");
        return None;
    }
    if !needs {
        let chosen = section.chosen(&ALL);
        if let Some(entry) = chosen.first() {
            no_effect(section, &entry.key, "JSON and CSV have no schema", d);
        }
        return None;
    }
    let from = from(section, folder, d)?;
    let message = message(section, format.value == Format::Protobuf, d);
    match from {
        ValueSchema::File { path, .. } if format.value == Format::Protobuf => {
            Some(ValueSchema::File {
                path,
                message: Some(message.or_else(|| no_message(section, d))?),
            })
        }
        ValueSchema::Registry(_) if section.has("message") => {
            let key = &section.entry("message")?.key;
            no_effect(
                section,
                key,
                "each value says which message of its schema it is",
                d,
            );
            None
        }
        from => Some(from),
    }
}

/// Which message values are, where that means something.
fn message(section: &Section<'_>, is_protobuf: bool, d: &mut Diagnostics) -> Option<String> {
    let entry = section.entry("message")?;
    if !is_protobuf {
        no_effect(section, &entry.key, "only Protobuf has messages", d);
        return None;
    }
    section.text("message", d).map(|text| text.value)
}

/// That it is not said which message values are.
fn no_message(section: &Section<'_>, d: &mut Diagnostics) -> Option<String> {
    if !section.has_any(&["message"]) {
        d.error(
            &section.place("format"),
            format!(
                "{} does not say which message its values are",
                section.title
            ),
        )
        .label("expected `message` beside it")
        .help("for example `message = \"shop.Payment\"`: the name with its package");
    }
    None
}

fn from(section: &Section<'_>, folder: &Path, d: &mut Diagnostics) -> Option<ValueSchema> {
    let (schema, registry) = (section.entry("schema"), section.entry("registry"));
    match (schema, registry) {
        (Some(schema), Some(registry)) => {
            let title = format!("{} has both `schema` and `registry`", section.title);
            d.error(&registry.key.span, title)
                .label("one here")
                .also(&schema.key.span, "and the other here")
                .help("leave one of them out");
            None
        }
        (Some(_), None) => {
            let path = folder.join(section.text("schema", d)?.value);
            Some(ValueSchema::File {
                path,
                message: None,
            })
        }
        (None, Some(_)) => {
            let table = section.table("registry", &REGISTRY, d)?;
            registry_of(&table, d).map(ValueSchema::Registry)
        }
        (None, None) => {
            none(section, d);
            None
        }
    }
}

/// That there is no schema, where one must be.
fn none(section: &Section<'_>, d: &mut Diagnostics) {
    if section.has_any(&KEYS) {
        return;
    }
    d.error(
        &section.place("format"),
        format!("{} has no schema", section.title),
    )
    .label("expected `schema` or `registry` beside it")
    .help("for example `schema = \"payment.avsc\"`, or `registry = { url = \"http://localhost:8081\" }`");
}

/// Reads with which schema a sink of this format writes, if with any.
pub(super) fn of_sink(
    section: &Section<'_>,
    (format, connector): (Option<&Spanned<SinkFormat>>, Option<&SinkConnector>),
    folder: &Path,
    d: &mut Diagnostics,
) -> Option<WrittenSchema> {
    let (format, connector) = (format?, connector?);
    let is_protobuf = format.value == SinkFormat::Protobuf;
    if format.value != SinkFormat::Avro && !is_protobuf {
        if let Some(entry) = section.chosen(&ALL).first() {
            no_effect(
                section,
                &entry.key,
                "only Avro and Protobuf have a schema",
                d,
            );
        }
        return None;
    }
    let SinkConnector::Kafka(kafka) = connector else {
        return None;
    };
    let path = match section.has("schema") {
        true => Some(folder.join(section.text("schema", d)?.value)),
        false => None,
    };
    let registration = match section.has("registry") {
        true => Some(registration(section, &kafka.topic, d)?),
        false => None,
    };
    if path.is_none() && registration.is_none() {
        none(section, d);
        return None;
    }
    let message = message(section, is_protobuf, d);
    if is_protobuf && message.is_none() {
        no_message(section, d)?;
    }
    if is_protobuf && path.is_none() && registration.as_ref().is_some_and(|of| of.register) {
        d.error(
            &section.place("registry"),
            format!("{} has nothing to register", section.title),
        )
        .label("expected `schema` beside it: no message follows from columns")
        .help("name the file with `schema`, or write `register = false` for the newest schema of the subject");
        return None;
    }
    Some(WrittenSchema {
        path,
        message,
        registration,
    })
}

fn registration(
    section: &Section<'_>,
    topic: &KafkaTopic,
    d: &mut Diagnostics,
) -> Option<Registration> {
    let table = section.table("registry", &SINK_REGISTRY, d)?;
    let registry = registry_of(&table, d);
    let register = table.bool("register", d)?.value;
    let subject = match table.has("subject") {
        true => Some(table.text("subject", d)?.value),
        false => None,
    };
    if let (KafkaTopic::Column(column), None) = (topic, &subject) {
        d.error(&table.span, format!("{} names no subject", table.title))
            .label("expected `subject`")
            .also(
                &column.span,
                "rows go to topics that this column names, and have one schema",
            )
            .help("for example `subject = \"alerts-value\"`");
        return None;
    }
    Some(Registration {
        registry: registry?,
        register,
        subject,
    })
}

fn registry_of(table: &Section<'_>, d: &mut Diagnostics) -> Option<Registry> {
    let optional = |name, d: &mut Diagnostics| match table.has(name) {
        true => table.text(name, d).map(|text| Some(text.value)),
        false => Some(None),
    };
    let (user, password) = (optional("user", d), optional("password", d));
    let url = table.text("url", d)?;
    if !url.value.starts_with("http://") && !url.value.starts_with("https://") {
        d.error(&url.span, format!("`url` of {} is no address", table.title))
            .label(format!(
                "expected http://host:port, found {}",
                quoted(&url.value)
            ))
            .help("for example `url = \"http://localhost:8081\"`");
        return None;
    }
    Some(Registry {
        url,
        user: user?,
        password: password?,
    })
}

fn no_effect(section: &Section<'_>, key: &Spanned<String>, why: &str, d: &mut Diagnostics) {
    d.error(
        &key.span,
        format!("`{key}` of {} has no effect", section.title),
    )
    .label(why)
    .help(format!("leave `{key}` out"));
}
