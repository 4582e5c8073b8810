//! Agents' public pictures as they were fetched last: a cache, so what doesn't fit or isn't stored is no loss.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::oneshot;
use zuoxi_wire::Id;

use super::error::StoreError;
use super::read::Question;
use super::record::damaged;
use super::{Store, asked};

/// Pictures kept: those of a large company's agents, 64 MB at most.
const KEPT: i64 = 512;

/// A picture as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPicture {
    /// The gateway's entity tag; empty: none.
    pub tag: String,
    /// The file.
    pub bytes: Bytes,
}

/// What becomes of an agent's picture.
#[derive(Debug)]
pub(super) struct PictureChange {
    pub(super) agent: Id,
    /// `None`: there is none any more.
    pub(super) picture: Option<StoredPicture>,
    #[allow(dead_code, reason = "held, not read: the wait ends with it")]
    pub(super) done: oneshot::Sender<()>,
}

impl Store {
    /// The picture that is kept of an agent. It is asked for at once; who awaits it doesn't keep the store open.
    ///
    /// # Errors
    /// As told by the reader; [`StoreError::Crowded`]; [`StoreError::Closed`].
    pub fn picture(&self, agent: Id) -> impl Future<Output = Result<Option<StoredPicture>, StoreError>> + use<> {
        let (reply, answer) = oneshot::channel();
        let reply = Box::new(move |result| {
            // Whoever asked may have gone.
            let _ = reply.send(result);
        });
        let sent = asked(self.questions.try_send(Question::Picture { agent, reply }));
        async move {
            sent?;
            answer.await.map_err(|_| StoreError::Closed)?
        }
    }

    /// Keeps an agent's picture, or that there is none, once nothing else waits; until then reading gives what was there
    /// before. The future ends when it is kept, or isn't, since it failed or too much waits.
    pub fn keep_picture(&self, agent: Id, picture: Option<StoredPicture>) -> impl Future<Output = ()> + use<> {
        let (done, end) = oneshot::channel();
        self.queue.keep_picture(PictureChange { agent, picture, done });
        async move {
            // Nothing is ever sent.
            let _ = end.await;
        }
    }
}

pub(super) fn read(db: &Connection, agent: Id) -> Result<Option<StoredPicture>, StoreError> {
    db.prepare_cached("SELECT tag, bytes FROM pictures WHERE agent = ?1")?
        .query_row([agent.0], |row| {
            let bytes = row.get_ref(1)?.as_blob().map(Bytes::copy_from_slice);
            Ok((row.get(0)?, bytes))
        })
        .optional()?
        .map(|(tag, bytes)| {
            Ok(StoredPicture {
                tag,
                bytes: bytes.map_err(|_| damaged("picture"))?,
            })
        })
        .transpose()
}

/// Writes it, and lets those go that were fetched longest ago.
pub(super) fn write(db: &mut Connection, change: &PictureChange) -> Result<(), StoreError> {
    // Dropping it rolls back.
    let open = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    open.prepare_cached("DELETE FROM pictures WHERE agent = ?1")?
        .execute([change.agent.0])?;
    if let Some(StoredPicture { tag, bytes }) = &change.picture {
        open.prepare_cached("INSERT INTO pictures (agent, tag, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![change.agent.0, tag, bytes.as_ref()])?;
        open.prepare_cached(
            "DELETE FROM pictures WHERE place <=
               (SELECT place FROM pictures ORDER BY place DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([KEPT])?;
    }
    open.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_pictures_of_so_many_agents_are_kept() {
        let mut db = Connection::open_in_memory().unwrap();
        super::super::schema::migrate(&mut db).unwrap();
        let agent = |number: u16| Id([number.to_be_bytes(); 8].concat().try_into().unwrap());
        let picture = |bytes: &'static [u8]| StoredPicture {
            tag: "\"1\"".into(),
            bytes: Bytes::from_static(bytes),
        };
        let mut keep = |number: u16, picture| {
            let change = PictureChange {
                agent: agent(number),
                picture,
                done: oneshot::channel().0,
            };
            write(&mut db, &change).unwrap();
        };
        for number in 0..KEPT as u16 {
            keep(number, Some(picture(b"old")));
        }
        // The first is fetched anew, the third has none any more; one too many then, and one more.
        keep(0, Some(picture(b"new")));
        keep(2, None);
        keep(600, Some(picture(b"new")));
        keep(601, Some(picture(b"new")));
        let kept = |number: u16| read(&db, agent(number)).unwrap();
        assert_eq!(kept(0), Some(picture(b"new")));
        assert_eq!(kept(1), None);
        assert_eq!(kept(2), None);
        assert_eq!(kept(3), Some(picture(b"old")));
        assert_eq!(kept(601), Some(picture(b"new")));
    }
}
