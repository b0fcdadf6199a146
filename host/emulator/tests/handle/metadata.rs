use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::desk::Desk;

const CONTRACT: &str = "EntityDefinitions(LogicalName='new_contract')";

#[test]
fn a_table_tells_its_names_and_flags() {
    let desk = Desk::contracts("");
    desk.check(
        &format!("GET {CONTRACT}?$select=LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,OwnershipType,ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled,EnforceStateTransitions,TableType,DataProviderId"),
        r#"200 {"LogicalName":"new_contract","SchemaName":"new_Contract","EntitySetName":"new_contracts","PrimaryIdAttribute":"new_contractid","PrimaryNameAttribute":"new_name","OwnershipType":"UserOwned","ChangeTrackingEnabled":true,"IsOptimisticConcurrencyEnabled":true,"EnforceStateTransitions":false,"TableType":"Standard","DataProviderId":null}"#,
    );
    let row = desk.send(&format!("GET {CONTRACT}?$select=LogicalName")).json();
    assert!(row["MetadataId"].is_string() && row["SchemaName"].is_null());
    let id = row["MetadataId"].as_str().unwrap();
    desk.check(&format!("GET EntityDefinitions({id})"), r#"200 {"LogicalName":"new_contract"}"#);
    desk.check("GET EntityDefinitions(LogicalName='nope')", "404 0x80060888 'nope'");
    desk.check(&format!("GET {CONTRACT}?$select=Nope"), "400 0x0 Nope");
    desk.check("POST EntityDefinitions\n\n{}", "400 0x80040203 SchemaName");
    desk.check(&format!("PATCH {CONTRACT}\n\n{{}}"), "405");
}

#[test]
fn tables_are_listed_and_filtered_without_paging() {
    let desk = Desk::contracts("");
    let count = |filter: &str| {
        let answer = desk.send(&format!("GET EntityDefinitions?$select=LogicalName{filter}"));
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.json()["value"].as_array().unwrap().len()
    };
    assert_eq!(count(""), 15);
    assert_eq!(count("&$filter=LogicalName eq 'account'"), 1);
    assert_eq!(count("&$filter=EntitySetName eq 'contacts' or IsCustomEntity eq true"), 2);
    assert_eq!(
        count("&$filter=OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'"),
        8
    );
    assert_eq!(count("&$filter=IsCustomizable/Value eq true"), 15);
    desk.check("GET EntityDefinitions?$top=1", "400 0x0");
    desk.check("GET EntityDefinitions?$filter=Nope eq 1", "400 0x0");
    let keys = desk
        .send("GET EntityDefinitions?$select=SchemaName&$expand=Keys($select=KeyAttributes)")
        .json();
    let account = &keys["value"][0];
    assert_eq!(account["SchemaName"], "Account");
    assert_eq!(account["Keys"][0]["KeyAttributes"][0], "accountnumber");
    assert!(account["Keys"][0]["SchemaName"].is_null());
}

#[test]
fn keys_tell_their_columns_and_index_status() {
    let desk = Desk::contracts("");
    let answer = desk.send(&format!(
        "GET {CONTRACT}?$select=LogicalName&$expand=Keys($select=LogicalName,SchemaName,KeyAttributes,EntityKeyIndexStatus)"
    ));
    let keys = answer.json()["Keys"].clone();
    let shown: Vec<String> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            format!(
                "{} {} {}",
                key["LogicalName"], key["KeyAttributes"], key["EntityKeyIndexStatus"]
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#""new_customer_key" ["new_customerid","new_seq"] "Active""#,
            r#""new_extid_key" ["new_extid"] "Active""#,
            r#""new_line_key" ["new_region","new_seq"] "Active""#,
            r#""new_slow_key" ["new_note"] "Pending""#,
        ]
    );
    desk.check(
        &format!("GET {CONTRACT}/Keys?$filter=LogicalName eq 'nope'"),
        r#"200 {"value":[]}"#,
    );
}

