//! A reader of UBJSON, XGBoost's binary format.
//!
//! A value is a letter for its type and the value's bytes, big-endian. A list or table may state its length, and with
//! it one type for all its values, which then come without their letters and without an end mark.

use std::collections::BTreeMap;

use super::value::{Value, MAX_NESTING, MAX_VALUES};

/// Reads a document; the error is a clause about it.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = Reader {
        bytes,
        at: 0,
        values: 0,
    };
    let kind = reader.kind()?;
    let value = reader.value(kind, 0)?;
    match reader.rest().is_empty() {
        true => Ok(value),
        false => Err(reader.problem("there is more after its end")),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

/// What a list or table says about its values.
struct Header {
    kind: Option<u8>,
    count: Option<usize>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    fn problem(&self, what: &str) -> String {
        format!("at byte {}, {what}", self.at)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let array = self.rest().first_chunk().copied();
        let array = array.ok_or_else(|| self.problem("it ends too early"))?;
        self.at += N;
        Ok(array)
    }

    /// The next byte's letter, without those that mean nothing.
    fn kind(&mut self) -> Result<u8, String> {
        loop {
            match self.array()? {
                [b'N'] => continue,
                [kind] => return Ok(kind),
            }
        }
    }

    /// Takes a byte if it is the next one.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest().first() == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, kind: u8, nesting: usize) -> Result<Value, String> {
        self.values += 1;
        if nesting > MAX_NESTING || self.values > MAX_VALUES {
            return Err(self.problem("it is nested too deep or has too many values"));
        }
        match kind {
            b'Z' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'd' => {
                let single = f32::from_be_bytes(self.array()?);
                Ok(Value::Number {
                    single,
                    double: single.into(),
                })
            }
            b'D' => {
                let double = f64::from_be_bytes(self.array()?);
                Ok(Value::Number {
                    single: double as f32,
                    double,
                })
            }
            b'S' => self.string().map(Value::Text),
            b'C' => {
                let [byte] = self.array()?;
                Ok(Value::Text(char::from(byte).into()))
            }
            b'[' => self.list(nesting),
            b'{' => self.table(nesting),
            _ => {
                let integer = self.integer(kind)?;
                Ok(Value::Number {
                    single: integer as f32,
                    double: integer as f64,
                })
            }
        }
    }

    fn integer(&mut self, kind: u8) -> Result<i64, String> {
        Ok(match kind {
            b'i' => i8::from_be_bytes(self.array()?).into(),
            b'U' => u8::from_be_bytes(self.array()?).into(),
            b'I' => i16::from_be_bytes(self.array()?).into(),
            b'l' => i32::from_be_bytes(self.array()?).into(),
            b'L' => i64::from_be_bytes(self.array()?),
            _ => return Err(self.problem("there is a value of an unknown type")),
        })
    }

    /// A length: an integer with its letter, not above the bytes that are left.
    fn length(&mut self) -> Result<usize, String> {
        let kind = self.kind()?;
        let length = usize::try_from(self.integer(kind)?).ok();
        let fits = length.filter(|length| *length <= self.rest().len());
        fits.ok_or_else(|| self.problem("a length is beyond the end"))
    }

    fn string(&mut self) -> Result<String, String> {
        let length = self.length()?;
        let bytes = self.rest().get(..length).unwrap_or(&[]);
        self.at += bytes.len();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn header(&mut self) -> Result<Header, String> {
        let kind = match self.take(b'$') {
            true => Some(self.kind()?),
            false => None,
        };
        let count = match self.take(b'#') {
            true => Some(self.length()?),
            false => None,
        };
        // Values without bytes could be more than the file is long.
        let counted = kind.is_none() || count.is_some();
        match counted && !matches!(kind, Some(b'Z' | b'T' | b'F')) {
            true => Ok(Header { kind, count }),
            false => Err(self.problem("a list has a type but no length, or a type without bytes")),
        }
    }

    fn list(&mut self, nesting: usize) -> Result<Value, String> {
        let Header { kind, count } = self.header()?;
        let mut values = Vec::new();
        while self.goes_on(count, values.len(), b']') {
            let kind = match kind {
                Some(kind) => kind,
                None => self.kind()?,
            };
            values.push(self.value(kind, nesting + 1)?);
        }
        Ok(Value::List(values))
    }

    fn table(&mut self, nesting: usize) -> Result<Value, String> {
        let Header { kind, count } = self.header()?;
        let mut entries = BTreeMap::new();
        let mut found = 0;
        while self.goes_on(count, found, b'}') {
            let key = self.string()?;
            let kind = match kind {
                Some(kind) => kind,
                None => self.kind()?,
            };
            entries.insert(key, self.value(kind, nesting + 1)?);
            found += 1;
        }
        Ok(Value::Table(entries))
    }

    /// Whether a list or table has another value; takes its end mark if not.
    fn goes_on(&mut self, count: Option<usize>, found: usize, end: u8) -> bool {
        match count {
            Some(count) => found < count,
            None => !self.take(end),
        }
    }
}
