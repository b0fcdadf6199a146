//! `$filter` as a tree, names and literals not yet looked up.
//!
//! Pure. Parameter aliases are put in while reading.

mod token;

use token::{Token, tokens};

use crate::refusal::{Name, Refusal};

/// Nesting that no real filter reaches.
const DEPTH_MAX: usize = 100;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Operator, String, Literal),
    /// `contains`, `startswith`, `endswith`.
    Text(String, String, Literal),
    /// `Microsoft.Dynamics.CRM.<name>(PropertyName='..',...)`.
    Function(String, Vec<(String, Literal)>),
    /// `<collection>/any(..)` (true) or `<collection>/all(..)` (false), and the
    /// condition on its members.
    Lambda(String, bool, Option<Box<Expression>>),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    /// As messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operator::Eq => "Equal",
            Operator::Ne => "NotEqual",
            Operator::Gt => "GreaterThan",
            Operator::Ge => "GreaterThanOrEqual",
            Operator::Lt => "LessThan",
            Operator::Le => "LessThanOrEqual",
        }
    }
}

/// A literal as typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Text(String),
    /// A number, GUID, date or instant.
    Bare(String),
    /// `Namespace.Type'Member'`.
    Enum(String),
    List(Vec<Literal>),
}

/// Parameter aliases: `@p` and its text.
pub(crate) type Aliases = [(String, String)];

/// Reads a `$filter`.
pub(crate) fn parse(text: &str, aliases: &Aliases) -> Result<Expression, Refusal> {
    let tokens = tokens(text).map_err(|message| syntax(text, &message))?;
    let mut parser =
        Parser { tokens: &tokens, at: 0, text, aliases, depth: 0, variables: Vec::new() };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected()),
    }
}

/// Reads one literal, as stands in a key or behind an alias.
pub(crate) fn literal(text: &str, aliases: &Aliases) -> Result<Literal, Refusal> {
    let tokens = tokens(text).map_err(|message| syntax(text, &message))?;
    let mut parser =
        Parser { tokens: &tokens, at: 0, text, aliases, depth: 0, variables: Vec::new() };
    let literal = parser.literal()?;
    match parser.peek() {
        None => Ok(literal),
        Some(_) => Err(parser.unexpected()),
    }
}

