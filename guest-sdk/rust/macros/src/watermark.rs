//! `#[watermark]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{ImplItemFn, ItemImpl, Result, ReturnType, Type};

use crate::function::{self, behind_mut, by_value, only_method, owned, parameters, returned};
use crate::structure::{error, place};

const OBSERVE: &str = "fn observe(&self, reading: Reading) -> Option<Timestamp>";
const WITH_STATE: &str = "fn observe(&self, seen: &mut Seen, reading: Reading) -> Timestamp";

/// What the method says.
struct Method {
    state: Option<Type>,
    row: Type,
    result: Type,
}

pub fn expand(arguments: &TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return error(arguments, "#[watermark] takes no arguments");
    }
    function::inline(&mut block);
    let function = function::read(&block, "watermark")?;
    let method = read(only_method(&function, "observe", WITH_STATE)?)?;
    let (described, calls) = (method.described(), method.calls());
    Ok(function::expand(
        &block,
        &function,
        "watermark",
        &described,
        &calls,
    ))
}

fn read(method: &ImplItemFn) -> Result<Method> {
    let parameters = parameters(method, WITH_STATE)?;
    let (state, row) = match &parameters[..] {
        [row] => (None, row),
        [state, row] => {
            let state = behind_mut(state, "the state of the split", "&mut Seen")?;
            (Some(owned(state, "a state")?.clone()), row)
        }
        _ => {
            return error(
                &method.sig.inputs,
                format!("`observe` takes a row: write `{OBSERVE}` or `{WITH_STATE}`"),
            );
        }
    };
    if matches!(method.sig.output, ReturnType::Default) {
        return error(
            &method.sig.ident,
            format!("`observe` says how far time has come: write `{OBSERVE}` or `{WITH_STATE}`"),
        );
    }
    Ok(Method {
        state,
        row: by_value(row, "a row")?.clone(),
        result: returned(method)?,
    })
}

impl Method {
    fn described(&self) -> TokenStream {
        let row = &self.row;
        let input = quote_spanned!(place(row)=> __tidemill::describe_input::<#row>(json));
        let state = self.state.as_ref().map(|state| {
            let columns =
                quote_spanned!(place(state)=> __tidemill::describe_columns::<#state>(json));
            quote!(__tidemill::member(json, "state", |json| #columns);)
        });
        quote! {
            #input;
            #state
        }
    }

    fn calls(&self) -> TokenStream {
        let (row, result) = (&self.row, &self.result);
        let (state, argument) = match &self.state {
            Some(state) => (state.to_token_stream(), Some(quote!(state,))),
            None => (quote!(__tidemill::NoState), None),
        };
        let at = self.state.as_ref().map_or_else(|| place(row), place);
        let create = quote_spanned!(at=> __tidemill::create::<#state>());
        quote! {
            fn create(&self) -> ::core::result::Result<__tidemill::Table, ::std::string::String> {
                ::core::result::Result::Ok(#create)
            }

            fn observe(
                &self,
                rows: &__tidemill::Batch,
                state: &__tidemill::Table,
            ) -> ::core::result::Result<__tidemill::Observed, ::std::string::String> {
                __tidemill::observe::<#state, #row, #result, _>(
                    rows, state, |state, row| self.observe(#argument row),
                )
            }
        }
    }
}
