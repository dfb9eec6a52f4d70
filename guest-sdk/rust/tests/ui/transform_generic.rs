use tidemill::prelude::*;

struct Large<T>(T);

#[transform]
impl<T> Large<T> {
    fn filter(&self, value: T) -> bool {
        true
    }
}

fn main() {}
