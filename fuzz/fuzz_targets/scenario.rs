//! Scenario files: no text makes the parser panic, and what is read and written again with what it expects is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(scenario) = tidemill_scenario::parse(text) {
        let written = scenario.with(&[]);
        let again = tidemill_scenario::parse(&written).expect("what is written can be read");
        assert_eq!(again.steps.len(), scenario.steps.len());
        assert_eq!(again.with(&[]), written);
    }
});
