//! Conversations: one row each, read once and written once for each group; nearly always only the logs moved.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use zuoxi_rules::record::{Conversation, Words};
use zuoxi_rules::store::Stored;
use zuoxi_wire::Id;

use super::rows::{Columns, enum_of, failed, id, int, json};

macro_rules! columns {
    () => {
        "id, brand, team, customer, customer_name, customer_verified, customer_mobile, status, holder, last_agent,
         head, public_head, floor, public_floor, queued_ms, waiting_ms, waiting_seq, due, preview, answered,
         customer_messages, unread, words_role, words_author, words_text, words_time_ms, words_seq, tags, visit,
         moved_ms, public_ms, linked_to"
    };
}

/// With its row's number.
pub(super) fn find(db: &Connection, id: Id) -> Result<Option<(i64, Conversation)>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", number FROM conversations WHERE id = ?1"
    ))?
    .query_row([id.0], |row| Ok((row.get("number")?, read(row)?)))
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
    let mut columns = Columns::of(row);
    Ok(Conversation {
        id: columns.id()?,
        brand: columns.id()?,
        team: columns.id()?,
        customer: columns.id()?,
        customer_name: columns.get()?,
        customer_verified: columns.get()?,
        customer_mobile: columns.get()?,
        status: columns.number()?,
        holder: columns.optional_id()?,
        last_agent: columns.optional_id()?,
        head: columns.uint()?,
        public_head: columns.uint()?,
        floor: columns.uint()?,
        public_floor: columns.uint()?,
        queued_ms: columns.uint()?,
        waiting_ms: columns.uint()?,
        waiting_seq: columns.uint()?,
        due: columns.number()?,
        preview: columns.get()?,
        answered: columns.get()?,
        customer_messages: columns.uint()?,
        unread: columns.get()?,
        words: words(&mut columns)?,
        tags: columns.list()?,
        visit: columns.uint()?,
        moved_ms: columns.uint()?,
        public_ms: columns.uint()?,
        linked_to: columns.optional_id()?,
    })
}

fn words(columns: &mut Columns<'_>) -> Result<Option<Words>> {
    let role: Option<i32> = columns.get()?;
    let author = columns.optional_id()?;
    let text: Option<String> = columns.get()?;
    let (time_ms, seq): (Option<i64>, Option<i64>) = (columns.get()?, columns.get()?);
    let Some((role, text)) = role.zip(text) else {
        return Ok(None);
    };
    Ok(Some(Words {
        role: enum_of(role)?,
        author: author.unwrap_or_default(),
        text,
        time_ms: time_ms.unwrap_or_default() as u64,
        seq: seq.unwrap_or_default() as u64,
    }))
}

/// Whether only what moves with the logs differs.
pub(super) fn only_moved(before: &Conversation, after: &Conversation) -> bool {
    // Named one by one, so that a new field must be thought of here.
    let Conversation {
        id,
        brand,
        team,
        customer,
        customer_name,
        customer_verified,
        customer_mobile,
        status,
        holder,
        last_agent,
        head: _,
        public_head: _,
        floor,
        public_floor,
        queued_ms,
        waiting_ms: _,
        waiting_seq: _,
        due: _,
        preview: _,
        answered: _,
        customer_messages: _,
        unread: _,
        words: _,
        tags,
        visit,
        moved_ms: _,
        public_ms: _,
        linked_to,
    } = after;
    (id, brand, team, customer) == (&before.id, &before.brand, &before.team, &before.customer)
        && *customer_name == before.customer_name
        && (*customer_verified, *customer_mobile) == (before.customer_verified, before.customer_mobile)
        && (status, holder, last_agent) == (&before.status, &before.holder, &before.last_agent)
        && (*floor, *public_floor, *queued_ms) == (before.floor, before.public_floor, before.queued_ms)
        && *tags == before.tags
        && (*visit, linked_to) == (before.visit, &before.linked_to)
}

/// Writes what moves with the logs.
pub(super) fn put_moved(db: &Connection, number: i64, conversation: &Conversation) -> Result<()> {
    let words = conversation.words.as_ref();
    db.prepare_cached(
        "UPDATE conversations SET head = ?2, public_head = ?3, waiting_ms = ?4, waiting_seq = ?5, due = ?6, preview = ?7,
             answered = ?8, customer_messages = ?9, unread = ?10, words_role = ?11, words_author = ?12,
             words_text = ?13, words_time_ms = ?14, words_seq = ?15, moved_ms = ?16, public_ms = ?17
         WHERE number = ?1",
    )?
    .execute(params![
        number,
        int(conversation.head),
        int(conversation.public_head),
        int(conversation.waiting_ms),
        int(conversation.waiting_seq),
        conversation.due as i32,
        conversation.preview,
        conversation.answered,
        int(conversation.customer_messages),
        conversation.unread,
        words.map(|words| words.role as i32),
        words.map(|words| words.author.0),
        words.map(|words| &words.text),
        words.map(|words| int(words.time_ms)),
        words.map(|words| int(words.seq)),
        int(conversation.moved_ms),
        int(conversation.public_ms),
    ])
    .map(|_| ())
}

/// Writes all of it; gives its row's number.
pub(super) fn put(db: &Connection, conversation: &Conversation) -> Stored<i64> {
    let tags = json(&conversation.tags)?;
    write(db, conversation, &tags).map_err(failed)
}

fn write(db: &Connection, conversation: &Conversation, tags: &str) -> Result<i64> {
    let words = conversation.words.as_ref();
    db.prepare_cached(concat!(
        "INSERT INTO conversations (",
        columns!(),
        ")
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
             ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)
         ON CONFLICT (id) DO UPDATE SET brand = ?2, team = ?3, customer = ?4, customer_name = ?5,
             customer_verified = ?6, customer_mobile = ?7, status = ?8, holder = ?9, last_agent = ?10, head = ?11,
             public_head = ?12, floor = ?13, public_floor = ?14, queued_ms = ?15, waiting_ms = ?16, waiting_seq = ?17,
             due = ?18, preview = ?19, answered = ?20, customer_messages = ?21, unread = ?22, words_role = ?23,
             words_author = ?24, words_text = ?25, words_time_ms = ?26, words_seq = ?27, tags = ?28, visit = ?29,
             moved_ms = ?30, public_ms = ?31, linked_to = ?32
         RETURNING number",
    ))?
    .query_row(
        params![
            conversation.id.0,
            conversation.brand.0,
            conversation.team.0,
            conversation.customer.0,
            conversation.customer_name,
            conversation.customer_verified,
            conversation.customer_mobile,
            conversation.status as i32,
            conversation.holder.map(|id| id.0),
            conversation.last_agent.map(|id| id.0),
            int(conversation.head),
            int(conversation.public_head),
            int(conversation.floor),
            int(conversation.public_floor),
            int(conversation.queued_ms),
            int(conversation.waiting_ms),
            int(conversation.waiting_seq),
            conversation.due as i32,
            conversation.preview,
            conversation.answered,
            int(conversation.customer_messages),
            conversation.unread,
            words.map(|words| words.role as i32),
            words.map(|words| words.author.0),
            words.map(|words| &words.text),
            words.map(|words| int(words.time_ms)),
            words.map(|words| int(words.seq)),
            tags,
            int(conversation.visit),
            int(conversation.moved_ms),
            int(conversation.public_ms),
            conversation.linked_to.map(|id| id.0),
        ],
        |row| row.get(0),
    )
}
