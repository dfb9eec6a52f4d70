//! A field of a record: what the author wrote, and how its column is written and read.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, Field, Ident, Index, Lifetime, Lit, Meta, Result, Type};

use crate::structure::{self, error, place, plain, type_name};

/// A field of a record.
pub struct Column<'i> {
    pub field: &'i Ident,
    pub ty: &'i Type,
    pub name: String,
    pub role: Role,
}

/// What a field is.
#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    Column,
    EventTime,
    Change,
    Encoded,
}

/// Reads a field, or says what to write.
pub fn read_field<'i>(field: &'i Field, lifetime: Option<&Lifetime>) -> Result<Column<'i>> {
    let ident = field.ident.as_ref().expect("named fields only");
    let mut column = Column {
        field: ident,
        ty: &field.ty,
        name: plain(ident),
        role: Role::Column,
    };
    for part in structure::attribute_parts(&field.attrs, "record")? {
        let role = match &part {
            Meta::Path(path) if path.is_ident("event_time") => Role::EventTime,
            Meta::Path(path) if path.is_ident("change") => Role::Change,
            Meta::Path(path) if path.is_ident("encoded") => Role::Encoded,
            Meta::NameValue(value) if value.path.is_ident("name") => {
                column.name = column_name(&value.value)?;
                continue;
            }
            other => {
                return error(
                    other,
                    "a field's #[record(…)] is one of: event_time, change, encoded, name = \"…\"",
                );
            }
        };
        if column.role != Role::Column {
            return error(part, "a field is one of event_time, change and encoded");
        }
        column.role = role;
    }
    check_type(&column, lifetime)?;
    Ok(column)
}

fn column_name(value: &Expr) -> Result<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) if !name.value().is_empty() => Ok(name.value()),
        other => error(
            other,
            "a column's name is a text: #[record(name = \"type\")]",
        ),
    }
}

/// Says what to write where that can be seen from the type's name; the rest is left to trait
/// bounds.
fn check_type(column: &Column, lifetime: Option<&Lifetime>) -> Result<()> {
    let name = type_name(column.ty);
    if column.role == Role::Column && is_list(column.ty) {
        return error(
            column.ty,
            "a column holds one value per row: write several fields, or in an accumulator #[record(encoded)]",
        );
    }
    match column.role {
        Role::EventTime if name.as_deref() != Some("Timestamp") => error(
            column.ty,
            "the event time of a row is a Timestamp: write `Timestamp`",
        ),
        Role::Change if name.as_deref() != Some("Change") => error(
            column.ty,
            "what a row does to others is a Change: write `Change`",
        ),
        Role::Encoded if cfg!(not(feature = "encoded")) => error(
            column.field,
            "#[record(encoded)] needs the feature: tidemill = { …, features = [\"encoded\"] }",
        ),
        Role::EventTime | Role::Change | Role::Encoded => Ok(()),
        Role::Column => match (column.ty, name.as_deref().and_then(instead)) {
            (ty, Some(instead)) => error(
                ty,
                format!(
                    "`{}` is not the type of a column: {instead}",
                    ty.to_token_stream()
                ),
            ),
            (Type::Reference(reference), _) if reference.lifetime.is_none() => error(
                reference,
                match lifetime {
                    Some(lifetime) => format!("say how long it lives: write `&{lifetime} …`"),
                    None => {
                        "say how long it lives: write `&'a …`, and `<'a>` behind the struct's name"
                            .to_owned()
                    }
                },
            ),
            _ => Ok(()),
        },
    }
}

fn instead(name: &str) -> Option<&'static str> {
    match name {
        "i8" | "i16" | "i32" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => Some("write `i64`"),
        "f32" => Some("write `f64`"),
        "char" | "str" | "Cow" => Some("write `&'a str` or `String`"),
        "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" | "VecDeque" => {
            Some("in an accumulator keep it as bytes with #[record(encoded)]")
        }
        "Change" => Some("write #[record(change)] before it"),
        "SystemTime" | "DateTime" | "Instant" => Some("write `Timestamp`"),
        _ => None,
    }
}

