//! One struct for a rule's settings: its parser, its defaults and the JSON Schema
//! that the rule publishes. Pure.
//!
//! Promises: what the schema says is what is read; a wrong setting is refused by
//! name with what was found; one that nobody knows with the names that are known.

mod kinds;
mod writer;

use crate::failure::Failure;
#[doc(hidden)]
pub use crate::json::Value;
#[doc(hidden)]
pub use writer::Writer;

/// Makes a struct of settings: `read` takes them from a context, `schema` is the
/// JSON Schema for [`crate::Description::settings_schema`].
///
/// A field without a default has to be given, unless it is an `Option`. Its
/// documentation is the description in the schema. `where in WORDS` allows only
/// these texts (in a list or a map: as its values).
///
/// ```
/// use dvsync_rules_sdk::{Context, settings};
///
/// const TARGETS: [&str; 2] = ["name", "telephone1"];
///
/// settings! {
///     /// What a job may set.
///     #[derive(Debug)]
///     pub struct Settings {
///         /// Region whose sellers own prospects.
///         pub region: String = "north".to_owned(),
///         /// E-mail address of the owner of the others.
///         pub fallback_owner: Option<String>,
///         /// Target columns that are not written.
///         pub skip: Vec<String> where in TARGETS = Vec::new(),
///     }
/// }
///
/// let mut context = Context::default();
/// context.settings_json = r#"{"region": "south"}"#.to_owned();
/// assert_eq!(Settings::read(&context).unwrap().region, "south");
/// context.settings_json = r#"{"skip": ["fax"]}"#.to_owned();
/// let failure = Settings::read(&context).unwrap_err();
/// assert_eq!(failure.message, "settings: `skip`: `fax` is none of `name`, `telephone1`");
/// assert!(Settings::schema().contains(r#""default":"north""#));
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $doc:expr])*
                $field_visibility:vis $field:ident : $type:ty
                    $(where in $words:path)? $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $( $(#[doc = $doc])* $field_visibility $field: $type, )*
        }

        impl $name {
            /// The settings of a job, with defaults for what it leaves out.
            ///
            /// # Errors
            /// `misconfigured` with the setting that is wrong.
            #[allow(dead_code, reason = "a rule may read its settings otherwise")]
            $visibility fn read(context: &$crate::Context) -> Result<Self, $crate::Failure> {
                let mut given = context.settings()?;
                let settings = Self {
                    $(
                        $field: match given.typed(
                            stringify!($field),
                            $crate::__setting_words!($($words)?),
                        )? {
                            Some(value) => value,
                            None => $crate::__setting_default!($field, $type $(, $default)?),
                        },
                    )*
                };
                given.finish()?;
                Ok(settings)
            }

            /// The JSON Schema of the settings.
            #[allow(dead_code, reason = "a rule may publish another one")]
            #[must_use]
            $visibility fn schema() -> String {
                let mut writer = $crate::setting::Writer::new();
                $(
                    writer.add::<$type>(
                        stringify!($field),
                        &[$($doc),*],
                        $crate::__setting_words!($($words)?),
                        $crate::__setting_shown!($type $(, $default)?),
                    );
                )*
                writer.finish()
            }
        }
    };
}

/// Texts that are allowed; all of them without any. Not for authors.
#[doc(hidden)]
#[macro_export]
macro_rules! __setting_words {
    () => {
        &[]
    };
    ($words:path) => {
        &$words[..]
    };
}

/// What stands for a setting that is not given. Not for authors.
#[doc(hidden)]
#[macro_export]
macro_rules! __setting_default {
    ($field:ident, $type:ty) => {
        $crate::setting::absent::<$type>(stringify!($field))?
    };
    ($field:ident, $type:ty, $default:expr) => {
        $default
    };
}

/// The default as the schema shows it. Not for authors.
#[doc(hidden)]
#[macro_export]
macro_rules! __setting_shown {
    ($type:ty) => {
        $crate::setting::Told::absent::<$type>()
    };
    ($type:ty, $default:expr) => {{
        let default: $type = $default;
        $crate::setting::Told::default(&default)
    }};
}

/// A type that a setting may have. A choice among words implements [`Word`].
pub trait Setting: Sized {
    /// The JSON that stands for one that is not given; nothing where it must be.
    const ABSENT: Option<&'static str> = None;

    /// JSON Schema; `words` are the texts that are allowed, if not all are.
    #[doc(hidden)]
    fn schema(words: &[&str]) -> String;