#[test]
fn columns_tell_what_may_be_done_with_them() {
    let desk = Desk::contracts("");
    let column = |name: &str| {
        desk.send(&format!("GET {CONTRACT}/Attributes(LogicalName='{name}')?$select=LogicalName,SchemaName,AttributeType,AttributeTypeName,IsValidForCreate,IsValidForUpdate,IsValidForRead,RequiredLevel,AttributeOf,IsPrimaryId,SourceType")).json()
    };
    let expect = [
        (
            "new_contractid",
            "Uniqueidentifier",
            "UniqueidentifierType",
            true,
            false,
            "SystemRequired",
        ),
        ("new_name", "String", "StringType", true, true, "SystemRequired"),
        ("new_tags", "Virtual", "MultiSelectPicklistType", true, true, "None"),
        ("new_total", "Integer", "IntegerType", false, false, "None"),
        ("new_fixed", "String", "StringType", true, false, "None"),
        ("new_amount_base", "Money", "MoneyType", false, false, "None"),
        ("new_partyid", "Customer", "CustomerType", true, true, "None"),
        ("ownerid", "Owner", "OwnerType", true, true, "SystemRequired"),
        ("createdon", "DateTime", "DateTimeType", false, false, "None"),
        ("statecode", "State", "StateType", true, true, "SystemRequired"),
    ];
    for (name, kind, type_name, create, update, required) in expect {
        let found = column(name);
        assert_eq!(found["AttributeType"], kind, "{name}");
        assert_eq!(found["AttributeTypeName"]["Value"], type_name, "{name}");
        assert_eq!(found["IsValidForCreate"], create, "{name}");
        assert_eq!(found["IsValidForUpdate"], update, "{name}");
        assert_eq!(found["RequiredLevel"]["Value"], required, "{name}");
    }
    assert_eq!(column("new_total")["SourceType"], 1);
    assert_eq!(column("new_contractid")["IsPrimaryId"], true);
    desk.check(&format!("GET {CONTRACT}/Attributes(LogicalName='nope')"), "404");
    let all = desk.send(&format!("GET {CONTRACT}/Attributes?$select=LogicalName")).json();
    let total = all["value"].as_array().unwrap().len();
    let filter = "$filter=AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'";
    let picked =
        desk.send(&format!("GET {CONTRACT}/Attributes?$select=LogicalName&{filter}")).json();
    assert_eq!(picked["value"][0]["LogicalName"], "new_phase");
    assert_eq!((picked["value"].as_array().unwrap().len(), total), (1, 37));
}

