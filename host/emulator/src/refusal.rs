//! What a request is refused with: status, code and text, as the service says it.
//!
//! Codes and texts are those of *Web service error codes* and of captures. Each
//! refusal has a name (`name.rs`), by which settings give it another status, code
//! or text: [`Refusal::coded`].

mod name;

use std::borrow::Cow;

use uuid::Uuid;

use crate::call::Prefer;
use crate::schema::{AlternateKey, Column, Table};
use crate::settings::Codes;
pub(crate) use name::Name;

/// A refused request; nothing of it has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Until [`Refusal::coded`] has looked it up; those made on command have none.
    name: Option<Name>,
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
    /// Members of the error beside code and message, for clients that ask.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Refusal {
    /// With the name's usual status and code.
    pub(crate) fn named(name: Name, message: impl Into<String>) -> Self {
        let (status, code) = name.usual();
        Self { name: Some(name), ..Self::new(status, code, message) }
    }

    /// One without a text, by the name that settings call it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Name::of(name).map(|name| Self::named(name, ""))
    }

    /// One that no setting changes.
    pub(crate) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            name: None,
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            details: Vec::new(),
        }
    }

    /// As the settings want it. Once only, however often it is asked for.
    pub(crate) fn coded(mut self, codes: &Codes) -> Self {
        let Some(coding) = self.name.take().and_then(|name| codes.of(name)) else { return self };
        if let Some(status) = coding.status {
            self.status = status;
        }
        if let Some(code) = &coding.code {
            self.code = Cow::Owned(code.clone());
        }
        if let Some(message) = &coding.message {
            self.message = message.replace("{message}", &self.message);
        }
        self
    }

    /// The same for another reason.
    pub(crate) fn renamed(self, name: Name) -> Self {
        let (status, code) = name.usual();
        Self { name: Some(name), status, code: Cow::Borrowed(code), ..self }
    }

    /// With the annotations that a request wants on errors (*Compose HTTP requests
    /// and handle errors*).
    pub(crate) fn detailed(mut self, prefer: &Prefer) -> Self {
        let code = self.code.trim_start_matches("0x").to_lowercase();
        let help = format!(
            "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a\
             {code}&client=platform"
        );
        for (name, value) in [
            ("@Microsoft.PowerApps.CDS.HelpLink", help),
            ("@Microsoft.PowerApps.CDS.TraceText", String::new()),
            ("@Microsoft.PowerApps.CDS.InnerError.Message", self.message.clone()),
        ] {
            if prefer.wants(&name[1..]) {
                self.details.push((name, value));
            }
        }
        self
    }

    /// Parse and model errors of the OData layer.
    pub(crate) fn odata(message: impl Into<String>) -> Self {
        Self::named(Name::InvalidRequest, message)
    }

    /// A body that the OData reader does not take.
    pub(crate) fn payload(message: impl AsRef<str>) -> Self {
        let message = message.as_ref();
        Self::named(
            Name::InvalidPayload,
            format!(
                "Error identified in Payload provided by the user for Entity :'', For more \
                 information on this error please follow this help link \
                 https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : \
                 Microsoft.OData.ODataException: {message}"
            ),
        )
    }

    /// A value whose JSON type is not the column's.
    pub(crate) fn literal(column: &Column, found: &str) -> Self {
        let edm = column.kind.edm();
        let found = shortened(found);
        let decimal = edm == "Edm.Decimal" || edm == "Edm.Int64";
        if decimal && found.starts_with('"') {
            return Self::payload(format!(
                "Cannot convert a value to target type '{edm}' because of conflict between input \
                 format string/number and parameter 'IEEE754Compatible' false/true."
            ))
            .renamed(Name::WrongType);
        }
        Self::payload(format!(
            "Cannot convert the literal '{}' to the expected type '{edm}' of property '{}'.",
            found.trim_matches('"'),
            column.name
        ))
        .renamed(Name::WrongType)
    }

    pub(crate) fn unknown_property(table: &Table, name: &str) -> Self {
        let kind = table.type_name();
        Self::odata(format!(
            "An error occurred while validating input parameters: Microsoft.OData.ODataException: \
             Invalid property '{name}' was found in entity '{kind}'. ---> \
             Microsoft.OData.ODataException: Does not support untyped value in non-open type."
        ))
        .renamed(Name::UnknownProperty)
    }

    pub(crate) fn undeclared_bind(name: &str) -> Self {
        Self::payload(format!(
            "An undeclared property '{name}' which only has property annotations in the payload \
             but no property value was found in the payload. In OData, only declared navigation \
             properties and declared named streams can be represented as properties without \
             values."
        ))
        .renamed(Name::UndeclaredBind)
    }

    pub(crate) fn lookup_as_value() -> Self {
        Self::named(
            Name::LookupAsValue,
            "CRM do not support direct update of Entity Reference properties, Use Navigation \
             properties instead.",
        )
    }

    pub(crate) fn no_such_property(table: &Table, name: &str) -> Self {
        Self::odata(format!(
            "Could not find a property named '{name}' on type '{}'.",
            table.type_name()
        ))
        .renamed(Name::UnknownColumn)
    }

    pub(crate) fn no_segment(segment: &str) -> Self {
        Self::named(
            Name::UnknownSegment,
            format!("Resource not found for the segment '{segment}'."),
        )
    }

    pub(crate) fn no_resource(url: &str) -> Self {
        Self::named(
            Name::UnknownResource,
            format!("No HTTP resource was found that matches the request URI '{url}'."),
        )
    }

    pub(crate) fn method(method: &str) -> Self {
        Self::named(
            Name::WrongMethod,
            format!("The requested resource does not support http method '{method}'."),
        )
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::named(Name::NotSupported, format!("The emulator does not support {what}."))
    }

    pub(crate) fn missing(table: &Table, id: Uuid) -> Self {
        Self::named(Name::MissingRecord, format!("{} With Id = {id} Does Not Exist", table.name))
    }

    pub(crate) fn missing_many(table: &Table, ids: &[Uuid]) -> Self {
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        Self::named(
            Name::MissingRecords,
            format!("{} With Ids = {} Do Not Exist", table.display, ids.join(", ")),
        )
    }

    pub(crate) fn missing_by_key(table: &Table) -> Self {
        Self::named(
            Name::MissingByKey,
            format!(
                "A record with the specified key values does not exist in {} entity",
                table.name
            ),
        )
    }

    pub(crate) fn key_not_defined(table: &Table) -> Self {
        Self::named(
            Name::KeyNotDefined,
            format!(
                "The key in the request URI is not valid for resource '{}'. Ensure that the names \
                 and number of key properties match the declared or alternate key properties for \
                 the resource '{}'.",
                table.type_name(),
                table.type_name()
            ),
        )
    }

    pub(crate) fn key_violated(table: &Table, key: &AlternateKey) -> Self {
        let columns: Vec<&str> =
            key.columns.iter().map(|&column| table.columns[column].display.as_str()).collect();
        Self::named(
            Name::DuplicateKey,
            format!(
                "Entity Key {} violated. A record with the same value for {} already exists. A \
                 duplicate record cannot be created. Select one or more unique values and try \
                 again.",
                key.name,
                columns.join(", ")
            ),
        )
    }

    pub(crate) fn id_taken(bulk: bool) -> Self {
        let message = if bulk {
            "Cannot insert duplicate key."
        } else {
            "A record with matching key values already exists."
        };
        Self::named(Name::DuplicateId, message)
    }

    pub(crate) fn version_mismatch() -> Self {
        Self::named(
            Name::VersionMismatch,
            "The version of the existing record doesn't match the RowVersion property provided.",
        )
    }

    pub(crate) fn out_of_range(name: Name, table: &str, column: &str, value: &str) -> Self {
        Self::named(
            name,
            format!(
                "A validation error occurred. The value {value} of '{column}' on record of type \
                 '{table}' is outside the valid range."
            ),
        )
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::named(Name::InvalidArgument, message)
    }

    pub(crate) fn null_required(column: &Column) -> Self {
        Self::named(Name::RequiredColumn, format!("Attribute '{}' cannot be NULL", column.name))
    }

    /// A record that a bind names and that is not there.
    pub(crate) fn in_bind(self) -> Self {
        match self.name {
            Some(Name::MissingByKey) => self.renamed(Name::MissingInBindByKey),
            _ => self.renamed(Name::MissingInBind),
        }
    }

    pub(crate) fn read_only(table: &Table, column: &Column) -> Self {
        Self::named(
            Name::ReadOnlyColumn,
            format!("The property '{}' of entity '{}' cannot be set.", column.name, table.name),
        )
    }

    pub(crate) fn unknown_table(name: &str) -> Self {
        Self::named(
            Name::UnknownTable,
            format!(
                "The entity with a name = '{name}' with namemapping = 'Logical' was not found in \
                 the MetadataCache."
            ),
        )
    }

    pub(crate) fn malformed(error: &serde_json::Error) -> Self {
        Self::not_json(format!("The JSON payload cannot be read: {error}."))
    }

    pub(crate) fn not_json(message: impl AsRef<str>) -> Self {
        Self::payload(message).renamed(Name::MalformedJson)
    }

    pub(crate) fn no_content(id: &str) -> Self {
        Self::named(
            Name::UnknownContentId,
            format!("Content-ID Reference: '${id}' does not exist in the batch context."),
        )
    }
}

/// At most 80 characters of something that a client sent.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(80) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}...", &text[..at])),
    }
}
