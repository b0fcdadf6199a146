//! Behaviour that Microsoft's documentation leaves open: each guess is a switch.
//!
//! Pure values. `docs/emulator-behaviours.md` names each of them with its default
//! and a test that shows both positions.

use serde::{Deserialize, Serialize};

use super::codes::Codes;
use crate::schema::{KeyStatus, ReadOnlyWrites, StateOnCreate};

/// Behaviour that Microsoft's documentation leaves open (UNCONFIRMED), with the
/// likelier choice as default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behavior {
    /// Text in alternate keys differs by case.
    pub case_sensitive_keys: bool,
    /// Text in alternate keys differs by blanks at its end.
    pub trailing_blanks_in_keys: bool,
    /// Two records whose alternate key is null, or null in the same columns, have
    /// the same key.
    pub nulls_are_unique: bool,
    /// An update that changes nothing makes a new version all the same.
    pub unchanged_updates_count: bool,
    /// Updates of a record that is not in its first state are refused, unless they
    /// move it.
    pub inactive_records_are_read_only: bool,
    /// Null in a column that is required by the application.
    pub application_required: Leniency,
    /// Writes of read-only columns.
    pub read_only_writes: ReadOnlyWrites,
    /// Records within a record that is updated.
    pub nested_in_update: Leniency,
    /// Full names are put together from first and last names.
    pub make_full_names: bool,
    /// Columns take their default in a create that leaves them out.
    pub defaults_on_create: bool,
    /// What lengths of text are counted in.
    pub text_length: TextLength,
    /// What becomes of more digits than a number's column has.
    pub rounding: Rounding,
    /// A time in the value of a column that is a day.
    pub time_in_date_only: Leniency,
    /// An empty text is stored as null.
    pub empty_text_is_null: bool,
    /// A state other than the default one in a create.
    pub state_on_create: StateOnCreate,
    /// A state that comes alone brings its default status reason; else it is refused.
    pub status_follows_state: bool,
    /// Which moves a table that enforces its transitions refuses.
    pub enforced_transitions: EnforcedTransitions,
    /// Records assigned to a disabled user.
    pub disabled_owner: DisabledOwner,
    /// A user or team that owns records is deleted.
    pub delete_owner: DeleteOwner,
    /// A record is taken out of a collection that it is not in.
    pub absent_association: Leniency,
    /// Order of `Ids` in replies to CreateMultiple.
    pub create_multiple_ids: IdOrder,
    /// Records of a bulk message may refer to those before them.
    pub references_within_payload: bool,
    /// UpsertMultiple refuses a new record whose key is in its body too.
    pub upsert_multiple_refuses_keys_in_body: bool,
    /// How bulk messages of elastic tables tell what failed.
    pub bulk_error_details: BulkErrorDetails,
    /// The characters that key values in URLs may not have are refused in
    /// `@odata.id` too.
    pub forbidden_characters_in_odata_id: bool,
    /// The error of a failed changeset stands in a `changesetresponse`
    /// multipart with its Content-ID; else as a plain part.
    pub changeset_error_in_multipart: bool,
    /// `accounts` besides `/api/data/v9.2/accounts` as URL in a batch.
    pub relative_urls_in_batch: bool,
    /// Most operations of a batch, and of a changeset.
    pub batch_operations_max: usize,
    /// `accounts/` is `accounts`.
    pub trailing_slash: bool,
    /// `/$count` begins with a byte order mark.
    pub count_with_bom: bool,
    /// `all` holds for a record whose collection is empty.
    pub all_of_nothing: bool,
    /// Which records the FetchXML links `all` and `not all` take.
    pub fetch_all_links: FetchAllLinks,
    /// How often the paging cookie of FetchXML is percent-encoded.
    pub fetch_cookie_encoding: CookieEncoding,
    /// What results of `?sql=` call columns of joined tables.
    pub sql_column_names: SqlNames,
    /// Pages neither skip nor repeat a row whatever is written between them.
    pub stable_pages: bool,
    /// Where spans of days such as `LastXDays` end.
    pub span_ends: SpanEnds,
    /// Time zone of the days in spans, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// How long a delta token is good, days (`ExpireChangeTrackingInDays`).
    pub delta_token_days: u32,
    /// What the reply to CreateEntities tells.
    pub create_entities_reply: CreateEntitiesReply,
    /// What becomes of an alternate key that a client makes: `active` at once,
    /// or `pending` for ever.
    pub new_keys: KeyStatus,
    /// 401 replies say where tokens are to be had.
    pub challenge: bool,
    /// Refusals with another status, code or text.
    pub codes: Codes,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            case_sensitive_keys: false,
            trailing_blanks_in_keys: false,
            nulls_are_unique: false,
            unchanged_updates_count: true,
            inactive_records_are_read_only: false,
            application_required: Leniency::Ignore,
            read_only_writes: ReadOnlyWrites::Ignore,
            nested_in_update: Leniency::Refuse,
            make_full_names: true,
            defaults_on_create: true,
            text_length: TextLength::Utf16,
            rounding: Rounding::HalfAway,
            time_in_date_only: Leniency::Refuse,
            empty_text_is_null: true,
            state_on_create: StateOnCreate::Force,
            status_follows_state: true,
            enforced_transitions: EnforcedTransitions::BetweenStates,
            disabled_owner: DisabledOwner::Refuse,
            delete_owner: DeleteOwner::Refuse,
            absent_association: Leniency::Ignore,
            create_multiple_ids: IdOrder::InOrder,
            references_within_payload: true,
            upsert_multiple_refuses_keys_in_body: true,
            bulk_error_details: BulkErrorDetails::Text,
            forbidden_characters_in_odata_id: true,
            changeset_error_in_multipart: true,
            relative_urls_in_batch: false,
            batch_operations_max: 1000,
            trailing_slash: true,
            count_with_bom: false,
            all_of_nothing: true,
            fetch_all_links: FetchAllLinks::NoneFits,
            fetch_cookie_encoding: CookieEncoding::Twice,
            sql_column_names: SqlNames::Plain,
            stable_pages: true,
            span_ends: SpanEnds::Now,
            utc_offset_minutes: 0,
            delta_token_days: 7,
            create_entities_reply: CreateEntitiesReply::Empty,
            new_keys: KeyStatus::Active,
            challenge: true,
            codes: Codes::default(),
        }
    }
}

