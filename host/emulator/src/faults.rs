//! What goes wrong on command: rules that match requests, effects that replace
//! or spoil replies.
//!
//! Pure and repeatable: the same seed and the same order of requests give the
//! same faults.

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A fault: which requests, and what happens to them. All conditions that are
/// given must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// HTTP method.
    pub method: Option<String>,
    /// Part of path and query.
    pub path: Option<String>,
    /// Name of the principal.
    pub principal: Option<String>,
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

/// What happens to a request that a rule matches.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// It is answered with an error and not carried out.
    Reply {
        /// HTTP status.
        status: u16,
        /// `error.code`.
        #[serde(default)]
        code: String,
        /// `error.message`.
        #[serde(default)]
        message: String,
        /// `Retry-After`.
        #[serde(default)]
        retry_after_seconds: Option<u64>,
    },
    /// It is answered with a page of HTML and not carried out.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The connection ends, and it was not carried out.
    CutBeforeCommit,
    /// The connection ends, and it was carried out.
    CutAfterCommit,
    /// It is carried out; of the reply's body only so many bytes arrive.
    Truncate {
        /// Bytes of the body.
        bytes: usize,
    },
    /// It is carried out and answered later.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
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

    /// The effect on this request; the first rule that hits counts.
    pub(crate) fn strike(&mut self, method: &str, path: &str, principal: &str) -> Option<Effect> {
        let seed = self.seed;
        self.rules.iter_mut().enumerate().find_map(|(index, (rule, count))| {
            let fits = rule.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method))
                && rule.path.as_ref().is_none_or(|part| path.contains(part.as_str()))
                && rule.principal.as_ref().is_none_or(|name| name == principal);
            if !fits {
                return None;
            }
            count.seen += 1;
            let hits = rule.times.is_none_or(|times| count.hit < times)
                && rule.nth.is_none_or(|nth| count.seen == nth)
                && rule.every.is_none_or(|every| every > 0 && count.seen % every == 0)
                && rule.probability.is_none_or(|p| chance(seed, index, count.seen) < p);
            if !hits {
                return None;
            }
            count.hit += 1;
            Some(rule.effect.clone())
        })
    }
}

/// A number from 0 to 1 that depends on the arguments only.
fn chance(seed: u64, rule: usize, seen: u64) -> f64 {
    let bits = xxh3_64_with_seed(format!("{rule}/{seen}").as_bytes(), seed);
    let top = u32::try_from(bits >> 32).unwrap_or(0);
    f64::from(top) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(toml: &str) -> Faults {
        #[derive(Deserialize)]
        struct File {
            faults: Vec<FaultRule>,
        }
        let file: File = toml::from_str(toml).unwrap();
        Faults::new(file.faults, 7)
    }

    fn strikes(faults: &mut Faults, requests: usize) -> Vec<usize> {
        (1..=requests).filter(|_| faults.strike("POST", "accounts?x", "p").is_some()).collect()
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
}
