//! What a request is refused with: status, code and text, as the service says it.
//!
//! Codes and texts are those of *Web service error codes* and of captures; a
//! status that is a guess is marked so in `docs/emulator.md`.

use std::borrow::Cow;

use uuid::Uuid;

use crate::call::Prefer;
use crate::schema::{AlternateKey, Column, Table};

/// A refused request; nothing of it has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
    /// Members of the error beside code and message, for clients that ask.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            details: Vec::new(),
        }
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
        Self::new(400, "0x0", message)
    }

    /// A body that the OData reader does not take.
    pub(crate) fn payload(message: impl AsRef<str>) -> Self {
        let message = message.as_ref();
        Self::new(
            400,
            "0x80048d19",
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
            ));
        }
        Self::payload(format!(
            "Cannot convert the literal '{}' to the expected type '{edm}' of property '{}'.",
            found.trim_matches('"'),
            column.name
        ))
    }

    pub(crate) fn unknown_property(table: &Table, name: &str) -> Self {
        let kind = table.type_name();
        Self::odata(format!(
            "An error occurred while validating input parameters: Microsoft.OData.ODataException: \
             Invalid property '{name}' was found in entity '{kind}'. ---> \
             Microsoft.OData.ODataException: Does not support untyped value in non-open type."
        ))
    }

    pub(crate) fn undeclared_bind(name: &str) -> Self {
        Self::payload(format!(
            "An undeclared property '{name}' which only has property annotations in the payload \
             but no property value was found in the payload. In OData, only declared navigation \
             properties and declared named streams can be represented as properties without \
             values."
        ))
    }

    pub(crate) fn lookup_as_value() -> Self {
        Self::new(
            400,
            "0x80060888",
            "CRM do not support direct update of Entity Reference properties, Use Navigation \
             properties instead.",
        )
    }

    pub(crate) fn no_such_property(table: &Table, name: &str) -> Self {
        Self::odata(format!(
            "Could not find a property named '{name}' on type '{}'.",
            table.type_name()
        ))
    }

    pub(crate) fn no_segment(segment: &str) -> Self {
        Self::new(404, "0x8006088a", format!("Resource not found for the segment '{segment}'."))
    }

    pub(crate) fn no_resource(url: &str) -> Self {
        Self::new(
            404,
            "",
            format!("No HTTP resource was found that matches the request URI '{url}'."),
        )
    }

    pub(crate) fn method(method: &str) -> Self {
        Self::new(
            405,
            "0x0",
            format!("The requested resource does not support http method '{method}'."),
        )
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new(501, "0x80040219", format!("The emulator does not support {what}."))
    }

    pub(crate) fn missing(table: &Table, id: Uuid) -> Self {
        Self::new(404, "0x80040217", format!("{} With Id = {id} Does Not Exist", table.name))
    }

    pub(crate) fn missing_many(table: &Table, ids: &[Uuid]) -> Self {
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        Self::new(
            404,
            "0x80040217",
            format!("{} With Ids = {} Do Not Exist", table.display, ids.join(", ")),
        )
    }

    pub(crate) fn missing_by_key(table: &Table) -> Self {
        Self::new(
            404,
            "0x80060891",
            format!(
                "A record with the specified key values does not exist in {} entity",
                table.name
            ),
        )
    }

    pub(crate) fn key_not_defined(table: &Table) -> Self {
        Self::new(
            400,
            "0x80060890",
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
        Self::new(
            412,
            "0x80060892",
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
        Self::new(412, "0x80040237", message)
    }

    pub(crate) fn version_mismatch() -> Self {
        Self::new(
            412,
            "0x80060882",
            "The version of the existing record doesn't match the RowVersion property provided.",
        )
    }

    pub(crate) fn out_of_range(code: &'static str, table: &str, column: &str, value: &str) -> Self {
        Self::new(
            400,
            code,
            format!(
                "A validation error occurred. The value {value} of '{column}' on record of type \
                 '{table}' is outside the valid range."
            ),
        )
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "0x80040203", message)
    }

    pub(crate) fn null_required(column: &Column) -> Self {
        Self::new(400, "0x80040203", format!("Attribute '{}' cannot be NULL", column.name))
    }
}

/// At most 80 characters of something that a client sent.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(80) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}...", &text[..at])),
    }
}
