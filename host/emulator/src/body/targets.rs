//! The body of a bulk message.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{Draft, Reading, RecordSeed};
use crate::refusal::Refusal;

/// `{"Targets":[...]}`.
pub(super) struct TargetsSeed<'r, 's>(pub(super) &'r Reading<'s>);

impl<'de> DeserializeSeed<'de> for TargetsSeed<'_, '_> {
    type Value = Vec<Draft<'de>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TargetsSeed<'_, '_> {
    type Value = Vec<Draft<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `Targets`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut targets = None;
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match &*name {
                "Targets" => targets = Some(map.next_value_seed(ListSeed(self.0))?),
                _ => {
                    return Err(self.0.refuse(Refusal::payload(format!(
                        "The parameter '{name}' in the request payload is not a valid parameter \
                         for the operation."
                    ))));
                }
            }
        }
        targets
            .ok_or_else(|| self.0.refuse(Refusal::payload("The parameter 'Targets' is missing.")))
    }
}

struct ListSeed<'r, 's>(&'r Reading<'s>);

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_> {
    type Value = Vec<Draft<'de>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_> {
    type Value = Vec<Draft<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut drafts = Vec::new();
        while let Some(draft) = seq.next_element_seed(RecordSeed(self.0))? {
            drafts.push(draft);
        }
        Ok(drafts)
    }
}
