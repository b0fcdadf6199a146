//! Each record gets its own status, in order.

use super::scripted::{Service, Step, batch, client, error, json, no_content, settings};
use super::tables::{account, id, ids, names, write};
use crate::{
    Address, ClientError, ClientSettings, Disposition, ErrorCode, Form, Operation, Status,
    WriteBuilder, WriteHeaders, Written,
};

const CONTINUE: Form = Form::Batch { continue_on_error: true };
const STOP: Form = Form::Batch { continue_on_error: false };

fn landed(created: Option<bool>, number: u128) -> Status {
    Status::Landed { created, id: Some(id(number)) }
}

#[tokio::test(start_paused = true)]
async fn bulk_messages_are_sent_to_the_letter() {
    for (operation, message, reply, created) in [
        (Operation::Create, "CreateMultiple", json(200, &ids(2)), Some(true)),
        (Operation::Update, "UpdateMultiple", no_content(), Some(false)),
        (Operation::Upsert, "UpsertMultiple", no_content(), None),
    ] {
        let service = Service::playing([reply]);
        let client = client(&service, settings(&["a"]));
        match client.write(&write(operation, 2), Form::Bulk).await {
            Written::Each(statuses) => {
                assert_eq!(statuses, [landed(created, 1), landed(created, 2)]);
            }
            other => panic!("{other:?}"),
        }
        let sent = &service.0.sent()[0];
        assert_eq!(sent.method, "POST");
        assert_eq!(
            sent.target(),
            format!("/api/data/v9.2/accounts/Microsoft.Dynamics.CRM.{message}")
        );
        assert_eq!(
            sent.body,
            format!(
                "{{\"Targets\":[\
                 {{\"@odata.type\":\"Microsoft.Dynamics.CRM.account\",\"accountid\":\"{}\",\"name\":\"A\"}},\
                 {{\"@odata.type\":\"Microsoft.Dynamics.CRM.account\",\"accountid\":\"{}\",\"name\":\"B\"}}]}}",
                id(1),
                id(2)
            )
        );
        assert_eq!(sent.header("authorization"), "Bearer token-of-a");
        assert_eq!(sent.header("content-type"), "application/json");
        assert_eq!(sent.header("odata-version"), "4.0");
    }
}

