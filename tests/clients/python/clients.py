"""Microsoft's Python SDK for Dataverse, unmodified, against the emulator.

Prints a line for each part that has held; a failed assertion ends it with 1.
Address, client id and secret come from the environment, the certificate to trust
in REQUESTS_CA_BUNDLE.
"""

import os
import uuid
from enum import IntEnum

from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse import col
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.upsert import UpsertItem

URL = os.environ["EMULATOR_URL"]

credential = ClientSecretCredential(
    tenant_id="contoso.example",
    client_id=os.environ["EMULATOR_CLIENT_ID"],
    client_secret=os.environ["EMULATOR_CLIENT_SECRET"],
    authority=URL,
    disable_instance_discovery=True,
)


def refused(status, code, call):
    """The service refuses the call with this status and code."""
    try:
        call()
    except HttpError as error:
        found = (error.status_code, error.details.get("service_error_code"))
        assert found == (status, code), (found, error.message)
        return error
    raise AssertionError("nothing was refused")


def create(client):
    account = client.records.create("account", {"name": "Contoso", "accountnumber": "A-1"})
    assert uuid.UUID(account)
    row = client.records.retrieve("account", account, select=["name", "accountnumber"])
    assert (row["name"], row["accountnumber"]) == ("Contoso", "A-1"), row
    assert client.records.retrieve("account", str(uuid.uuid4())) is None
    contact = client.records.create(
        "contact",
        {"lastname": "Ito", "parentcustomerid_account@odata.bind": f"/accounts({account})"},
    )
    row = client.records.retrieve("contact", contact, select=["_parentcustomerid_value"])
    assert row["_parentcustomerid_value"] == account
    return account


def bulk_create(client):
    records = [{"name": f"Bulk {n:04}", "revenue": n * 10.5, "industrycode": 1} for n in range(700)]
    ids = client.records.create("account", records)
    assert len(set(ids)) == 700
    row = client.records.retrieve("account", ids[3], select=["name", "revenue"])
    assert (row["name"], row["revenue"]) == ("Bulk 0003", 31.5), row
    return ids


def upsert(client):
    def named(number):
        found = client.records.list(
            "account", filter=col("accountnumber") == number, select=["name", "accountid"]
        )
        return [row["name"] for row in found]

    client.records.upsert(
        "account", [UpsertItem(alternate_key={"accountnumber": "U-1"}, record={"name": "First"})]
    )
    assert named("U-1") == ["First"]
    client.records.upsert(
        "account",
        [
            UpsertItem(alternate_key={"accountnumber": "U-1"}, record={"name": "Second"}),
            UpsertItem(alternate_key={"accountnumber": "U-2"}, record={"name": "Other"}),
        ],
    )
    assert (named("U-1"), named("U-2")) == (["Second"], ["Other"])


def update(client, account, ids):
    client.records.update("account", account, {"telephone1": "555-0100"})
    assert client.records.retrieve("account", account)["telephone1"] == "555-0100"
    client.records.update("account", ids[:50], {"description": "all alike"})
    client.records.update("account", ids[:2], [{"name": "One"}, {"name": "Two"}])
    row = client.records.retrieve("account", ids[1], select=["name", "description"])
    assert (row["name"], row["description"]) == ("Two", "all alike")


def batch(client):
    batch = client.batch.new()
    batch.records.create("account", {"name": "In a batch"})
    with batch.changeset() as changes:
        first = changes.records.create("account", {"name": "Parent"})
        changes.records.create(
            "contact", {"lastname": "Child", "parentcustomerid_account@odata.bind": first}
        )
    batch.records.list("account", filter="name eq 'Parent'", select=["name"])
    result = batch.execute()
    assert not result.has_errors and len(result.responses) == 4, result.responses
    assert len(result.entity_ids) == 3
    assert result.responses[3].data["value"][0]["name"] == "Parent"

    batch = client.batch.new()
    batch.records.create("account", {"name": "x" * 5000})
    batch.records.create("account", {"name": "After the bad one"})
    result = batch.execute(continue_on_error=True)
    assert [item.status_code for item in result.responses] == [400, 204]
    assert result.failed[0].error_code == "0x80044331", result.failed


def query(client):
    pages = list(
        client.records.list_pages(
            "account",
            filter="startswith(name,'Bulk')",
            select=["name", "revenue"],
            orderby=["name asc"],
            page_size=300,
        )
    )
    assert [len(list(page)) for page in pages] == [300, 300, 98], [len(list(p)) for p in pages]
    assert pages[2][-1]["name"] == "Bulk 0699"
    found = (
        client.query.builder("account")
        .select("name")
        .where((col("revenue") >= 7000) & (col("statecode") == 0))
        .order_by("revenue", descending=True)
        .top(3)
        .include_formatted_values()
        .execute()
    )
    assert [row["name"] for row in found] == ["Bulk 0699", "Bulk 0698", "Bulk 0697"]
    rows = client.query.sql("SELECT TOP 2 name FROM account WHERE name LIKE 'Bulk%' ORDER BY name")
    assert [row["name"] for row in rows] == ["Bulk 0002", "Bulk 0003"], rows
    rows = client.query.sql("SELECT COUNT(*) AS n FROM account WHERE revenue >= 7000")
    assert rows[0]["n"] == 33, rows
    pages = list(
        client.query.fetchxml(
            "<fetch count='400'><entity name='account'><attribute name='name'/>"
            "<filter><condition attribute='name' operator='begins-with' value='Bulk'/></filter>"
            "</entity></fetch>"
        ).execute_pages()
    )
    assert [len(list(page)) for page in pages] == [400, 298], [len(list(p)) for p in pages]