#[test]
fn casts_tell_limits() {
    let desk = Desk::contracts("");
    let cast = |kind: &str, select: &str| {
        let path = format!("{CONTRACT}/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata");
        let answer = desk.send(&format!("GET {path}?$select=LogicalName{select}"));
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.json()["value"].as_array().unwrap().clone()
    };
    let named = |kind: &str, select: &str, name: &str| {
        let all = cast(kind, select);
        all.into_iter().find(|one| one["LogicalName"] == name).unwrap()
    };
    assert_eq!(named("String", ",MaxLength,FormatName", "new_name")["MaxLength"], 20);
    assert_eq!(named("Memo", ",MaxLength", "new_text")["MaxLength"], 100_000);
    let seq = named("Integer", ",MinValue,MaxValue", "new_seq");
    assert_eq!((&seq["MinValue"], &seq["MaxValue"]), (&0.into(), &1000.into()));
    assert_eq!(cast("BigInt", "").len(), 2);
    let rate = named("Decimal", ",MinValue,MaxValue,Precision", "new_rate");
    assert_eq!((&rate["MaxValue"], &rate["Precision"]), (&1000.5.into(), &3.into()));
    assert_eq!(named("Double", ",Precision", "new_weight")["Precision"], 5);
    assert_eq!(named("Money", ",Precision,PrecisionSource", "new_amount")["PrecisionSource"], 0);
    let dates = "DateTime";
    let behaviour = |name: &str| {
        named(dates, ",Format,DateTimeBehavior", name)["DateTimeBehavior"]["Value"].clone()
    };
    assert_eq!(behaviour("new_startson"), "DateOnly");
    assert_eq!(behaviour("new_signedat"), "UserLocal");
    assert_eq!(behaviour("new_localtime"), "TimeZoneIndependent");
    assert_eq!(
        named("Lookup", ",Targets", "new_partyid")["Targets"],
        serde_json::json!(["account", "contact"])
    );
    let options = |kind: &str, name: &str| {
        let set = named(kind, "&$expand=OptionSet,GlobalOptionSet", name)["OptionSet"].clone();
        let values: Vec<i64> = set["Options"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["Value"].as_i64().unwrap())
            .collect();
        values
    };
    assert_eq!(options("Picklist", "new_phase"), [1, 2, 3]);
    assert_eq!(options("MultiSelectPicklist", "new_tags"), [1, 4, 9]);
    assert_eq!(options("State", "statecode"), [0, 1]);
    assert_eq!(options("Status", "statuscode"), [1, 2]);
    let status = named("Status", "&$expand=OptionSet", "statuscode");
    assert_eq!(status["OptionSet"]["Options"][1]["State"], 1);
    let state = named("State", "&$expand=OptionSet", "statecode");
    assert_eq!(state["OptionSet"]["Options"][1]["DefaultStatus"], 2);
    let boolean = named("Boolean", "&$expand=OptionSet", "new_open");
    assert_eq!(boolean["OptionSet"]["TrueOption"]["Value"], 1);
    assert!(named("Picklist", "", "new_phase")["OptionSet"].is_null());
    desk.check(
        &format!("GET {CONTRACT}/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata"),
        "404 0x8006088a",
    );
    desk.check(&format!("GET {CONTRACT}/Attributes?$expand=OptionSet"), "400 0x0");
    desk.check(
        &format!("GET {CONTRACT}/Attributes(LogicalName='new_phase')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata/OptionSet?$select=Options"),
        r#"200 {"Options":[{"Value":1},{"Value":2},{"Value":3}]}"#,
    );
}

#[test]
fn relationships_tell_navigation_properties() {
    let desk = Desk::contracts("");
    let answer = desk.send(&format!("GET {CONTRACT}/ManyToOneRelationships?$select=ReferencingAttribute,ReferencedEntity,ReferencedAttribute,ReferencingEntityNavigationPropertyName"));
    let rows = answer.json()["value"].as_array().unwrap().clone();
    let mut shown: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {} {}",
                row["ReferencingAttribute"],
                row["ReferencedEntity"],
                row["ReferencingEntityNavigationPropertyName"]
            )
            .replace('"', "")
        })
        .filter(|row| row.starts_with("new_") || row.starts_with("ownerid"))
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "new_customerid account new_CustomerId",
            "new_partyid account new_PartyId_account",
            "new_partyid contact new_PartyId_contact",
            "ownerid systemuser ownerid",
            "ownerid team ownerid",
        ]
    );
    let back = desk.send("GET EntityDefinitions(LogicalName='account')/OneToManyRelationships?$filter=ReferencingEntity eq 'new_contract'");
    assert_eq!(back.json()["value"].as_array().unwrap().len(), 2);
}

#[test]
fn functions_answer() {
    let desk = Desk::new();
    let who = desk.check("GET WhoAmI", "200").json();
    for name in ["BusinessUnitId", "UserId", "OrganizationId"] {
        assert_eq!(who[name].as_str().unwrap().len(), 36);
    }
    desk.check("GET WhoAmI()", "200");
    desk.check(
        "GET RetrieveTotalRecordCount(EntityNames=@p)?@p=['account']",
        r#"200 {"EntityRecordCountCollection":{"Values":[0]}}"#,
    );
    desk.check("GET RetrieveTotalRecordCount(EntityNames=['nope'])", "404 0x80060888");
    desk.check("GET RetrieveTotalRecordCount", "400 0x0");
    desk.check(
        "GET /api/data/v9.2/",
        r#"200 {"@odata.context":"https://org.example/api/data/v9.2/$metadata"}"#,
    );
}

