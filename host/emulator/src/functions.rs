//! Functions and the service document.

use serde_json::json;

use crate::call::{Call, Scene};
use crate::cell::Cell;
use crate::environment::Environment;
use crate::query::View;
use crate::query::expression::{self, Literal};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::{metadata, seed};

/// The entity sets that there are.
pub(crate) fn service_document(environment: &Environment, scene: &Scene) -> Reply {
    let sets: Vec<_> = environment
        .schema
        .tables
        .iter()
        .filter(|table| !table.internal)
        .map(|table| json!({"name": table.set, "kind": "EntitySet", "url": table.set}))
        .collect();
    let context = format!("{}$metadata", scene.root);
    Reply::value(200, &json!({"@odata.context": context, "value": sets}))
}

/// Whether this is an action that publishes: everything is published here.
pub(crate) fn publishes(call: &Call<'_>, name: &str) -> bool {
    call.method == http::Method::POST && matches!(name, "PublishXml" | "PublishAllXml")
}

/// Calls a function by name; `inside` stands in its parentheses.
pub(crate) fn call(
    view: &View<'_>,
    call: &Call<'_>,
    name: &str,
    inside: &str,
) -> Result<Reply, Refusal> {
    let scene = view.scene;
    let context = format!("{}$metadata#Microsoft.Dynamics.CRM.{name}Response", scene.root);
    match name {
        "WhoAmI" => {
            let unit = business_unit(view);
            Ok(Reply::value(
                200,
                &json!({
                    "@odata.context": context,
                    "BusinessUnitId": unit,
                    "UserId": scene.user,
                    "OrganizationId": seed::organization(),
                }),
            ))
        }
        "RetrieveVersion" => {
            Ok(Reply::value(200, &json!({"@odata.context": context, "Version": "9.2.0.0"})))
        }
        "RetrieveMetadataChanges" => metadata::retrieve(view, call, inside, &context),
        "RetrieveTotalRecordCount" => counts(view, call, inside, &context),
        // An action is not called by GET.
        _ => Err(Refusal::no_resource(&call.target)),
    }
}

/// The business unit of the acting user.
pub(crate) fn business_unit(view: &View<'_>) -> uuid::Uuid {
    let cell = view.environment.schema.table("systemuser").map(|table| {
        let rows = view.rows(table.position);
        match (rows.by_id(view.scene.user), table.column_position("businessunitid")) {
            (Some(row), Some(column)) => rows.layout.cell(row, column),
            _ => Cell::Null,
        }
    });
    cell.and_then(|cell| cell.id()).unwrap_or_else(seed::unit)
}

/// `RetrieveTotalRecordCount(EntityNames=['account'])`. The service's figure is
/// up to a day old; this one is not.
fn counts(view: &View<'_>, call: &Call<'_>, inside: &str, context: &str) -> Result<Reply, Refusal> {
    let options = call.options()?;
    let names = inside
        .split_once('=')
        .filter(|(name, _)| *name == "EntityNames")
        .map(|(_, value)| expression::literal(value, &options.aliases))
        .transpose()?;
    let Some(Literal::List(names)) = names else {
        return Err(Refusal::odata("The function RetrieveTotalRecordCount needs EntityNames."));
    };
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for name in names {
        let Literal::Text(name) = name else {
            return Err(Refusal::odata("EntityNames is a list of logical names."));
        };
        let table = view.environment.schema.table(&name);
        let table = table.ok_or_else(|| Refusal::unknown_table(&name))?;
        values.push(view.rows(table.position).len());
        keys.push(name);
    }
    let counts = json!({"Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values});
    Ok(Reply::value(
        200,
        &json!({"@odata.context": context, "EntityRecordCountCollection": counts}),
    ))
}
