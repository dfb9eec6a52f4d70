//! Goes from word to word, and says what was expected.

use super::Parser;
use crate::proto::Label;
use crate::proto::words::Word;

impl<'t> Parser<'t> {
    /// `= 5`, a field's number.
    pub(super) fn number(&mut self) -> Result<u32, String> {
        self.mark('=')?;
        match u32::try_from(self.whole()?) {
            Ok(number @ 1..=536_870_911) => Ok(number),
            _ => Err(self.wrong("a field's number is 1 to 536870911")),
        }
    }

    pub(super) fn whole(&mut self) -> Result<i64, String> {
        let word = self.next();
        let parsed = match &word {
            Some(Word::Number(text)) => match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None if text.starts_with('0') => i64::from_str_radix(text, 8).ok(),
                None => text.parse().ok(),
            },
            _ => None,
        };
        parsed.ok_or_else(|| self.wrong_word("a number", word))
    }

    /// Passes over what is left of a statement, with its mark.
    pub(super) fn statement(&mut self) -> Result<(), String> {
        loop {
            match self.next() {
                Some(Word::Mark(';')) => return Ok(()),
                Some(Word::Mark('{' | '[')) => {
                    self.at -= 1;
                    self.brackets()?;
                }
                Some(Word::Mark('}')) | None => return Err(self.wrong("expected `;`")),
                Some(_) => {}
            }
        }
    }

    /// Passes over a block, with what stands before it.
    pub(super) fn block(&mut self) -> Result<(), String> {
        while !self.peek_mark(0, '{') {
            let word = self.next();
            word.ok_or_else(|| self.wrong("expected `{`"))?;
        }
        self.brackets()
    }

    /// Passes over what stands in brackets, and brackets in it.
    pub(super) fn brackets(&mut self) -> Result<(), String> {
        let mut open = 0_usize;
        loop {
            match self.next() {
                Some(Word::Mark('{' | '[')) => open += 1,
                Some(Word::Mark('}' | ']')) => open -= 1,
                Some(_) => {}
                None => return Err(self.wrong("a bracket is not closed")),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// What the options from a word on say of how a field is told from none.
    pub(super) fn presence(&self, from: usize) -> Option<Label> {
        let said = self.words[from..self.at].windows(3).find_map(|three| {
            match [&three[0].0, &three[1].0, &three[2].0] {
                [
                    Word::Name("field_presence"),
                    Word::Mark('=' | ':'),
                    Word::Name(word),
                ] => Some(*word),
                _ => None,
            }
        })?;
        Some(match said {
            "IMPLICIT" => Label::Implicit,
            "LEGACY_REQUIRED" => Label::Required,
            _ => Label::Explicit,
        })
    }

    /// A name with points in it, or in front.
    pub(super) fn full_name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        if self.take_mark('.') {
            name.push('.');
        }
        name.push_str(self.name()?);
        while self.take_mark('.') {
            name.push('.');
            name.push_str(self.name()?);
        }
        Ok(name)
    }

    pub(super) fn name(&mut self) -> Result<&'t str, String> {
        match self.next() {
            Some(Word::Name(name)) => Ok(name),
            other => Err(self.wrong_word("a name", other)),
        }
    }

    pub(super) fn text(&mut self) -> Result<&'t str, String> {
        match self.next() {
            Some(Word::Text(text)) => Ok(text),
            other => Err(self.wrong_word("a text", other)),
        }
    }

    pub(super) fn mark(&mut self, mark: char) -> Result<(), String> {
        match self.next() {
            Some(Word::Mark(found)) if found == mark => Ok(()),
            other => Err(self.wrong_word(&format!("`{mark}`"), other)),
        }
    }

    pub(super) fn take_mark(&mut self, mark: char) -> bool {
        let is = self.peek_mark(0, mark);
        self.at += usize::from(is);
        is
    }

    pub(super) fn take_name(&mut self, name: &str) {
        self.at += usize::from(matches!(self.peek(), Some(Word::Name(found)) if found == name));
    }

    pub(super) fn peek(&self) -> Option<Word<'t>> {
        self.words.get(self.at).map(|(word, _)| word.clone())
    }

    pub(super) fn peek_mark(&self, ahead: usize, mark: char) -> bool {
        matches!(self.words.get(self.at + ahead), Some((Word::Mark(found), _)) if *found == mark)
    }

    pub(super) fn next(&mut self) -> Option<Word<'t>> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    pub(super) fn refuse(&self, expected: &str, found: &Word<'_>) -> String {
        self.wrong(&format!("expected {expected}, found {found}"))
    }

    pub(super) fn wrong_word(&self, expected: &str, found: Option<Word<'_>>) -> String {
        match found {
            Some(word) => self.refuse(expected, &word),
            None => self.wrong(&format!("expected {expected}, and it ends")),
        }
    }

    pub(super) fn wrong(&self, what: &str) -> String {
        let word = self.words.get(self.at.saturating_sub(1));
        format!("line {}: {what}", word.map_or(1, |(_, line)| *line))
    }
}
