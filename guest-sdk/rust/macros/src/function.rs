//! What the attributes of functions ask of an `impl` block.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, ImplItem, ImplItemFn, ItemImpl, Lifetime,
    PathArguments, Result, ReturnType, Type, TypeImplTrait, TypeReference,
};

use crate::structure::{documentation, error, error_at, place};

/// The function's type and the methods of its block.
pub struct Function<'i> {
    pub ty: &'i Type,
    pub methods: Vec<&'i ImplItemFn>,
}

/// Reads the block.
pub fn read<'i>(block: &'i ItemImpl, attribute: &str) -> Result<Function<'i>> {
    if let Some(parameter) = block.generics.params.first() {
        return error(
            parameter,
            "a function has no parameters: the host finds it by its name; write one block per type",
        );
    }
    if let Some((_, path, _)) = &block.trait_ {
        let ty = block.self_ty.to_token_stream();
        return error(
            path,
            format!("#[{attribute}] is for the type's own block: write `impl {ty} {{ … }}`"),
        );
    }
    let Type::Path(path) = &*block.self_ty else {
        return error(
            &block.self_ty,
            "a function is a struct: write `impl Velocity { … }`",
        );
    };
    if let Some(segment) = path.path.segments.last()
        && !matches!(segment.arguments, PathArguments::None)
    {
        return error(
            &segment.arguments,
            "a function has no parameters: the host finds it by its name; write one block per type",
        );
    }
    let methods = block.items.iter().map(|item| match item {
        ImplItem::Fn(method) => Ok(method),
        other => error(
            other,
            format!(
                "#[{attribute}] takes methods only: write this into an `impl` block of its own"
            ),
        ),
    });
    Ok(Function {
        ty: &block.self_ty,
        methods: methods.collect::<Result<_>>()?,
    })
}

impl Function<'_> {
    /// The name that the host knows it by: the type's, in kebab-case.
    pub fn name(&self) -> String {
        kebab_case(&crate::structure::type_name(self.ty).unwrap_or_default())
    }

    /// Where its name stands.
    pub fn span(&self) -> Span {
        match self.ty {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .map(|segment| segment.ident.span()),
            _ => None,
        }
        .unwrap_or_else(Span::call_site)
    }
}

/// `WorkingDay` becomes `working-day`, `HTTPCheck2` becomes `http-check2`.
fn kebab_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (index, &character) in characters.iter().enumerate() {
        if character == '_' {
            kebab.push('-');
            continue;
        }
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(index + 1);
        let starts = character.is_uppercase()
            && before.is_some_and(|before| {
                before != '_'
                    && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            });
        if starts {
            kebab.push('-');
        }
        kebab.extend(character.to_lowercase());
    }
    kebab
}

/// The types of a method's parameters behind `&self`, with lifetimes to be inferred.
pub fn parameters(method: &ImplItemFn, write: &str) -> Result<Vec<Type>> {
    let name = &method.sig.ident;
    if let Some(word) = &method.sig.asyncness {
        return error(
            word,
            format!("`{name}` is a plain method: a function waits for nothing; leave `async` out"),
        );
    }
    let types = |each: &&GenericParam| !matches!(each, GenericParam::Lifetime(_));
    if let Some(parameter) = method.sig.generics.params.iter().find(types) {
        let why = format!("`{name}` has no type parameters: name the record");
        return error(parameter, why);
    }
    let mut inputs = method.sig.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver))
            if receiver.reference.is_some() && receiver.mutability.is_none() => {}
        Some(FnArg::Receiver(receiver)) => {
            return error(
                receiver,
                format!(
                    "`{name}` takes `&self`: what a function remembers would depend on which rows came before; keep it in an accumulator"
                ),
            );
        }
        _ => {
            return error_at(
                name.span(),
                format!("`{name}` takes `&self` first: write `{write}`"),
            );
        }
    }
    inputs
        .map(|input| match input {
            FnArg::Typed(typed) => inferred(&typed.ty),
            FnArg::Receiver(receiver) => error(receiver, "one `&self` is enough"),
        })
        .collect()
}

/// The one method of a block that has exactly one.
pub fn only_method<'i>(function: &Function<'i>, name: &str, write: &str) -> Result<&'i ImplItemFn> {
    if let Some(other) = function.methods.iter().find(|m| m.sig.ident != name) {
        let other = &other.sig.ident;
        return error(
            other,
            format!(
                "here is one method, `{name}`: other methods, such as `{other}`, go into an `impl` block of their own, \
                 without the attribute"
            ),
        );
    }
    match function.methods.first() {
        Some(method) => Ok(method),
        None => error_at(
            function.span(),
            format!("`{name}` is missing: write `{write} {{ … }}`"),
        ),
    }
}

