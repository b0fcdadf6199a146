//! What goes wrong on command: rules that match requests, effects that replace
//! or spoil replies.
//!
//! Pure and repeatable: the same seed and the same order of requests give the
//! same faults.

mod effect;
mod spoil;

use std::time::Duration;

use serde::Deserialize;

use crate::chance::chance;
use crate::operation::Operation;
pub use effect::Effect;
pub(crate) use spoil::{Earlier, recount};

/// A fault: which requests, and what happens to them. All conditions that are
/// given must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// HTTP method.
    pub method: Option<String>,
    /// Part of path and query.
    pub path: Option<String>,
    /// One of these operations.
    pub operations: Option<Vec<Operation>>,
    /// Name of the principal.
    pub principal: Option<String>,
    /// One of these principals.
    pub principals: Option<Vec<String>>,
    /// Position of the web server, from 0.
    pub server: Option<usize>,
    /// Not before so many seconds of the emulator's clock, which begins with the
    /// first request.
    pub from: Option<f64>,
    /// Before so many seconds of the emulator's clock.
    pub until: Option<f64>,
    /// Only the nth request that fits so far, from 1.
    pub nth: Option<u64>,
    /// Every so many requests that fit.
    pub every: Option<u64>,
    /// With this probability, by the emulator's seed.
    pub probability: Option<f64>,
    /// At most so many times.
    pub times: Option<u64>,
    /// What happens.
    pub effect: Effect,
}

impl FaultRule {
    /// A rule that hits every request.
    #[must_use]
    pub fn always(effect: Effect) -> Self {
        Self {
            method: None,
            path: None,
            operations: None,
            principal: None,
            principals: None,
            server: None,
            from: None,
            until: None,
            nth: None,
            every: None,
            probability: None,
            times: None,
            effect,
        }
    }

    fn fits(&self, request: &Suspect<'_>) -> bool {
        let at = request.elapsed.as_secs_f64();
        self.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(request.method))
            && self.path.as_ref().is_none_or(|part| request.path.contains(part.as_str()))
            && self.operations.as_ref().is_none_or(|all| all.contains(&request.operation))
            && self.principal.as_ref().is_none_or(|name| name == request.principal)
            && self.principals.as_ref().is_none_or(|all| all.iter().any(|n| n == request.principal))
            && self.server.is_none_or(|server| server == request.server)
            && self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
    }
}

/// A request that a fault may hit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suspect<'r> {
    pub(crate) method: &'r str,
    /// With query.
    pub(crate) path: &'r str,
    pub(crate) operation: Operation,
    pub(crate) principal: &'r str,
    pub(crate) server: usize,
    /// Since the first request, in the service's time.
    pub(crate) elapsed: Duration,
}

/// Rules from a file: TOML with `[[faults]]`, or JSON: the same, a list of rules
/// or one rule.
pub(crate) fn read(text: &str) -> Result<Vec<FaultRule>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        faults: Vec<FaultRule>,
    }
    let start = text.trim_start();
    if start.starts_with('[') && !start.starts_with("[[") {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    if !start.starts_with('{') {
        let file: Result<File, _> = toml::from_str(text);
        return file.map(|file| file.faults).map_err(|error| error.to_string());
    }
    // Looked at twice, so that the message of either is to the point.
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    if object.contains_key("faults") {
        let file: Result<File, _> = serde_json::from_str(text);
        return file.map(|file| file.faults).map_err(|error| error.to_string());
    }
    serde_json::from_str(text).map(|rule| vec![rule]).map_err(|error| error.to_string())
}

/// Rules with their counts.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<(FaultRule, Count)>,
    seed: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    seen: u64,
    hit: u64,
}

impl Faults {
    pub(crate) fn new(rules: Vec<FaultRule>, seed: u64) -> Self {
        Self { rules: rules.into_iter().map(|rule| (rule, Count::default())).collect(), seed }
    }

    pub(crate) fn extend(&mut self, rules: Vec<FaultRule>) {
        self.rules.extend(rules.into_iter().map(|rule| (rule, Count::default())));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Rules, and how often each fitted and hit.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64, u64)> {
        self.rules.iter().map(|(rule, count)| (rule.effect.name(), count.seen, count.hit))
    }

