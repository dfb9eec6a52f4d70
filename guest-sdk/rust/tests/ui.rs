//! Mistakes in the macros give errors at the author's line that say what to write.
//! `TRYBUILD=overwrite` writes down what the compiler says now.

#[test]
fn mistakes_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
