//! Reads the language of `.proto` files.

mod going;

use super::words::{Word, words};
use super::{Field, Label, Scalar, Type};

/// How deep messages may lie in messages.
const DEEPEST: usize = 64;

/// The longest file, in bytes.
const LONGEST: usize = 4 << 20;

/// What a file says.
pub struct File {
    pub package: String,
    pub imports: Vec<String>,
    pub types: Vec<Parsed>,
}

/// A type that was read.
pub enum Parsed {
    Message(Message),
    Enum(String, Vec<(String, i32)>),
}

/// A message that was read.
pub struct Message {
    pub name: String,
    pub fields: Vec<Field>,
    pub types: Vec<Parsed>,
    /// Whether it is defined as a field is.
    pub is_group: bool,
    oneofs: usize,
}

struct Parser<'t> {
    words: Vec<(Word<'t>, usize)>,
    at: usize,
    /// What a field without a label is.
    unlabelled: Label,
    depth: usize,
}

/// Reads a file.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn file(text: &str) -> Result<File, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut parser = Parser {
        words: words(text)?,
        at: 0,
        // Without a word about it, a file is proto2.
        unlabelled: Label::Explicit,
        depth: 0,
    };
    parser.file()
}

impl<'t> Parser<'t> {
    fn file(&mut self) -> Result<File, String> {
        let mut file = File {
            package: String::new(),
            imports: Vec::new(),
            types: Vec::new(),
        };
        while let Some(word) = self.next() {
            match word {
                Word::Mark(';') => {}
                Word::Name("syntax" | "edition") => self.syntax()?,
                Word::Name("package") => {
                    file.package = self.full_name()?;
                    self.mark(';')?;
                }
                Word::Name("import") => {
                    self.take_name("public");
                    self.take_name("weak");
                    self.take_name("option");
                    file.imports.push(self.text()?.to_owned());
                    self.mark(';')?;
                }
                Word::Name("option") => self.file_option()?,
                Word::Name("message") => {
                    let message = self.message()?;
                    file.types.push(Parsed::Message(message));
                }
                Word::Name("enum") => file.types.push(self.enumeration()?),
                Word::Name("service" | "extend") => self.block()?,
                other => return Err(self.refuse("a definition", &other)),
            }
        }
        Ok(file)
    }

    fn syntax(&mut self) -> Result<(), String> {
        self.mark('=')?;
        self.unlabelled = match self.text()? {
            "proto3" => Label::Implicit,
            _ => Label::Explicit,
        };
        self.mark(';')
    }

    fn file_option(&mut self) -> Result<(), String> {
        let from = self.at;
        self.statement()?;
        if let Some(label) = self.presence(from) {
            self.unlabelled = label;
        }
        Ok(())
    }

    fn message(&mut self) -> Result<Message, String> {
        let name = self.name()?.to_owned();
        self.body(name)
    }

