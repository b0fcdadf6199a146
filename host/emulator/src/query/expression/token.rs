//! `$filter` cut into tokens.

use std::fmt;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Equals,
    /// Behind a lambda's variable.
    Colon,
    Text(String),
    Enum(String),
    Word(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Open => f.write_str("'('"),
            Token::Close => f.write_str("')'"),
            Token::OpenList => f.write_str("'['"),
            Token::CloseList => f.write_str("']'"),
            Token::Comma => f.write_str("','"),
            Token::Equals => f.write_str("'='"),
            Token::Colon => f.write_str("':'"),
            Token::Text(text) | Token::Enum(text) | Token::Word(text) => write!(f, "'{text}'"),
        }
    }
}

/// All tokens of a text, or what is wrong with it.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '[' => (Token::OpenList, &rest[1..]),
            ']' => (Token::CloseList, &rest[1..]),
            ',' => (Token::Comma, &rest[1..]),
            '=' => (Token::Equals, &rest[1..]),
            ':' => (Token::Colon, &rest[1..]),
            '\'' => {
                let (text, after) = quoted(&rest[1..])?;
                (Token::Text(text), after)
            }
            '"' => {
                let (text, after) = json_text(rest)?;
                (Token::Text(text), after)
            }
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Text behind an opening quote, up to one that is not doubled.
fn quoted(rest: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut rest = rest;
    loop {
        let at = rest.find('\'').ok_or("unterminated string literal")?;
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                rest = after;
            }
            None => return Ok((text, rest)),
        }
    }
}

fn json_text(rest: &str) -> Result<(String, &str), String> {
    let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    match stream.next() {
        Some(Ok(text)) => {
            let at = stream.byte_offset();
            Ok((text, &rest[at..]))
        }
        _ => Err("unterminated string".to_owned()),
    }
}

fn word(rest: &str) -> Result<(Token, &str), String> {
    let end = rest
        .find(|c: char| {
            c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | ',' | '=' | '\'' | '"')
        })
        .unwrap_or(rest.len());
    // A colon ends a variable; instants have colons too, and begin with a digit.
    let end = match rest[..end].find(':') {
        Some(colon) if rest.starts_with(|c: char| c.is_alphabetic() || c == '_') => colon,
        _ => end,
    };
    let (word, after) = rest.split_at(end);
    match after.strip_prefix('\'') {
        // `Namespace.Type'Member'`
        Some(quote) if !word.is_empty() => {
            let (member, after) = quoted(quote)?;
            Ok((Token::Enum(member), after))
        }
        _ => Ok((Token::Word(word.to_owned()), after)),
    }
}
