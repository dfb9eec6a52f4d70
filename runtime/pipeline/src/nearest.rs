//! The nearest name to a misspelt one, and lists of names for messages.

/// The candidate that is most like `name`, if one is alike enough to be a slip of the fingers.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|candidate| {
            let folded = candidate.to_lowercase().replace('_', "-");
            (strsim::damerau_levenshtein(&lower, &folded), candidate)
        })
        .filter(|(distance, candidate)| *distance <= allowed(candidate.len().min(lower.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters may be wrong in a name of that length.
fn allowed(length: usize) -> usize {
    match length {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    }
}

/// Names in a sentence: `a`, `b` or `c`, each in backquotes.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., end] => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// What to say about a name that is not one of those that exist: `did you mean ...?` and the list.
pub fn suggestion(name: &str, candidates: &[&str]) -> String {
    let known = match candidates {
        [] => "there are none".to_owned(),
        [one] => format!("there is only `{one}`"),
        many => format!("there are {}", list(many.iter().copied(), "and")),
    };
    match nearest(name, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {known}"),
        None => known,
    }
}
