//! A function's configuration: its declared fields, and the JSON text that `configure` is handed.

use serde_json::{Map, Value};

use super::Function;
use super::parse::column_name;
use super::place::Place;

/// One field of a function's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ConfigType,
    /// Whether the field is a list of values of that type.
    pub list: bool,
    /// Whether it may be absent: then it is null.
    pub optional: bool,
    /// What it is where the pipeline says nothing.
    pub default: Option<Value>,
}

/// The type of a config field, or of the entries of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    /// True or false.
    Bool,
    /// Signed 64-bit integer.
    Integer,
    /// IEEE 754 double; integers are taken too.
    Float,
    /// Text.
    Text,
}

impl ConfigType {
    const ALL: [Self; 4] = [Self::Bool, Self::Integer, Self::Float, Self::Text];

    /// `bool`, `integer`, `float`, `text`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Text => "text",
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::Integer => value.is_i64(),
            Self::Float => value.is_number(),
            Self::Text => value.is_string(),
        }
    }
}

impl ConfigField {
    /// The type as people write it: `float`, `[text]`, `integer?`.
    pub fn word(&self) -> String {
        let name = self.ty.name();
        let name = if self.list {
            format!("[{name}]")
        } else {
            name.to_owned()
        };
        if self.optional {
            format!("{name}?")
        } else {
            name
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.optional,
            Value::Array(items) => self.list && items.iter().all(|item| self.ty.holds(item)),
            value => !self.list && self.ty.holds(value),
        }
    }

    /// The value as the guest reads it: a float field's integers become floats.
    fn rendered(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.rendered(item)).collect(),
            Value::Number(n) if self.ty == ConfigType::Float => Value::from(n.as_f64()),
            value => value.clone(),
        }
    }
}

impl Function {
    /// The JSON text for [`crate::Settings::config`]: every declared field, with what the pipeline gives, else the
    /// default, else null where the field is optional.
    ///
    /// # Errors
    /// Unknown and missing fields and wrong types, by name, with what is declared.
    pub fn config_json(&self, given: &Map<String, Value>) -> Result<String, String> {
        if let Some(unknown) = given
            .keys()
            .find(|k| self.config.iter().all(|f| f.name != **k))
        {
            return Err(format!(
                "unknown config field {unknown:?}: {}",
                self.declared_config()
            ));
        }
        let mut object = Map::new();
        for field in &self.config {
            let value = given.get(&field.name).or(field.default.as_ref());
            let value = match value {
                Some(value) if field.holds(value) => field.rendered(value),
                Some(value) => {
                    let (name, word) = (&field.name, field.word());
                    return Err(format!(
                        "config field {name:?} must be {word}, it is {value}"
                    ));
                }
                None if field.optional => Value::Null,
                None => {
                    let (name, word) = (&field.name, field.word());
                    return Err(format!("config field {name:?} ({word}) is missing"));
                }
            };
            object.insert(field.name.clone(), value);
        }
        Ok(Value::Object(object).to_string())
    }

    fn declared_config(&self) -> String {
        let fields: Vec<String> = self
            .config
            .iter()
            .map(|f| format!("{} ({})", f.name, f.word()))
            .collect();
        match fields.is_empty() {
            true => format!("function {} takes none", self.name),
            false => format!("function {} takes {}", self.name, fields.join(", ")),
        }
    }
}

pub(super) fn config_field(place: &Place<'_>) -> Result<ConfigField, String> {
    place.object(&["name", "type", "default"])?;
    let of = place.required("type")?;
    let word = of.text()?;
    let (base, optional) = match word.strip_suffix('?') {
        Some(base) => (base, true),
        None => (word, false),
    };
    let (base, list) = match base.strip_prefix('[').and_then(|b| b.strip_suffix(']')) {
        Some(base) => (base, true),
        None => (base, false),
    };
    let ty = ConfigType::ALL
        .into_iter()
        .find(|ty| ty.name() == base)
        .ok_or_else(|| {
            let known = ConfigType::ALL.map(ConfigType::name).join(", ");
            of.error(format!(
                "unknown type {word:?}: expected one of {known}, or a list such as [text]"
            ))
        })?;
    let default = place.field("default");
    let name = column_name(&place.required("name")?)?.to_owned();
    let field = ConfigField {
        name,
        ty,
        list,
        optional,
        default: default.as_ref().map(|d| d.value.clone()),
    };
    match default {
        Some(value) if !field.holds(value.value) => {
            Err(value.error(format!("the default is not of type {}", field.word())))
        }
        _ => Ok(field),
    }
}