impl Column<'_> {
    /// Whether it is a column of the row, and not what the row says beside its columns.
    pub fn is_column(&self) -> bool {
        matches!(self.role, Role::Column | Role::Encoded)
    }

    /// The type whose column this is.
    pub fn value(&self) -> TokenStream {
        match self.role {
            Role::Encoded => quote!(::std::vec::Vec<u8>),
            _ => self.ty.to_token_stream(),
        }
    }

    /// The type as which it is read.
    pub fn read_value(&self, lifetime: &Lifetime) -> TokenStream {
        match self.role {
            Role::Encoded => quote!(&#lifetime [u8]),
            _ => self.ty.to_token_stream(),
        }
    }

    pub fn writer(&self) -> TokenStream {
        if self.role == Role::Change {
            return quote!(__tidemill::FixedWriter<u8>);
        }
        let value = self.value();
        quote_spanned!(place(self.ty)=> <#value as __tidemill::Value>::Writer)
    }

    pub fn write(&self, index: &Index) -> TokenStream {
        let (field, ty) = (self.field, self.ty);
        match self.role {
            Role::Change => quote!(columns.#index.push(::tidemill::Change::byte(self.#field));),
            Role::Encoded => {
                quote!(__tidemill::Encoded::<#ty>::write(&self.#field, &mut columns.#index);)
            }
            _ => quote_spanned! {place(ty)=>
                <#ty as __tidemill::Value>::write(&self.#field, &mut columns.#index);
            },
        }
    }

    pub fn read(&self, lifetime: &Lifetime, index: &Index) -> TokenStream {
        let ty = self.ty;
        match self.role {
            Role::Change => quote!(reader.#index.read(row)),
            Role::Encoded => quote!(__tidemill::Encoded::<#ty>::read(reader.#index, row)),
            _ => quote_spanned! {place(ty)=>
                <#ty as __tidemill::ReadValue<#lifetime>>::read(reader.#index, row)
            },
        }
    }
}

/// How a field is read.
impl Column<'_> {
    /// The type of what reads it.
    pub fn reader(&self, lifetime: &Lifetime) -> TokenStream {
        if self.role == Role::Change {
            return quote!(__tidemill::RowChanges<#lifetime>);
        }
        let value = self.read_value(lifetime);
        quote_spanned!(place(self.ty)=> <#value as __tidemill::ReadValue<#lifetime>>::Reader)
    }

    /// Resolves it: column `next` of the rows, if it is one.
    pub fn open(&self, lifetime: &Lifetime, next: usize) -> TokenStream {
        match self.role {
            Role::EventTime => quote!(rows.times()?),
            Role::Change => quote!(rows.changes()?),
            Role::Column | Role::Encoded => {
                let value = self.read_value(lifetime);
                quote_spanned!(place(self.ty)=> rows.column::<#value>(#next)?)
            }
        }
    }

    /// Resolves what was written so far.
    pub fn view(&self, lifetime: &Lifetime, index: &Index) -> TokenStream {
        if self.role == Role::Change {
            return quote!(__tidemill::RowChanges::view(&columns.#index));
        }
        let value = self.read_value(lifetime);
        quote_spanned!(place(self.ty)=> <#value as __tidemill::ReadValue<#lifetime>>::view(&columns.#index))
    }
}

/// Whether a type is `&'static …` or an `Option` of it.
pub fn borrows_for_ever(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => reference
            .lifetime
            .as_ref()
            .is_some_and(|lifetime| lifetime.ident == "static"),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            match &segment.arguments {
            syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(|argument| {
                matches!(argument, syn::GenericArgument::Type(inner) if borrows_for_ever(inner))
            }),
            _ => false,
        }
        }),
        _ => false,
    }
}

/// Whether a type is a `Vec` of anything but bytes.
fn is_list(ty: &Type) -> bool {
    type_name(ty).as_deref() == Some("Vec")
        && !ty
            .to_token_stream()
            .to_string()
            .replace(' ', "")
            .ends_with("Vec<u8>")
}