#[test]
fn schemas_that_contradict_themselves_are_refused_in_words() {
    use dvsync_emulator::{Emulator, Settings};
    let refused = |toml: &str| {
        let error = match Settings::from_toml(toml) {
            Ok(settings) => Emulator::new(settings).unwrap_err(),
            Err(error) => error,
        };
        assert!(error.hint().is_some());
        error.to_string()
    };
    let expect = [
        (
            "[tables.new_x.columns]\na = { type = \"lookup\", targets = [\"nope\"] }",
            "table `new_x`: column `a`: target `nope` is not a table",
        ),
        (
            "[tables.new_x.columns]\na = { type = \"choice\" }",
            "column `a`: a choice needs `options`",
        ),
        ("[tables.new_x.columns]\na = { type = \"text\", colour = 1 }", "unknown field `colour`"),
        ("[tables.new_x.columns]\na = { type = \"texts\" }", "line 2"),
        ("[tables.new_x]\nkeys.k = [\"nope\"]", "alternate key `k` names unknown column `nope`"),
        ("[tables.new_x]\nkeys.k = []", "has 0 columns"),
        ("[tables.new_x]\nset = \"accounts\"", "entity set `accounts` belongs to another table"),
        ("[tables.new_X]", "`new_X` is not a logical name"),
        (
            "[tables.new_x.columns]\ncreatedon = { type = \"datetime\" }",
            "column `createdon` is added by the service",
        ),
        (
            "[tables.new_x.columns]\na = { type = \"decimal\", precision = 11 }",
            "precision 11: expected 0 to 10",
        ),
        ("seeds = 1", "unknown field `seeds`"),
    ];
    for (toml, message) in expect {
        let found = refused(toml);
        assert!(found.contains(message), "expected `{message}`\n   found `{found}`");
    }
    let json = r#"{"tables":{"new_x":{"columns":{"a":{"type":"text"}}}}}"#;
    assert!(Emulator::new(Settings::default().with_schema(json).unwrap()).is_ok());
    assert!(
        Settings::default()
            .with_schema("{\"tables\":1}")
            .unwrap_err()
            .to_string()
            .contains("line 1")
    );
}

#[test]
fn users_and_teams_have_one_id_in_metadata_and_two_in_rows() {
    let desk = Desk::new();
    let user = "EntityDefinitions(LogicalName='systemuser')";
    desk.check(&format!("GET {user}/Attributes(LogicalName='ownerid')"), "404");
    desk.check(
        &format!("GET {user}/Attributes?$filter=IsPrimaryId eq true&$select=LogicalName"),
        r#"200 {"value":[{"LogicalName":"systemuserid"}]}"#,
    );
    let row = desk.send("GET systemusers?$select=fullname").json()["value"][0].clone();
    assert_eq!(row["ownerid"], row["systemuserid"]);
    assert_eq!(row["ownerid"].as_str().unwrap().len(), 36);
}

