//! `#[window]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{ImplItemFn, ItemImpl, Result, ReturnType, Type, TypeReference};

use crate::function::{self, behind_mut, by_value, only_method, output_of, parameters, returned};
use crate::structure::{error, place, type_name};

const APPLY: &str = "fn apply(&self, window: Window, payments: &[Payment]) -> Alert";
const WITH_KEY: &str =
    "fn apply(&self, key: Account, window: Window, payments: &[Payment]) -> Alert";
const WITH_OUTPUT: &str =
    "fn apply(&self, window: Window, payments: &[Payment], out: &mut Output<Alert>)";

/// What the method says.
struct Method {
    key: Option<Type>,
    row: Type,
    /// What it returns, or the records that it pushes to an output.
    result: Type,
    /// What it returns where it pushes to an output.
    done: Option<Type>,
}

pub fn expand(arguments: &TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return error(arguments, "#[window] takes no arguments");
    }
    function::inline(&mut block);
    let function = function::read(&block, "window")?;
    let method = read(only_method(&function, "apply", APPLY)?)?;
    let (described, calls) = (method.described(), method.calls());
    Ok(function::expand(
        &block, &function, "window", &described, &calls,
    ))
}

fn read(method: &ImplItemFn) -> Result<Method> {
    let parameters = parameters(method, APPLY)?;
    let is_window = |ty: &Type| type_name(ty).as_deref() == Some("Window");
    let (key, rest) = match &parameters[..] {
        [window, rest @ ..] if is_window(window) => (None, rest),
        [key, window, rest @ ..] if is_window(window) => {
            (Some(by_value(key, "the key")?.clone()), rest)
        }
        _ => {
            return error(
                &method.sig.inputs,
                format!(
                    "`apply` takes the window before its rows: write `{APPLY}` or `{WITH_KEY}`"
                ),
            );
        }
    };
    let (rows, out) = match rest {
        [rows] => (rows, None),
        [rows, out] => (rows, Some(out)),
        _ => {
            return error(
                &method.sig.inputs,
                format!("`apply` takes a window and its rows: write `{APPLY}` or `{WITH_OUTPUT}`"),
            );
        }
    };
    let row = element(rows)?.clone();
    let (result, done) = match out {
        Some(out) => {
            let out = behind_mut(out, "the output", "&mut Output<Alert>")?;
            let result = output_of(out, "&mut Output<Alert>")?.clone();
            (result, Some(returned(method)?))
        }
        None if matches!(method.sig.output, ReturnType::Default) => {
            return error(
                &method.sig.ident,
                format!("`apply` makes the result: write `{APPLY}` or `{WITH_OUTPUT}`"),
            );
        }
        None => (returned(method)?, None),
    };
    Ok(Method {
        key,
        row,
        result,
        done,
    })
}

/// `Payment` of `&[Payment]`.
fn element(rows: &Type) -> Result<&Type> {
    if let Type::Reference(TypeReference {
        mutability: None,
        elem,
        ..
    }) = rows
        && let Type::Slice(slice) = &**elem
    {
        return Ok(&slice.elem);
    }
    error(
        rows,
        "the rows of a window come as a slice of records, in order of event time: write `&[Payment]`",
    )
}

impl Method {
    fn described(&self) -> TokenStream {
        let (row, result) = (&self.row, &self.result);
        let key = self.key.as_ref().map(function::described_key);
        let input = quote_spanned!(place(row)=> __tidemill::describe_input::<#row>(json));
        let output = match &self.done {
            None => quote_spanned!(place(result)=>
                __tidemill::describe_output::<<#result as __tidemill::Finished>::Row>(json)
            ),
            Some(_) => quote_spanned!(place(result)=> {
                fn output<T: __tidemill::Bare>(json: &mut ::std::string::String) {
                    __tidemill::describe_output::<T>(json)
                }
                output::<#result>(json)
            }),
        };
        quote! {
            #input;
            #key
            __tidemill::member(json, "output", |json| #output);
        }
    }

    fn calls(&self) -> TokenStream {
        let (row, result) = (&self.row, &self.result);
        let (key_type, key) = match &self.key {
            Some(key) => (key.to_token_stream(), Some(quote!(key,))),
            None => (quote!(__tidemill::NoKey), None),
        };
        let call = match &self.done {
            None => quote! {
                __tidemill::apply_window::<#row, #key_type, #result, _>(
                    &fired, |key, window, rows| self.apply(#key window, rows),
                )
            },
            Some(done) => quote! {
                __tidemill::apply_window_out::<#row, #key_type, #result, #done, _>(
                    &fired, |key, window, rows, out| self.apply(#key window, rows, out),
                )
            },
        };
        quote! {
            fn apply_window(
                &self,
                keys: &__tidemill::Table,
                firings: &__tidemill::Firings,
                rows: &__tidemill::Batch,
                offsets: &[u32],
            ) -> ::core::result::Result<__tidemill::Outcome, ::std::string::String> {
                let rows = __tidemill::rows::<#row>(rows)?;
                let fired = __tidemill::Fired { keys, firings, rows: &rows, offsets };
                #call
            }
        }
    }
}
