//! `#[aggregate]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{ImplItemFn, ItemImpl, Result, ReturnType, Type, TypeReference};

use crate::function::{self, Function, behind_mut, by_value, owned, parameters, returned};
use crate::structure::{error, error_at, place};

const ADD: &str = "fn add(&self, spent: &mut Spent, payment: Payment)";
const MERGE: &str = "fn merge(&self, spent: &mut Spent, other: Spent)";
const FINISH: &str = "fn finish(&self, window: Window, spent: &Spent) -> Alert";
const FINISH_WITH_KEY: &str =
    "fn finish(&self, key: Account, window: Window, spent: &Spent) -> Alert";

/// What the three methods say.
struct Methods {
    accumulator: Type,
    row: Type,
    /// What `add` and `merge` return.
    done: [Type; 2],
    key: Option<Type>,
    result: Type,
}

pub fn expand(arguments: &TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    let combinable = match arguments.to_string().as_str() {
        "" => false,
        "combinable" => true,
        _ => return error(arguments, "write #[aggregate] or #[aggregate(combinable)]"),
    };
    function::inline(&mut block);
    let function = function::read(&block, "aggregate")?;
    let methods = read(&function)?;
    let (described, calls) = (methods.described(combinable), methods.calls());
    Ok(function::expand(
        &block,
        &function,
        "aggregate",
        &described,
        &calls,
    ))
}

fn read(function: &Function) -> Result<Methods> {
    if let Some(other) = function.methods.iter().find(|method| {
        !["add", "merge", "finish"]
            .iter()
            .any(|name| method.sig.ident == name)
    }) {
        let name = &other.sig.ident;
        return error(
            name,
            format!(
                "an aggregate has no method `{name}`: it has `add`, `merge` and `finish`; other methods go into an \
                 `impl` block of their own, without #[aggregate]"
            ),
        );
    }
    let (accumulator, row, added) = add(method(function, "add", ADD)?)?;
    let merge_as = format!(
        "fn merge(&self, acc: &mut {0}, other: {0})",
        accumulator.to_token_stream().to_string().replace(' ', "")
    );
    let merged = merge(method(function, "merge", &merge_as)?, &accumulator)?;
    let (key, result) = finish(method(function, "finish", FINISH)?, &accumulator)?;
    Ok(Methods {
        accumulator,
        row,
        done: [added, merged],
        key,
        result,
    })
}

fn method<'i>(function: &Function<'i>, name: &str, write: &str) -> Result<&'i ImplItemFn> {
    let found = function
        .methods
        .iter()
        .find(|method| method.sig.ident == name);
    match found {
        Some(method) => Ok(method),
        None => error_at(
            function.span(),
            format!("this aggregate has no `{name}`: write `{write} {{ … }}`"),
        ),
    }
}

fn add(method: &ImplItemFn) -> Result<(Type, Type, Type)> {
    let parameters = parameters(method, ADD)?;
    let [accumulator, row] = &parameters[..] else {
        return error(
            &method.sig.inputs,
            format!("`add` takes an accumulator and a row: write `{ADD}`"),
        );
    };
    let accumulator = behind_mut(accumulator, "the accumulator", "&mut Spent")?;
    let accumulator = owned(accumulator, "an accumulator")?;
    Ok((
        accumulator.clone(),
        by_value(row, "a row")?.clone(),
        returned(method)?,
    ))
}

fn merge(method: &ImplItemFn, accumulator: &Type) -> Result<Type> {
    let parameters = parameters(method, MERGE)?;
    let [into, other] = &parameters[..] else {
        return error(
            &method.sig.inputs,
            format!("`merge` takes two accumulators: write `{MERGE}`"),
        );
    };
    let into = behind_mut(into, "the accumulator", "&mut Spent")?;
    for each in [into, by_value(other, "the other accumulator")?] {
        same_accumulator(each, accumulator)?;
    }
    returned(method)
}

