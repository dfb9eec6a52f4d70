//! Writes the C bindings of a world: `tidemill-c-bindings WIT-FOLDER WORLD OUT-FOLDER`.
//!
//! The same files as `wit-bindgen c --world WORLD`, without having to install that command: `WORLD.h`, `WORLD.c` and
//! `WORLD_component_type.o`, which tells the linked module's interface to whoever makes a component of it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wit_bindgen_c::Opts;
use wit_parser::Resolve;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [wit, world, out] = args.as_slice() else {
        bail!(
            "expected WIT-FOLDER WORLD OUT-FOLDER, got {} arguments",
            args.len()
        );
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(wit)
        .with_context(|| format!("cannot read {wit}"))?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Default::default();
    Opts::default()
        .build()
        .generate(&mut resolve, world, &mut files)?;
    let out = PathBuf::from(out);
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    for (name, text) in files.iter() {
        let file = out.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
