//! The names of refusals, each with the status and the code that it has unless
//! `[behavior.codes]` says otherwise.
//!
//! A name stands for one reason, not for one text. Those that begin with
//! `invalid_` are what is left when no other fits.

/// Makes the names: variant, name, status, code.
macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $code:literal;)*) => {
        /// Why a request is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Name {
            $($(#[$doc])* $variant,)*
        }

        impl Name {
            /// All of them, as they stand here.
            pub(crate) const ALL: &'static [Name] = &[$(Name::$variant,)*];

            pub(crate) fn text(self) -> &'static str {
                match self {
                    $(Name::$variant => $name,)*
                }
            }

            /// HTTP status and code.
            pub(crate) fn usual(self) -> (u16, &'static str) {
                match self {
                    $(Name::$variant => ($status, $code),)*
                }
            }
        }
    };
}

names! {
    // Requests.
    /// What the OData layer does not take, where no other name fits.
    InvalidRequest = "invalid_request", 400, "0x0";
    /// `$skip`, `$search`, `$format`, an option in wrong case.
    UnsupportedOption = "unsupported_option", 400, "0x0";
    /// A column that `$select`, `$filter` and their kin do not find.
    UnknownColumn = "unknown_column", 400, "0x0";
    /// Types that do not compare.
    IncompatibleTypes = "incompatible_types", 400, "0x0";
    /// `$filter`, `$apply` or `$skiptoken` that cannot be read.
    QuerySyntax = "query_syntax", 400, "0x80060888";
    /// An `$expand` that the service does not do.
    ExpandRefused = "expand_refused", 400, "0x80060888";
    /// A segment of the path: no such set, column, message.
    UnknownSegment = "unknown_segment", 404, "0x8006088a";
    /// No such resource at all; a function that is posted to.
    UnknownResource = "unknown_resource", 404, "";
    WrongMethod = "wrong_method", 405, "0x0";
    UrlTooLong = "url_too_long", 414, "";
    /// What the emulator does not do.
    NotSupported = "not_supported", 501, "0x80040219";
    // Access.
    /// No token, or one that nobody knows: without a code the body is empty.
    NoToken = "no_token", 401, "";
    ExpiredToken = "expired_token", 401, "0x8004a101";
    NotAMember = "not_a_member", 403, "0x80072560";
    /// The caller is disabled.
    DisabledUser = "disabled_user", 403, "0x80041d1f";
    // Bodies.
    /// What the OData reader does not take, where no other name fits.
    InvalidPayload = "invalid_payload", 400, "0x80048d19";
    MalformedJson = "malformed_json", 400, "0x80048d19";
    /// Another JSON type than the column's.
    WrongType = "wrong_type", 400, "0x80048d19";
    UnknownProperty = "unknown_property", 400, "0x0";
    /// A bind of what is no navigation property.
    UndeclaredBind = "undeclared_bind", 400, "0x80048d19";
    LookupAsValue = "lookup_as_value", 400, "0x80060888";
    NestedInUpdate = "nested_in_update", 400, "0x80048d19";
    /// A record of a bulk message without `@odata.type`.
    UntypedTarget = "untyped_target", 400, "0x80048d19";
    /// A value that makes no sense, where no other name fits.
    InvalidArgument = "invalid_argument", 400, "0x80040203";
    ReadOnlyColumn = "read_only_column", 400, "0x80040203";
    RequiredColumn = "required_column", 400, "0x80040203";
    TextTooLong = "text_too_long", 400, "0x80044331";
    InvalidCharacter = "invalid_character", 400, "0x80040278";
    IntegerOutOfRange = "integer_out_of_range", 400, "0x8004432f";
    NumberOutOfRange = "number_out_of_range", 400, "0x80044330";
    DateTooEarly = "date_too_early", 400, "0x80040239";
    UnknownChoice = "unknown_choice", 400, "0x8004431a";
    // Records.
    MissingRecord = "missing_record", 404, "0x80040217";
    MissingByKey = "missing_by_key", 404, "0x80060891";
    /// Of UpdateMultiple.
    MissingRecords = "missing_records", 404, "0x80040217";
    /// A bind by id to what is not there.
    MissingInBind = "missing_in_bind", 404, "0x80040217";
    /// A bind by alternate key to what is not there.
    MissingInBindByKey = "missing_in_bind_by_key", 404, "0x80060891";
    KeyNotDefined = "key_not_defined", 400, "0x80060890";
    KeyNotActive = "key_not_active", 400, "0x80060890";
    /// A key value with a character that URLs do not take.
    ForbiddenCharacter = "forbidden_character", 400, "0x0";
    DuplicateId = "duplicate_id", 412, "0x80040237";
    DuplicateKey = "duplicate_key", 412, "0x80060892";
    DuplicateAssociation = "duplicate_association", 412, "0x80040237";
    AbsentAssociation = "absent_association", 404, "0x80040217";
    VersionMismatch = "version_mismatch", 412, "0x80060882";
    NoOptimisticConcurrency = "no_optimistic_concurrency", 400, "0x8006088D";
    DeleteRestricted = "delete_restricted", 405, "0x80040227";
    StatusMismatch = "status_mismatch", 400, "0x80048408";
    /// A record that is not in its first state, where those are read-only.
    InactiveRecord = "inactive_record", 400, "0x80040515";
    TransitionRefused = "transition_refused", 400, "0x8004f00e";
    NoOwner = "no_owner", 400, "0x80040215";
    AccessTeamOwner = "access_team_owner", 400, "0x80048340";
    DisabledOwner = "disabled_owner", 403, "0x80041d1f";
    // Bulk messages and batches.
    /// UpsertMultiple: a record more than once.
    RepeatedTarget = "repeated_target", 400, "0x80040237";
    /// UpsertMultiple: a new record whose key is in its body too.
    UpsertKeyInBody = "upsert_key_in_body", 400, "0x80040216";
    NoDeleteMultiple = "no_delete_multiple", 501, "0x80040219";
    BatchUnreadable = "batch_unreadable", 400, "0x80048d19";
    TooManyOperations = "too_many_operations", 400, "0x80048d19";
    UnknownContentId = "unknown_content_id", 400, "0x0";
    // Queries.
    InvalidFetchXml = "invalid_fetchxml", 400, "0x8004111c";
    /// `?sql=` that cannot be read, or asks for what the service refuses.
    InvalidSql = "invalid_sql", 400, "0x80040203";
    FetchUnknownColumn = "fetch_unknown_column", 400, "0x80041103";
    FetchWrongValue = "fetch_wrong_value", 400, "0x80040203";
    ElasticJoin = "elastic_join", 400, "0x80048d0b";
    AggregateLimit = "aggregate_limit", 400, "0x8004E023";
    TrackingNotEnabled = "tracking_not_enabled", 400, "0x80040203";
    TrackingOption = "tracking_option", 400, "0x0";
    DeltaTokenInvalid = "delta_token_invalid", 400, "0x80044353";
    DeltaTokenExpired = "delta_token_expired", 400, "0x80044352";
    // Metadata.
    UnknownTable = "unknown_table", 404, "0x80060888";
    /// A column, key or relationship by its id or name.
    UnknownDefinition = "unknown_definition", 404, "0x80040217";
    MetadataRefused = "metadata_refused", 400, "0x80040203";
    ColumnInUse = "column_in_use", 400, "0x8004f01f";
}

impl Name {
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.text() == text)
    }

    /// The name that `text` was most likely meant to be.
    pub(crate) fn nearest(text: &str) -> &'static str {
        let near = Self::ALL.iter().min_by_key(|name| distance(name.text(), text));
        near.map_or("", |name| name.text())
    }
}

/// Letters to change, add or leave out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_the_nearest_is_told() {
        for name in Name::ALL {
            assert_eq!(Name::of(name.text()), Some(*name));
        }
        assert_eq!(Name::of("nothing"), None);
        assert_eq!(Name::nearest("mising_record"), "missing_record");
        assert_eq!(Name::nearest("duplicated_key"), "duplicate_key");
        assert_eq!((distance("", "abc"), distance("kitten", "sitting")), (3, 3));
    }
}
