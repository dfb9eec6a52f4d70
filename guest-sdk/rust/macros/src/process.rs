//! `#[process]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{ImplItemFn, ItemImpl, Result, Type};

use crate::function::{self, Function, behind_mut, by_value, output_of, parameters, returned};
use crate::structure::{error, error_at, place, type_name};

const ON_ROW: &str =
    "fn on_row(&self, payment: Payment, state: &mut Account, out: &mut Output<Alert>)";
const WITH_TIMERS: &str = "fn on_row(&self, payment: Payment, state: &mut Account, timers: &mut Timers, out: &mut Output<Alert>)";
const ON_TIMER: &str = "fn on_timer(&self, fired: Fired, state: &mut Account, timers: &mut Timers, out: &mut Output<Alert>)";
const WITH_KEY: &str = "fn on_timer(&self, key: Customer, fired: Fired, state: &mut Account, timers: &mut Timers, out: &mut Output<Alert>)";

/// What both methods have.
struct Common {
    state: Type,
    timers: Option<Type>,
    output: Type,
    sides: Option<Type>,
    done: Type,
}

/// What the methods say.
struct Methods {
    row: Type,
    common: Common,
    timer: Option<OnTimer>,
}

struct OnTimer {
    key: Option<Type>,
    done: Type,
}

pub fn expand(arguments: &TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return error(arguments, "#[process] takes no arguments");
    }
    function::inline(&mut block);
    let function = function::read(&block, "process")?;
    let methods = read(&function)?;
    let (described, calls) = (methods.described(), methods.calls());
    Ok(function::expand(
        &block, &function, "process", &described, &calls,
    ))
}

fn read(function: &Function) -> Result<Methods> {
    let is = |method: &ImplItemFn, name: &str| method.sig.ident == name;
    let known = |method: &&&ImplItemFn| is(method, "on_row") || is(method, "on_timer");
    if let Some(other) = function.methods.iter().find(|method| !known(method)) {
        let name = &other.sig.ident;
        return error(
            name,
            format!(
                "a process function has no method `{name}`: it has `on_row` and, if it sets timers, `on_timer`; \
                 other methods go into an `impl` block of their own, without #[process]"
            ),
        );
    }
    let find = |name: &str| function.methods.iter().find(|method| is(method, name));
    let Some(on_row) = find("on_row") else {
        return error_at(
            function.span(),
            format!("`on_row` is missing: write `{ON_ROW} {{ … }}`"),
        );
    };
    let (row, common) = read_on_row(on_row)?;
    let timer = match (find("on_timer"), &common.timers) {
        (Some(on_timer), Some(_)) => Some(read_on_timer(on_timer, &common)?),
        (Some(on_timer), None) => {
            return error(
                &on_row.sig.inputs,
                format!(
                    "`{}` fires timers, and `on_row` sets none: write `{WITH_TIMERS}`",
                    on_timer.sig.ident
                ),
            );
        }
        (None, Some(timers)) => {
            return error(
                timers,
                format!("timers fire in `on_timer`, which is missing: write `{ON_TIMER} {{ … }}`"),
            );
        }
        (None, None) => None,
    };
    Ok(Methods { row, common, timer })
}

fn read_on_row(method: &ImplItemFn) -> Result<(Type, Common)> {
    let parameters = parameters(method, ON_ROW)?;
    let [row, rest @ ..] = &parameters[..] else {
        return error(
            &method.sig.inputs,
            format!("`on_row` takes a row, its key's state and an output: write `{ON_ROW}`"),
        );
    };
    let common = common(method, rest, ON_ROW)?;
    Ok((by_value(row, "a row")?.clone(), common))
}

/// State, perhaps timers, the output, perhaps side outputs.
fn common(method: &ImplItemFn, parameters: &[Type], write: &str) -> Result<Common> {
    let name = &method.sig.ident;
    let is_output = |ty: &Type| match ty {
        Type::Reference(reference) => type_name(&reference.elem).as_deref() == Some("Output"),
        other => type_name(other).as_deref() == Some("Output"),
    };
    let (state, timers, out, sides) = match parameters {
        [state, out] if is_output(out) => (state, None, out, None),
        [state, out, sides] if is_output(out) => (state, None, out, Some(sides)),
        [state, timers, out] if is_output(out) => (state, Some(timers), out, None),
        [state, timers, out, sides] if is_output(out) => (state, Some(timers), out, Some(sides)),
        _ => {
            return error(
                &method.sig.inputs,
                format!(
                    "`{name}` takes state, timers if it has any, then an output: write `{write}`"
                ),
            );
        }
    };
    let mutable = |ty: &Type, what: &str, write: &str| behind_mut(ty, what, write).cloned();
    let out = behind_mut(out, "the output", "&mut Output<Alert>")?;
    Ok(Common {
        state: mutable(state, "the state of the key", "&mut Account")?,
        timers: timers
            .map(|timers| mutable(timers, "what holds the timers", "&mut Timers"))
            .transpose()?,
        output: output_of(out, "&mut Output<Alert>")?.clone(),
        sides: sides
            .map(|sides| mutable(sides, "what holds the side outputs", "&mut Sides"))
            .transpose()?,
        done: returned(method)?,
    })
}