#[test]
fn metadata_comes_in_one_reply_with_what_is_asked_for() {
    let desk = Desk::contracts("");
    let ask = |query: &serde_json::Value| {
        let query = utf8_percent_encode(&query.to_string(), NON_ALPHANUMERIC).to_string();
        desk.send(&format!("GET RetrieveMetadataChanges(Query=@p1)?@p1={query}"))
    };
    let is = |property: &str, operator: &str, value: &str| json!({"PropertyName": property, "ConditionOperator": operator, "Value": {"Type": "System.String", "Value": value}});
    let named = |name: &str| json!({"Conditions": [is("LogicalName", "Equals", name)]});
    // As Microsoft's Python client asks.
    let columns = json!({
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "Criteria": named("new_contract"),
        "AttributeQuery": {
            "Properties": {"PropertyNames": ["SchemaName", "MaxLength", "MinValue", "RequiredLevel"]},
            "Criteria": {"Conditions": [is("LogicalName", "In", "['new_name','new_rate']")]},
        },
    });
    let answer = ask(&columns);
    answer.expect(r##"200 {"DeletedMetadata":{"Count":0},"EntityMetadata":[{"LogicalName":"new_contract","HasChanged":null,"SchemaName":null,"Attributes":[
        {"@odata.type":"#Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata","LogicalName":"new_name","MaxLength":20,"RequiredLevel":{"Value":"SystemRequired"}},
        {"@odata.type":"#Microsoft.Dynamics.CRM.ComplexDecimalAttributeMetadata","LogicalName":"new_rate","MinValue":-1000.0}]}]}"##);
    let body = answer.json();
    let column = body["EntityMetadata"][0]["Attributes"][1].as_object().unwrap();
    assert!(column.contains_key("MetadataId") && !column.contains_key("Precision"), "{column:?}");
    assert!(body["ServerVersionStamp"].as_str().unwrap().contains('!'));
    let names = |query: serde_json::Value| -> Vec<String> {
        let answer = ask(&query).json();
        let all = answer["EntityMetadata"].as_array().unwrap().clone();
        all.iter().map(|one| one["LogicalName"].as_str().unwrap().to_owned()).collect()
    };
    let only = |conditions: serde_json::Value, operator: &str| json!({"Criteria": {"FilterOperator": operator, "Conditions": conditions}});
    let two =
        json!([is("LogicalName", "Equals", "account"), is("LogicalName", "Equals", "contact")]);
    assert_eq!(names(only(two.clone(), "Or")), ["account", "contact"]);
    assert_eq!(names(only(two, "And")), Vec::<String>::new());
    assert_eq!(
        names(only(
            json!([is("IsCustomEntity", "Equals", "True"), is("IsIntersect", "Equals", "False")]),
            "And"
        )),
        ["new_contract"]
    );
    assert_eq!(
        names(only(json!([is("ObjectTypeCode", "LessThan", "3")]), "And")),
        ["account", "contact"]
    );
    assert_eq!(
        names(only(json!([is("IsCustomizable", "NotEquals", "true")]), "And")),
        Vec::<String>::new()
    );
    let parts = json!({
        "Properties": {"PropertyNames": ["Keys", "ManyToOneRelationships"]},
        "Criteria": named("new_contract"),
        "KeyQuery": {"Properties": {"PropertyNames": ["KeyAttributes"]}, "Criteria": {"Conditions": [is("LogicalName", "Equals", "new_extid_key")]}},
        "RelationshipQuery": {"Properties": {"AllProperties": "true"}, "Criteria": {"Conditions": [is("ReferencingAttribute", "Equals", "new_customerid")]}},
    });
    ask(&parts).expect(r#"200 {"EntityMetadata":[{"Keys":[{"KeyAttributes":["new_extid"]}],"ManyToOneRelationships":[{"ReferencedEntity":"account"}]}]}"#);
    ask(&json!({"Colour": 1})).expect("400 0x0 unknown field `Colour`");
    ask(&only(json!([is("LogicalName", "Like", "x")]), "And")).expect("400 0x0 'Like' is no");
    ask(&only(json!([]), "Xor")).expect("400 0x0 'Xor' is no");
    desk.check(
        "GET RetrieveMetadataChanges(Query=@p1,ClientVersionStamp=@p2)?@p1={}&@p2='1'",
        "501",
    );
    desk.check("GET RetrieveMetadataChanges(Colour=1)", "400 0x0 'Colour'");
    assert_eq!(
        desk.send("GET RetrieveMetadataChanges").json()["EntityMetadata"].as_array().unwrap().len(),
        15
    );
}
