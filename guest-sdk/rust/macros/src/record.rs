//! `#[derive(Record)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{DeriveInput, Expr, ExprLit, Field, Ident, Index, Lifetime, Lit, Meta, Result, Type};

use crate::structure::{self, error, place, plain, type_name};

/// A field of a record.
struct Column<'i> {
    field: &'i Ident,
    ty: &'i Type,
    name: String,
    role: Role,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Column,
    EventTime,
    Encoded,
}

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = structure::named_fields(input, "Record")?;
    let lifetime = structure::lifetime(input, "Record")?;
    let columns: Vec<Column> = fields
        .iter()
        .map(|field| read_field(field, lifetime.as_ref()))
        .collect::<Result<_>>()?;
    if let Some(second) = columns
        .iter()
        .filter(|column| column.role == Role::EventTime)
        .nth(1)
    {
        return error(
            second.field,
            "a row has one event time: mark one field only",
        );
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

fn read_field<'i>(field: &'i Field, lifetime: Option<&Lifetime>) -> Result<Column<'i>> {
    let ident = field.ident.as_ref().expect("named fields only");
    let mut column = Column {
        field: ident,
        ty: &field.ty,
        name: plain(ident),
        role: Role::Column,
    };
    for part in structure::attribute_parts(&field.attrs, "record")? {
        let role = match &part {
            Meta::Path(path) if path.is_ident("event_time") => Role::EventTime,
            Meta::Path(path) if path.is_ident("encoded") => Role::Encoded,
            Meta::NameValue(value) if value.path.is_ident("name") => {
                column.name = column_name(&value.value)?;
                continue;
            }
            other => {
                return error(
                    other,
                    "a field's #[record(…)] is one of: event_time, encoded, name = \"…\"",
                );
            }
        };
        if column.role != Role::Column {
            return error(part, "a field is either event_time or encoded");
        }
        column.role = role;
    }
    check_type(&column, lifetime)?;
    Ok(column)
}

fn column_name(value: &Expr) -> Result<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) if !name.value().is_empty() => Ok(name.value()),
        other => error(
            other,
            "a column's name is a text: #[record(name = \"type\")]",
        ),
    }
}

/// Says what to write where that can be seen from the type's name; the rest is left to trait
/// bounds.
fn check_type(column: &Column, lifetime: Option<&Lifetime>) -> Result<()> {
    let name = type_name(column.ty);
    if column.role == Role::Column && is_list(column.ty) {
        return error(
            column.ty,
            "a column holds one value per row: write several fields, or in an accumulator #[record(encoded)]",
        );
    }
    match column.role {
        Role::EventTime if name.as_deref() != Some("Timestamp") => error(
            column.ty,
            "the event time of a row is a Timestamp: write `Timestamp`",
        ),
        Role::Encoded if cfg!(not(feature = "encoded")) => error(
            column.field,
            "#[record(encoded)] needs the feature: tidemill = { …, features = [\"encoded\"] }",
        ),
        Role::EventTime | Role::Encoded => Ok(()),
        Role::Column => match (column.ty, name.as_deref().and_then(instead)) {
            (ty, Some(instead)) => error(
                ty,
                format!(
                    "`{}` is not the type of a column: {instead}",
                    ty.to_token_stream()
                ),
            ),
            (Type::Reference(reference), _) if reference.lifetime.is_none() => error(
                reference,
                match lifetime {
                    Some(lifetime) => format!("say how long it lives: write `&{lifetime} …`"),
                    None => {
                        "say how long it lives: write `&'a …`, and `<'a>` behind the struct's name"
                            .to_owned()
                    }
                },
            ),
            _ => Ok(()),
        },
    }
}