fn read_on_timer(method: &ImplItemFn, of_row: &Common) -> Result<OnTimer> {
    let parameters = parameters(method, ON_TIMER)?;
    let is_fired = |ty: &Type| type_name(ty).as_deref() == Some("Fired");
    let (key, rest) = match &parameters[..] {
        [fired, rest @ ..] if is_fired(fired) => (None, rest),
        [key, fired, rest @ ..] if is_fired(fired) => {
            (Some(by_value(key, "the key")?.clone()), rest)
        }
        _ => {
            return error(
                &method.sig.inputs,
                format!(
                    "`on_timer` takes what fires before the state: write `{ON_TIMER}` or `{WITH_KEY}`"
                ),
            );
        }
    };
    let own = common(method, rest, ON_TIMER)?;
    same(Some(&own.state), Some(&of_row.state), method)?;
    same(own.timers.as_ref(), of_row.timers.as_ref(), method)?;
    same(Some(&own.output), Some(&of_row.output), method)?;
    same(own.sides.as_ref(), of_row.sides.as_ref(), method)?;
    Ok(OnTimer {
        key,
        done: own.done,
    })
}

/// Compares by name: a wrong type would otherwise be reported inside generated code.
fn same(found: Option<&Type>, of_row: Option<&Type>, method: &ImplItemFn) -> Result<()> {
    let text = |ty: Option<&Type>| ty.map(|ty| ty.to_token_stream().to_string());
    match (text(found), text(of_row)) {
        (found, of_row) if found == of_row => Ok(()),
        (Some(name), Some(of_row)) => error(
            found,
            format!("`on_row` has `{of_row}`, and this is `{name}`: write the same type"),
        ),
        _ => error(
            &method.sig.inputs,
            "`on_timer` takes the same state, timers and outputs as `on_row`",
        ),
    }
}

impl Methods {
    fn described(&self) -> TokenStream {
        let Common {
            state,
            timers,
            output,
            sides,
            ..
        } = &self.common;
        let row = &self.row;
        let key = self.timer.as_ref().and_then(|timer| timer.key.as_ref());
        let key = key.map(function::described_key);
        let input = quote_spanned!(place(row)=> __tidemill::describe_input::<#row>(json));
        let slots = quote_spanned!(place(state)=> __tidemill::describe_slots::<#state>(json));
        let timers = timers.as_ref().map(|timers| {
            let describe =
                quote_spanned!(place(timers)=> __tidemill::describe_timers::<#timers>(json));
            quote!(__tidemill::member(json, "timers", |json| #describe);)
        });
        let made = quote_spanned!(place(output)=> __tidemill::describe_output::<#output>(json));
        let sides = sides.as_ref().map(|sides| {
            let describe =
                quote_spanned!(place(sides)=> <#sides as ::tidemill::Sides>::describe(json));
            quote!(__tidemill::member(json, "sides", |json| #describe);)
        });
        quote! {
            #input;
            #key
            __tidemill::member(json, "slots", |json| #slots);
            #timers
            __tidemill::member(json, "output", |json| #made);
            #sides
        }
    }

    fn calls(&self) -> TokenStream {
        let row = &self.row;
        let Common {
            state,
            timers,
            output,
            sides,
            done,
        } = &self.common;
        let timers_type = timers.as_ref().map_or(quote!(()), |ty| quote!(#ty));
        let timers_argument = timers.as_ref().map(|_| quote!(timers,));
        let sides_type = sides
            .as_ref()
            .map_or(quote!(__tidemill::NoSides), |ty| quote!(#ty));
        let sides_argument = sides.as_ref().map(|_| quote!(sides));
        let on_timers = self.timer.as_ref().map(|timer| {
            let done = &timer.done;
            let (key_type, key) = match &timer.key {
                Some(key) => (key.to_token_stream(), Some(quote!(key,))),
                None => (quote!(__tidemill::NoKey), None),
            };
            let new = quote_spanned!(place(output)=> __tidemill::made_by_timers::<#output>());
            quote! {
                fn on_timers(
                    &self,
                    keys: &__tidemill::Table,
                    due: &__tidemill::Due,
                    values: &[__tidemill::Held],
                ) -> ::core::result::Result<__tidemill::Processed, ::std::string::String> {
                    #new;
                    __tidemill::on_timers::<#key_type, #state, #timers_type, #output, #sides_type, #done, _>(
                        keys, due, values,
                        |key, fired, state, timers, out, sides|
                            self.on_timer(#key fired, state, #timers_argument out, #sides_argument),
                    )
                }
            }
        });
        quote! {
            fn parts() -> __tidemill::Parts {
                __tidemill::Parts {
                    slots: <#state as ::tidemill::State>::SLOTS,
                    timers: <#timers_type as ::tidemill::Timers>::TIMERS,
                }
            }

            fn on_rows(
                &self,
                keys: &__tidemill::Table,
                rows: &__tidemill::Batch,
                groups: &[u32],
                values: &[__tidemill::Held],
            ) -> ::core::result::Result<__tidemill::Processed, ::std::string::String> {
                __tidemill::on_rows::<#row, #state, #timers_type, #output, #sides_type, #done, _>(
                    rows, groups, keys, values,
                    |row, state, timers, out, sides|
                        self.on_row(row, state, #timers_argument out, #sides_argument),
                )
            }

            #on_timers
        }
    }
}
