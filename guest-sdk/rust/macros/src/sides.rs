//! `#[derive(Sides)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Result};

use crate::structure::{self, error, place, plain};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = structure::named_fields(input, "Sides")?;
    let lifetime = structure::lifetime(input, "Sides")?;
    if fields.is_empty() {
        return error(
            &input.ident,
            "name a side output: write `suspicious: Output<Payment>`",
        );
    }
    let name = &input.ident;
    let generics = lifetime
        .iter()
        .map(|lifetime| quote!(<#lifetime>))
        .collect::<TokenStream>();
    let idents: Vec<_> = fields.iter().map(|field| field.ident.as_ref()).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let described = fields.iter().enumerate().map(|(index, field)| {
        let name = structure_name(field);
        let comma = (index > 0).then(|| quote!(json.push(',');));
        let ty = &field.ty;
        quote_spanned!(place(ty)=> #comma <#ty as __tidemill::Side>::describe(#name, json);)
    });
    let targets = 1..=fields.len() as u32;
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, elided_lifetimes_in_paths)]
        const _: () = {
            use ::tidemill::__private as __tidemill;

            impl #generics ::tidemill::Sides for #name #generics {
                const CHANGES: bool = #(<#types as __tidemill::Side>::CHANGES)||*;

                fn describe(json: &mut ::std::string::String) {
                    json.push('[');
                    #(#described)*
                    json.push(']');
                }

                fn with_rows(rows: usize) -> Self {
                    #name { #(#idents: <#types as __tidemill::Side>::side_with_rows(rows)),* }
                }

                #[inline(always)]
                fn begin(&mut self, row: usize) {
                    #(__tidemill::Side::side_begin(&mut self.#idents, row);)*
                }

                fn undo(&mut self) {
                    #(__tidemill::Side::side_undo(&mut self.#idents);)*
                }

                fn emit(self, emitted: &mut ::std::vec::Vec<__tidemill::Emitted>) {
                    #(__tidemill::Side::side_emit(self.#idents, #targets, emitted);)*
                }
            }

            impl #generics ::core::default::Default for #name #generics {
                fn default() -> Self {
                    <Self as ::tidemill::Sides>::with_rows(0)
                }
            }
        };
    })
}

fn structure_name(field: &syn::Field) -> String {
    plain(field.ident.as_ref().expect("named fields only"))
}
