//! Operators.

use std::path::{Path, PathBuf};

use super::{Named, failure, input, window};
use crate::diagnostics::Diagnostics;
use crate::model::{Config, FunctionRef, Limits, Module, NullKey, Operator, Rename, Time};
use crate::nearest::nearest;
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::{Value, quoted};

/// Reads `[operators.<name>]`; a module that only its function names is added to `modules`.
pub(super) fn read(
    named: &Named<'_>,
    modules: &mut Vec<Module>,
    folder: &Path,
    d: &mut Diagnostics,
) -> Operator {
    let section = &named.section;
    let key = section.texts("key", d);
    twice(&key, &format!("`key` of {}", section.title), d);
    let null_key = section.word("null-key", d);
    if section.has("null-key") && !section.has("key") {
        d.error(
            &section.place("null-key"),
            format!("`null-key` of {} has no effect", section.title),
        )
        .label("expected with a `key`, and there is none")
        .help("name the key's columns, as in `key = \"account\"`, or leave `null-key` out");
    }
    let time = section.word("time", d);
    let of_windows = [
        (
            "combine",
            "leave it out: only rows of windows are ever added up",
        ),
        ("rows-limit", "leave it out: only windows hold rows"),
    ];
    for (key, help) in of_windows {
        if section.has(key) && !section.has("window") {
            d.error(
                &section.place(key),
                format!("`{key}` of {} has no effect", section.title),
            )
            .label("expected with a `window`, and there is none")
            .help(help);
        }
    }
    Operator {
        name: named.name.clone(),
        inputs: input::read(section, d),
        key,
        null_key: null_key.unwrap_or(Spanned::new(NullKey::Keep, 0..0)),
        time: time.unwrap_or(Spanned::new(Time::Event, 0..0)),
        window: window::read(section, d),
        combine: section
            .bool("combine", d)
            .is_none_or(|combine| combine.value),
        rows_limit: section.size("rows-limit", d).map_or(0, |size| size.value),
        rows_limit_span: (section.has("rows-limit") && section.has("window"))
            .then(|| section.place("rows-limit")),
        state_limit: section.size("state-limit", d).map_or(0, |size| size.value),
        state_limit_span: section
            .has("state-limit")
            .then(|| section.place("state-limit")),
        function: function(section, modules, folder, d),
        rename: rename(section, d),
        config: config(section, d),
        failure: failure::read(section, d),
    }
}

/// Reports names that stand twice in a list.
pub(super) fn twice(names: &[Spanned<String>], what: &str, d: &mut Diagnostics) {
    for (n, name) in names.iter().enumerate() {
        if let Some(first) = names[..n].iter().find(|first| first.value == name.value) {
            d.error(&name.span, format!("{what} names column `{name}` twice"))
                .label("a second time here")
                .also(&first.span, "first here")
                .help("leave one of them out");
        }
    }
}

/// Reads `function`; a module that only it names is added to `modules`.
pub(super) fn function(
    section: &Section<'_>,
    modules: &mut Vec<Module>,
    folder: &Path,
    d: &mut Diagnostics,
) -> FunctionRef {
    let nothing = FunctionRef {
        module: usize::MAX,
        name: Spanned::new(String::new(), section.span.clone()),
        span: section.span.clone(),
    };
    let Some(text) = section.text("function", d) else {
        return nothing;
    };
    let Some((module, name)) = text
        .value
        .rsplit_once('/')
        .filter(|(m, f)| !m.is_empty() && !f.is_empty())
    else {
        no_module(section, &text, modules, d);
        return nothing;
    };
    let Some(module) = find_module(module, &text, modules, folder, d) else {
        return nothing;
    };
    // Escapes may make the text longer than its value; then the name's place is the whole reference.
    let inner = text.span.end.saturating_sub(1);
    let plain = text.span.len() == text.value.len() + 2;
    let span = if plain {
        inner - name.len()..inner
    } else {
        text.span.clone()
    };
    FunctionRef {
        module,
        name: Spanned::new(name.to_owned(), span),
        span: text.span.clone(),
    }
}