#[tokio::test(start_paused = true)]
async fn batches_hold_the_same_records_as_operations() {
    let fields = names(&["A", "B"]);
    for (operation, address, line) in [
        (Operation::Create, Address::Id(id(1)), "POST /api/data/v9.2/accounts HTTP/1.1".to_owned()),
        (
            Operation::Update,
            Address::Id(id(1)),
            format!("PATCH /api/data/v9.2/accounts({}) HTTP/1.1", id(1)),
        ),
        (
            Operation::Upsert,
            Address::Key("accountnumber='O''Hara%20Co'"),
            "PATCH /api/data/v9.2/accounts(accountnumber='O''Hara%20Co') HTTP/1.1".to_owned(),
        ),
    ] {
        let mut builder = WriteBuilder::new(account(), operation);
        builder.push(address, &fields, 0, &|_| true);
        let service = Service::playing([batch(200, &[(204, "")])]);
        let client = client(&service, settings(&["a"]));
        client.write(&builder.finish(), CONTINUE).await;
        let sent = &service.0.sent()[0];
        assert_eq!(sent.target(), "/api/data/v9.2/$batch");
        assert_eq!(sent.header("prefer"), "odata.continue-on-error");
        let boundary = sent.header("content-type").split_once("boundary=").unwrap().1;
        let condition = if operation == Operation::Update { "If-Match: *\r\n" } else { "" };
        let body = if operation == Operation::Create {
            format!("{{\"accountid\":\"{}\",\"name\":\"A\"}}", id(1))
        } else {
            "{\"name\":\"A\"}".to_owned()
        };
        assert_eq!(
            sent.body,
            format!(
                "--{boundary}\r\nContent-Type: application/http\r\n\
                 Content-Transfer-Encoding: binary\r\n\r\n{line}\r\n\
                 Content-Type: application/json\r\n{condition}\r\n{body}\r\n--{boundary}--\r\n"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn upserts_by_key_name_the_record_by_its_key_alone() {
    let mut builder = WriteBuilder::new(account(), Operation::Upsert);
    builder.push(Address::Key("accountnumber='AW1'"), &names(&["A"]), 0, &|_| true);
    let write = builder.finish();
    let service = Service::playing([no_content()]);
    let client = client(&service, settings(&["a"]));
    match client.write(&write, Form::Bulk).await {
        Written::Each(statuses) => {
            assert_eq!(statuses, [Status::Landed { created: None, id: None }]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        service.0.sent()[0].body,
        "{\"Targets\":[{\"@odata.type\":\"Microsoft.Dynamics.CRM.account\",\
         \"@odata.id\":\"accounts(accountnumber='AW1')\",\"name\":\"A\"}]}"
    );
}

#[tokio::test(start_paused = true)]
async fn update_multiple_takes_no_keys() {
    let mut builder = WriteBuilder::new(account(), Operation::Update);
    builder.push(Address::Key("accountnumber='AW1'"), &names(&["A"]), 0, &|_| true);
    let service = Service::playing([]);
    let written = client(&service, settings(&["a"])).write(&builder.finish(), Form::Bulk).await;
    assert!(matches!(written, Written::Stop(ClientError::UnusableColumn { .. })), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn ids_in_another_order_are_still_ours() {
    let reply = format!("{{\"Ids\":[\"{}\",\"{}\"]}}", id(2), id(1));
    let service = Service::playing([json(200, &reply)]);
    match client(&service, settings(&["a"])).write(&write(Operation::Create, 2), Form::Bulk).await {
        Written::Each(statuses) => {
            assert_eq!(statuses, [landed(Some(true), 1), landed(Some(true), 2)]);
        }
        other => panic!("{other:?}"),
    }
}

const TOO_LONG: &str = r#"{"error":{"code":"0x80044331","message":"too long"}}"#;

fn too_long() -> Status {
    Status::Refused(crate::Refusal {
        status: 400,
        code: Some(ErrorCode(0x8004_4331)),
        message: "too long".to_owned(),
        disposition: Disposition::DeadLetter,
        request_id: Some("part".to_owned()),
    })
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_goes_on_tells_each_record_its_fate() {
    let service = Service::playing([batch(200, &[(204, ""), (400, TOO_LONG), (204, "")])]);
    match client(&service, settings(&["a"])).write(&write(Operation::Update, 3), CONTINUE).await {
        Written::Each(statuses) => {
            assert_eq!(statuses, [landed(Some(false), 1), too_long(), landed(Some(false), 3)])
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_stops_leaves_the_rest_not_attempted() {
    let service = Service::playing([batch(400, &[(204, ""), (400, TOO_LONG)])]);
    match client(&service, settings(&["a"])).write(&write(Operation::Create, 4), STOP).await {
        Written::Each(statuses) => assert_eq!(
            statuses,
            [landed(Some(true), 1), too_long(), Status::NotAttempted, Status::NotAttempted]
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_reply_that_does_not_add_up_is_in_doubt() {
    let cut = match batch(200, &[(204, ""), (204, ""), (204, "")]) {
        Step::Reply(status, headers, body) => {
            Step::Reply(status, headers, body[..body.len() - 40].to_owned())
        }
        _ => unreachable!(),
    };
    for (form, step) in [
        (CONTINUE, batch(200, &[(204, ""), (204, "")])),
        (CONTINUE, batch(200, &[(204, ""), (400, TOO_LONG)])),
        (CONTINUE, batch(200, &[(204, ""); 4])),
        (STOP, batch(200, &[(204, ""), (204, "")])),
        (STOP, batch(200, &[])),
        (CONTINUE, cut),
        (CONTINUE, json(200, "{}")),
        (CONTINUE, Step::Reply(200, vec![], "garbage".to_owned())),
    ] {
        let service = Service::playing([step.clone()]);
        let written =
            client(&service, settings(&["a"])).write(&write(Operation::Update, 3), form).await;
        assert!(matches!(written, Written::InDoubt(_)), "{step:?}: {written:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_bulk_call_is_to_be_narrowed_and_a_refused_batch_halved() {
    for (form, disposition) in [(Form::Bulk, Disposition::Narrow), (CONTINUE, Disposition::Halve)] {
        let service = Service::playing([error(400, "0x80048d19", "Stream was not readable")]);
        match client(&service, settings(&["a"])).write(&write(Operation::Create, 3), form).await {
            Written::Refused(refusal) => assert_eq!(refusal.disposition, disposition),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn write_headers_stand_on_the_request_and_on_each_operation() {
    let headers = WriteHeaders {
        bypass_flows: true,
        tag: Some("night".to_owned()),
        ..WriteHeaders::default()
    };
    let service = Service::playing([no_content(), batch(200, &[(204, ""), (204, "")])]);
    let client = client(&service, ClientSettings { headers, ..settings(&["a"]) });
    client.write(&write(Operation::Update, 2), Form::Bulk).await;
    client.write(&write(Operation::Update, 2), CONTINUE).await;
    let sent = service.0.sent();
    let name = "mscrm.suppresscallbackregistrationexpanderjob";
    assert_eq!((sent[0].header(name), sent[1].header(name)), ("true", "true"));
    assert!(sent[0].target().ends_with("UpdateMultiple?tag=night"));
    assert_eq!(sent[1].body.matches(&format!("{name}: true\r\n")).count(), 2);
    assert_eq!(sent[1].body.matches(")?tag=night HTTP/1.1").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_empty_write_sends_nothing() {
    let service = Service::playing([]);
    let written =
        client(&service, settings(&["a"])).write(&write(Operation::Create, 0), Form::Bulk).await;
    assert!(matches!(written, Written::Each(statuses) if statuses.is_empty()));
}

#[test]
fn a_subset_is_the_same_records_encoded_once() {
    let whole = write(Operation::Create, 5);
    let part = whole.subset(&[4, 1, 99]);
    assert_eq!(part.ids().collect::<Vec<_>>(), [Some(id(5)), Some(id(2))]);
    assert_eq!(part.record_json(0).as_deref(), Some("{\"name\":\"E\"}"));
    assert_eq!(part.subset(&[1]).record_json(0).as_deref(), Some("{\"name\":\"B\"}"));
    let all = whole.subset(&[0, 1, 2, 3, 4]);
    assert_eq!(all.bulk_body(), whole.bulk_body());
    assert_eq!(whole.subset(&[]).bulk_body(), "{\"Targets\":[]}");
}
