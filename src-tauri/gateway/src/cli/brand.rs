//! `brand add|list`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use zuoxi_gateway::{identity, server};
use zuoxi_rules::record::{self, IdentityKey};
use zuoxi_rules::store::Store;

use super::{Failure, Place, find_team, fresh_id};

#[derive(Debug, Subcommand)]
pub(crate) enum Brand {
    /// Make a brand, or set one anew that has this key
    Add(Add),
    /// Show all brands
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Public key, as it stands in the merchant's page: letters, digits, - and _
    key: String,
    /// Shown above the chat [default: the key]
    #[arg(long)]
    name: Option<String>,
    /// One or two characters for the launcher [default: the first of the name]
    #[arg(long)]
    short_name: Option<String>,
    /// Shown before the first message
    #[arg(long, default_value = "")]
    greeting: String,
    /// The team that serves it
    #[arg(long)]
    team: String,
    /// Origin of a page that may embed the chat, e.g. https://shop.example; may be given several times
    #[arg(long)]
    origin: Vec<String>,
    /// With which customers' identities are signed: HS256, ES256, EdDSA or RS256
    #[arg(long, requires = "identity_key")]
    identity_algorithm: Option<String>,
    /// File with the shared secret (HS256) or the public key in PEM
    #[arg(long, value_name = "FILE", requires = "identity_algorithm")]
    identity_key: Option<PathBuf>,
}

/// Characters of a key: it stands in addresses and pages.
const KEY_CHARACTERS: usize = 64;

pub(crate) fn run(place: &Place, command: Brand) -> Result<(), Failure> {
    match command {
        Brand::Add(add) => make(place, add),
        Brand::List => {
            let facts = place.facts()?;
            facts.brands.iter().try_for_each(|brand| tell(place, brand))
        }
    }
}

fn make(place: &Place, add: Add) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if add.key.is_empty() || add.key.len() > KEY_CHARACTERS || !add.key.chars().all(plain) {
        return Err(format!("a brand's key has 1 to {KEY_CHARACTERS} letters, digits, - and _").into());
    }
    if let Some(wrong) = add.origin.iter().find(|origin| !server::is_origin(origin)) {
        return Err(format!("{wrong} is no origin: it is scheme and host alone, e.g. https://shop.example").into());
    }
    let identity_key = identity_key(&add)?;
    let name = add.name.unwrap_or_else(|| add.key.clone());
    let short_name = add.short_name.unwrap_or_else(|| name.chars().take(1).collect());
    let fresh = fresh_id()?;
    let brand = place.change(|store, facts| {
        let there = facts.brands.iter().find(|brand| brand.key == add.key);
        let brand = record::Brand {
            id: there.map_or(fresh, |brand| brand.id),
            key: add.key.clone(),
            name,
            short_name,
            greeting: add.greeting,
            origins: add.origin,
            team: find_team(facts, &add.team)?.id,
            identity_key,
        };
        store.put_brand(&brand)?;
        Ok(brand)
    })?;
    tell(place, &brand)
}

fn identity_key(add: &Add) -> Result<Option<IdentityKey>, Failure> {
    let Some((algorithm, file)) = add.identity_algorithm.clone().zip(add.identity_key.as_ref()) else {
        return Ok(None);
    };
    let mut key = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if algorithm == "HS256" {
        // An editor's last line end is no part of a secret.
        while key.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            key.pop();
        }
    }
    let key = IdentityKey { algorithm, key };
    identity::check_key(&key)?;
    Ok(Some(key))
}

fn tell(place: &Place, brand: &record::Brand) -> Result<(), Failure> {
    let line = format!(
        "{}  {}  {}  {}",
        brand.id,
        brand.key,
        brand.name,
        brand.origins.join(" ")
    );
    let value = json!({
        "id": brand.id.to_string(),
        "key": brand.key,
        "name": brand.name,
        "short_name": brand.short_name,
        "greeting": brand.greeting,
        "origins": brand.origins,
        "team": brand.team.to_string(),
        "identity_algorithm": brand.identity_key.as_ref().map(|key| &key.algorithm),
    });
    Ok(place.output.tell(&line, &value)?)
}
