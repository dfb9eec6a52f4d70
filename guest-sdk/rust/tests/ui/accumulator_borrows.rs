use tidemill::prelude::*;

#[derive(Record)]
struct Row<'a> {
    account: &'a str,
}

#[derive(Record, Default)]
struct Last<'a> {
    account: &'a str,
}

#[derive(Record)]
struct Found {
    accounts: i64,
}

#[derive(Config)]
struct Latest {}

#[aggregate]
impl Latest {
    fn add<'a>(&self, last: &mut Last<'a>, row: Row<'a>) {
        last.account = row.account;
    }
    fn merge<'a>(&self, last: &mut Last<'a>, other: Last<'a>) {
        last.account = other.account;
    }
    fn finish(&self, _window: Window, _last: &Last) -> Found {
        Found { accounts: 1 }
    }
}

#[derive(Config)]
struct Elided {}

#[aggregate]
impl Elided {
    fn add(&self, _last: &mut Last, _row: Row) {}
    fn merge(&self, _last: &mut Last, _other: Last) {}
    fn finish(&self, _window: Window, _last: &Last) -> Found {
        Found { accounts: 1 }
    }
}

fn main() {}
