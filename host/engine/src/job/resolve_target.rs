//! The target as needed: environment, matching, principals.

use std::collections::BTreeSet;
use std::path::Path;

use dvsync_dataverse::{Bypass, Caller, Credential, DopHintScope, PrincipalSettings, WriteHeaders};
use dvsync_model::Secret;
use uuid::Uuid;

use super::Lookups;
use super::fault::{Fault, listed};
use super::file::{
    CallerSection, EmulatorSection, HeadersSection, PrincipalSection, TargetSection,
};
use super::needed::{Emulator, Match, Target, TargetUrl};
use super::resolve::{not_empty, span};
use super::resolve_source::{distinct, seed};
use super::words::{
    BypassWord, CreateInactive, DopHintWord, LookupWord, MatchSection, Mode, Retrieve, Several,
};

/// The token that the embedded emulator takes where the job names no principal.
const EMULATOR: &str = "emulator";

pub(super) fn target(
    section: TargetSection,
    mode: Mode,
    has_rule: bool,
    lookups: &Lookups<'_>,
) -> Result<Target, Fault> {
    let url = url(&section.url, section.emulator, lookups)?;
    let matching = matching(section.matching, has_rule)?;
    let lookup = section.lookup.unwrap_or(LookupWord::Columns);
    check_lookup(lookup, mode, &matching, section.filter.is_some())?;
    let principals = principals(section.principals, &url, lookups)?;
    let concurrency_max = section.concurrency_max.unwrap_or(52);
    let concurrency_max = match usize::try_from(concurrency_max) {
        Ok(number @ 1..=52) => number,
        _ => {
            let message = format!("expected 1 to 52, found `{concurrency_max}`");
            return Err(Fault::at("target.concurrency_max", message)
                .hint("the service takes at most 52 requests of one principal at a time"));
        }
    };
    Ok(Target {
        url,
        entity: logical_name(section.entity, "target.entity")?,
        matching,
        lookup,
        retrieve: section.retrieve.unwrap_or(Retrieve::Auto),
        filter: section.filter.map(|text| not_empty(text, "target.filter")).transpose()?,
        several: section.several.unwrap_or(Several::Reject),
        create_inactive: section.create_inactive.unwrap_or(CreateInactive::TwoSteps),
        principals,
        headers: headers(section.headers)?,
        concurrency_max,
        dop_hint_scope: match section.dop_hint_scope {
            None | Some(DopHintWord::Environment) => DopHintScope::Environment,
            Some(DopHintWord::Principal) => DopHintScope::Principal,
        },
        timeout: span(section.timeout, 150_000, 1_000..=3_600_000, "target.timeout")?,
        api_version: api_version(section.api_version)?,
        ca_file: section.ca_file.map(|path| lookups.absolute(&path)),
        proxy: section.proxy,
    })
}

fn url(
    text: &str,
    emulator: Option<EmulatorSection>,
    lookups: &Lookups<'_>,
) -> Result<TargetUrl, Fault> {
    let at = "target.url";
    if text == EMULATOR {
        return embedded(emulator.unwrap_or_default(), lookups).map(TargetUrl::Emulator);
    }
    if emulator.is_some() {
        return Err(Fault::at("target.emulator", "the target is not the embedded emulator")
            .hint("remove this section, or write url = \"emulator\""));
    }
    let plain = text.trim_end_matches('/');
    let host = match plain.split_once("://") {
        Some(("https", host)) => host,
        Some(("http", host)) if is_local(host) => host,
        Some(("http", _)) => {
            return Err(
                Fault::at(at, format!("`{text}` would send tokens in clear")).hint("use https://")
            );
        }
        _ => {
            return Err(Fault::at(at, format!("`{text}` is no address of an environment"))
                .hint("write \"https://<name>.crm.dynamics.com\", or \"emulator\""));
        }
    };
    if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
        return Err(Fault::at(at, format!("`{text}` is no address of an environment"))
            .hint("scheme and host alone: the path is added by dvsync"));
    }
    Ok(TargetUrl::Service(plain.to_owned()))
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

fn embedded(section: EmulatorSection, lookups: &Lookups<'_>) -> Result<Emulator, Fault> {
    let state = section.state.unwrap_or_else(|| Path::new(".dvsync").join("emulator"));
    let seed = section
        .seed
        .into_iter()
        .enumerate()
        .map(|(position, section)| {
            seed(section, &format!("target.emulator.seed.{position}"), lookups)
        })
        .collect::<Result<_, _>>()?;
    Ok(Emulator {
        state: lookups.absolute(&state),
        schema: section.schema.map(|path| lookups.absolute(&path)),
        latency: span(section.latency, 0, 0..=600_000, "target.emulator.latency")?,
        seed,
    })
}

fn matching(section: MatchSection, has_rule: bool) -> Result<Match, Fault> {
    let columns = |columns: Vec<String>, word| {
        let at = format!("target.match.{word}");
        let columns = distinct(columns, &at)?;
        if columns.is_empty() { Err(Fault::at(&at, "names no column")) } else { Ok(columns) }
    };
    match section {
        MatchSection::Id(column) => not_empty(column, "target.match.id").map(Match::Id),
        MatchSection::Key(names) => columns(names, "key").map(Match::Key),
        MatchSection::Columns(names) => columns(names, "columns").map(Match::Columns),
        MatchSection::Rules if has_rule => Ok(Match::Rules),
        MatchSection::Rules => Err(Fault::at("target.match", "there is no rule to derive keys")
            .hint("add [rules], or match by { key = [...] }")),
    }
}

