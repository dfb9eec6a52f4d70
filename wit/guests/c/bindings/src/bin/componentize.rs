//! Makes a component of a linked core module: `componentize CORE-MODULE COMPONENT`.
//!
//! The host does the same when it loads a core module, so guests need not. The C fixture is kept as a component, so that
//! this form is held to as well.

use anyhow::{Context, Result, bail};
use wit_component::ComponentEncoder;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [core, component] = args.as_slice() else {
        bail!(
            "expected CORE-MODULE COMPONENT, got {} arguments",
            args.len()
        );
    };
    let module = std::fs::read(core).with_context(|| format!("cannot read {core}"))?;
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()?;
    std::fs::write(component, bytes).with_context(|| format!("cannot write {component}"))
}
