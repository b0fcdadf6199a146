//! JSON, as far as a settings document needs it. Pure.
//!
//! A full JSON library makes a component a quarter larger; an author who wants
//! one adds it and reads [`crate::Context::settings_json`].

/// A JSON value. Numbers stay text, so that nothing is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// As written.
    Number(String),
    /// Without its quotes and escapes.
    Text(String),
    /// In order.
    List(Vec<Value>),
    /// As written: names may come twice.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Lists and maps within each other, at most.
const DEPTH_MAX: usize = 32;

/// Reads a document; `Err` is the position (bytes) from which on it is no JSON.
pub(crate) fn parse(text: &str) -> Result<Value, usize> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEPTH_MAX);
    reader.blanks();
    match value {
        Some(value) if reader.at == text.len() => Ok(value),
        _ => Err(reader.at),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The byte, after blanks, or nothing is taken.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        self.text[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.blanks();
        match self.peek()? {
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Boolean(true)),
            b'f' => self.word("false", Value::Boolean(false)),
            b'"' => self.string().map(Value::Text),
            b'[' => self.list(depth.checked_sub(1)?),
            b'{' => self.map(depth.checked_sub(1)?),
            _ => self.number(),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.take(b'[')?;
        let mut items = Vec::new();
        if self.take(b']').is_some() {
            return Some(Value::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(Value::List(items));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        self.take(b'{')?;
        let mut entries = Vec::new();
        if self.take(b'}').is_some() {
            return Some(Value::Map(entries));
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.take(b':')?;
            entries.push((name, self.value(depth)?));
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(Value::Map(entries));
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| !b"+-.0123456789eE".contains(&byte));
        let digits = &rest[..end.unwrap_or(rest.len())];
        crate::number::Number::parse(digits)?;
        self.at += digits.len();
        Some(Value::Number(digits.to_owned()))
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain =
                rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
            text.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(text);
                }
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = *self.text.as_bytes().get(self.at + 1)?;
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hexadecimal()?;
                let units = if (0xd800..0xdc00).contains(&first) {
                    [first, self.hexadecimal()?]
                } else {
                    [first, 0]
                };
                return char::decode_utf16(units).next()?.ok();
            }
            _ => return None,
        };
        self.at += 2;
        Some(plain)
    }

    /// The unit of `\uXXXX`.
    fn hexadecimal(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 6)?.strip_prefix("\\u")?;
        let unit = u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        self.at += 6;
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_with_all_that_json_allows() {
        let text = r#" { "a" : [ 1, -2.5e3, true, false, null ], "b\n\u00fc\ud83d\ude00" : {} } "#;
        let number = |text: &str| Value::Number(text.to_owned());
        let list = vec![
            number("1"),
            number("-2.5e3"),
            Value::Boolean(true),
            Value::Boolean(false),
            Value::Null,
        ];
        let expected = Value::Map(vec![
            ("a".to_owned(), Value::List(list)),
            ("b\n\u{fc}\u{1f600}".to_owned(), Value::Map(vec![])),
        ]);
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_position() {
        let deep = "[".repeat(1000);
        let cases = [
            ("", 0),
            ("{", 1),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("[1 2]", 3),
            ("nul", 0),
            ("\"a", 1),
            ("\"\\x\"", 1),
            ("\"\\ud83d\"", 7),
            ("\"\\u+123\"", 1),
            ("1 1", 2),
            (&deep, DEPTH_MAX),
        ];
        for (text, position) in cases {
            assert_eq!(parse(text), Err(position), "{text:?}");
        }
    }
}