fn check_lookup(
    lookup: LookupWord,
    mode: Mode,
    matching: &Match,
    has_filter: bool,
) -> Result<(), Fault> {
    if lookup != LookupWord::None {
        return Ok(());
    }
    let at = "target.lookup";
    if has_filter {
        return Err(Fault::at("target.filter", "nothing is read that could be filtered")
            .hint("remove `filter`, or set lookup = \"keys\""));
    }
    if !matches!(matching, Match::Key(_)) {
        return Err(Fault::at(at, "without a look at the target only an alternate key can match")
            .hint("match by { key = [...] }, or set lookup = \"keys\""));
    }
    if mode != Mode::Upsert {
        return Err(Fault::at(at, "without a look at the target records can only be upserted")
            .hint("set mode = \"upsert\", or lookup = \"keys\""));
    }
    Ok(())
}

fn principals(
    sections: Vec<PrincipalSection>,
    url: &TargetUrl,
    lookups: &Lookups<'_>,
) -> Result<Vec<PrincipalSettings>, Fault> {
    if sections.is_empty() {
        return match url {
            TargetUrl::Emulator(_) => Ok(vec![PrincipalSettings {
                name: EMULATOR.to_owned(),
                credential: Credential::Token(Secret::new(EMULATOR)),
            }]),
            TargetUrl::Service(_) => {
                Err(Fault::at("target", "there is no principal to sign in with")
                    .hint("add a [[target.principals]] section"))
            }
        };
    }
    let mut names = BTreeSet::new();
    let mut principals = Vec::with_capacity(sections.len());
    for (position, section) in sections.into_iter().enumerate() {
        let at = format!("target.principals.{position}");
        let name = section.name.clone().unwrap_or_else(|| format!("principal-{}", position + 1));
        if !names.insert(name.clone()) {
            return Err(Fault::at(&format!("{at}.name"), format!("`{name}` is there twice")));
        }
        let credential = credential(section, &at, lookups)?;
        principals.push(PrincipalSettings { name, credential });
    }
    Ok(principals)
}

fn credential(
    section: PrincipalSection,
    at: &str,
    lookups: &Lookups<'_>,
) -> Result<Credential, Fault> {
    let ways = [
        ("token", section.token.is_some()),
        ("client_secret", section.client_secret.is_some()),
        ("managed_identity", section.managed_identity),
        ("workload_identity", section.workload_identity),
        ("azure_cli", section.azure_cli),
    ];
    let chosen: Vec<&str> = ways.iter().filter(|way| way.1).map(|way| way.0).collect();
    if chosen.len() != 1 {
        let message = match chosen.as_slice() {
            [] => "nothing says how this principal signs in".to_owned(),
            _ => format!("one way to sign in is enough, found {}", listed(chosen.iter().copied())),
        };
        return Err(Fault::at(at, message)
            .hint(format!("give one of {}", listed(ways.iter().map(|way| way.0)))));
    }
    if let Some(token) = section.token {
        return token.resolve(lookups, &format!("{at}.token")).map(Credential::Token);
    }
    if let Some(secret) = section.client_secret {
        // First, so that a secret in clear is told of whatever else is missing.
        let secret = secret.resolve(lookups, &format!("{at}.client_secret"))?;
        let needed = |value: Option<String>, key: &str| {
            value.filter(|text| !text.trim().is_empty()).ok_or_else(|| {
                Fault::at(at, format!("key `{key}` is missing")).hint("`client_secret` needs it")
            })
        };
        return Ok(Credential::ClientSecret {
            tenant_id: needed(section.tenant_id, "tenant_id")?,
            client_id: needed(section.client_id, "client_id")?,
            secret,
        });
    }
    Ok(if section.managed_identity {
        Credential::ManagedIdentity { client_id: section.client_id }
    } else if section.workload_identity {
        Credential::WorkloadIdentity
    } else {
        Credential::AzureCli
    })
}

fn headers(section: HeadersSection) -> Result<WriteHeaders, Fault> {
    let id = |text: &str, word: &str| {
        Uuid::try_parse(text).map_err(|_| {
            let at = format!("target.headers.caller.{word}");
            Fault::at(&at, format!("expected a GUID, found `{text}`"))
        })
    };
    let caller = match section.caller {
        Some(CallerSection::ObjectId(text)) => Some(Caller::ObjectId(id(&text, "object_id")?)),
        Some(CallerSection::SystemUser(text)) => Some(Caller::UserId(id(&text, "system_user")?)),
        None => None,
    };
    Ok(WriteHeaders {
        bypass_custom_logic: section.bypass_custom_logic.into_iter().map(bypass).collect(),
        bypass_flows: section.bypass_flows,
        suppress_duplicate_detection: section.suppress_duplicate_detection.unwrap_or(true),
        caller,
        solution: section.solution,
        tag: section.tag,
    })
}

fn bypass(word: BypassWord) -> Bypass {
    match word {
        BypassWord::Sync => Bypass::Sync,
        BypassWord::Async => Bypass::Async,
    }
}

fn api_version(typed: Option<String>) -> Result<String, Fault> {
    let version = typed.unwrap_or_else(|| "v9.2".to_owned());
    let numbers = version.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match numbers {
        Some((major, minor)) if digits(major) && digits(minor) => Ok(version),
        _ => Err(Fault::at("target.api_version", format!("expected `v9.2`, found `{version}`"))),
    }
}

fn logical_name(name: String, at: &str) -> Result<String, Fault> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Fault::at(at, format!("`{name}` is no logical name of a table"))
            .hint("logical names are lower case and singular: `account`"));
    }
    Ok(name)
}