/// `T` of `Output<T>`.
pub fn output_of<'t>(out: &'t Type, write: &str) -> Result<&'t Type> {
    if let Type::Path(path) = out
        && let Some(segment) = path.path.segments.last()
        && segment.ident == "Output"
        && let PathArguments::AngleBracketed(arguments) = &segment.arguments
        && let Some(GenericArgument::Type(made)) = arguments.args.first()
    {
        return Ok(made);
    }
    error(out, format!("the output takes records: write `{write}`"))
}

/// What is kept between calls, and so borrows from none.
pub fn owned<'t>(ty: &'t Type, what: &str) -> Result<&'t Type> {
    if ty.to_token_stream().to_string().contains('\'') {
        return error(
            ty,
            format!(
                "{what} owns its values: write its struct without a lifetime, `String` for `&str`, `Vec<u8>` for `&[u8]`"
            ),
        );
    }
    Ok(ty)
}

/// The key that a method asks for, in what `describe` says.
pub fn described_key(key: &Type) -> TokenStream {
    quote_spanned!(place(key)=>
        fn key<K: __tidemill::Bare>(json: &mut ::std::string::String) {
            __tidemill::describe_columns::<K>(json)
        }
        __tidemill::member(json, "key", |json| key::<#key>(json));
    )
}

/// A record that is taken by value.
pub fn by_value<'t>(ty: &'t Type, what: &str) -> Result<&'t Type> {
    match ty {
        Type::Reference(reference) => {
            let inner = reference.elem.to_token_stream();
            error(ty, format!("{what} comes by value: write `{inner}`"))
        }
        _ => Ok(ty),
    }
}

/// What stands behind `&mut`.
pub fn behind_mut<'t>(ty: &'t Type, what: &str, write: &str) -> Result<&'t Type> {
    match ty {
        Type::Reference(TypeReference {
            mutability: Some(_),
            elem,
            ..
        }) => Ok(elem),
        _ => error(ty, format!("{what} is changed in place: write `{write}`")),
    }
}

/// The return type, with lifetimes to be inferred; `()` if there is none.
pub fn returned(method: &ImplItemFn) -> Result<Type> {
    match &method.sig.output {
        ReturnType::Default => Ok(syn::parse_quote!(())),
        ReturnType::Type(_, ty) => inferred(ty),
    }
}

/// The type as it may stand inside a body: named lifetimes of a method do not exist there and are
/// inferred.
fn inferred(ty: &Type) -> Result<Type> {
    struct Infer(Option<TypeImplTrait>);

    impl VisitMut for Infer {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                *lifetime = Lifetime::new("'_", lifetime.span());
            }
        }

        fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
            self.0 = Some(ty.clone());
            visit_mut::visit_type_impl_trait_mut(self, ty);
        }
    }

    let mut infer = Infer(None);
    let mut inferred = ty.clone();
    infer.visit_type_mut(&mut inferred);
    match infer.0 {
        Some(_) => error(
            ty,
            "name the type: `impl …` does not say which columns there are",
        ),
        None => Ok(inferred),
    }
}

/// The whole expansion: the author's block as it is, and the implementation of the one trait.
pub fn expand(
    block: &ItemImpl,
    function: &Function,
    kind: &str,
    described: &TokenStream,
    calls: &TokenStream,
) -> TokenStream {
    let (ty, name, doc) = (function.ty, function.name(), documentation(&block.attrs));
    let doc = match doc.is_empty() {
        true => quote_spanned!(place(ty)=> <#ty as ::tidemill::Config>::DOC),
        false => quote!(#doc),
    };
    let config = quote_spanned!(place(ty)=> __tidemill::describe_fields::<#ty>);
    let parse = quote_spanned!(place(ty)=> __tidemill::parse::<#ty>(config));
    quote! {
        #block

        #[automatically_derived]
        #[allow(clippy::all, elided_lifetimes_in_paths, unused_variables)]
        const _: () = {
            use ::tidemill::__private as __tidemill;

            impl ::tidemill::Function for #ty {
                fn describe(json: &mut ::std::string::String) {
                    __tidemill::begin(json, #name, #kind, #doc);
                    #described
                    __tidemill::member(json, "config", #config);
                    json.push('}');
                }

                fn configure(
                    config: &str,
                ) -> ::core::result::Result<Self, ::std::string::String> {
                    #parse
                }

                #calls
            }
        };
    }
}

/// Asks the compiler to put the methods into the loop over rows.
pub fn inline(block: &mut ItemImpl) {
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item
            && !method
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("inline"))
        {
            let inline: Attribute = syn::parse_quote!(#[inline]);
            method.attrs.push(inline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::kebab_case;

    #[test]
    fn names_are_kebab_case() {
        let names = [
            ("Velocity", "velocity"),
            ("WorkingDay", "working-day"),
            ("HTTPCheck2", "http-check2"),
            ("A", "a"),
            ("Top10Delays", "top10-delays"),
            ("Read_all", "read-all"),
        ];
        for (ty, name) in names {
            assert_eq!(kebab_case(ty), name);
        }
    }
}
