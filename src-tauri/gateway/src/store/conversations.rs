//! Conversations: one row each, read once and written once for each group.

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};
use zuoxi_rules::record::{Conversation, Words};
use zuoxi_rules::store::Stored;
use zuoxi_wire::Id;

use super::rows::{failed, id, int, json, list, number, optional_id, uint};

macro_rules! columns {
    () => {
        "id, brand, team, customer, customer_name, customer_verified, customer_mobile, status, holder, last_agent,
         head, public_head, floor, public_floor, queued_ms, waiting_ms, waiting_seq, due, preview, answered,
         customer_messages, unread, words_role, words_author, words_text, words_time_ms, words_seq, tags, visit,
         moved_ms, public_ms, linked_to"
    };
}

pub(super) fn find(db: &Connection, id: Id) -> Result<Option<Conversation>> {
    db.prepare_cached(concat!("SELECT ", columns!(), " FROM conversations WHERE id = ?1"))?
        .query_row([id.0], read)
        .optional()
}

pub(super) fn active(db: &Connection) -> Result<Vec<Conversation>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM conversations WHERE status <> 3 ORDER BY id"
    ))?
    .query_map([], read)?
    .collect()
}

pub(super) fn ids(db: &Connection, above: Id, limit: u32) -> Result<Vec<Id>> {
    db.prepare_cached("SELECT id FROM conversations WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map(rusqlite::params![above.0, limit], |row| id(row, "id"))?
        .collect()
}

fn read(row: &Row<'_>) -> Result<Conversation> {
    Ok(Conversation {
        id: id(row, "id")?,
        brand: id(row, "brand")?,
        team: id(row, "team")?,
        customer: id(row, "customer")?,
        customer_name: row.get("customer_name")?,
        customer_verified: row.get("customer_verified")?,
        customer_mobile: row.get("customer_mobile")?,
        status: number(row, "status")?,
        holder: optional_id(row, "holder")?,
        last_agent: optional_id(row, "last_agent")?,
        head: uint(row, "head")?,
        public_head: uint(row, "public_head")?,
        floor: uint(row, "floor")?,
        public_floor: uint(row, "public_floor")?,
        queued_ms: uint(row, "queued_ms")?,
        waiting_ms: uint(row, "waiting_ms")?,
        waiting_seq: uint(row, "waiting_seq")?,
        due: number(row, "due")?,
        preview: row.get("preview")?,
        answered: row.get("answered")?,
        customer_messages: uint(row, "customer_messages")?,
        unread: row.get("unread")?,
        words: words(row)?,
        tags: list(row, "tags")?,
        visit: uint(row, "visit")?,
        moved_ms: uint(row, "moved_ms")?,
        public_ms: uint(row, "public_ms")?,
        linked_to: optional_id(row, "linked_to")?,
    })
}

fn words(row: &Row<'_>) -> Result<Option<Words>> {
    let Some(text) = row.get("words_text")? else {
        return Ok(None);
    };
    Ok(Some(Words {
        role: number(row, "words_role")?,
        author: id(row, "words_author")?,
        text,
        time_ms: uint(row, "words_time_ms")?,
        seq: uint(row, "words_seq")?,
    }))
}

pub(super) fn put(db: &Connection, conversation: &Conversation) -> Stored<()> {
    let tags = json(&conversation.tags)?;
    write(db, conversation, &tags).map_err(failed)
}

fn write(db: &Connection, conversation: &Conversation, tags: &str) -> Result<()> {
    let words = conversation.words.as_ref();
    db.prepare_cached(concat!(
        "INSERT INTO conversations (",
        columns!(),
        ")
         VALUES (:id, :brand, :team, :customer, :customer_name, :customer_verified, :customer_mobile, :status, :holder,
             :last_agent, :head, :public_head, :floor, :public_floor, :queued_ms, :waiting_ms, :waiting_seq, :due,
             :preview, :answered, :customer_messages, :unread, :words_role, :words_author, :words_text, :words_time_ms,
             :words_seq, :tags, :visit, :moved_ms, :public_ms, :linked_to)
         ON CONFLICT (id) DO UPDATE SET brand = :brand, team = :team, customer = :customer,
             customer_name = :customer_name, customer_verified = :customer_verified,
             customer_mobile = :customer_mobile, status = :status, holder = :holder, last_agent = :last_agent,
             head = :head, public_head = :public_head, floor = :floor, public_floor = :public_floor,
             queued_ms = :queued_ms, waiting_ms = :waiting_ms, waiting_seq = :waiting_seq, due = :due,
             preview = :preview, answered = :answered, customer_messages = :customer_messages, unread = :unread,
             words_role = :words_role, words_author = :words_author, words_text = :words_text,
             words_time_ms = :words_time_ms, words_seq = :words_seq, tags = :tags, visit = :visit,
             moved_ms = :moved_ms, public_ms = :public_ms, linked_to = :linked_to",
    ))?
    .execute(named_params! {
        ":id": conversation.id.0,
        ":brand": conversation.brand.0,
        ":team": conversation.team.0,
        ":customer": conversation.customer.0,
        ":customer_name": conversation.customer_name,
        ":customer_verified": conversation.customer_verified,
        ":customer_mobile": conversation.customer_mobile,
        ":status": conversation.status as i32,
        ":holder": conversation.holder.map(|id| id.0),
        ":last_agent": conversation.last_agent.map(|id| id.0),
        ":head": int(conversation.head),
        ":public_head": int(conversation.public_head),
        ":floor": int(conversation.floor),
        ":public_floor": int(conversation.public_floor),
        ":queued_ms": int(conversation.queued_ms),
        ":waiting_ms": int(conversation.waiting_ms),
        ":waiting_seq": int(conversation.waiting_seq),
        ":due": conversation.due as i32,
        ":preview": conversation.preview,
        ":answered": conversation.answered,
        ":customer_messages": int(conversation.customer_messages),
        ":unread": conversation.unread,
        ":words_role": words.map(|words| words.role as i32),
        ":words_author": words.map(|words| words.author.0),
        ":words_text": words.map(|words| &words.text),
        ":words_time_ms": words.map(|words| int(words.time_ms)),
        ":words_seq": words.map(|words| int(words.seq)),
        ":tags": tags,
        ":visit": int(conversation.visit),
        ":moved_ms": int(conversation.moved_ms),
        ":public_ms": int(conversation.public_ms),
        ":linked_to": conversation.linked_to.map(|id| id.0),
    })
    .map(|_| ())
}