    /// What stands between the braces of a message.
    fn body(&mut self, name: String) -> Result<Message, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("messages lie more than {DEEPEST} deep in others"));
        }
        let mut message = Message {
            name,
            fields: Vec::new(),
            types: Vec::new(),
            is_group: false,
            oneofs: 0,
        };
        self.mark('{')?;
        while !self.take_mark('}') {
            self.member(&mut message)?;
        }
        self.depth -= 1;
        let mut numbers: Vec<u32> = message.fields.iter().map(|field| field.number).collect();
        numbers.sort_unstable();
        match numbers.windows(2).find(|two| two[0] == two[1]) {
            Some(twice) => Err(format!(
                "message {} has two fields of number {}",
                message.name, twice[0]
            )),
            None => Ok(message),
        }
    }

    fn member(&mut self, message: &mut Message) -> Result<(), String> {
        let is_map = self.peek_mark(1, '<');
        match self.peek() {
            Some(Word::Mark(';')) => self.at += 1,
            Some(Word::Name("message")) => {
                self.at += 1;
                let inner = self.message()?;
                message.types.push(Parsed::Message(inner));
            }
            Some(Word::Name("enum")) => {
                self.at += 1;
                let inner = self.enumeration()?;
                message.types.push(inner);
            }
            Some(Word::Name("extend")) => self.block()?,
            Some(Word::Name("option" | "extensions" | "reserved")) => self.statement()?,
            Some(Word::Name("oneof")) => {
                self.at += 1;
                self.name()?;
                self.mark('{')?;
                let oneof = message.oneofs;
                message.oneofs += 1;
                while !self.take_mark('}') {
                    match self.peek() {
                        Some(Word::Name("option")) => self.statement()?,
                        Some(Word::Mark(';')) => self.at += 1,
                        _ => self.field(message, Some(oneof))?,
                    }
                }
            }
            Some(Word::Name("map")) if is_map => self.map(message)?,
            _ => self.field(message, None)?,
        }
        Ok(())
    }

    fn map(&mut self, message: &mut Message) -> Result<(), String> {
        self.at += 2;
        while !self.take_mark('>') {
            let word = self.next();
            word.ok_or_else(|| "a map has no end".to_owned())?;
        }
        let name = self.name()?.to_owned();
        let number = self.number()?;
        self.statement()?;
        message.fields.push(Field {
            name,
            number,
            ty: Type::Map,
            label: Label::Repeated,
            oneof: None,
        });
        Ok(())
    }

    fn field(&mut self, message: &mut Message, oneof: Option<usize>) -> Result<(), String> {
        let mut label = match (oneof, self.peek()) {
            (None, Some(Word::Name("optional"))) => Some(Label::Explicit),
            (None, Some(Word::Name("required"))) => Some(Label::Required),
            (None, Some(Word::Name("repeated"))) => Some(Label::Repeated),
            _ => None,
        };
        self.at += usize::from(label.is_some());
        if oneof.is_some() {
            label = Some(Label::Explicit);
        }
        // A group is a field and its message at once.
        if self.peek() == Some(Word::Name("group")) && !self.peek_mark(1, '.') {
            self.at += 1;
            let name = self.name()?.to_owned();
            let number = self.number()?;
            if self.peek_mark(0, '[') {
                self.brackets()?;
            }
            let mut body = self.body(name.clone())?;
            body.is_group = true;
            message.fields.push(Field {
                name: name.to_ascii_lowercase(),
                number,
                ty: Type::Named(name),
                label: label.unwrap_or(Label::Explicit),
                oneof,
            });
            message.types.push(Parsed::Message(body));
            return Ok(());
        }
        let ty = self.full_name()?;
        let name = self.name()?.to_owned();
        let number = self.number()?;
        let from = self.at;
        self.statement()?;
        let label = label.or_else(|| self.presence(from));
        message.fields.push(Field {
            name,
            number,
            ty: Scalar::from_word(&ty).map_or(Type::Named(ty), Type::Scalar),
            label: label.unwrap_or(self.unlabelled),
            oneof,
        });
        Ok(())
    }

    fn enumeration(&mut self) -> Result<Parsed, String> {
        let name = self.name()?.to_owned();
        self.mark('{')?;
        let mut values = Vec::new();
        while !self.take_mark('}') {
            match self.peek() {
                Some(Word::Mark(';')) => self.at += 1,
                Some(Word::Name("option" | "reserved")) if !self.peek_mark(1, '=') => {
                    self.statement()?;
                }
                _ => {
                    let name = self.name()?.to_owned();
                    self.mark('=')?;
                    let sign = if self.take_mark('-') { -1 } else { 1 };
                    let value = i32::try_from(sign * self.whole()?);
                    values.push((
                        name,
                        value.map_err(|_| self.wrong("an enum's value is too large"))?,
                    ));
                    self.statement()?;
                }
            }
        }
        Ok(Parsed::Enum(name, values))
    }
}
