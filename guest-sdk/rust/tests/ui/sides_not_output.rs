use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Sides)]
struct Routes {
    large: Vec<Row>,
}

fn main() {}
