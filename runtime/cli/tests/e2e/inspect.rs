//! `tidemill inspect`.

use serde_json::{Value, json};

use crate::support::{Folder, kinds};

#[test]
fn a_module_shows_what_it_offers_and_needs() {
    let folder = Folder::new();
    let ended = folder.run(&["inspect", kinds()]).expect(0);
    for text in [
        "sha256 ",
        "imports     tidemill:operator/log@0.1.0",
        "tidemill:operator/setup@0.1.0",
        "may         compute and log, nothing else",
        "transform trapping\n",
        "  config      at: integer\n",
        "aggregate trap-after-change\n",
        "  takes       (value: integer, bad: bool)\n",
        "  accumulator (sum: integer, text: text)\n",
    ] {
        assert!(ended.out.contains(text), "no {text:?} in:\n{}", ended.out);
    }
}

#[test]
fn programs_get_json() {
    let folder = Folder::new();
    let ended = folder
        .run(&["inspect", "--format", "json", kinds()])
        .expect(0);
    let module: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(module["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(module["virtual_wasi"], false);
    let functions = module["functions"].as_array().expect("functions");
    let trapping = functions
        .iter()
        .find(|f| f["name"] == "trapping")
        .expect("the function");
    assert_eq!(trapping["kind"], "transform");
    assert_eq!(trapping["output"], "same");
    assert_eq!(
        trapping["input"],
        json!([{ "name": "value", "type": "integer" }])
    );
}

#[test]
fn what_is_no_module_is_refused() {
    let folder = Folder::with(&[("text.wasm", "(module)"), ("empty.wasm", "")]);
    folder
        .run(&["inspect", "text.wasm"])
        .expect(2)
        .says(&["error: ", "WebAssembly text"]);
    folder
        .run(&["inspect", "empty.wasm"])
        .expect(2)
        .says(&["it is empty"]);
    folder
        .run(&["inspect", "absent.wasm"])
        .expect(2)
        .says(&["absent.wasm", "No such file"]);
    folder
        .run(&["inspect", "."])
        .expect(2)
        .says(&["is a folder", "hint: "]);
}
