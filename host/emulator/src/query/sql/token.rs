//! SQL as words, texts, numbers and signs.

use crate::refusal::Refusal;

use super::invalid;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// The longest first.
const SIGNS: [&str; 12] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "*"];

/// Cuts a text into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' => quoted(rest)?,
            '[' => {
                let end = rest.find(']').ok_or_else(|| invalid("a `[` without its `]`"))?;
                (Token::Word(rest[1..end].to_owned()), end + 1)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            }
            c if c.is_ascii_digit() || c == '-' => {
                let part = |c: char| c.is_ascii_digit() || c == '.';
                let end = rest[1..].find(|c| !part(c)).map_or(rest.len(), |end| end + 1);
                (Token::Number(rest[..end].to_owned()), end)
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or_else(|| invalid(format!("unexpected `{first}`")))?;
                (Token::Sign(sign), sign.len())
            }
        };
        all.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(all)
}

/// A text in quotes; one in it is doubled.
fn quoted(rest: &str) -> Result<(Token, usize), Refusal> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let end = rest[at..].find('\'').ok_or_else(|| invalid("a text without its end"))?;
        text.push_str(&rest[at..at + end]);
        at += end + 1;
        if !rest[at..].starts_with('\'') {
            return Ok((Token::Text(text), at));
        }
        text.push('\'');
        at += 1;
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Word(text) | Token::Number(text) => f.write_str(text),
            Token::Text(text) => write!(f, "'{text}'"),
            Token::Sign(sign) => f.write_str(sign),
        }
    }
}
