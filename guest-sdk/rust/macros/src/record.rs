//! `#[derive(Record)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Index, Lifetime, Result};

use crate::column::{Column, Role, borrows_for_ever, read_field};
use crate::structure::{self, error, place};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = structure::named_fields(input, "Record")?;
    let lifetime = structure::lifetime(input, "Record")?;
    let columns: Vec<Column> = fields
        .iter()
        .map(|field| read_field(field, lifetime.as_ref()))
        .collect::<Result<_>>()?;
    for (role, why) in [
        (
            Role::EventTime,
            "a row has one event time: mark one field only",
        ),
        (
            Role::Change,
            "a row does one thing to others: mark one field only",
        ),
    ] {
        let mut marked = columns.iter().filter(|column| column.role == role);
        if let Some(second) = marked.nth(1) {
            return error(second.field, why);
        }
    }
    let record = Derived {
        input,
        lifetime,
        columns,
    };
    let (write, read, accumulate) = (record.write(), record.read(), record.accumulate());
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, elided_lifetimes_in_paths, unused_variables)]
        const _: () = {
            use ::tidemill::__private as __tidemill;
            #write
            #read
            #accumulate
        };
    })
}

struct Derived<'i> {
    input: &'i DeriveInput,
    lifetime: Option<Lifetime>,
    columns: Vec<Column<'i>>,
}

impl Derived<'_> {
    fn ty(&self) -> TokenStream {
        let (name, lifetime) = (&self.input.ident, self.lifetime.iter());
        quote!(#name #(<#lifetime>)*)
    }

    /// `impl<'a>`, or `impl` alone.
    fn generics(&self) -> TokenStream {
        let lifetime = self.lifetime.iter();
        quote!(#(<#lifetime>)*)
    }

    /// Which field has this role.
    fn marked(&self, role: Role) -> Option<Index> {
        let mut columns = self.columns.iter();
        columns
            .position(|column| column.role == role)
            .map(Index::from)
    }

    /// What was written into the field of this role, which is no column.
    fn beside(&self, role: Role) -> TokenStream {
        match self.marked(role) {
            Some(index) => quote!(::core::option::Option::Some(columns.#index.into_list())),
            None => quote!(::core::option::Option::None),
        }
    }

    /// Whether all fields are columns.
    fn is_bare(&self) -> bool {
        self.columns.iter().all(Column::is_column)
    }

    fn write(&self) -> TokenStream {
        let (generics, ty, name) = (self.generics(), self.ty(), &self.input.ident);
        let family = match self.lifetime {
            Some(_) => quote!(#name<'static>),
            None => quote!(#name),
        };
        let declared = self
            .columns
            .iter()
            .filter(|column| column.is_column())
            .map(|column| {
                let (name, value) = (&column.name, column.value());
                quote_spanned!(place(column.ty)=> __tidemill::column::<#value>(#name))
            });
        let writers = self.columns.iter().map(Column::writer);
        let indices: Vec<Index> = (0..self.columns.len()).map(Index::from).collect();
        let with_rows = self.columns.iter().map(|column| {
            let writer = column.writer();
            quote_spanned!(place(column.ty)=> <#writer as __tidemill::Writer>::with_rows(rows))
        });
        let writes = self
            .columns
            .iter()
            .zip(&indices)
            .map(|(column, index)| column.write(index));
        let lists = self.columns.iter().zip(&indices);
        let lists = lists.filter(|(column, _)| column.is_column());
        let lists = lists.map(|(_, index)| quote!(__tidemill::Writer::finish(columns.#index)));
        let (times, changes) = (self.beside(Role::EventTime), self.beside(Role::Change));
        let says = self.marked(Role::Change).map(|_| {
            quote!(
                const CHANGES: bool = true;
            )
        });
        let bare = self
            .is_bare()
            .then(|| quote!(impl #generics __tidemill::Bare for #ty {}));
        quote! {
            impl #generics __tidemill::Record for #ty {
                const COLUMNS: &'static [__tidemill::ColumnOf] = &[#(#declared),*];
                #says
                type Family = #family;
                type Columns = (#(#writers,)*);

                fn with_rows(rows: usize) -> Self::Columns {
                    (#(#with_rows,)*)
                }

                #[inline(always)]
                fn write(&self, columns: &mut Self::Columns) {
                    #(#writes)*
                }

                fn truncate(columns: &mut Self::Columns, rows: usize) {
                    #(__tidemill::Writer::truncate(&mut columns.#indices, rows);)*
                }

                fn finish(columns: Self::Columns) -> __tidemill::Made {
                    __tidemill::Made {
                        columns: ::std::vec![#(#lists),*],
                        times: #times,
                        changes: #changes,
                    }
                }
            }
            #bare
        }
    }

    /// Whether a field borrows for ever, and so cannot be read from rows.
    fn write_only(&self) -> bool {
        self.columns
            .iter()
            .any(|column| borrows_for_ever(column.ty))
    }

    fn read(&self) -> Option<TokenStream> {
        if self.write_only() {
            return None;
        }
        let own = format_ident!("__rows");
        let own = Lifetime {
            apostrophe: self.input.ident.span(),
            ident: own,
        };
        let lifetime = self.lifetime.as_ref().unwrap_or(&own);
        let (ty, name) = (self.ty(), &self.input.ident);
        let readers = self.columns.iter().map(|column| column.reader(lifetime));
        let mut next = 0..;
        let opens = self.columns.iter().map(|column| {
            let index = column.is_column().then(|| next.next()).flatten();
            column.open(lifetime, index.unwrap_or_default())
        });
        let views = self.columns.iter().enumerate();
        let views = views.map(|(index, column)| column.view(lifetime, &Index::from(index)));
        let reads = self.columns.iter().enumerate().map(|(index, column)| {
            let (field, read) = (column.field, column.read(lifetime, &Index::from(index)));
            quote!(#field: #read)
        });
        Some(quote! {
            impl<#lifetime> __tidemill::FromRow<#lifetime> for #ty {
                type Reader = (#(#readers,)*);

                fn open(
                    rows: __tidemill::Rows<#lifetime>,
                ) -> ::core::result::Result<Self::Reader, ::std::string::String> {
                    ::core::result::Result::Ok((#(#opens,)*))
                }

                fn view(columns: &#lifetime Self::Columns) -> Self::Reader {
                    (#(#views,)*)
                }

                #[inline(always)]
                unsafe fn read(reader: &Self::Reader, row: usize) -> Self {
                    // SAFETY: the caller's: `row` is below the number of rows of the reader.
                    unsafe { #name { #(#reads),* } }
                }
            }
        })
    }

    fn accumulate(&self) -> Option<TokenStream> {
        if self.lifetime.is_some() || !self.is_bare() || self.write_only() {
            return None;
        }
        let ty = self.ty();
        let copies = self.columns.iter().map(|column| {
            let (field, own) = (column.field, column.ty);
            let copy = quote_spanned!(place(own)=> <#own as ::core::clone::Clone>::clone_from);
            quote!(#copy(&mut self.#field, &other.#field);)
        });
        Some(quote! {
            impl __tidemill::Accumulator for #ty {
                #[inline(always)]
                fn copy_from(&mut self, other: &Self) {
                    #(#copies)*
                }
            }
        })
    }
}
