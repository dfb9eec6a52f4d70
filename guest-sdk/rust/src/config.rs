//! Configuration of functions: what `#[derive(Config)]` implements.

mod float;
pub(crate) mod json;

use json::{Json, Object};

/// A field of a configuration, as it is described.
pub struct ConfigField {
    /// Its name in the pipeline file.
    pub name: &'static str,
    /// Its type, with `?` behind where it may be left out.
    pub logical: &'static str,
    /// Its default, as JSON.
    pub default: Option<&'static str>,
}

/// A function's own struct: its fields are `config = { … }` of the operator in the pipeline file.
/// Derived, never written by hand; a function without configuration has a struct without fields.
///
/// ```
/// use tidemill::prelude::*;
///
/// /// Alerts above `limit`.
/// #[derive(Config)]
/// struct Velocity {
///     limit: f64,
///     #[config(default = 3)]
///     payments: i64,
///     currencies: Vec<String>,
///     note: Option<String>,
/// }
/// ```
///
/// Fields are `bool`, `i64`, `f64`, `String`, `Vec` of those, and `Option` of each for what may be
/// left out. `#[config(default = …)]` is a literal. The struct's documentation is shown by
/// `tidemill inspect`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its configuration is",
    label = "no configuration",
    note = "put #[derive(Config)] on the struct, also if it has no fields"
)]
pub trait Config: Sized {
    /// The fields, in order.
    const FIELDS: &'static [ConfigField];
    /// What the struct's documentation says, as one paragraph.
    const DOC: &'static str;

    /// Takes the fields out of a JSON object.
    ///
    /// # Errors
    /// A field is missing or has another type, with its name.
    fn from_object(object: &mut Object<'_>) -> Result<Self, String>;
}

/// A type that a field of a configuration can have.
#[diagnostic::on_unimplemented(
    message = "a configuration cannot hold `{Self}`",
    label = "not the type of a configuration's field",
    note = "fields are bool, i64, f64, String, Vec of those, and Option of each"
)]
pub trait ConfigValue: Sized {
    /// The type as `describe` names it.
    const TYPE: &'static str;

    /// Takes the value, unless it has another type.
    fn from_json(json: Json) -> Option<Self>;
}

/// A [`ConfigValue`] that a list can hold.
#[diagnostic::on_unimplemented(
    message = "a configuration cannot hold a list of `{Self}`",
    label = "not the type of a list's items",
    note = "lists are Vec of bool, i64, f64 or String"
)]
pub trait Item: ConfigValue {
    /// The type of a list of them.
    const LIST: &'static str;
    /// The type of a list of them that may be left out.
    const OPTIONAL_LIST: &'static str;
}

/// A [`ConfigValue`] that is not an `Option`.
#[diagnostic::on_unimplemented(
    message = "a configuration cannot hold `Option<{Self}>`",
    label = "not the type of a configuration's field",
    note = "fields are bool, i64, f64, String, Vec of those, and Option of each"
)]
pub trait Required: ConfigValue {
    /// The type where it may be left out.
    const OPTIONAL: &'static str;
}

macro_rules! config_value {
    ($value:ty, $name:literal, $json:pat => $take:expr) => {
        impl ConfigValue for $value {
            const TYPE: &'static str = $name;

            fn from_json(json: Json) -> Option<Self> {
                match json {
                    $json => $take,
                    _ => None,
                }
            }
        }

        impl Required for $value {
            const OPTIONAL: &'static str = concat!($name, "?");
        }

        impl Item for $value {
            const LIST: &'static str = concat!("[", $name, "]");
            const OPTIONAL_LIST: &'static str = concat!("[", $name, "]?");
        }
    };
}

config_value!(bool, "bool", Json::Bool(value) => Some(value));
config_value!(i64, "integer", Json::Number(digits) => digits.parse().ok());
config_value!(f64, "float", Json::Number(digits) => float::parse(digits.as_bytes()));
config_value!(String, "text", Json::Text(text) => Some(text));

impl<T: Item> ConfigValue for Vec<T> {
    const TYPE: &'static str = T::LIST;

    fn from_json(json: Json) -> Option<Self> {
        match json {
            Json::List(items) => items.into_iter().map(T::from_json).collect(),
            _ => None,
        }
    }
}

impl<T: Item> Required for Vec<T> {
    const OPTIONAL: &'static str = T::OPTIONAL_LIST;
}

impl<T: Required> ConfigValue for Option<T> {
    const TYPE: &'static str = T::OPTIONAL;

    fn from_json(json: Json) -> Option<Self> {
        match json {
            Json::Null => Some(None),
            json => T::from_json(json).map(Some),
        }
    }
}

/// Makes a configuration from a JSON object.
///
/// # Errors
/// It is no JSON object, or a field is missing, unknown or of another type, with its name.
pub fn parse<C: Config>(config: &str) -> Result<C, String> {
    let mut object = json::object(config)?;
    let parsed = C::from_object(&mut object)?;
    match object.first_name() {
        Some(name) => Err(crate::describe::joined(&["unknown field: ", name])),
        None => Ok(parsed),
    }
}

/// Takes field number `index` of `C` out of an object.
///
/// # Errors
/// It is missing or has another type.
pub fn take<C: Config, T: ConfigValue>(object: &mut Object<'_>, index: usize) -> Result<T, String> {
    let field = &C::FIELDS[index];
    let json = match (object.take(field.name), field.default) {
        (Some(json), _) => json,
        (None, Some(default)) => json::value(default)?,
        (None, None) => Json::Null,
    };
    T::from_json(json).ok_or_else(|| {
        let (name, logical) = (field.name, T::TYPE);
        crate::describe::joined(&[
            "field ",
            name,
            " is missing or has another type than ",
            logical,
        ])
    })
}

/// Appends what `describe` says of the configuration of `C`, as a JSON list.
pub fn describe_fields<C: Config>(json: &mut String) {
    crate::describe::list(json, C::FIELDS, |json, field| {
        *json += "{\"name\":";
        crate::describe::text(json, field.name);
        *json += ",\"type\":";
        crate::describe::text(json, field.logical);
        if let Some(default) = field.default {
            *json += ",\"default\":";
            *json += default;
        }
        json.push('}');
    });
}
