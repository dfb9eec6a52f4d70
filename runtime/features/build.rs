//! Only so that the dependencies of builds count too.

fn main() {}