fn instead(name: &str) -> Option<&'static str> {
    match name {
        "i8" | "i16" | "i32" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => Some("write `i64`"),
        "f32" => Some("write `f64`"),
        "char" | "str" | "Cow" => Some("write `&'a str` or `String`"),
        "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" | "VecDeque" => {
            Some("in an accumulator keep it as bytes with #[record(encoded)]")
        }
        "SystemTime" | "DateTime" | "Instant" => Some("write `Timestamp`"),
        _ => None,
    }
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

    fn timed(&self) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.role == Role::EventTime)
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
            .filter(|column| column.role != Role::EventTime)
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
        let lists = lists.filter(|(column, _)| column.role != Role::EventTime);
        let lists = lists.map(|(_, index)| quote!(__tidemill::Writer::finish(columns.#index)));
        let times = match self.timed().map(Index::from) {
            Some(index) => quote!(::core::option::Option::Some(columns.#index.into_list())),
            None => quote!(::core::option::Option::None),
        };
        let untimed = self
            .timed()
            .is_none()
            .then(|| quote!(impl #generics __tidemill::Untimed for #ty {}));
        quote! {
            impl #generics __tidemill::Record for #ty {
                const COLUMNS: &'static [__tidemill::ColumnOf] = &[#(#declared),*];
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
                    __tidemill::Made { columns: ::std::vec![#(#lists),*], times: #times }
                }
            }
            #untimed
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
        let readers = self.columns.iter().map(|column| {
            let value = column.read_value(lifetime);
            quote_spanned!(place(column.ty)=> <#value as __tidemill::ReadValue<#lifetime>>::Reader)
        });
        let mut next = 0_usize;
        let opens = self.columns.iter().map(|column| {
            if column.role == Role::EventTime {
                return quote!(rows.times()?);
            }
            let (value, index) = (column.read_value(lifetime), next);
            next += 1;
            quote_spanned!(place(column.ty)=> rows.column::<#value>(#index)?)
        });
        let views = self.columns.iter().enumerate().map(|(index, column)| {
            let (value, index) = (column.read_value(lifetime), Index::from(index));
            quote_spanned!(place(column.ty)=> <#value as __tidemill::ReadValue<#lifetime>>::view(&columns.#index))
        });
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
        if self.lifetime.is_some() || self.timed().is_some() || self.write_only() {
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

impl Column<'_> {
    /// The type whose column this is.
    fn value(&self) -> TokenStream {
        match self.role {
            Role::Encoded => quote!(::std::vec::Vec<u8>),
            _ => self.ty.to_token_stream(),
        }
    }

    /// The type as which it is read.
    fn read_value(&self, lifetime: &Lifetime) -> TokenStream {
        match self.role {
            Role::Encoded => quote!(&#lifetime [u8]),
            _ => self.ty.to_token_stream(),
        }
    }

    fn writer(&self) -> TokenStream {
        let value = self.value();
        quote_spanned!(place(self.ty)=> <#value as __tidemill::Value>::Writer)
    }

    fn write(&self, index: &Index) -> TokenStream {
        let (field, ty) = (self.field, self.ty);
        match self.role {
            Role::Encoded => {
                quote!(__tidemill::Encoded::<#ty>::write(&self.#field, &mut columns.#index);)
            }
            _ => quote_spanned! {place(ty)=>
                <#ty as __tidemill::Value>::write(&self.#field, &mut columns.#index);
            },
        }
    }

    fn read(&self, lifetime: &Lifetime, index: &Index) -> TokenStream {
        let ty = self.ty;
        match self.role {
            Role::Encoded => quote!(__tidemill::Encoded::<#ty>::read(reader.#index, row)),
            _ => quote_spanned! {place(ty)=>
                <#ty as __tidemill::ReadValue<#lifetime>>::read(reader.#index, row)
            },
        }
    }
}

/// Whether a type is `&'static …` or an `Option` of it.
fn borrows_for_ever(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => reference
            .lifetime
            .as_ref()
            .is_some_and(|lifetime| lifetime.ident == "static"),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            match &segment.arguments {
            syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(|argument| {
                matches!(argument, syn::GenericArgument::Type(inner) if borrows_for_ever(inner))
            }),
            _ => false,
        }
        }),
        _ => false,
    }
}

/// Whether a type is a `Vec` of anything but bytes.
fn is_list(ty: &Type) -> bool {
    type_name(ty).as_deref() == Some("Vec")
        && !ty
            .to_token_stream()
            .to_string()
            .replace(' ', "")
            .ends_with("Vec<u8>")
}
