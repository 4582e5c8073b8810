//! Customers, positions and visits.

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};
use zuoxi_rules::record::{Customer, Position, Visit};
use zuoxi_wire::Id;

use super::rows::{id, int, member, optional_id, uint, who};

pub(super) fn put_customer(db: &Connection, customer: &Customer) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO customers (id, brand, conversation, name, external, merged_into, browser, language, page_url,
             page_title, referrer, first_visit_ms)
         VALUES (:id, :brand, :conversation, :name, :external, :merged_into, :browser, :language, :page_url,
             :page_title, :referrer, :first_visit_ms)
         ON CONFLICT (id) DO UPDATE SET brand = :brand, conversation = :conversation, name = :name,
             external = :external, merged_into = :merged_into, browser = :browser, language = :language,
             page_url = :page_url, page_title = :page_title, referrer = :referrer, first_visit_ms = :first_visit_ms",
    )?
    .execute(named_params! {
        ":id": customer.id.0,
        ":brand": customer.brand.0,
        ":conversation": customer.conversation.0,
        ":name": customer.name,
        ":external": customer.external,
        ":merged_into": customer.merged_into.map(|id| id.0),
        ":browser": customer.browser,
        ":language": customer.language,
        ":page_url": customer.page_url,
        ":page_title": customer.page_title,
        ":referrer": customer.referrer,
        ":first_visit_ms": int(customer.first_visit_ms),
    })
    .map(|_| ())
}

fn read_customer(row: &Row<'_>) -> Result<Customer> {
    Ok(Customer {
        id: id(row, "id")?,
        brand: id(row, "brand")?,
        conversation: id(row, "conversation")?,
        name: row.get("name")?,
        external: row.get("external")?,
        merged_into: optional_id(row, "merged_into")?,
        browser: row.get("browser")?,
        language: row.get("language")?,
        page_url: row.get("page_url")?,
        page_title: row.get("page_title")?,
        referrer: row.get("referrer")?,
        first_visit_ms: uint(row, "first_visit_ms")?,
    })
}

pub(super) fn customer(db: &Connection, id: Id) -> Result<Option<Customer>> {
    db.prepare_cached(
        "SELECT id, brand, conversation, name, external, merged_into, browser, language, page_url, page_title,
             referrer, first_visit_ms
         FROM customers WHERE id = ?1",
    )?
    .query_row([id.0], read_customer)
    .optional()
}

pub(super) fn customer_by_external(db: &Connection, brand: Id, external: &str) -> Result<Option<Customer>> {
    db.prepare_cached(
        "SELECT id, brand, conversation, name, external, merged_into, browser, language, page_url, page_title,
             referrer, first_visit_ms
         FROM customers WHERE brand = ?1 AND external = ?2",
    )?
    .query_row(params![brand.0, external], read_customer)
    .optional()
}

pub(super) fn positions(db: &Connection, conversation: Id) -> Result<Vec<Position>> {
    db.prepare_cached(
        "SELECT conversation, role, member, delivered, read FROM positions WHERE conversation = ?1
         ORDER BY role, member",
    )?
    .query_map([conversation.0], |row| {
        Ok(Position {
            conversation: id(row, "conversation")?,
            who: who(row)?,
            delivered: uint(row, "delivered")?,
            read: uint(row, "read")?,
        })
    })?
    .collect()
}

pub(super) fn put_position(db: &Connection, position: &Position) -> Result<()> {
    let (role, of) = member(position.who);
    db.prepare_cached(
        "INSERT INTO positions (conversation, role, member, delivered, read) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (conversation, role, member) DO UPDATE SET delivered = ?4, read = ?5",
    )?
    .execute(params![
        position.conversation.0,
        role,
        of,
        int(position.delivered),
        int(position.read)
    ])
    .map(|_| ())
}

pub(super) fn put_visit(db: &Connection, visit: &Visit) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO visits (conversation, first_seq, started_ms, ended_ms, first_words, words_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (conversation, first_seq) DO UPDATE SET started_ms = ?3, ended_ms = ?4, first_words = ?5,
             words_seq = ?6",
    )?
    .execute(params![
        visit.conversation.0,
        int(visit.first_seq),
        int(visit.started_ms),
        int(visit.ended_ms),
        visit.first_words,
        int(visit.words_seq)
    ])
    .map(|_| ())
}

pub(super) fn visits(db: &Connection, conversation: Id, limit: u32) -> Result<Vec<Visit>> {
    db.prepare_cached(
        "SELECT conversation, first_seq, started_ms, ended_ms, first_words, words_seq FROM visits
         WHERE conversation = ?1 ORDER BY first_seq DESC LIMIT ?2",
    )?
    .query_map(params![conversation.0, limit], |row| {
        Ok(Visit {
            conversation: id(row, "conversation")?,
            first_seq: uint(row, "first_seq")?,
            started_ms: uint(row, "started_ms")?,
            ended_ms: uint(row, "ended_ms")?,
            first_words: row.get("first_words")?,
            words_seq: uint(row, "words_seq")?,
        })
    })?
    .collect()
}

pub(super) fn remove_visits(db: &Connection, conversation: Id, below: u64) -> Result<()> {
    db.prepare_cached("DELETE FROM visits WHERE conversation = ?1 AND first_seq < ?2")?
        .execute(params![conversation.0, int(below)])
        .map(|_| ())
}