fn no_module(
    section: &Section<'_>,
    text: &Spanned<String>,
    modules: &[Module],
    d: &mut Diagnostics,
) {
    let name = text.value.trim_matches('/');
    let module = modules
        .first()
        .map_or("fraud.wasm", |module| module.name.value.as_str());
    d.error(
        &text.span,
        format!(
            "`function` of {} names no module and function",
            section.title
        ),
    )
    .label(format!(
        "expected \"<module>/<function>\", found {}",
        quoted(&text.value)
    ))
    .help(format!(
        "write the module in front, as in `function = \"{module}/{name}\"`"
    ));
}

/// The index of a module: a declared one by its name, otherwise the file.
fn find_module(
    name: &str,
    text: &Spanned<String>,
    modules: &mut Vec<Module>,
    folder: &Path,
    d: &mut Diagnostics,
) -> Option<usize> {
    if let Some(at) = modules.iter().position(|module| module.name.value == name) {
        return Some(at);
    }
    if !name.ends_with(".wasm") && !name.contains('/') {
        unknown_module(name, text, modules, d);
        return None;
    }
    let file: PathBuf = folder.join(name);
    if let Some(at) = modules.iter().position(|module| module.file.value == file) {
        return Some(at);
    }
    modules.push(Module {
        name: Spanned::new(name.to_owned(), text.span.clone()),
        file: Spanned::new(file, text.span.clone()),
        source: None,
        declared: false,
        limits: Limits::default(),
    });
    Some(modules.len() - 1)
}

fn unknown_module(name: &str, text: &Spanned<String>, modules: &[Module], d: &mut Diagnostics) {
    let declared: Vec<&str> = modules
        .iter()
        .filter(|m| m.declared)
        .map(|m| m.name.value.as_str())
        .collect();
    let function = text.value.rsplit('/').next().unwrap_or_default();
    let problem = d.error(&text.span, format!("there is no module `{name}`"));
    match nearest(name, declared.iter().copied()) {
        Some(near) => problem.label("expected a declared module or a .wasm file").help(format!(
            "did you mean `{near}/{function}`? declared: {}",
            crate::nearest::list(declared.iter().copied(), "and")
        )),
        None => problem.label("expected a declared module or a .wasm file").help(format!(
            "declare it, `[modules.{name}]` with `file = \"{name}.wasm\"`, or write \"{name}.wasm/{function}\""
        )),
    };
}

/// Reads `rename`.
pub(super) fn rename(section: &Section<'_>, d: &mut Diagnostics) -> Vec<Rename> {
    let Some(entry) = section.entry("rename") else {
        return Vec::new();
    };
    let Value::Table(entries) = &entry.node.value else {
        return section.refuse("rename", &entry.node, d).unwrap_or_default();
    };
    let mut renames = Vec::new();
    for entry in entries {
        match &entry.node.value {
            Value::Text(input) if !input.is_empty() => renames.push(Rename {
                column: entry.key.clone(),
                input: Spanned::new(input.clone(), entry.node.span.clone()),
            }),
            _ => {
                d.error(
                    &entry.node.span,
                    format!("`rename` of {} holds no name", section.title),
                )
                .label(format!(
                    "expected a column of the input, found {}",
                    entry.node.found()
                ))
                .help(format!(
                    "as in `rename = {{ {} = \"total_amount\" }}`",
                    entry.key
                ));
            }
        }
    }
    renames
}

/// Reads `config`.
pub(super) fn config(section: &Section<'_>, d: &mut Diagnostics) -> Option<Config> {
    let entry = section.entry("config")?;
    match &entry.node.value {
        Value::Table(fields) => Some(Config {
            fields: fields.clone(),
            span: entry.node.span.clone(),
        }),
        _ => section.refuse("config", &entry.node, d),
    }
}