/// Farthest time zone, minutes.
const OFFSET_MAX: i32 = 14 * 60;

impl Behavior {
    /// Values that nothing can be made of.
    pub(crate) fn check(&self) -> Result<(), String> {
        let offset = self.utc_offset_minutes;
        if (-OFFSET_MAX..=OFFSET_MAX).contains(&offset) {
            return Ok(());
        }
        Err(format!(
            "`utc_offset_minutes` must be from -{OFFSET_MAX} to {OFFSET_MAX}, found {offset}"
        ))
    }

    /// How alternate keys compare.
    pub(crate) fn key_rules(&self) -> KeyRules {
        KeyRules {
            case_sensitive: self.case_sensitive_keys,
            trailing_blanks: self.trailing_blanks_in_keys,
            nulls: self.nulls_are_unique,
        }
    }
}

/// How alternate keys compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
pub(crate) struct KeyRules {
    pub(crate) case_sensitive: bool,
    pub(crate) trailing_blanks: bool,
    /// Nulls are equal to each other.
    pub(crate) nulls: bool,
}

impl KeyRules {
    /// Keys find what filters find.
    pub(crate) fn as_filters(self) -> bool {
        !self.case_sensitive && !self.trailing_blanks
    }
}

/// Makes words of a switch: lower case in settings, the first is the default.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $(#[$first_doc:meta])* $first:ident, $($(#[$rest_doc:meta])* $rest:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
            #[serde(rename_all = "snake_case")]
            pub enum $name {
                $(#[$first_doc])*
                #[default]
                $first,
                $($(#[$rest_doc])* $rest,)*
            }
        )*
    };
}

words! {
    /// Whether something odd is refused.
    Leniency {
        /// It is, and nothing happens.
        Refuse,
        /// It is left out, the rest happens.
        Ignore,
    }
    /// What happens to a record that is assigned to a disabled user.
    DisabledOwner {
        /// The write is refused.
        Refuse,
        /// The write is accepted.
        Accept,
    }
    /// What happens to a user or team that owns records and is to be deleted.
    DeleteOwner {
        /// It stays.
        Refuse,
        /// Its records pass to the acting user.
        Reassign,
    }
    /// What lengths of text are counted in.
    TextLength {
        /// UTF-16 units: an emoji is two.
        Utf16,
        /// Unicode characters: an emoji is one.
        Characters,
    }
    /// What becomes of surplus digits.
    Rounding {
        /// Rounded, halves away from zero.
        HalfAway,
        /// Rounded, halves to the even digit.
        HalfEven,
        /// Cut off.
        Truncate,
    }
    /// Which moves between status reasons are refused where they are not allowed.
    EnforcedTransitions {
        /// Those that change the state.
        BetweenStates,
        /// All.
        All,
    }
    /// Order of the ids in a reply.
    IdOrder {
        /// That of the records.
        InOrder,
        /// The other way round.
        Reversed,
    }
    /// Shape of `Plugin.BulkApiErrorDetails`.
    BulkErrorDetails {
        /// JSON in a text.
        Text,
        /// JSON.
        List,
    }
    /// Which records the FetchXML links `all` and `not all` take.
    FetchAllLinks {
        /// `all`: there are linked rows, and none fits; `not all`: one fits.
        NoneFits,
        /// `all`: every linked row fits; `not all`: one does not.
        EveryFits,
    }
    /// How often a paging cookie is percent-encoded.
    CookieEncoding {
        /// Two times.
        Twice,
        /// One time.
        Once,
    }
    /// What the reply to CreateEntities tells.
    CreateEntitiesReply {
        /// Nothing: 204.
        Empty,
        /// The ids of the tables: 200.
        Ids,
    }
    /// What results of `?sql=` call columns of joined tables.
    SqlNames {
        /// By their own names.
        Plain,
        /// As FetchXML does: alias of the table, a point, the name.
        Qualified,
    }
    /// Where a span of days ends that has to do with now.
    SpanEnds {
        /// Now.
        Now,
        /// Where today ends, or begins.
        WholeDays,
    }
}
