//! A `SELECT` as a tree. Pure; names are not yet looked up.

use super::invalid;
use super::token::{Token, tokens};
use crate::refusal::Refusal;

/// Nesting that no real query reaches.
const DEPTH_MAX: usize = 50;
/// Words that are no alias.
const KEYWORDS: [&str; 14] = [
    "FROM", "INNER", "LEFT", "JOIN", "ON", "WHERE", "GROUP", "ORDER", "OFFSET", "FETCH", "AS",
    "RIGHT", "FULL", "CROSS",
];

#[derive(Debug)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) items: Vec<Item>,
    pub(super) from: Source,
    pub(super) joins: Vec<Join>,
    pub(super) filter: Option<Test>,
    pub(super) groups: Vec<Column>,
    pub(super) orders: Vec<(Column, bool)>,
    pub(super) offset: Option<usize>,
    /// `TOP`, or `FETCH NEXT`.
    pub(super) limit: Option<usize>,
}

/// What is shown.
#[derive(Debug)]
pub(super) struct Item {
    /// `COUNT`, `SUM` and their kin, in lower case; with `DISTINCT`.
    pub(super) measure: Option<(String, bool)>,
    /// None: `COUNT(*)`.
    pub(super) column: Option<Column>,
    pub(super) alias: Option<String>,
}

/// A table and what the query calls it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) table: String,
    pub(super) alias: Option<String>,
}

