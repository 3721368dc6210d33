//! A reader of JSON whose numbers are exact: each is rounded once, to `f32` and to `f64`.

use std::collections::BTreeMap;

use super::value::{Value, MAX_NESTING, MAX_VALUES};

/// Words that stand for values; the last ones are not JSON, but what tree libraries write.
static WORDS: [(&str, Value); 6] = [
    ("null", Value::Null),
    ("true", Value::Bool(true)),
    ("false", Value::Bool(false)),
    ("NaN", number(f32::NAN, f64::NAN)),
    ("Infinity", number(f32::INFINITY, f64::INFINITY)),
    ("-Infinity", number(f32::NEG_INFINITY, f64::NEG_INFINITY)),
];

const fn number(single: f32, double: f64) -> Value {
    Value::Number { single, double }
}

/// Reads a document; the error is a clause about it.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("its text is not UTF-8: {error}"))?;
    let mut reader = Reader {
        text,
        at: 0,
        values: 0,
    };
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.rest().is_empty() {
        true => Ok(value),
        false => Err(reader.problem("there is more after its end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn problem(&self, what: &str) -> String {
        format!("at byte {}, {what}", self.at)
    }

    fn skip_space(&mut self) {
        let space = [' ', '\t', '\n', '\r'];
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(space).len();
    }

    /// Takes a character, after any space, if it is the next one.
    fn take(&mut self, character: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(character);
        if found {
            self.at += character.len_utf8();
        }
        found
    }

    fn value(&mut self, nesting: usize) -> Result<Value, String> {
        self.values += 1;
        if nesting > MAX_NESTING || self.values > MAX_VALUES {
            return Err(self.problem("it is nested too deep or has too many values"));
        }
        if self.take('{') {
            return self.table(nesting);
        }
        if self.take('[') {
            return self.list(nesting);
        }
        if self.take('"') {
            return self.string().map(Value::Text);
        }
        let rest = self.rest();
        if let Some((word, value)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value.clone());
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let digits = rest.get(..end.unwrap_or(rest.len())).unwrap_or("");
        match (digits.parse(), digits.parse()) {
            (Ok(single), Ok(double)) => {
                self.at += digits.len();
                Ok(number(single, double))
            }
            _ => Err(self.problem("there is no value")),
        }
    }

    fn table(&mut self, nesting: usize) -> Result<Value, String> {
        let mut entries = BTreeMap::new();
        if self.take('}') {
            return Ok(Value::Table(entries));
        }
        loop {
            if !self.take('"') {
                return Err(self.problem("a key is missing"));
            }
            let key = self.string()?;
            if !self.take(':') {
                return Err(self.problem("a colon is missing"));
            }
            entries.insert(key, self.value(nesting + 1)?);
            if self.take('}') {
                return Ok(Value::Table(entries));
            }
            if !self.take(',') {
                return Err(self.problem("a comma is missing"));
            }
        }
    }

    fn list(&mut self, nesting: usize) -> Result<Value, String> {
        let mut values = Vec::new();
        if self.take(']') {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value(nesting + 1)?);
            if self.take(']') {
                return Ok(Value::List(values));
            }
            if !self.take(',') {
                return Err(self.problem("a comma is missing"));
            }
        }
    }

    /// The rest of a string whose quotation mark is taken.
    fn string(&mut self) -> Result<String, String> {
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let end = rest.find(['"', '\\']);
            let end = end.ok_or_else(|| self.problem("a string has no end"))?;
            string.push_str(rest.get(..end).unwrap_or(""));
            self.at += end + 1;
            if rest.get(end..).is_some_and(|rest| rest.starts_with('"')) {
                return Ok(string);
            }
            let escape = self.escape();
            string.push(escape.ok_or_else(|| self.problem("a string has an unknown escape"))?);
        }
    }

    /// The character after a backslash. Halves of pairs, which only rare names need, become replacement characters.
    fn escape(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        match character {
            '"' | '\\' | '/' => Some(character),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => {
                let code = u32::from_str_radix(self.rest().get(..4)?, 16).ok()?;
                self.at += 4;
                Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => None,
        }
    }
}