fn syntax(text: &str, message: &str) -> Refusal {
    let text = crate::refusal::shortened(text);
    Refusal::named(Name::QuerySyntax, format!("Syntax error: {message} in '{text}'."))
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    text: &'t str,
    aliases: &'t Aliases,
    depth: usize,
    /// Of the lambdas around, innermost last.
    variables: Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn eat(&mut self, token: &Token) -> bool {
        let eaten = self.peek() == Some(token);
        self.at += usize::from(eaten);
        eaten
    }

    fn expect(&mut self, token: &Token) -> Result<(), Refusal> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn word(&mut self, word: &str) -> bool {
        let eaten = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.at += usize::from(eaten);
        eaten
    }

    fn unexpected(&self) -> Refusal {
        let found = self.peek().map_or("the end".to_owned(), Token::to_string);
        syntax(self.text, &format!("unexpected {found} at position {}", self.at))
    }

    fn or(&mut self) -> Result<Expression, Refusal> {
        let first = self.and()?;
        let mut all = vec![first];
        while self.word("or") {
            all.push(self.and()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Or(all) })
    }

    fn and(&mut self) -> Result<Expression, Refusal> {
        let first = self.not()?;
        let mut all = vec![first];
        while self.word("and") {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn not(&mut self) -> Result<Expression, Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(syntax(self.text, "nested too deeply"));
        }
        let expression = if self.word("not") {
            Expression::Not(Box::new(self.not()?))
        } else if self.eat(&Token::Open) {
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn condition(&mut self) -> Result<Expression, Refusal> {
        if let (Some(Token::Word(name)), Some(Token::Open)) =
            (self.tokens.get(self.at), self.tokens.get(self.at + 1))
        {
            let name = name.clone();
            self.at += 2;
            return self.call(name);
        }
        let at = self.at;
        let Some(Token::Word(path)) = self.take() else {
            self.at = at;
            return Err(self.unexpected());
        };
        let path = self.own(path)?;
        let operator = self.operator()?;
        Ok(Expression::Compare(operator, path, self.literal()?))
    }

    /// A path without the variable of the lambda around it.
    fn own(&self, path: String) -> Result<String, Refusal> {
        let Some(variable) = self.variables.last() else { return Ok(path) };
        match path.split_once('/') {
            Some((first, rest)) if first == variable => Ok(rest.to_owned()),
            _ => Err(syntax(self.text, &format!("'{path}' does not begin with '{variable}/'"))),
        }
    }

    /// What stands in the parentheses of `any` and `all`.
    fn lambda(&mut self, path: &str, any: bool) -> Result<Expression, Refusal> {
        let collection = self.own(path.to_owned())?;
        if self.eat(&Token::Close) {
            return match any {
                true => Ok(Expression::Lambda(collection, true, None)),
                false => Err(syntax(self.text, "'all' needs a condition")),
            };
        }
        let Some(Token::Word(variable)) = self.take() else {
            self.at -= 1;
            return Err(self.unexpected());
        };
        self.expect(&Token::Colon)?;
        self.variables.push(variable);
        let inner = self.or()?;
        self.variables.pop();
        self.expect(&Token::Close)?;
        Ok(Expression::Lambda(collection, any, Some(Box::new(inner))))
    }

    fn operator(&mut self) -> Result<Operator, Refusal> {
        let operator = match self.peek() {
            Some(Token::Word(word)) => match word.as_str() {
                "eq" => Operator::Eq,
                "ne" => Operator::Ne,
                "gt" => Operator::Gt,
                "ge" => Operator::Ge,
                "lt" => Operator::Lt,
                "le" => Operator::Le,
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(operator)
    }

    fn call(&mut self, name: String) -> Result<Expression, Refusal> {
        let lambda = [("/any", true), ("/all", false)];
        for (suffix, any) in lambda {
            if let Some(path) = name.strip_suffix(suffix) {
                return self.lambda(path, any);
            }
        }
        let own = name.rsplit_once('/').map_or(&*name, |(_, function)| function);
        if let Some(function) = own.strip_prefix("Microsoft.Dynamics.CRM.") {
            let mut arguments = Vec::new();
            loop {
                let Some(Token::Word(argument)) = self.take() else {
                    self.at -= 1;
                    return Err(self.unexpected());
                };
                self.expect(&Token::Equals)?;
                arguments.push((argument, self.literal()?));
                if !self.eat(&Token::Comma) {
                    break;
                }
            }
            self.expect(&Token::Close)?;
            return Ok(Expression::Function(function.to_owned(), arguments));
        }
        if !matches!(name.as_str(), "contains" | "startswith" | "endswith") {
            return Err(syntax(self.text, &format!("unknown function '{name}'")));
        }
        let Some(Token::Word(path)) = self.take() else {
            self.at -= 1;
            return Err(self.unexpected());
        };
        let path = self.own(path)?;
        self.expect(&Token::Comma)?;
        let literal = self.literal()?;
        self.expect(&Token::Close)?;
        Ok(Expression::Text(name, path, literal))
    }

    fn literal(&mut self) -> Result<Literal, Refusal> {
        let at = self.at;
        match self.take() {
            Some(Token::Text(text)) => Ok(Literal::Text(text)),
            Some(Token::Enum(member)) => Ok(Literal::Enum(member)),
            Some(Token::OpenList) => {
                let mut items = Vec::new();
                if self.eat(&Token::CloseList) {
                    return Ok(Literal::List(items));
                }
                loop {
                    if self.peek() == Some(&Token::OpenList) {
                        return Err(self.unexpected());
                    }
                    items.push(self.literal()?);
                    if self.eat(&Token::CloseList) {
                        return Ok(Literal::List(items));
                    }
                    self.expect(&Token::Comma)?;
                }
            }
            Some(Token::Word(word)) => match word.as_str() {
                "null" => Ok(Literal::Null),
                "true" => Ok(Literal::Bool(true)),
                "false" => Ok(Literal::Bool(false)),
                alias if alias.starts_with('@') => {
                    let text = self.aliases.iter().find(|(name, _)| name == alias);
                    let Some((_, text)) = text else {
                        return Err(syntax(self.text, &format!("alias '{alias}' has no value")));
                    };
                    // An alias may not name another: no loops.
                    literal(text, &[])
                }
                _ => Ok(Literal::Bare(word)),
            },
            _ => {
                self.at = at;
                Err(self.unexpected())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Literal {
        Literal::Text(value.to_owned())
    }

    #[test]
    fn and_binds_stronger_than_or() {
        let eq = |path: &str, value: &str| {
            Expression::Compare(Operator::Eq, path.to_owned(), Literal::Bare(value.to_owned()))
        };
        assert_eq!(
            parse("a eq 1 or b eq 2 and c eq 3", &[]),
            Ok(Expression::Or(vec![
                eq("a", "1"),
                Expression::And(vec![eq("b", "2"), eq("c", "3")])
            ]))
        );
        assert_eq!(parse("not (a eq 1)", &[]), Ok(Expression::Not(Box::new(eq("a", "1")))));
    }

    #[test]
    fn aliases_stand_for_literals_and_lists() {
        let aliases = [("@p".to_owned(), r#"["a\"b","c"]"#.to_owned())];
        assert_eq!(
            parse("Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=@p)", &aliases),
            Ok(Expression::Function(
                "In".to_owned(),
                vec![
                    ("PropertyName".to_owned(), text("x")),
                    ("PropertyValues".to_owned(), Literal::List(vec![text("a\"b"), text("c")])),
                ]
            ))
        );
    }

    #[test]
    fn quotes_in_text_are_doubled() {
        assert_eq!(
            parse("name eq 'O''Hara & Co'", &[]),
            Ok(Expression::Compare(Operator::Eq, "name".to_owned(), text("O'Hara & Co")))
        );
    }

    #[test]
    fn nonsense_is_refused_not_believed() {
        for filter in [
            "",
            "name",
            "name eq",
            "name eq 'x",
            "name like 'x'",
            "(name eq 'x'",
            "name eq 'x')",
            "name eq 'x' and",
            "soundex(name,'x')",
            "name eq @nope",
            "Microsoft.Dynamics.CRM.In(",
            "name eq [[1]]",
        ] {
            assert!(parse(filter, &[]).is_err(), "{filter}");
        }
        assert!(parse(&"(".repeat(100_000), &[]).is_err());
    }
}
