//! What kind of thing a request asks for: the word that faults and records use.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::emulator::service;
use crate::entra;

/// A kind of request, in Microsoft's words where there are some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum Operation {
    /// A token is asked for, or its issuer's documents.
    Token,
    /// `$batch`, whatever is in it.
    Batch,
    /// `POST` to a set.
    Create,
    /// `PATCH` or `PUT`: an upsert too.
    Update,
    /// `DELETE`.
    Delete,
    /// A bulk create.
    CreateMultiple,
    /// A bulk update.
    UpdateMultiple,
    /// A bulk upsert.
    UpsertMultiple,
    /// A bulk delete.
    DeleteMultiple,
    /// `GET` of a record or of a part of it.
    Retrieve,
    /// `GET` of a set.
    RetrieveMultiple,
    /// `EntityDefinitions` and its kin, `$metadata`, the service document.
    Metadata,
    /// A function: `WhoAmI`.
    Function,
    /// Anything else.
    Other,
}

impl Operation {
    /// By method, and path with query.
    pub(crate) fn of(method: &Method, target: &str) -> Self {
        let Some((_, target)) = service(target) else {
            return if entra::is_its(target) { Self::Token } else { Self::Other };
        };
        Self::behind_root(method, target)
    }

    /// By method, and what stands behind the service root.
    pub(crate) fn behind_root(method: &Method, target: &str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        if path == "$batch" {
            return Self::Batch;
        }
        match (method, path.rsplit(['/', '.']).next().unwrap_or_default()) {
            (&Method::POST, "CreateMultiple") => return Self::CreateMultiple,
            (&Method::POST, "UpdateMultiple") => return Self::UpdateMultiple,
            (&Method::POST, "UpsertMultiple") => return Self::UpsertMultiple,
            (&Method::POST, "DeleteMultiple") => return Self::DeleteMultiple,
            _ => {}
        }
        let definitions = ["EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSet"];
        if path.is_empty() || path == "$metadata" || definitions.iter().any(|d| path.starts_with(d))
        {
            return Self::Metadata;
        }
        if path.starts_with(|first: char| first.is_ascii_uppercase()) {
            return Self::Function;
        }
        let record = path.contains('(');
        match *method {
            Method::GET if record => Self::Retrieve,
            Method::GET => Self::RetrieveMultiple,
            Method::POST if !record && !path.contains('/') => Self::Create,
            Method::PATCH | Method::PUT => Self::Update,
            Method::DELETE => Self::Delete,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_method_and_path() {
        for (request, expected) in [
            ("POST /api/data/v9.2/accounts", Operation::Create),
            ("POST /api/data/v9.2/accounts?$select=name", Operation::Create),
            ("PATCH /api/data/v9.1/accounts(1)", Operation::Update),
            ("DELETE /api/data/v9.2/accounts(1)", Operation::Delete),
            (
                "POST /api/data/v9.2/accounts/Microsoft.Dynamics.CRM.CreateMultiple",
                Operation::CreateMultiple,
            ),
            ("POST /api/data/v9.2/accounts/UpsertMultiple", Operation::UpsertMultiple),
            ("GET /api/data/v9.2/accounts?$filter=name eq 'a(b'", Operation::RetrieveMultiple),
            ("GET /api/data/v9.2/accounts(1)/name", Operation::Retrieve),
            ("POST /api/data/v9.2/$batch", Operation::Batch),
            ("GET /api/data/v9.2/WhoAmI", Operation::Function),
            ("GET /api/data/v9.2/EntityDefinitions(LogicalName='account')", Operation::Metadata),
            ("GET /api/data/v9.2/", Operation::Metadata),
            ("POST /contoso/oauth2/v2.0/token", Operation::Token),
            ("GET /elsewhere", Operation::Other),
        ] {
            let (method, target) = request.split_once(' ').unwrap();
            assert_eq!(Operation::of(&method.parse().unwrap(), target), expected, "{request}");
        }
    }
}
