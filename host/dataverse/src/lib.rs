//! The conversation with the Dataverse Web API.
