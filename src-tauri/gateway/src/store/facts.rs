//! What the administrator sets: epoch, brands, teams, agents.

use rusqlite::{Connection, Result, named_params, params};
use zuoxi_rules::record::{Agent, Brand, Facts, IdentityKey, Membership, Team};
use zuoxi_rules::store::Stored;
use zuoxi_wire::Id;
use zuoxi_wire::v1::Presence;

use super::rows::{failed, id, int, json, list, number, uint};

pub(super) fn epoch(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT epoch FROM log WHERE one = 1")?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(|epoch| epoch as u64)
}

pub(super) fn renew_epoch(db: &Connection, epoch: u64) -> Result<()> {
    db.execute("UPDATE log SET epoch = ?1 WHERE one = 1", [epoch as i64])
        .map(|_| ())
}

pub(super) fn all(db: &Connection) -> Result<Facts> {
    Ok(Facts {
        brands: brands(db)?,
        teams: teams(db)?,
        agents: agents(db)?,
    })
}

fn brands(db: &Connection) -> Result<Vec<Brand>> {
    db.prepare_cached(
        "SELECT id, key, name, short_name, greeting, origins, team, algorithm, identity_key FROM brands ORDER BY id",
    )?
    .query_map([], |row| {
        let algorithm: Option<String> = row.get("algorithm")?;
        let key: Option<Vec<u8>> = row.get("identity_key")?;
        Ok(Brand {
            id: id(row, "id")?,
            key: row.get("key")?,
            name: row.get("name")?,
            short_name: row.get("short_name")?,
            greeting: row.get("greeting")?,
            origins: list(row, "origins")?,
            team: id(row, "team")?,
            identity_key: algorithm
                .zip(key)
                .map(|(algorithm, key)| IdentityKey { algorithm, key }),
        })
    })?
    .collect()
}

fn teams(db: &Connection) -> Result<Vec<Team>> {
    db.prepare_cached(
        "SELECT id, name, first_response_ms, next_response_ms, idle_ms, stale_ms, grace_ms FROM teams ORDER BY id",
    )?
    .query_map([], |row| {
        Ok(Team {
            id: id(row, "id")?,
            name: row.get("name")?,
            first_response_ms: uint(row, "first_response_ms")?,
            next_response_ms: uint(row, "next_response_ms")?,
            idle_ms: uint(row, "idle_ms")?,
            stale_ms: uint(row, "stale_ms")?,
            grace_ms: uint(row, "grace_ms")?,
        })
    })?
    .collect()
}

fn agents(db: &Connection) -> Result<Vec<Agent>> {
    let mut memberships = db.prepare_cached("SELECT team, lead FROM memberships WHERE agent = ?1 ORDER BY team")?;
    db.prepare_cached("SELECT id, login, name, capacity, password_hash, disabled, presence FROM agents ORDER BY id")?
        .query_map([], |row| {
            let agent = id(row, "id")?;
            let teams = memberships
                .query_map([agent.0], |row| {
                    Ok(Membership {
                        team: id(row, "team")?,
                        lead: row.get("lead")?,
                    })
                })?
                .collect::<Result<_>>()?;
            Ok(Agent {
                id: agent,
                login: row.get("login")?,
                name: row.get("name")?,
                capacity: row.get("capacity")?,
                password_hash: row.get("password_hash")?,
                disabled: row.get("disabled")?,
                presence: number::<Presence>(row, "presence")?,
                teams,
            })
        })?
        .collect()
}

pub(super) fn put_brand(db: &Connection, brand: &Brand) -> Stored<()> {
    let origins = json(&brand.origins)?;
    db.execute(
        "INSERT INTO brands (id, key, name, short_name, greeting, origins, team, algorithm, identity_key)
         VALUES (:id, :key, :name, :short_name, :greeting, :origins, :team, :algorithm, :identity_key)
         ON CONFLICT (id) DO UPDATE SET key = :key, name = :name, short_name = :short_name, greeting = :greeting,
             origins = :origins, team = :team, algorithm = :algorithm, identity_key = :identity_key",
        named_params! {
            ":id": brand.id.0,
            ":key": brand.key,
            ":name": brand.name,
            ":short_name": brand.short_name,
            ":greeting": brand.greeting,
            ":origins": origins,
            ":team": brand.team.0,
            ":algorithm": brand.identity_key.as_ref().map(|key| &key.algorithm),
            ":identity_key": brand.identity_key.as_ref().map(|key| &key.key),
        },
    )
    .map(|_| ())
    .map_err(failed)
}

pub(super) fn put_team(db: &Connection, team: &Team) -> Result<()> {
    db.execute(
        "INSERT INTO teams (id, name, first_response_ms, next_response_ms, idle_ms, stale_ms, grace_ms)
         VALUES (:id, :name, :first, :next, :idle, :stale, :grace)
         ON CONFLICT (id) DO UPDATE SET name = :name, first_response_ms = :first, next_response_ms = :next,
             idle_ms = :idle, stale_ms = :stale, grace_ms = :grace",
        named_params! {
            ":id": team.id.0,
            ":name": team.name,
            ":first": int(team.first_response_ms),
            ":next": int(team.next_response_ms),
            ":idle": int(team.idle_ms),
            ":stale": int(team.stale_ms),
            ":grace": int(team.grace_ms),
        },
    )
    .map(|_| ())
}

pub(super) fn put_agent(db: &Connection, agent: &Agent) -> Result<()> {
    db.execute(
        "INSERT INTO agents (id, login, name, capacity, password_hash, disabled, presence)
         VALUES (:id, :login, :name, :capacity, :password_hash, :disabled, :presence)
         ON CONFLICT (id) DO UPDATE SET login = :login, name = :name, capacity = :capacity,
             password_hash = :password_hash, disabled = :disabled, presence = :presence",
        named_params! {
            ":id": agent.id.0,
            ":login": agent.login,
            ":name": agent.name,
            ":capacity": agent.capacity,
            ":password_hash": agent.password_hash,
            ":disabled": agent.disabled,
            ":presence": agent.presence as i32,
        },
    )?;
    db.execute("DELETE FROM memberships WHERE agent = ?1", [agent.id.0])?;
    for membership in &agent.teams {
        db.execute(
            "INSERT INTO memberships (agent, team, lead) VALUES (?1, ?2, ?3)",
            params![agent.id.0, membership.team.0, membership.lead],
        )?;
    }
    Ok(())
}

pub(super) fn put_presence(db: &Connection, agent: Id, presence: Presence) -> Result<()> {
    db.prepare_cached("UPDATE agents SET presence = ?2 WHERE id = ?1")?
        .execute(params![agent.0, presence as i32])
        .map(|_| ())
}

pub(super) fn put_password(db: &Connection, agent: Id, hash: &str) -> Result<()> {
    db.execute(
        "UPDATE agents SET password_hash = ?2 WHERE id = ?1",
        params![agent.0, hash],
    )
    .map(|_| ())
}
