//! Modules by hand: a transform in WebAssembly text whose parts can be replaced, with the interface's types attached as
//! `wit-bindgen` leaves them, and sections of the binary format.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

/// What `describe` gives unless a case says otherwise: one transform without columns.
pub const DESCRIBE: &str =
    r#"{"interface": "0.1.0", "functions": [{"name": "f", "kind": "transform"}]}"#;
/// Where `apply` finds an outcome without rows, and where it may write another.
pub const OUTCOME: u32 = 0x7000;

/// WASI interfaces, as far as cases call them.
const IO: &str = "
    package wasi:io@0.2.0;
    interface error { resource error; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            write: func(contents: list<u8>) -> result<_, stream-error>;
            write-zeroes: func(len: u64) -> result<_, stream-error>;
        }
    }
";
const CLI: &str = "
    package wasi:cli@0.2.0;
    interface exit { exit: func(status: result); }
    interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
";
const CLOCKS: &str = "
    package wasi:clocks@0.2.0;
    interface monotonic-clock { now: func() -> u64; }
";
const RANDOM: &str = "
    package wasi:random@0.2.0;
    interface random { get-random-bytes: func(len: u64) -> list<u8>; }
";
const WORLD: &str = "
    package test:hostile;
    world hostile {
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:random/random@0.2.0;
        import wasi:io/streams@0.2.0;
        import wasi:cli/exit@0.2.0;
        import wasi:cli/stdout@0.2.0;
        include tidemill:operator/transform-module@0.1.0;
    }
";

/// The parts of a transform in text.
pub struct Wat {
    pub describe: String,
    /// Imports: they come first.
    pub imports: String,
    /// Anything else.
    pub extra: String,
    pub memory: &'static str,
    /// The bodies of functions.
    pub describing: String,
    pub configure: &'static str,
    pub realloc: &'static str,
    pub apply: String,
}

impl Default for Wat {
    fn default() -> Self {
        Self {
            describe: DESCRIBE.to_owned(),
            imports: String::new(),
            extra: String::new(),
            memory: "2",
            describing: "i32.const 8".to_owned(),
            configure: "i32.const 0x7f00",
            realloc: "i32.const 0x8000",
            apply: format!("i32.const {OUTCOME}"),
        }
    }
}

impl Wat {
    /// A core module with the interface's types.
    pub fn bytes(&self) -> Vec<u8> {
        self.embedded("transform-module")
    }

    /// The same for one that imports WASI.
    pub fn with_wasi(&self) -> Vec<u8> {
        self.embedded("hostile")
    }

    /// The same as a component.
    pub fn component(&self) -> Vec<u8> {
        let core = self.bytes();
        let encoder = ComponentEncoder::default().validate(false).module(&core);
        encoder
            .expect("it is a module")
            .encode()
            .expect("it is a component")
    }

    fn embedded(&self, world: &str) -> Vec<u8> {
        typed(&self.text(), world)
    }

    /// The text of the core module.
    pub fn text(&self) -> String {
        let Self {
            describe,
            imports,
            extra,
            memory,
            describing,
            configure,
            realloc,
            apply,
        } = self;
        // Texts longer than the room before the outcome stand behind everything else.
        let at = if describe.len() > 0x6000 { 0x10000 } else { 16 };
        let data: String = describe
            .bytes()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        let place = words(&[at, describe.len() as u32]);
        format!(
            r#"(module {imports}
              (memory (export "memory") {memory})
              (data (i32.const 8) "{place}")
              (data (i32.const {at}) "{data}")
              (func (export "tidemill:operator/setup@0.1.0#describe") (result i32) {describing})
              (func (export "tidemill:operator/setup@0.1.0#configure") (param i32 i32 i32) (result i32) {configure})
              (func $apply (export "tidemill:operator/transform@0.1.0#apply")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {apply})
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
              {extra})"#
        )
    }
}

/// A core module of a text, with the types of a world.
pub fn typed(text: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).expect("the text is WebAssembly");
    let (resolve, package, own) = interfaces();
    let world = resolve.select_world(&[package, own], Some(&qualified(world)));
    let world = world.expect("the world is there");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the types fit");
    module
}

/// Numbers as a text of the data section.
pub fn words(numbers: &[u32]) -> String {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.map(|byte| format!("\\{byte:02x}")).collect()
}

fn qualified(world: &str) -> String {
    match world {
        "hostile" => "test:hostile/hostile".to_owned(),
        world => format!("tidemill:operator/{world}@0.1.0"),
    }
}

fn interfaces() -> (Resolve, PackageId, PackageId) {
    let mut resolve = Resolve::default();
    for (name, text) in [
        ("io", IO),
        ("cli", CLI),
        ("clocks", CLOCKS),
        ("random", RANDOM),
    ] {
        resolve
            .push_str(format!("{name}.wit"), text)
            .expect("the interface is right");
    }
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(wit).expect("the interface is there");
    let own = resolve
        .push_str("world.wit", WORLD)
        .expect("the world is right");
    (resolve, package, own)
}

/// A section of the binary format.
pub fn section(id: u8, bytes: &[u8]) -> Vec<u8> {
    let mut section = vec![id];
    section.extend(leb(bytes.len() as u64));
    section.extend(bytes);
    section
}

/// The bytes of a core module of these sections.
pub fn core(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for (id, content) in sections {
        bytes.extend(section(*id, content));
    }
    bytes
}

/// A number as signed LEB128, as indices of types are.
pub fn sleb(number: u64) -> Vec<u8> {
    let mut bytes = leb(number);
    if let Some(last) = bytes.last_mut()
        && *last & 0x40 != 0
    {
        *last |= 0x80;
        bytes.push(0);
    }
    bytes
}

/// A number as LEB128.
pub fn leb(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
