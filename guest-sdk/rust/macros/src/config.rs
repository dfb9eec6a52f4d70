//! `#[derive(Config)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Expr, ExprLit, ExprUnary, Field, Lit, Meta, Result, Type, UnOp};

use crate::structure::{self, error, place, plain, type_name};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = structure::named_fields(input, "Config")?;
    if let Some(parameter) = input.generics.params.first() {
        return error(
            parameter,
            "a function owns its configuration: write the struct without parameters",
        );
    }
    let described = fields
        .iter()
        .map(|field| describe(field))
        .collect::<Result<Vec<_>>>()?;
    let (name, doc) = (&input.ident, structure::documentation(&input.attrs));
    let taken = fields.iter().enumerate().map(|(index, field)| {
        let (name, ty) = (&field.ident, &field.ty);
        quote_spanned!(place(ty)=> #name: __tidemill::take::<Self, #ty>(object, #index)?)
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, unused_variables)]
        const _: () = {
            use ::tidemill::__private as __tidemill;

            impl ::tidemill::Config for #name {
                const FIELDS: &'static [__tidemill::ConfigField] = &[#(#described),*];
                const DOC: &'static str = #doc;

                fn from_object(
                    object: &mut __tidemill::Object<'_>,
                ) -> ::core::result::Result<Self, ::std::string::String> {
                    ::core::result::Result::Ok(#name { #(#taken),* })
                }
            }
        };
    })
}

fn describe(field: &Field) -> Result<TokenStream> {
    let (ident, ty) = (field.ident.as_ref().expect("named fields only"), &field.ty);
    if let Some(instead) = type_name(ty).as_deref().and_then(instead) {
        let why = format!(
            "`{}` is not the type of a configuration's field: {instead}",
            ty.to_token_stream()
        );
        return error(ty, why);
    }
    if let Type::Reference(reference) = ty {
        return error(
            reference,
            "a function owns its configuration: write `String`",
        );
    }
    let mut default = quote!(::core::option::Option::None);
    for part in structure::attribute_parts(&field.attrs, "config")? {
        default = match &part {
            Meta::NameValue(value) if value.path.is_ident("default") => {
                let (json, check) = (json(&value.value)?, check(ty, &value.value));
                quote!({ #check ::core::option::Option::Some(#json) })
            }
            other => return error(other, "a field's #[config(…)] is: default = …"),
        };
    }
    let name = plain(ident);
    Ok(quote_spanned! {place(ty)=>
        __tidemill::ConfigField {
            name: #name,
            logical: <#ty as __tidemill::ConfigValue>::TYPE,
            default: #default,
        }
    })
}

fn instead(name: &str) -> Option<&'static str> {
    match name {
        "i8" | "i16" | "i32" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => Some("write `i64`"),
        "f32" => Some("write `f64`"),
        "char" => Some("write `String`"),
        "HashSet" | "BTreeSet" => Some("write `Vec<…>`"),
        "Duration" => Some("write `i64`, with the unit in the field's name"),
        _ => None,
    }
}

/// The JSON of a literal.
fn json(value: &Expr) -> Result<String> {
    Ok(match value {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        }) => value.value.to_string(),
        Expr::Lit(ExprLit {
            lit: Lit::Int(value),
            ..
        }) => value.base10_digits().to_owned(),
        Expr::Lit(ExprLit {
            lit: Lit::Float(value),
            ..
        }) => number(value.base10_digits()),
        Expr::Lit(ExprLit {
            lit: Lit::Str(value),
            ..
        }) => text(&value.value()),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => format!("-{}", json(expr)?),
        Expr::Array(array) => {
            let items = array.elems.iter().map(json).collect::<Result<Vec<_>>>()?;
            format!("[{}]", items.join(","))
        }
        other => {
            return error(
                other,
                "a default is a literal: a number, a text in quotes, true or false, or [a list of them]",
            );
        }
    })
}

/// A float literal of Rust as one of JSON, which wants a digit behind the point: `1.` becomes
/// `1.0`.
fn number(digits: &str) -> String {
    match digits.strip_suffix('.') {
        Some(whole) => format!("{whole}.0"),
        None => digits.to_owned(),
    }
}

fn text(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => json += &format!("\\u{:04x}", character as u32),
            _ => json.push(character),
        }
    }
    json + "\""
}

/// Lets the compiler compare the literal with the field's type.
fn check(ty: &Type, value: &Expr) -> TokenStream {
    let ty = literal_type(ty);
    let value = match value {
        Expr::Array(array) => quote_spanned!(place(array)=> &#array),
        other => other.to_token_stream(),
    };
    quote!(const _: #ty = #value;)
}

/// The type of the literal for a field: `&str` for `String`, a slice for `Vec`, what is inside for
/// `Option`.
fn literal_type(ty: &Type) -> TokenStream {
    let inner = match ty {
        Type::Path(path) => {
            path.path
                .segments
                .last()
                .and_then(|segment| match &segment.arguments {
                    syn::PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
                        Some(syn::GenericArgument::Type(inner)) => Some(literal_type(inner)),
                        _ => None,
                    },
                    _ => None,
                })
        }
        _ => None,
    };
    match (type_name(ty).as_deref(), inner) {
        (Some("String"), _) => quote!(&str),
        (Some("Option"), Some(inner)) => inner,
        (Some("Vec"), Some(inner)) => quote!(&[#inner]),
        _ => ty.to_token_stream(),
    }
}
