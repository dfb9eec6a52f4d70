//! Finding an operator's function in its module, and fitting its configuration.

use serde_json::{Map, Value};
use tidemill_core::window::WindowSpec;
use tidemill_pipeline::nearest::nearest;
use tidemill_pipeline::{Config, FunctionRef, Operator, Rename};
use tidemill_wasm::{Function, Kind, Limits, Module};

use super::streams::Planner;

/// A function that was found.
#[derive(Clone)]
pub struct FoundFunction {
    /// Its module.
    pub module: Module,
    /// Its index there.
    pub index: usize,
    /// The limits of its calls.
    pub limits: Limits,
}

impl FoundFunction {
    /// What the module says of it.
    pub fn described(&self) -> &Function {
        &self.module.description().functions[self.index]
    }
}

/// A function as an operator or a source names it.
#[derive(Clone, Copy)]
pub struct Called<'a> {
    /// The operator or source.
    pub by: &'a str,
    /// Which function.
    pub function: &'a FunctionRef,
    /// Columns that it knows by other names.
    pub rename: &'a [Rename],
    /// What it is configured with.
    pub config: Option<&'a Config>,
}

impl<'a> From<&'a Operator> for Called<'a> {
    fn from(operator: &'a Operator) -> Self {
        Self {
            by: &operator.name.value,
            function: &operator.function,
            rename: &operator.rename,
            config: operator.config.as_ref(),
        }
    }
}

/// Finds a function; says what there is where it does not exist.
pub fn find(planner: &mut Planner<'_>, called: Called<'_>) -> Option<FoundFunction> {
    // Where the file's `function` could not be read, which was said, it stands for no module.
    let loaded = planner.modules.get(called.function.module)?;
    let module = loaded.module.clone()?;
    let name = called.function.name.value.as_str();
    if let Some((index, _)) = module.description().function(name) {
        return Some(FoundFunction {
            module,
            index,
            limits: loaded.limits.clone(),
        });
    }
    let functions = &module.description().functions;
    let names: Vec<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => "the name of a function is its Rust type's in kebab-case".to_owned(),
    };
    planner
        .diagnostics
        .error(
            &called.function.name.span,
            format!("the module has no function {name}"),
        )
        .label(format!(
            "{} has: {}",
            module.file().display(),
            names.join(", ")
        ))
        .help(help);
    None
}

/// Whether the kind of the function fits the operator: an aggregate needs a window, a transform has none, and a watermark is
/// a source's. Process functions alone keep state.
pub fn fits(planner: &mut Planner<'_>, operator: &Operator, function: &Function) -> bool {
    let stateless = |_: &&std::ops::Range<usize>| function.kind != Kind::Process;
    if let Some(span) = operator.state_limit_span.as_ref().filter(stateless) {
        let name = &operator.name;
        planner
            .diagnostics
            .error(
                span,
                format!("`state-limit` of operator `{name}` has no effect"),
            )
            .label(format!("{} is {}", function.name, function.kind.in_words()))
            .help("leave it out: only process functions keep state");
        return false;
    }
    let span = &operator.function.span;
    match (function.kind, &operator.window) {
        (Kind::Watermark, _) => {
            planner
                .diagnostics
                .error(
                    span,
                    format!("{} is of kind watermark and serves sources", function.name),
                )
                .label("no function of an operator")
                .help("name a function of kind transform, aggregate or window");
            false
        }
        (kind @ (Kind::Aggregate | Kind::Window), None) => {
            planner
                .diagnostics
                .error(
                    span,
                    format!(
                        "{} is {} and needs a window",
                        function.name,
                        kind.in_words()
                    ),
                )
                .label("no `window` beside it")
                .help("add for instance `window = { tumble = \"1h\" }`");
            false
        }
        (kind @ (Kind::Transform | Kind::Process), Some(window)) => {
            planner
                .diagnostics
                .error(
                    &window.span,
                    format!("{} is {} and has no window", function.name, kind.in_words()),
                )
                .label("expected no `window`")
                .help("remove `window`, or name a function of kind aggregate or window");
            false
        }
        (Kind::Transform, None) if !operator.key.is_empty() => {
            planner
                .diagnostics
                .error(
                    &operator.key[0].span,
                    format!("{} is a transform and has no key", function.name),
                )
                .label("expected no `key`")
                .help(
                    "rows of a transform share nothing, so a key would change nothing: remove it",
                );
            false
        }
        _ => true,
    }
}

/// Whether `rows-limit` has something to limit.
pub fn fits_rows_limit(
    planner: &mut Planner<'_>,
    operator: &Operator,
    window: &WindowSpec,
) -> bool {
    let Some(span) = operator
        .rows_limit_span
        .as_ref()
        .filter(|_| window.stored.is_none())
    else {
        return true;
    };
    planner
        .diagnostics
        .error(
            span,
            format!("`rows-limit` of operator `{}` has no effect", operator.name),
        )
        .label("its windows hold no rows: an aggregate takes them one by one")
        .help("leave it out; rows are held for functions of kind window, and with `keep`");
    false
}

/// The configuration as the function's `configure` wants it.
pub fn config(
    planner: &mut Planner<'_>,
    called: Called<'_>,
    function: &Function,
) -> Option<String> {
    let fields = |json: Option<Value>| match json {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let given = fields(called.config.map(|config| config.to_json()));
    match function.config_json(&given) {
        Ok(json) => Some(json),
        Err(message) => {
            // What a secret holds is in no message: texts are told as the file has them.
            let shown = fields(called.config.map(|config| config.to_shown_json()));
            let message = function.config_json(&shown).err().unwrap_or(message);
            let span = called.config.map_or(&called.function.span, |c| &c.span);
            planner
                .diagnostics
                .error(
                    span,
                    format!("the config of {} does not fit its function", called.by),
                )
                .label(message)
                .help(match misspelt(&given, function) {
                    Some(near) => format!("did you mean {near}? {}", wanted(function)),
                    None => wanted(function),
                });
            None
        }
    }
}

/// The field that one of the given fields, which the function does not have, probably means.
fn misspelt<'a>(given: &Map<String, Value>, function: &'a Function) -> Option<&'a str> {
    let names = || function.config.iter().map(|field| field.name.as_str());
    let mut unknown = given.keys().filter(|key| names().all(|name| name != *key));
    unknown.find_map(|key| nearest(key, names()))
}

fn wanted(function: &Function) -> String {
    if function.config.is_empty() {
        return format!("{} has no configuration: remove `config`", function.name);
    }
    let fields: Vec<String> = function
        .config
        .iter()
        .map(|field| match &field.default {
            Some(default) => format!("{}: {} = {default}", field.name, field.word()),
            None => format!("{}: {}", field.name, field.word()),
        })
        .collect();
    format!("{} takes {{ {} }}", function.name, fields.join(", "))
}
