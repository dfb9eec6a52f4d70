//! The macros of the tidemill SDK. Authors depend on the crate `tidemill`, which re-exports and
//! documents them.
//!
//! Each macro checks what it can see and says what to write, at the author's place; what only the
//! compiler knows (is this type a record?) is left to trait bounds with messages of their own, in
//! the crate `tidemill`. Generated code names author's types only inside bodies of functions, where
//! a lifetime that is left out is inferred.

mod aggregate;
mod column;
mod config;
mod function;
mod process;
mod record;
mod sides;
mod state;
mod structure;
mod timers;
mod transform;
mod watermark;
mod window;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Implements [`tidemill::Record`](trait.Record.html): the struct's fields are the columns of a
/// row.
#[proc_macro_derive(Record, attributes(record))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    record::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements [`tidemill::Config`](trait.Config.html): the struct's fields are a function's
/// configuration.
#[proc_macro_derive(Config, attributes(config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    config::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements [`tidemill::Sides`](trait.Sides.html): the struct's fields are a transform's side
/// outputs.
#[proc_macro_derive(Sides)]
pub fn derive_sides(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    sides::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements [`tidemill::State`](trait.State.html): the struct's fields are the slots of a process
/// function's state.
#[proc_macro_derive(State, attributes(state))]
pub fn derive_state(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    state::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements [`tidemill::Timers`](trait.Timers.html): the struct's fields are the names of a
/// process function's timers.
#[proc_macro_derive(Timers, attributes(timer))]
pub fn derive_timers(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    timers::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a type a function that looks at each row by itself. The block has exactly one method:
///
/// | method | gives |
/// |---|---|
/// | `fn filter(&self, row: R) -> bool` | the rows for which it is true, as they came, with all of their columns |
/// | `fn map(&self, row: R) -> T` | one row of each; with `Option<T>` at most one |
/// | `fn flat_map(&self, row: R, out: &mut Output<T>)` | what it pushes to `out` |
///
/// `R` and `T` are structs with `#[derive(Record)]`. The output has the columns of `T` alone; with
/// `Extended<T>` in place of `T` those of the row that came in and of `T`. Where `T` borrows from
/// the row, say so: `fn map<'a>(&self, row: R<'a>) -> T<'a>`. Each may return a `Result` with
/// `Failure`, and each may take one more parameter, `sides: &mut S`, where `S` is a struct with
/// `#[derive(Sides)]`.
///
/// Methods stay plain methods: a unit test calls them.
#[proc_macro_attribute]
pub fn transform(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item);
    transform::expand(&arguments.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a type a function that keeps an accumulator per key and window. The block has exactly
/// these methods:
///
/// | method | does |
/// |---|---|
/// | `fn add(&self, acc: &mut A, row: R)` | adds a row |
/// | `fn merge(&self, acc: &mut A, other: A)` | adds what another accumulator has seen, which came later |
/// | `fn finish(&self, window: Window, acc: &A) -> T` | makes the result; `Option<T>`: perhaps; `Vec<T>`: several |
///
/// `A` is a struct with `#[derive(Record, Default)]` that owns its values; its default is the
/// accumulator of no rows. `finish` may take the key first, a record of key columns: `fn
/// finish(&self, key: K, window: Window, acc: &A)`. Each may return a `Result` with `Failure`: a
/// row that fails leaves no trace in the accumulator.
///
/// `#[aggregate(combinable)]` says that merging is associative and commutative to the bit (counts,
/// integer sums, minima; not sums of floats): rows may then be added up before they are sent to the
/// worker of their key.
///
/// Methods stay plain methods: a unit test calls them.
#[proc_macro_attribute]
pub fn aggregate(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item);
    aggregate::expand(&arguments.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a type a function that is given all rows of a window at once, for what no accumulator can
/// hold. The block has exactly one method:
///
/// | method | gives |
/// |---|---|
/// | `fn apply(&self, window: Window, rows: &[R]) -> T` | the result; `Option<T>`: perhaps; `Vec<T>`: several |
/// | `fn apply(&self, window: Window, rows: &[R], out: &mut Output<T>)` | what it pushes to `out` |
///
/// `R` and `T` are structs with `#[derive(Record)]`. The rows stand in order of event time, ties in
/// order of arrival. `apply` may take the key first, a record of key columns: `fn apply(&self, key:
/// K, window: Window, rows: &[R])`. Each may return a `Result` with `Failure`: the window then has
/// no result. Where `T` borrows from the rows, say so: `rows: &'a [R<'a>]`, `-> T<'a>`.
#[proc_macro_attribute]
pub fn window(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item);
    window::expand(&arguments.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a type a function that says how far event time has come in a split of a source (a file, a
/// partition). The block has exactly one method:
///
/// | method | does |
/// |---|---|
/// | `fn observe(&self, state: &mut S, row: R) -> Timestamp` | takes a row and says: nothing at or before this time is expected any more |
/// | `fn observe(&self, row: R) -> Timestamp` | the same, for a rule that remembers nothing |
///
/// `Option<Timestamp>` leaves the watermark where it was for rows that say nothing; a watermark
/// never falls, whatever is returned. `S` is a struct with `#[derive(Record, Default)]` that owns
/// its values: each split has one, and its default is what stands before the first row. With a
/// `Result` a row can be refused with a `Failure`: it is then a bad row of the source.
#[proc_macro_attribute]
pub fn watermark(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item);
    watermark::expand(&arguments.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a type a function that takes the rows of a key one after the other, with state and timers
/// of the key's own. The block has these methods:
///
/// | method | does |
/// |---|---|
/// | `fn on_row(&self, row: R, state: &mut S, timers: &mut T, out: &mut Output<O>)` | takes a row |
/// | `fn on_timer(&self, fired: Fired, state: &mut S, timers: &mut T, out: &mut Output<O>)` | a timer that was set fires |
///
/// `S` is a struct of slots with `#[derive(State)]`, `T` one of timers with `#[derive(Timers)]`; a
/// function without timers leaves `timers` and `on_timer` out. `on_timer` may take the key first, a
/// record of key columns. Both may take one more parameter, `sides: &mut Z`, a struct with
/// `#[derive(Sides)]`, and may return a `Result` with `Failure`: what fails leaves no trace in
/// state, timers and outputs. Rows of `O` stand behind the key columns; with `Output<Same>` or
/// `Output<Extended<O>>` the row goes on as it came.
#[proc_macro_attribute]
pub fn process(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item);
    process::expand(&arguments.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
