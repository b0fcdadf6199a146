use base64::Engine;

use crate::desk::{Answer, Desk};

const ID: &str = "11111111-0000-4000-8000-000000000001";
const LOADER: &str = r#"
[principals.loader]
client_id = "11111111-0000-4000-8000-000000000001"
client_secret = "s/ecret"
[principals.other]
client_id = "11111111-0000-4000-8000-000000000002"
client_secret = "other"
token = "static"
"#;

fn ask(desk: &Desk, fields: &str) -> Answer {
    desk.send(&format!("POST /contoso/oauth2/v2.0/token\n\n{fields}"))
}

fn good(id: &str, secret: &str) -> String {
    format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=https%3A%2F%2Forg.example%2F.default"
    )
}

#[track_caller]
fn token(desk: &Desk) -> String {
    let answer = ask(desk, &good(ID, "s%2Fecret"));
    answer.expect(r#"200 {"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599}"#);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn who(token: &str) -> String {
    format!("GET WhoAmI\nAuthorization: Bearer {token}")
}

#[test]
fn a_client_gets_a_token_and_signs_in_with_it() {
    let desk = Desk::with(LOADER);
    let token = token(&desk);
    let user = desk.check(&who(&token), "200").json()["UserId"].as_str().unwrap().to_owned();
    desk.check(
        &format!("GET systemusers({user})?$select=applicationid\nAuthorization: Bearer {token}"),
        &format!("200 {{\"applicationid\":\"{ID}\"}}"),
    );
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        (claims["appid"].as_str(), claims["aud"].as_str()),
        (Some(ID), Some("https://org.example"))
    );
    desk.check(&who(&token[1..]), "401");
}

#[test]
fn a_token_ends_by_the_emulators_clock() {
    let desk = Desk::with(&format!("time_scale = 10\n{LOADER}"));
    let answer = ask(&desk, &good(ID, "s%2Fecret"));
    answer.expect(r#"200 {"expires_in":359}"#);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    desk.later(359);
    desk.check(&who(&token), "200");
    desk.later(1);
    let answer = desk
        .check(&who(&token), "401 0x8004a101 The ticket specified for authentication is expired");
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
}

#[test]
fn a_token_for_another_environment_is_not_taken() {
    let desk = Desk::with(LOADER);
    let fields = good(ID, "s%2Fecret").replace("org.example", "other.example");
    let answer = ask(&desk, &fields);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    desk.check(&who(&token), "401");
}

#[test]
fn an_expired_token_stays_expired_until_another_is_asked_for() {
    let desk = Desk::with(&format!(
        "{LOADER}\n[[faults]]\nprincipal = \"loader\"\npath = \"WhoAmI\"\nnth = 2\neffect = {{ kind = \"expired_token\" }}"
    ));
    let old = token(&desk);
    for status in ["200", "401 0x8004a101", "401 0x8004a101", "401 0x8004a101"] {
        desk.check(&who(&old), status);
    }
    desk.check(&who("static"), "200");
    let new = token(&desk);
    desk.check(&who(&new), "200");
    desk.check(&who(&old), "401 0x8004a101");
}

#[test]
fn refused_token_requests_say_why_as_entra_does() {
    let desk = Desk::with(&format!("{LOADER}\n[tokens]\ntenant = \"contoso\""));
    let right = good(ID, "s%2Fecret");
    for (fields, status, error, code) in [
        ("", 400, "invalid_request", 900_144),
        ("grant_type=password", 400, "unsupported_grant_type", 70_003),
        ("grant_type=client_credentials", 400, "invalid_request", 900_144),
        (&right.replace("&scope", "&x"), 400, "invalid_request", 900_144),
        (&right.replace(".default", "user"), 400, "invalid_scope", 1_002_012),
        (&right.replace("0001", "0009"), 400, "unauthorized_client", 700_016),
        (&right.replace("s%2Fecret", "x"), 401, "invalid_client", 7_000_215),
        (&right.replace("&client_secret", "&x"), 401, "invalid_client", 7_000_218),
    ] {
        let answer = ask(&desk, fields);
        assert_eq!(answer.status(), status, "{fields}: {}", answer.text());
        let body = answer.json();
        assert_eq!(
            (body["error"].as_str(), body["error_codes"][0].as_u64()),
            (Some(error), Some(code))
        );
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert!(!description.contains("s/ecret"));
        assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{body}");
    }
    let elsewhere = desk.send(&format!("POST /fabrikam/oauth2/v2.0/token\n\n{right}"));
    assert_eq!(elsewhere.json()["error_codes"][0], 90_002);
    desk.check("GET /contoso/oauth2/v2.0/token", "405");
}

#[test]
fn the_way_to_the_token_endpoint_can_be_discovered() {
    let desk = Desk::with(LOADER);
    let instance = desk.check("GET /common/discovery/instance?api-version=1.1", "200").json();
    let document = instance["tenant_discovery_endpoint"].as_str().unwrap();
    let path = document.strip_prefix("https://org.example").unwrap();
    let endpoint = desk.check(&format!("GET {path}"), "200").json();
    let endpoint = endpoint["token_endpoint"].as_str().unwrap().to_owned();
    assert!(
        endpoint.starts_with("https://org.example/") && endpoint.ends_with("/oauth2/v2.0/token")
    );
    desk.check("GET /x/discovery/v2.0/keys", "200 {\"keys\":[]}");
    let challenge = desk.check("GET WhoAmI\nAuthorization: Bearer x", "401");
    assert!(challenge.header("www-authenticate").unwrap().contains("https://org.example/"));
}

#[test]
fn a_fault_hits_the_token_endpoint_too() {
    let desk = Desk::with(&format!(
        "{LOADER}\n[[faults]]\noperations = [\"Token\"]\nprincipal = \"loader\"\neffect = {{ kind = \"html\", status = 503 }}"
    ));
    assert_eq!(ask(&desk, &good(ID, "s%2Fecret")).status(), 503);
    let other = good(&ID.replace("0001", "0002"), "other");
    assert_eq!(ask(&desk, &other).status(), 200);
}