    /// A rule wants replies that are kept for later.
    pub(crate) fn wants_earlier(&self) -> bool {
        self.rules.iter().any(|(rule, _)| rule.effect == Effect::EarlierReply)
    }

    /// The effect on this request; the first rule that hits counts.
    pub(crate) fn strike(&mut self, request: &Suspect<'_>) -> Option<Effect> {
        let seed = self.seed;
        self.rules.iter_mut().enumerate().find_map(|(index, (rule, count))| {
            if !rule.fits(request) {
                return None;
            }
            count.seen += 1;
            let chance = || chance(seed, &format!("{index}/{}", count.seen));
            let hits = rule.times.is_none_or(|times| count.hit < times)
                && rule.nth.is_none_or(|nth| count.seen == nth)
                && rule.every.is_none_or(|every| every > 0 && count.seen % every == 0)
                && rule.probability.is_none_or(|probability| chance() < probability);
            if !hits {
                return None;
            }
            count.hit += 1;
            Some(rule.effect.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Suspect<'_> = Suspect {
        method: "POST",
        path: "/api/data/v9.2/accounts?x",
        operation: Operation::Create,
        principal: "p",
        server: 0,
        elapsed: Duration::ZERO,
    };

    fn rules(toml: &str) -> Faults {
        Faults::new(read(toml).unwrap(), 7)
    }

    fn strikes(faults: &mut Faults, requests: usize) -> Vec<usize> {
        (1..=requests).filter(|_| faults.strike(&REQUEST).is_some()).collect()
    }

    #[test]
    fn rules_count_the_requests_that_fit() {
        let html = "effect = { kind = \"html\", status = 502 }";
        let expect = [
            ("nth = 2", vec![2]),
            ("every = 3", vec![3, 6]),
            ("every = 2\ntimes = 1", vec![2]),
            ("path = \"contacts\"", vec![]),
            ("method = \"post\"\nprincipal = \"p\"\ntimes = 2", vec![1, 2]),
            ("probability = 0.0", vec![]),
            ("every = 0", vec![]),
            ("operations = [\"Batch\", \"Create\"]\ntimes = 1", vec![1]),
            ("operations = [\"Delete\"]", vec![]),
            ("principals = [\"q\", \"p\"]\ntimes = 1", vec![1]),
            ("principals = []", vec![]),
            ("server = 1", vec![]),
        ];
        for (rule, hit) in expect {
            let mut faults = rules(&format!("[[faults]]\n{rule}\n{html}"));
            assert_eq!(strikes(&mut faults, 7), hit, "{rule}");
        }
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let rule = "[[faults]]\nprobability = 0.5\neffect = { kind = \"cut_after_commit\" }";
        let hits = strikes(&mut rules(rule), 200);
        assert_eq!(hits, strikes(&mut rules(rule), 200));
        assert!((70..130).contains(&hits.len()), "{}", hits.len());
    }

    #[test]
    fn rules_hold_for_a_time() {
        let rule = "[[faults]]\nfrom = 10\nuntil = 20\neffect = { kind = \"deadlock\" }";
        let mut faults = rules(rule);
        let hits: Vec<u64> = (0..30)
            .step_by(5)
            .filter(|&at| {
                let elapsed = Duration::from_secs(at);
                faults.strike(&Suspect { elapsed, ..REQUEST }).is_some()
            })
            .collect();
        assert_eq!(hits, [10, 15]);
    }

    #[test]
    fn a_file_is_toml_or_json_and_its_faults_are_told() {
        let rule = r#"{"nth": 1, "effect": {"kind": "deadlock"}}"#;
        for text in [rule, &format!("[{rule}]"), &format!("{{\"faults\": [{rule}]}}")] {
            assert_eq!(read(text).unwrap().len(), 1, "{text}");
        }
        for (text, part) in [
            ("[[faults]]\ncolour = 1\neffect = { kind = \"deadlock\" }", "unknown field `colour`"),
            ("[[faults]]\neffect = { kind = \"explode\" }", "unknown variant `explode`"),
            ("[[faults]]\noperations = [\"Paint\"]\neffect = { kind = \"deadlock\" }", "`Paint`"),
            ("{\"effect\": {}}", "missing field `kind`"),
            ("{\"faults\": [], \"x\": 1}", "unknown field `x`"),
            ("{", "EOF"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