def metadata(client):
    table = client.tables.get("account")
    assert (table["entity_set_name"], table["primary_id_attribute"]) == ("accounts", "accountid")
    assert any(one["LogicalName"] == "contact" for one in client.tables.list())
    names = {one["LogicalName"] for one in client.tables.list_columns("account")}
    assert {"accountid", "name", "revenue"} <= names
    assert client.tables.get("no_such_table") is None


class Level(IntEnum):
    Low = 1
    High = 2


def tables(client):
    made = client.tables.create(
        "new_Reading",
        {
            "new_Value": {"type": "decimal", "min_value": 0, "precision": 3},
            "new_Level": Level,
            "new_Good": "bool",
            "new_Comment": "memo",
            "new_Count": "int",
            "new_TakenOn": "datetime",
            "new_Weight": "float",
        },
        primary_column="new_Label",
    )
    assert (made.logical_name, made.entity_set_name) == ("new_reading", "new_readings"), made
    client.tables.add_columns("new_Reading", {"new_Code": "string", "new_Spare": "int"})
    columns = client.tables.list_columns("new_Reading", typed=True)
    typed = {one["LogicalName"]: one for one in columns}
    assert typed["new_code"]["MaxLength"] == 200 and typed["new_value"]["Precision"] == 3, typed
    one = client.tables.get_column("new_Reading", "new_Value", typed=True)
    assert one["MinValue"] == 0, one
    client.tables.update_column("new_Reading", "new_Code", {"max_length": 5, "display_name": "Code"})
    assert client.tables.get_column("new_Reading", "new_Code", typed=True)["MaxLength"] == 5
    client.tables.create_alternate_key("new_Reading", "new_CodeKey", ["new_code"])
    keys = client.tables.get_alternate_keys("new_Reading")
    assert [(one.schema_name.lower(), one.status) for one in keys] == [("new_codekey", "Active")], keys
    client.tables.create_lookup_field("new_Reading", "new_AccountId", "account")
    relations = client.tables.list_table_relationships("new_Reading")
    assert any(one.get("ReferencingAttribute") == "new_accountid" for one in relations)

    account = client.records.create("account", {"name": "Meter"})
    reading = client.records.create(
        "new_Reading",
        {
            "new_label": "First",
            "new_value": 1.2345,
            "new_level": "High",
            "new_code": "R-1",
            "new_AccountId@odata.bind": f"/accounts({account})",
        },
    )
    row = client.records.retrieve("new_Reading", reading)
    found = (row["new_label"], row["new_value"], row["new_level"], row["_new_accountid_value"])
    assert found == ("First", 1.235, 2, account), found
    ids = client.records.create("new_Reading", [{"new_code": f"R-{n}"} for n in range(2, 5)])
    assert len(ids) == 3
    refused(400, "0x80044331", lambda: client.records.create("new_Reading", {"new_code": "R-1000"}))
    refused(412, "0x80060892", lambda: client.records.create("new_Reading", {"new_code": "r-1"}))
    client.records.upsert(
        "new_Reading", [UpsertItem(alternate_key={"new_code": "R-1"}, record={"new_count": 7})]
    )
    assert client.records.retrieve("new_Reading", reading)["new_count"] == 7

    assert client.tables.remove_columns("new_Reading", "new_Spare") == ["new_Spare"]
    assert client.tables.get_column("new_Reading", "new_Spare") is None
    client.tables.delete_alternate_key("new_Reading", keys[0].metadata_id)
    client.tables.delete("new_Reading")
    assert client.tables.get("new_Reading") is None
    client.records.delete("account", account)


def errors(client):
    error = refused(400, "0x0", lambda: client.records.create("account", {"colour": "red"}))
    assert "colour" in error.message and not error.is_transient
    refused(412, "0x80060892", lambda: client.records.create("account", {"accountnumber": "A-1"}))
    refused(404, "0x80040217", lambda: client.records.delete("account", str(uuid.uuid4())))
    try:
        client.records.create("accounts", {"name": "plural"})
        raise AssertionError("a set is no table")
    except MetadataError as error:
        assert error.subcode == "metadata_entityset_not_found"


def delete(client, account, ids):
    client.records.delete("account", account)
    assert client.records.retrieve("account", account) is None
    client.records.delete("account", ids[:3], use_bulk_delete=False)
    assert client.records.retrieve("account", ids[2]) is None
    # By default a job of the service, which the emulator does at once.
    assert uuid.UUID(client.records.delete("account", ids[3:60]))
    left = client.records.list("account", filter="startswith(name,'Bulk')", select=["name"])
    assert len(list(left)) == 640, len(list(left))


with DataverseClient(URL, credential) as client:
    account = create(client)
    print("create: ok")
    ids = bulk_create(client)
    print("bulk create: ok")
    upsert(client)
    print("upsert by key: ok")
    update(client, account, ids)
    print("update: ok")
    batch(client)
    print("batch: ok")
    query(client)
    print("query with paging: ok")
    metadata(client)
    print("metadata: ok")
    tables(client)
    print("tables: ok")
    errors(client)
    print("errors: ok")
    delete(client, account, ids)
    print("delete: ok")