#[derive(Debug)]
pub(super) struct Join {
    pub(super) outer: bool,
    pub(super) source: Source,
    /// Two columns that are equal.
    pub(super) on: (Column, Column),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Table or alias.
    pub(super) of: Option<String>,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    /// Column, operator as FetchXML calls it, values.
    Is(Column, &'static str, Vec<String>),
}

pub(super) fn parse(text: &str) -> Result<Select, Refusal> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let select = parser.select()?;
    match parser.peek() {
        None => Ok(select),
        Some(token) => Err(invalid(format!("unexpected `{token}`"))),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn unexpected(&self) -> Refusal {
        match self.peek() {
            Some(token) => invalid(format!("unexpected `{token}`")),
            None => invalid("it ends too early"),
        }
    }

    /// Eats a keyword.
    fn word(&mut self, word: &str) -> bool {
        let eaten = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += usize::from(eaten);
        eaten
    }

    fn sign(&mut self, sign: &str) -> bool {
        let eaten = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(eaten);
        eaten
    }

    fn must(&mut self, word: &str) -> Result<(), Refusal> {
        if self.word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn must_sign(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn name(&mut self) -> Result<String, Refusal> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let name = word.to_ascii_lowercase();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn whole(&mut self) -> Result<usize, Refusal> {
        let number = match self.peek() {
            Some(Token::Number(text)) => text.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(number)
    }

    fn select(&mut self) -> Result<Select, Refusal> {
        self.must("SELECT")?;
        let distinct = self.word("DISTINCT");
        let mut limit = if self.word("TOP") { Some(self.whole()?) } else { None };
        let mut items = vec![self.item()?];
        while self.sign(",") {
            items.push(self.item()?);
        }
        self.must("FROM")?;
        let from = self.source()?;
        let mut joins = Vec::new();
        while let Some(outer) = self.join()? {
            let source = self.source()?;
            self.must("ON")?;
            let one = self.column()?;
            self.must_sign("=")?;
            joins.push(Join { outer, source, on: (one, self.column()?) });
        }
        let filter = if self.word("WHERE") { Some(self.or()?) } else { None };
        let mut groups = Vec::new();
        if self.word("GROUP") {
            self.must("BY")?;
            groups.push(self.column()?);
            while self.sign(",") {
                groups.push(self.column()?);
            }
        }
        let mut orders = Vec::new();
        if self.word("ORDER") {
            self.must("BY")?;
            loop {
                let column = self.column()?;
                let down = self.word("DESC");
                if !down {
                    self.word("ASC");
                }
                orders.push((column, down));
                if !self.sign(",") {
                    break;
                }
            }
        }
        let mut offset = None;
        if self.word("OFFSET") {
            offset = Some(self.whole()?);
            self.must("ROWS")?;
            if self.word("FETCH") {
                self.must("NEXT")?;
                limit = Some(self.whole()?);
                self.must("ROWS")?;
                self.must("ONLY")?;
            }
        }
        Ok(Select { distinct, items, from, joins, filter, groups, orders, offset, limit })
    }

    /// Whether there is a join, and whether it is a left one.
    fn join(&mut self) -> Result<Option<bool>, Refusal> {
        if self.word("JOIN") {
            return Ok(Some(false));
        }
        let outer = self.word("LEFT");
        if outer {
            self.word("OUTER");
        } else if !self.word("INNER") {
            return Ok(None);
        }
        self.must("JOIN")?;
        Ok(Some(outer))
    }

    fn source(&mut self) -> Result<Source, Refusal> {
        let table = self.name()?;
        Ok(Source { table, alias: self.alias()? })
    }

    fn alias(&mut self) -> Result<Option<String>, Refusal> {
        if self.word("AS") {
            return self.name().map(Some);
        }
        match self.peek() {
            Some(Token::Word(word))
                if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) =>
            {
                self.name().map(Some)
            }
            _ => Ok(None),
        }
    }

    fn column(&mut self) -> Result<Column, Refusal> {
        let name = self.name()?;
        if self.sign(".") {
            return Ok(Column { of: Some(name), name: self.name()? });
        }
        Ok(Column { of: None, name })
    }

    fn item(&mut self) -> Result<Item, Refusal> {
        let first = self.column()?;
        if first.of.is_some() || !self.sign("(") {
            let alias = self.alias()?;
            return Ok(Item { measure: None, column: Some(first), alias });
        }
        if !["count", "sum", "avg", "min", "max"].contains(&first.name.as_str()) {
            return Err(invalid(format!("the function `{}`", first.name)));
        }
        let distinct = self.word("DISTINCT");
        let column = match first.name == "count" && !distinct && self.sign("*") {
            true => None,
            false => Some(self.column()?),
        };
        self.must_sign(")")?;
        let measure = Some((first.name, distinct));
        Ok(Item { measure, column, alias: self.alias()? })
    }

    fn or(&mut self) -> Result<Test, Refusal> {
        let mut all = vec![self.and()?];
        while self.word("OR") {
            all.push(self.and()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Test::Any(all) })
    }

    fn and(&mut self) -> Result<Test, Refusal> {
        let mut all = vec![self.test()?];
        while self.word("AND") {
            all.push(self.test()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Test::All(all) })
    }

    fn test(&mut self) -> Result<Test, Refusal> {
        if self.sign("(") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(invalid("it is nested too deeply"));
            }
            let inner = self.or()?;
            self.must_sign(")")?;
            self.depth -= 1;
            return Ok(inner);
        }
        let column = self.column()?;
        if self.word("IS") {
            let not = self.word("NOT");
            self.must("NULL")?;
            return Ok(Test::Is(column, if not { "not-null" } else { "null" }, Vec::new()));
        }
        let not = self.word("NOT");
        if self.word("LIKE") {
            let operator = if not { "not-like" } else { "like" };
            return Ok(Test::Is(column, operator, vec![self.value()?]));
        }
        if self.word("IN") {
            self.must_sign("(")?;
            let mut values = vec![self.value()?];
            while self.sign(",") {
                values.push(self.value()?);
            }
            self.must_sign(")")?;
            return Ok(Test::Is(column, if not { "not-in" } else { "in" }, values));
        }
        if self.word("BETWEEN") {
            let from = self.value()?;
            self.must("AND")?;
            let operator = if not { "not-between" } else { "between" };
            return Ok(Test::Is(column, operator, vec![from, self.value()?]));
        }
        let operators = [
            ("=", "eq"),
            ("!=", "ne"),
            ("<>", "ne"),
            ("<", "lt"),
            (">", "gt"),
            ("<=", "le"),
            (">=", "ge"),
        ];
        for (sign, operator) in operators {
            if !not && self.sign(sign) {
                return Ok(Test::Is(column, operator, vec![self.value()?]));
            }
        }
        Err(self.unexpected())
    }

    fn value(&mut self) -> Result<String, Refusal> {
        let value = match self.peek() {
            Some(Token::Text(text) | Token::Number(text)) => text.clone(),
            Some(Token::Word(word)) if ["true", "false"].contains(&&*word.to_ascii_lowercase()) => {
                word.to_ascii_lowercase()
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(value)
    }
}
