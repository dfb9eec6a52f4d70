//! Schemas of Protobuf: what `.proto` files say of messages, as far as reading and writing them takes.
//!
//! Owns the language of such files (proto2, proto3, editions) and the names of types. Services, extensions and options are passed over,
//! but for those that decide how a field is told from one that is not there. What a file imports and nobody has is an error only
//! where a column is a field of it.
//!
//! Reasons are in `decisions/0035-protobuf-without-its-crates.md`.

pub mod known;
mod parse;
mod words;

use std::collections::BTreeMap;

use self::parse::{File, Parsed};

/// How many files one may import, and those in turn.
const MOST_FILES: usize = 100;

/// Types by their full names.
#[derive(Clone, Debug, Default)]
pub struct Types {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    names: BTreeMap<String, Named>,
    /// The messages of the file that was asked for, in its order.
    roots: Vec<usize>,
    /// What was imported and is not there.
    missing: Vec<String>,
    /// What was imported and not everybody has.
    needs: Vec<String>,
}

/// A type that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The message of this number.
    Message(usize),
    /// The enum of this number.
    Enum(usize),
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its full name.
    pub name: String,
    /// Its fields, in the order of the file.
    pub fields: Vec<Field>,
    /// The messages in it, in the order of the file.
    nested: Vec<usize>,
}

/// An enum.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Its values, in the order of the file.
    pub values: Vec<(String, i32)>,
}

/// A field of a message.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Its type.
    pub ty: Type,
    /// How often it is there.
    pub label: Label,
    /// Which oneof of its message it belongs to.
    pub oneof: Option<usize>,
}

/// A field's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// One that has no name of its own.
    Scalar(Scalar),
    /// A name, as the file has it.
    Named(String),
    /// A map.
    Map,
}

/// How often a field is there, and how that is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Once or not, and the default of its type is the same as not.
    Implicit,
    /// Once or not.
    Explicit,
    /// Once.
    Required,
    /// Any number of times.
    Repeated,
}

/// Types without a name of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called what Protobuf calls them")]
pub enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

/// How a value stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A number of variable length.
    Varint = 0,
    /// Eight bytes.
    Eight = 1,
    /// Bytes behind how many they are.
    Counted = 2,
    /// Four bytes.
    Four = 5,
}

impl Scalar {
    /// The type of a word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "double" => Self::Double,
            "float" => Self::Float,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "sint32" => Self::Sint32,
            "sint64" => Self::Sint64,
            "fixed32" => Self::Fixed32,
            "fixed64" => Self::Fixed64,
            "sfixed32" => Self::Sfixed32,
            "sfixed64" => Self::Sfixed64,
            "bool" => Self::Bool,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            _ => return None,
        })
    }

    /// How its values stand in a message.
    pub fn wire(self) -> Wire {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => Wire::Eight,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => Wire::Four,
            Self::String | Self::Bytes => Wire::Counted,
            _ => Wire::Varint,
        }
    }
}

