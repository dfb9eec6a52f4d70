//! What all derives ask of a struct.

use proc_macro2::Span;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, GenericParam, Lifetime, Lit,
    Meta, Result, Token,
};

/// The named fields of a struct, or an error that says what to write.
pub fn named_fields<'i>(input: &'i DeriveInput, derive: &str) -> Result<Vec<&'i Field>> {
    let name = &input.ident;
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        _ => {
            let why = format!("#[derive({derive})] is for structs: write `struct {name} {{ … }}`");
            return Err(Error::new(name.span(), why));
        }
    };
    match fields {
        Fields::Named(fields) => Ok(fields.named.iter().collect()),
        Fields::Unit => Ok(Vec::new()),
        Fields::Unnamed(fields) => {
            let why = format!(
                "#[derive({derive})] needs names: write `struct {name} {{ name: Type, … }}`"
            );
            Err(Error::new_spanned(fields, why))
        }
    }
}

/// The one lifetime of a struct, if it has any; type parameters are refused.
pub fn lifetime(input: &DeriveInput, derive: &str) -> Result<Option<Lifetime>> {
    let mut found = None;
    for parameter in &input.generics.params {
        match parameter {
            GenericParam::Lifetime(lifetime) if found.is_none() => {
                found = Some(lifetime.lifetime.clone());
            }
            GenericParam::Lifetime(_) => {
                let why = "one lifetime is enough: all borrowed fields are of the same batch";
                return Err(Error::new_spanned(parameter, why));
            }
            _ => {
                let why = format!(
                    "#[derive({derive})] is for structs without type parameters: name the types of the fields"
                );
                return Err(Error::new_spanned(parameter, why));
            }
        }
    }
    Ok(found)
}

/// The parts of all attributes `#[name(part, …)]`.
pub fn attribute_parts(attributes: &[Attribute], name: &str) -> Result<Vec<Meta>> {
    let mut parts = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let list = attribute.meta.require_list()?;
        let list = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        parts.extend(list);
    }
    Ok(parts)
}

/// The first paragraph of the documentation, as one line.
pub fn documentation(attributes: &[Attribute]) -> String {
    let mut paragraph: Vec<String> = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
    {
        let Meta::NameValue(doc) = &attribute.meta else {
            continue;
        };
        let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = &doc.value
        else {
            continue;
        };
        for line in text.value().split('\n').map(str::trim) {
            match (line.is_empty(), paragraph.is_empty()) {
                (false, _) => paragraph.push(line.to_owned()),
                (true, false) => return paragraph.join(" "),
                (true, true) => {}
            }
        }
    }
    paragraph.join(" ")
}

/// An identifier as text, without `r#`.
pub fn plain(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// The name of a type without path and arguments, if it has one.
pub fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// An error at the place of some tokens.
pub fn error<T>(at: impl ToTokens, why: impl std::fmt::Display) -> Result<T> {
    Err(Error::new_spanned(at, why))
}

/// An error at a span.
pub fn error_at<T>(at: Span, why: impl std::fmt::Display) -> Result<T> {
    Err(Error::new(at, why))
}

/// Where generated code about these tokens is shown to be wrong. Names in it are those of the macro
/// all the same, also where the author's tokens come out of another macro.
pub fn place(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
}