    /// Reads a value that is not null.
    #[doc(hidden)]
    fn from_value(name: &str, value: Value, words: &[&str]) -> Result<Self, Failure>;

    /// What it is when nobody gives it.
    #[doc(hidden)]
    fn absent() -> Option<Self> {
        None
    }

    /// As JSON, to be shown as a default; nothing where it has no such form.
    #[doc(hidden)]
    fn shown(&self) -> Option<String>;
}

/// A setting that is one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// The words, with what each stands for.
    const WORDS: &'static [(&'static str, Self)];
}

/// What a schema tells of a setting that is not given. Not for authors.
#[doc(hidden)]
#[derive(Debug)]
pub struct Told {
    is_required: bool,
    default: Option<String>,
}

impl Told {
    /// Of one without a default.
    #[must_use]
    pub fn absent<T: Setting>() -> Self {
        Self { is_required: T::ABSENT.is_none(), default: T::ABSENT.map(str::to_owned) }
    }

    /// Of one with a default, which may have no form in JSON.
    #[must_use]
    pub fn default<T: Setting>(default: &T) -> Self {
        Self { is_required: false, default: default.shown() }
    }
}

/// What stands for a setting that is not there. Not for authors.
///
/// # Errors
/// It has to be there.
#[doc(hidden)]
pub fn absent<T: Setting>(name: &str) -> Result<T, Failure> {
    T::absent().ok_or_else(|| crate::settings::bad(format!("`{name}` is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Size {
        Small,
        Large,
    }

    impl Word for Size {
        const WORDS: &'static [(&'static str, Self)] =
            &[("small", Self::Small), ("large", Self::Large)];
    }

    const COLUMNS: [&str; 2] = ["name", "fax"];

    crate::settings! {
        /// All kinds.
        #[derive(Debug)]
        struct All {
            /// How "large",
            /// if at all.
            size: Size = Size::Small,
            needed: String,
            maybe: Option<i32>,
            skip: Vec<String> where in COLUMNS = vec!["fax".to_owned()],
            codes: Vec<(String, u32)> = vec![("a".to_owned(), 1)],
            share: f64 = 0.5,
        }
    }

    fn read(json: &str) -> Result<All, String> {
        let context = Context { settings_json: json.to_owned(), ..Context::default() };
        All::read(&context).map_err(|failure| failure.message)
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let all = read(r#"{"needed": "x", "maybe": null}"#).unwrap();
        assert_eq!((all.size, all.maybe, all.share), (Size::Small, None, 0.5));
        assert_eq!((all.needed.as_str(), all.skip), ("x", vec!["fax".to_owned()]));
        assert_eq!(all.codes, [("a".to_owned(), 1)]);
        let all = read(r#"{"needed": "", "size": "large", "maybe": -1, "codes": {}}"#).unwrap();
        assert_eq!((all.size, all.maybe, all.codes), (Size::Large, Some(-1), vec![]));
    }

    #[test]
    fn a_wrong_setting_is_told_by_name() {
        for (json, expect) in [
            ("{}", "`needed` is missing"),
            (r#"{"needed": 1}"#, "`needed`: expected text, found a number"),
            (r#"{"needed": "", "size": "huge"}"#, "`size`: `huge` is none of `small`, `large`"),
            (r#"{"needed": "", "skip": ["tax"]}"#, "`skip`: `tax` is none of `name`, `fax`"),
            (
                r#"{"needed": "", "codes": {"a": -1}}"#,
                "`codes`: expected a whole number from 0 to 4294967295",
            ),
            (
                r#"{"needed": "", "shar": 1}"#,
                "`shar` is not known, but `size`, `needed`, `maybe`, `skip`, `codes`, `share` are",
            ),
        ] {
            assert_eq!(read(json).unwrap_err(), format!("settings: {expect}"), "{json}");
        }
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema = All::schema();
        assert!(crate::json::parse(&schema).is_ok(), "{schema}");
        for part in [
            r#""additionalProperties":false"#,
            r#""size":{"description":"How \"large\", if at all.","default":"small","type":"string","enum":["small","large"]}"#,
            r#""needed":{"type":"string"}"#,
            r#""maybe":{"default":null,"anyOf":[{"type":"integer","minimum":-2147483648,"maximum":2147483647},{"type":"null"}]}"#,
            r#""skip":{"default":["fax"],"type":"array","items":{"type":"string","enum":["name","fax"]}}"#,
            r#""codes":{"default":{"a":1},"type":"object""#,
            r#""required":["needed"]"#,
        ] {
            assert!(schema.contains(part), "`{part}` in {schema}");
        }
    }
}
