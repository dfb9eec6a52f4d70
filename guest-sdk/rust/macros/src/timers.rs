//! `#[derive(Timers)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Field, Meta, Result};

use crate::structure::{self, error, plain, type_name};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = structure::named_fields(input, "Timers")?;
    if let Some(lifetime) = structure::lifetime(input, "Timers")? {
        return error(
            lifetime,
            "timers are `Timer` fields: write the struct without a lifetime",
        );
    }
    if fields.is_empty() {
        return error(&input.ident, "name a timer: write `silent: Timer`");
    }
    let name = &input.ident;
    let idents: Vec<_> = fields.iter().map(|field| field.ident.as_ref()).collect();
    let mut declared = Vec::new();
    for field in &fields {
        declared.push(timer(field)?);
    }
    let indices = 0..fields.len() as u32;
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all)]
        const _: () = {
            use ::tidemill::__private as __tidemill;

            impl ::tidemill::Timers for #name {
                const TIMERS: &'static [__tidemill::TimerOf] = &[#(#declared),*];

                fn open() -> Self {
                    #name { #(#idents: ::core::default::Default::default()),* }
                }

                #[inline(always)]
                fn begin(&mut self, row: u32) {
                    #(self.#idents.begin(row);)*
                }

                fn undo(&mut self) {
                    #(self.#idents.undo();)*
                }

                fn close(self, timed: &mut __tidemill::Timed) {
                    #(self.#idents.close(#indices, timed);)*
                }
            }
        };
    })
}

fn timer(field: &Field) -> Result<TokenStream> {
    if type_name(&field.ty).as_deref() != Some("Timer") {
        return error(&field.ty, "each field is a timer: write `Timer`");
    }
    let mut processing = false;
    for part in structure::attribute_parts(&field.attrs, "timer")? {
        match &part {
            Meta::Path(path) if path.is_ident("processing") => processing = true,
            other => return error(other, "a field's #[timer(…)] is: processing"),
        }
    }
    let name = plain(field.ident.as_ref().expect("named fields only"));
    Ok(quote!(__tidemill::TimerOf { name: #name, processing: #processing }))
}
