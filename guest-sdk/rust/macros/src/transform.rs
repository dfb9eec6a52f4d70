//! `#[transform]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{ImplItemFn, ItemImpl, Result, Type};

use crate::function::{self, Function, behind_mut, by_value, output_of, parameters, returned};
use crate::structure::{error, error_at, place};

const FILTER: &str = "fn filter(&self, payment: Payment) -> bool";
const MAP: &str = "fn map(&self, payment: Payment) -> Priced";
const FLAT_MAP: &str = "fn flat_map(&self, payment: Payment, out: &mut Output<Part>)";

pub fn expand(arguments: &TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return error(arguments, "#[transform] takes no arguments");
    }
    function::inline(&mut block);
    let function = function::read(&block, "transform")?;
    let method = only_method(&function)?;
    let (described, calls) = match method.sig.ident.to_string().as_str() {
        "filter" => filter(method)?,
        "map" => map(method)?,
        _ => flat_map(method)?,
    };
    Ok(function::expand(
        &block,
        &function,
        "transform",
        &described,
        &calls,
    ))
}

/// The one method that says what the transform does.
fn only_method<'i>(function: &Function<'i>) -> Result<&'i ImplItemFn> {
    let known = |method: &&&ImplItemFn| {
        ["filter", "map", "flat_map"]
            .iter()
            .any(|name| method.sig.ident == name)
    };
    if let Some(other) = function.methods.iter().find(|method| !known(method)) {
        let name = &other.sig.ident;
        return error(
            name,
            format!(
                "a transform has no method `{name}`: it is one of `filter`, `map`, `flat_map`; other methods go into \
                 an `impl` block of their own, without #[transform]"
            ),
        );
    }
    match function.methods[..] {
        [method] => Ok(method),
        [] => error_at(
            function.span(),
            format!("a transform has a method: write `{FILTER}`, `{MAP}` or `{FLAT_MAP}`"),
        ),
        [_, second, ..] => error(
            &second.sig.ident,
            "a transform does one thing: keep one of `filter`, `map`, `flat_map`, and write another type for the other",
        ),
    }
}

type Parts = (TokenStream, TokenStream);

fn filter(method: &ImplItemFn) -> Result<Parts> {
    let (row, sides) = row_and_sides(method, FILTER)?;
    let verdict = returned(method)?;
    if matches!(method.sig.output, syn::ReturnType::Default) {
        return error(
            &method.sig.ident,
            format!("`filter` says whether the row goes on: write `{FILTER}`"),
        );
    }
    let call = call(method, &row, sides.as_ref(), &verdict);
    Ok((
        described(&row, &quote!(json.push_str("\"same\"")), sides.as_ref()),
        quote! {
            fn apply(
                &self,
                rows: &__tidemill::Batch,
            ) -> ::core::result::Result<__tidemill::Outcome, ::std::string::String> {
                #call
            }
        },
    ))
}

fn map(method: &ImplItemFn) -> Result<Parts> {
    let (row, sides) = row_and_sides(method, MAP)?;
    let made = returned(method)?;
    if matches!(method.sig.output, syn::ReturnType::Default) {
        return error(
            &method.sig.ident,
            format!("`map` makes a row: write `{MAP}`"),
        );
    }
    let output = quote_spanned!(place(&made)=>
        __tidemill::describe_output::<<#made as __tidemill::Mapped>::Row>(json)
    );
    let call = call(method, &row, sides.as_ref(), &made);
    Ok((
        described(&row, &output, sides.as_ref()),
        quote! {
            fn apply(
                &self,
                rows: &__tidemill::Batch,
            ) -> ::core::result::Result<__tidemill::Outcome, ::std::string::String> {
                #call
            }
        },
    ))
}

fn flat_map(method: &ImplItemFn) -> Result<Parts> {
    let parameters = parameters(method, FLAT_MAP)?;
    let (row, out, sides) = match &parameters[..] {
        [row, out] => (row, out, None),
        [row, out, sides] => (row, out, Some(sides)),
        _ => {
            return error(
                &method.sig.inputs,
                format!("`flat_map` takes a row and an output: write `{FLAT_MAP}`"),
            );
        }
    };
    let row = by_value(row, "a row")?;
    let out = behind_mut(out, "the output", "&mut Output<Part>")?;
    let sides = sides
        .map(|sides| behind_mut(sides, "what holds the side outputs", "&mut Sides"))
        .transpose()?;
    let made = output_of(out, "&mut Output<Part>")?;
    let done = returned(method)?;
    let output = quote_spanned!(place(made)=> __tidemill::describe_output::<#made>(json));
    let no_sides = quote!(__tidemill::NoSides);
    let (sides_type, sides_argument) = match sides {
        Some(sides) => (quote!(#sides), Some(quote!(sides))),
        None => (no_sides, None),
    };
    Ok((
        described(row, &output, sides),
        quote! {
            fn apply(
                &self,
                rows: &__tidemill::Batch,
            ) -> ::core::result::Result<__tidemill::Outcome, ::std::string::String> {
                __tidemill::flat_map::<#row, #made, #sides_type, #done, _>(
                    rows,
                    |row, out, sides| self.flat_map(row, out, #sides_argument),
                )
            }
        },
    ))
}

fn row_and_sides(method: &ImplItemFn, write: &str) -> Result<(Type, Option<Type>)> {
    let name = &method.sig.ident;
    let parameters = parameters(method, write)?;
    let (row, sides) = match &parameters[..] {
        [row] => (row, None),
        [row, sides] => (row, Some(sides)),
        _ => {
            return error(
                &method.sig.inputs,
                format!("`{name}` takes a row: write `{write}`"),
            );
        }
    };
    let sides = sides
        .map(|sides| behind_mut(sides, "what holds the side outputs", "&mut Sides"))
        .transpose()?;
    Ok((by_value(row, "a row")?.clone(), sides.cloned()))
}

/// The call of `filter` or `map`.
fn call(method: &ImplItemFn, row: &Type, sides: Option<&Type>, made: &Type) -> TokenStream {
    let name = &method.sig.ident;
    let plumbing = format_ident!("{name}");
    let (sides_type, sides_argument) = match sides {
        Some(sides) => (quote!(#sides), Some(quote!(sides))),
        None => (quote!(__tidemill::NoSides), None),
    };
    quote! {
        __tidemill::#plumbing::<#row, #sides_type, #made, _>(
            rows,
            |row, sides| self.#name(row, #sides_argument),
        )
    }
}

fn described(row: &Type, output: &TokenStream, sides: Option<&Type>) -> TokenStream {
    let sides = sides.map(|sides| {
        let describe = quote_spanned!(place(sides)=> <#sides as ::tidemill::Sides>::describe(json));
        quote!(__tidemill::member(json, "sides", |json| #describe);)
    });
    let input = quote_spanned!(place(row)=> __tidemill::describe_input::<#row>(json));
    quote! {
        #input;
        __tidemill::member(json, "output", |json| #output);
        #sides
    }
}
