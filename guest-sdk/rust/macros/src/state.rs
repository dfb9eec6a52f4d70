//! `#[derive(State)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Expr, ExprLit, Field, Lit, Meta, Result};

use crate::structure::{self, error, place, plain, type_name};

/// The settings of a field.
struct Settings {
    name: String,
    ttl: Option<i64>,
    processing: bool,
    read: bool,
    most: Option<u32>,
}

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = structure::named_fields(input, "State")?;
    if let Some(lifetime) = structure::lifetime(input, "State")? {
        return error(
            lifetime,
            "state owns its values: write the struct without a lifetime",
        );
    }
    if fields.is_empty() {
        return error(&input.ident, "name a slot: write `last: Value<Timestamp>`");
    }
    let name = &input.ident;
    let idents: Vec<_> = fields.iter().map(|field| field.ident.as_ref()).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let mut slots = Vec::new();
    for field in &fields {
        slots.push(slot(field)?);
    }
    let specs = 0..fields.len();
    let opened = types.iter().zip(&idents).zip(specs).map(|((ty, ident), index)| {
        quote_spanned!(place(ty)=>
            #ident: <#ty as __tidemill::Slot>::open(&<Self as ::tidemill::State>::SLOTS[#index].spec, opening)?
        )
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all)]
        const _: () = {
            use ::tidemill::__private as __tidemill;

            impl ::tidemill::State for #name {
                const SLOTS: &'static [__tidemill::SlotOf] = &[#(#slots),*];

                #[inline(always)]
                fn open(
                    opening: &mut __tidemill::Opening<'_>,
                ) -> ::core::result::Result<Self, ::std::string::String> {
                    ::core::result::Result::Ok(#name { #(#opened),* })
                }

                #[inline(always)]
                fn begin(&mut self, at: __tidemill::At) {
                    #(__tidemill::Slot::begin(&mut self.#idents, at);)*
                }

                fn undo(&mut self) {
                    #(__tidemill::Slot::undo(&mut self.#idents);)*
                }

                #[inline(always)]
                fn close(self, changes: &mut __tidemill::Changes) {
                    #(__tidemill::Slot::close(self.#idents, changes);)*
                }
            }
        };
    })
}

fn slot(field: &Field) -> Result<TokenStream> {
    let settings = settings(field)?;
    let kind = type_name(&field.ty).unwrap_or_default();
    if !["Value", "List", "Map"].contains(&kind.as_str()) {
        return error(
            &field.ty,
            "a slot says what it holds per key: write `Value<T>`, `List<T>` or `Map<K, V>`",
        );
    }
    if settings.read && kind != "Value" {
        return error(
            &field.ty,
            "only a `Value<T>` is kept alive by reading: leave `read` out",
        );
    }
    if (settings.read || settings.processing) && settings.ttl.is_none() {
        return error(
            field,
            "without `ttl` an entry lives for ever: write #[state(ttl = \"24h\")]",
        );
    }
    if settings.most.is_some() && kind != "List" {
        return error(&field.ty, "only a `List<T>` has a bound: leave `most` out");
    }
    let Settings {
        name,
        processing,
        read,
        ..
    } = &settings;
    let some = |value: Option<TokenStream>| match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let ttl = some(settings.ttl.map(|ttl| quote!(#ttl)));
    let most = some(settings.most.map(|most| quote!(#most)));
    let ty = &field.ty;
    Ok(
        quote_spanned!(place(ty)=> __tidemill::SlotOf::new::<#ty>(__tidemill::Spec {
            name: #name,
            ttl: #ttl,
            processing: #processing,
            read: #read,
            most: #most,
        })),
    )
}

fn settings(field: &Field) -> Result<Settings> {
    let mut settings = Settings {
        name: plain(field.ident.as_ref().expect("named fields only")),
        ttl: None,
        processing: false,
        read: false,
        most: None,
    };
    for part in structure::attribute_parts(&field.attrs, "state")? {
        match &part {
            Meta::Path(path) if path.is_ident("read") => settings.read = true,
            Meta::NameValue(value) if value.path.is_ident("name") => {
                settings.name = text(&value.value, "a slot's name is a text: name = \"last\"")?;
            }
            Meta::NameValue(value) if value.path.is_ident("ttl") => {
                let why = "a time to live is a text of a number and a unit: ttl = \"24h\"";
                let ttl = text(&value.value, why)?;
                settings.ttl = Some(micros(&ttl).map_or_else(|| error(&value.value, why), Ok)?);
            }
            Meta::NameValue(value) if value.path.is_ident("clock") => {
                let why = "a slot's clock is \"event\" or \"processing\"";
                settings.processing = match text(&value.value, why)?.as_str() {
                    "event" => false,
                    "processing" => true,
                    _ => return error(&value.value, why),
                };
            }
            Meta::NameValue(value) if value.path.is_ident("most") => {
                settings.most = Some(number(&value.value)?);
            }
            other => {
                return error(
                    other,
                    "a field's #[state(…)] is one of: ttl = \"24h\", clock = \"processing\", read, most = 100, \
                     name = \"…\"",
                );
            }
        }
    }
    Ok(settings)
}

fn text(value: &Expr, why: &str) -> Result<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if !text.value().is_empty() => Ok(text.value()),
        other => error(other, why),
    }
}

fn number(value: &Expr) -> Result<u32> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) if number.base10_parse::<u32>().is_ok_and(|number| number > 0) => number.base10_parse(),
        other => error(
            other,
            "the bound of a list is a number of entries: most = 100",
        ),
    }
}

/// `24h` as microseconds: a whole number and a unit of the pipeline file.
fn micros(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let number: i64 = digits.trim_end().parse().ok()?;
    number.checked_mul(unit).filter(|micros| *micros > 0)
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn times_to_live_are_a_number_and_a_unit() {
        assert_eq!(micros("24h"), Some(86_400_000_000));
        assert_eq!(micros("1us"), Some(1));
        for wrong in ["", "h", "24", "-1h", "0s", "1.5h", "1 w"] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }
}
