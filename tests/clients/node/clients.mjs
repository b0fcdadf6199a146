// The npm package dynamics-web-api, unmodified, against the emulator.
//
// Prints a line for each part that has held; a failed assertion ends it with 1.
// Address, client id and secret come from the environment, the certificate to trust
// in NODE_EXTRA_CA_CERTS.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

// It lies where it was installed, not beside this file.
const require = createRequire(`${process.env.CLIENTS_FOLDER}/package.json`);
const { DynamicsWebApi } = require("dynamics-web-api");

const url = process.env.EMULATOR_URL;

async function askForToken() {
  const reply = await fetch(`${url}/contoso.example/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: process.env.EMULATOR_CLIENT_ID,
      client_secret: process.env.EMULATOR_CLIENT_SECRET,
      scope: `${url}/.default`,
    }),
  });
  assert.equal(reply.status, 200);
  return (await reply.json()).access_token;
}

const api = new DynamicsWebApi({
  serverUrl: url,
  dataApi: { version: "9.2" },
  onTokenRefresh: askForToken,
});

// The service refuses the call with this status and code.
async function refused(status, code, call) {
  await assert.rejects(call, (error) => {
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    return true;
  });
}

async function create() {
  const me = await api.callFunction("WhoAmI");
  assert.match(me.UserId, /^[0-9a-f-]{36}$/);
  const id = await api.create({
    collection: "accounts",
    data: { name: "Contoso", accountnumber: "A-1" },
  });
  assert.match(id, /^[0-9a-f-]{36}$/);
  const shown = await api.create({
    collection: "accounts",
    data: { name: "Shown", revenue: 12.5 },
    returnRepresentation: true,
  });
  assert.equal(shown.revenue, 12.5);
  const contact = await api.create({
    collection: "contacts",
    data: { lastname: "Ito", "parentcustomerid_account@odata.bind": `accounts(${id})` },
    returnRepresentation: true,
  });
  assert.equal(contact._parentcustomerid_value, id);
  return id;
}

async function bulkCreate() {
  const Targets = Array.from({ length: 700 }, (_, n) => ({
    "@odata.type": "Microsoft.Dynamics.CRM.account",
    name: `Bulk ${String(n).padStart(4, "0")}`,
    revenue: n * 10.5,
  }));
  const reply = await api.callAction({
    collection: "accounts",
    actionName: "Microsoft.Dynamics.CRM.CreateMultiple",
    action: { Targets },
  });
  assert.equal(new Set(reply.Ids).size, 700);
  return reply.Ids;
}

async function upsert() {
  const put = (name) =>
    api.upsert({ collection: "accounts", key: "accountnumber='U-1'", data: { name } });
  await put("First");
  await put("Second");
  const row = await api.retrieve({
    collection: "accounts",
    key: "accountnumber='U-1'",
    select: ["name"],
  });
  assert.equal(row.name, "Second");
  await refused(404, "0x80060891", () =>
    api.update({ collection: "accounts", key: "accountnumber='U-9'", data: { name: "x" } }),
  );
}

async function update(id) {
  await api.update({ collection: "accounts", key: id, data: { telephone1: "555-0100" } });
  await api.updateSingleProperty({
    collection: "accounts",
    key: id,
    fieldValuePair: { name: "Contoso Ltd" },
  });
  const row = await api.retrieve({ collection: "accounts", key: id, select: ["name", "telephone1"] });
  assert.deepEqual([row.name, row.telephone1], ["Contoso Ltd", "555-0100"]);
  // This client takes 412 for an answer: not updated.
  const data = { name: "x" };
  const stale = await api.update({ collection: "accounts", key: id, data, ifmatch: 'W/"1"' });
  assert.equal(stale, false);
  const unchanged = await api.update({
    collection: "accounts",
    key: id,
    data: { name: "Contoso" },
    ifmatch: row["@odata.etag"],
    returnRepresentation: true,
  });
  assert.equal(unchanged.name, "Contoso");
}

async function batch() {
  api.startBatch();
  api.create({ collection: "accounts", data: { name: "Parent" }, contentId: "1" });
  api.create({
    collection: "contacts",
    data: { lastname: "Child", "parentcustomerid_account@odata.bind": "$1" },
  });
  const ids = await api.executeBatch();
  assert.equal(ids.length, 2);
  const child = await api.retrieve({
    collection: "contacts",
    key: ids[1],
    select: ["_parentcustomerid_value"],
  });
  assert.equal(child._parentcustomerid_value, ids[0]);

  api.startBatch();
  api.retrieveMultiple({ collection: "accounts", filter: "name eq 'Parent'", select: ["name"] });
  api.retrieveMultiple({ collection: "contacts", top: 1, select: ["lastname"] });
  const [accounts, contacts] = await api.executeBatch();
  assert.equal(accounts.value[0].name, "Parent");
  assert.equal(contacts.value.length, 1);

  api.startBatch();
  api.create({ collection: "accounts", data: { name: "x".repeat(5000) }, inChangeSet: false });
  api.create({ collection: "accounts", data: { name: "After" }, inChangeSet: false });
  // A batch that goes on is no failure as a whole: the error stands in its place.
  const [bad, good] = await api.executeBatch({ continueOnError: true });
  assert.equal(bad.error.code, "0x80044331", JSON.stringify(bad));
  assert.match(good, /^[0-9a-f-]{36}$/);
}

async function query() {
  const request = {
    collection: "accounts",
    select: ["name", "revenue"],
    filter: "startswith(name,'Bulk')",
    orderBy: ["name asc"],
    maxPageSize: 300,
    count: true,
  };
  let page = await api.retrieveMultiple(request);
  const sizes = [];
  const names = [];
  while (page) {
    sizes.push(page.value.length);
    names.push(...page.value.map((row) => row.name));
    page = page.oDataNextLink
      ? await api.retrieveMultiple(request, page.oDataNextLink)
      : undefined;
  }
  assert.deepEqual(sizes, [300, 300, 100]);
  assert.deepEqual([names[0], names[699]], ["Bulk 0000", "Bulk 0699"]);
  const all = await api.retrieveAll({ ...request, filter: "revenue ge 7000" });
  assert.equal(all.value.length, 33);
  assert.equal(await api.count({ collection: "contacts" }), 2);
}

async function metadata() {
  const table = await api.retrieveEntity({
    key: "LogicalName='account'",
    select: ["LogicalName", "EntitySetName", "PrimaryIdAttribute"],
  });
  assert.deepEqual([table.EntitySetName, table.PrimaryIdAttribute], ["accounts", "accountid"]);
  const tables = await api.retrieveEntities({ select: ["LogicalName"] });
  assert.ok(tables.value.some((one) => one.LogicalName === "contact"));
  const columns = await api.retrieveAttributes({
    entityKey: "LogicalName='account'",
    select: ["LogicalName", "AttributeType"],
  });
  assert.ok(columns.value.some((one) => one.LogicalName === "revenue"));
  const name = await api.retrieveAttribute({
    entityKey: "LogicalName='account'",
    attributeKey: "LogicalName='name'",
    castType: "Microsoft.Dynamics.CRM.StringAttributeMetadata",
    select: ["LogicalName", "MaxLength"],
  });
  assert.equal(name.MaxLength, 160);
}

function label(text) {
  return { LocalizedLabels: [{ Label: text, LanguageCode: 1033 }] };
}

function text(name, primary) {
  return {
    "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
    SchemaName: name,
    DisplayName: label(name),
    RequiredLevel: { Value: "None" },
    MaxLength: 100,
    FormatName: { Value: "Text" },
    IsPrimaryName: primary,
  };
}

async function tables() {
  const table = await api.createEntity({
    data: {
      "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
      SchemaName: "new_Sensor",
      DisplayName: label("Sensor"),
      DisplayCollectionName: label("Sensors"),
      OwnershipType: "UserOwned",
      Attributes: [text("new_Name", true)],
    },
  });
  const column = await api.createAttribute({ entityKey: table, data: text("new_Code", false) });
  const definition = await api.retrieveAttribute({
    entityKey: table,
    attributeKey: column,
    castType: "Microsoft.Dynamics.CRM.StringAttributeMetadata",
  });
  await api.updateAttribute({
    entityKey: table,
    data: { ...definition, MaxLength: 4 },
    castType: "Microsoft.Dynamics.CRM.StringAttributeMetadata",
  });
  const id = await api.create({ collection: "new_sensors", data: { new_code: "S-1" } });
  const row = await api.retrieve({ collection: "new_sensors", key: id, select: ["new_code"] });
  assert.equal(row.new_code, "S-1");
  await refused(400, "0x80044331", () =>
    api.create({ collection: "new_sensors", data: { new_code: "S-1000" } }),
  );
  await api.deleteRecord({ collection: "EntityDefinitions", key: table });
  await refused(404, "0x8006088a", () => api.retrieveMultiple({ collection: "new_sensors" }));
}

async function errors() {
  const create = (data) => () => api.create({ collection: "accounts", data });
  await refused(400, "0x0", create({ colour: "red" }));
  await refused(412, "0x80060892", create({ accountnumber: "A-1" }));
  await refused(404, "0x8006088a", () => api.retrieveMultiple({ collection: "widgets" }));
  await refused(404, "0x80040217", () =>
    api.retrieve({ collection: "accounts", key: randomUUID(), select: ["name"] }),
  );
}

async function remove(id, ids) {
  await api.deleteRecord({ collection: "accounts", key: id });
  await api.deleteRecord({ collection: "accounts", key: ids[0], property: "revenue" });
  const row = await api.retrieve({ collection: "accounts", key: ids[0], select: ["revenue"] });
  assert.equal(row.revenue, null);
  await refused(404, "0x80040217", () => api.deleteRecord({ collection: "accounts", key: id }));
}

const id = await create();
console.log("create: ok");
const ids = await bulkCreate();
console.log("bulk create: ok");
await upsert();
console.log("upsert by key: ok");
await update(id);
console.log("update: ok");
await batch();
console.log("batch: ok");
await query();
console.log("query with paging: ok");
await metadata();
console.log("metadata: ok");
await tables();
console.log("tables: ok");
await errors();
console.log("errors: ok");
await remove(id, ids);
console.log("delete: ok");