fn finish(method: &ImplItemFn, accumulator: &Type) -> Result<(Option<Type>, Type)> {
    let parameters = parameters(method, FINISH)?;
    let (key, window, acc) = match &parameters[..] {
        [window, acc] => (None, window, acc),
        [key, window, acc] => (Some(by_value(key, "the key")?.clone()), window, acc),
        _ => {
            return error(
                &method.sig.inputs,
                format!(
                    "`finish` takes a window and an accumulator: write `{FINISH}` or `{FINISH_WITH_KEY}`"
                ),
            );
        }
    };
    if crate::structure::type_name(window).as_deref() != Some("Window") {
        return error(
            window,
            format!(
                "`finish` takes the window before the accumulator: write `{FINISH}` or `{FINISH_WITH_KEY}`"
            ),
        );
    }
    match acc {
        Type::Reference(TypeReference {
            mutability: None,
            elem,
            ..
        }) => same_accumulator(elem, accumulator)?,
        _ => {
            let name = accumulator.to_token_stream();
            return error(
                acc,
                format!(
                    "`finish` looks at the accumulator, which the window may still need: write `&{name}`"
                ),
            );
        }
    }
    if matches!(method.sig.output, ReturnType::Default) {
        return error(
            &method.sig.ident,
            format!("`finish` makes the result: write `{FINISH}`"),
        );
    }
    Ok((key, returned(method)?))
}

/// Compares by name: a wrong type would otherwise be reported inside generated code.
fn same_accumulator(found: &Type, accumulator: &Type) -> Result<()> {
    let (found_name, name) = (
        found.to_token_stream().to_string(),
        accumulator.to_token_stream().to_string(),
    );
    if found_name == name {
        return Ok(());
    }
    error(
        found,
        format!(
            "`add` has the accumulator `{name}`, and this is `{found_name}`: write the same type"
        ),
    )
}

impl Methods {
    fn described(&self, combinable: bool) -> TokenStream {
        let (row, accumulator, result) = (&self.row, &self.accumulator, &self.result);
        let key = self.key.as_ref().map(function::described_key);
        let combinable = combinable
            .then(|| quote!(__tidemill::member(json, "combinable", |json| json.push_str("true"));));
        let input = quote_spanned!(place(row)=> __tidemill::describe_input::<#row>(json));
        let accumulator =
            quote_spanned!(place(accumulator)=> __tidemill::describe_columns::<#accumulator>(json));
        let output = quote_spanned!(place(result)=>
            __tidemill::describe_output::<<#result as __tidemill::Finished>::Row>(json)
        );
        quote! {
            #input;
            #key
            __tidemill::member(json, "accumulator", |json| #accumulator);
            __tidemill::member(json, "output", |json| #output);
            #combinable
        }
    }

    fn calls(&self) -> TokenStream {
        let (row, acc) = (&self.row, &self.accumulator);
        let [added, merged] = &self.done;
        let create = quote_spanned!(place(acc)=> __tidemill::create::<#acc>());
        let finish = self.finish();
        quote! {
            fn create(&self) -> ::core::result::Result<__tidemill::Table, ::std::string::String> {
                ::core::result::Result::Ok(#create)
            }

            fn accumulate(
                &self,
                rows: &__tidemill::Batch,
                groups: &[u32],
                accs: &__tidemill::Table,
                marks: &[u32],
            ) -> ::core::result::Result<__tidemill::Accumulated, ::std::string::String> {
                __tidemill::accumulate::<#acc, #row, #added, _>(
                    rows, groups, accs, marks, |acc, row| self.add(acc, row),
                )
            }

            fn merge(
                &self,
                into: &__tidemill::Table,
                others: &__tidemill::Table,
                groups: &[u32],
            ) -> ::core::result::Result<__tidemill::Accumulated, ::std::string::String> {
                __tidemill::merge::<#acc, #merged, _>(
                    into, others, groups, |acc, other| self.merge(acc, other),
                )
            }

            #finish
        }
    }

    fn finish(&self) -> TokenStream {
        let (acc, result) = (&self.accumulator, &self.result);
        let (key_type, key) = match &self.key {
            Some(key) => (key.to_token_stream(), Some(quote!(key,))),
            None => (quote!(__tidemill::NoKey), None),
        };
        quote! {
            fn finish(
                &self,
                keys: &__tidemill::Table,
                firings: &__tidemill::Firings,
                accs: &__tidemill::Table,
            ) -> ::core::result::Result<__tidemill::Outcome, ::std::string::String> {
                let accs = __tidemill::decode::<#acc>(accs)?;
                __tidemill::finish::<#acc, #key_type, #result, _>(
                    keys, firings, &accs, |key, window, acc| self.finish(#key window, acc),
                )
            }
        }
    }
}