impl Types {
    /// The types of a file and of all that it imports. `find` gives the text of a file by the name that it is imported by.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn new(text: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut types = Self::default();
        let file = parse::file(text)?;
        let mut wanted = types.take(file)?;
        types.roots = std::mem::take(&mut wanted.1);
        let mut wanted = wanted.0;
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = wanted.pop() {
            if seen.contains(&name) {
                continue;
            }
            if seen.len() >= MOST_FILES {
                return Err(format!("it imports more than {MOST_FILES} files"));
            }
            if !name.starts_with("google/") && !name.starts_with("confluent/") {
                types.needs.push(name.clone());
            }
            let text = find(&name).or_else(|| known::file(&name).map(str::to_owned));
            match text {
                Some(text) => {
                    let in_file = |why: String| format!("{name}: {why}");
                    let file = parse::file(&text).map_err(in_file)?;
                    wanted.extend(types.take(file).map_err(in_file)?.0);
                }
                None => types.missing.push(name.clone()),
            }
            seen.push(name);
        }
        Ok(types)
    }

    /// Takes the types of a file; gives what it imports, and its messages.
    fn take(&mut self, file: File) -> Result<(Vec<String>, Vec<usize>), String> {
        let roots = self.take_all(file.types, &file.package)?;
        Ok((file.imports, roots))
    }

    fn take_all(&mut self, parsed: Vec<Parsed>, within: &str) -> Result<Vec<usize>, String> {
        let mut messages = Vec::new();
        for parsed in parsed {
            match parsed {
                Parsed::Enum(name, values) => {
                    let number = self.enums.len();
                    self.enums.push(Enum { values });
                    self.name(join(within, &name), Named::Enum(number))?;
                }
                Parsed::Message(message) => {
                    let number = self.messages.len();
                    let full = join(within, &message.name);
                    self.messages.push(Message {
                        name: full.clone(),
                        fields: message.fields,
                        nested: Vec::new(),
                    });
                    self.name(full.clone(), Named::Message(number))?;
                    self.messages[number].nested = self.take_all(message.types, &full)?;
                    if !message.is_group {
                        messages.push(number);
                    }
                }
            }
        }
        Ok(messages)
    }

    fn name(&mut self, name: String, named: Named) -> Result<(), String> {
        match self.names.insert(name.clone(), named) {
            None => Ok(()),
            Some(_) => Err(format!("{name} is defined twice")),
        }
    }

    /// The message of a full name.
    ///
    /// # Errors
    /// If there is none; which ones there are.
    pub fn message_named(&self, name: &str) -> Result<&Message, String> {
        match self.names.get(name) {
            Some(Named::Message(number)) => Ok(&self.messages[*number]),
            _ => {
                let all: Vec<&str> = self
                    .roots
                    .iter()
                    .map(|&i| &self.messages[i].name[..])
                    .collect();
                Err(format!(
                    "it has no message {name}; it has {}",
                    all.join(", ")
                ))
            }
        }
    }

    /// The message at a place: among those of the file, then among those within that one, and so on.
    pub fn message_at(&self, place: &[usize]) -> Option<&Message> {
        let mut among = &self.roots;
        let mut message = None;
        for &index in place {
            let found = &self.messages[*among.get(index)?];
            among = &found.nested;
            message = Some(found);
        }
        message
    }

    /// Where a message is: what [`Self::message_at`] finds it by.
    pub fn place_of(&self, message: &Message) -> Option<Vec<usize>> {
        self.place_among(&self.roots, &message.name)
    }

    fn place_among(&self, among: &[usize], name: &str) -> Option<Vec<usize>> {
        among.iter().enumerate().find_map(|(index, &number)| {
            let message = &self.messages[number];
            if message.name == name {
                return Some(vec![index]);
            }
            let mut place = self.place_among(&message.nested, name)?;
            place.insert(0, index);
            Some(place)
        })
    }

    /// What a name means in a message: the type of that name in the innermost scope that has one.
    ///
    /// # Errors
    /// If there is none.
    pub fn resolve(&self, name: &str, within: &Message) -> Result<Named, String> {
        if let Some(full) = name.strip_prefix('.') {
            return self
                .names
                .get(full)
                .copied()
                .ok_or_else(|| self.unknown(name));
        }
        let mut scope = &within.name[..];
        loop {
            if let Some(named) = self.names.get(&join(scope, name)) {
                return Ok(*named);
            }
            match scope.rsplit_once('.') {
                Some((outer, _)) => scope = outer,
                None if scope.is_empty() => return Err(self.unknown(name)),
                None => scope = "",
            }
        }
    }

    fn unknown(&self, name: &str) -> String {
        match &self.missing[..] {
            [] => format!("it has no type {name}"),
            missing => format!(
                "it has no type {name}, and imports {}, which is not there",
                missing.join(", ")
            ),
        }
    }

    /// What the files import, but for what comes with Protobuf or with registries.
    pub fn needs(&self) -> Vec<String> {
        self.needs.clone()
    }

    /// The message of a number.
    pub fn message(&self, number: usize) -> &Message {
        &self.messages[number]
    }

    /// The enum of a number.
    pub fn enumeration(&self, number: usize) -> &Enum {
        &self.enums[number]
    }
}

fn join(within: &str, name: &str) -> String {
    match within.is_empty() {
        true => name.to_owned(),
        false => format!("{within}.{name}"),
    }
}

#[cfg(test)]
mod tests;
