//! Questions, answered from the store after the commit.

use std::rc::Rc;

use sha2::{Digest, Sha256};
use zuoxi_wire::v1::{
    self, BlockCodec, Colleague, Colleagues, Compare, Compared, EntriesPage, FeedPage, FindTime, FoundTime, Problem,
    ProblemCode, RangeHash, ReadCustomer, ReadEntries, ReadFeed, SeqRange, TeamCard, Watch, WatchPage, client_frame,
    gateway_frame::Kind, read_entries,
};
use zuoxi_wire::{Id, block, limits};

use crate::bus::Subject;
use crate::connection::{Session, id_of};
use crate::event::ConnectionId;
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::Group;
use crate::positions::positions_for;
use crate::record::{Conversation, Entry, Who};
use crate::rights::{self, Part};
use crate::sealing::sealed;
use crate::store::{Store, StoreError, Stored};
use crate::wording::{self, Reader, problem};

/// Bytes of entries in a page: three quarters of a frame, so that envelope and names have room.
pub(crate) const PAGE_BYTES: usize = limits::FRAME_BYTES as usize * 3 / 4;
/// What an entry adds to its block beside its bytes.
const ENTRY_OVERHEAD: usize = 8;
const VISITS: u32 = 50;

/// Why a question isn't answered.
enum Unanswered {
    Store,
    Said(Problem),
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a question isn't answered");
        Self::Store
    }
}

fn not_found() -> Unanswered {
    Unanswered::Said(problem(ProblemCode::NotFound, 0))
}

type Answered = Result<Kind, Unanswered>;

/// Entries of one reader's log from the store, or the newest.
struct Wanted {
    first: u64,
    last: u64,
    /// The newest matter most: what doesn't fit is left out at the beginning.
    newest: bool,
}

impl Gateway {
    pub(crate) fn answer_from_store(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        kind: client_frame::Kind,
    ) {
        let Some(session) = self.session(connection) else {
            return;
        };
        let answered = match kind {
            client_frame::Kind::AskHeartbeat(_) => return self.beat(group, connection, request, session),
            client_frame::Kind::ReadFeed(ask) => self.feed_page(group, session, &ask),
            client_frame::Kind::ReadEntries(ask) => self.entries_page(group, connection, session, &ask),
            client_frame::Kind::FindTime(ask) => self.find_time(group, session, &ask),
            client_frame::Kind::Compare(ask) => self.compare(group, session, &ask),
            client_frame::Kind::Watch(ask) => self.watch(group, connection, session, &ask),
            client_frame::Kind::ReadColleagues(_) => self.colleagues(session),
            client_frame::Kind::ReadCustomer(ask) => self.customer(group, session, &ask),
            _ => return,
        };
        let said = match answered {
            Ok(said) => said,
            Err(Unanswered::Said(said)) => Kind::Problem(said),
            Err(Unanswered::Store) => Kind::Problem(problem(ProblemCode::Store, RETRY_MS)),
        };
        group.mail.say(connection, request, said);
    }

    /// A conversation that the asker may see, and as what.
    fn visible(
        &self,
        group: &mut Group<'_>,
        session: Session,
        id: &bytes::Bytes,
    ) -> Result<(Rc<Conversation>, Part), Unanswered> {
        let id = if id.is_empty() { session.own } else { id_of(id) };
        let conversation = match id {
            Some(id) => group.conversation(id)?,
            None => None,
        };
        let conversation = conversation.ok_or_else(not_found)?;
        let part = rights::part(&self.people, session.who, &conversation);
        if part.sees() {
            Ok((conversation, part))
        } else {
            Err(not_found())
        }
    }

    fn feed_page(&mut self, group: &mut Group<'_>, session: Session, ask: &ReadFeed) -> Answered {
        let feed = ask.feed.as_ref().and_then(wording::feed_of).ok_or_else(not_found)?;
        let Who::Agent(agent) = session.who else {
            return Err(not_found());
        };
        if !self.feeds_of(agent).contains(&feed) {
            return Err(not_found());
        }
        let state = group.store.feed(feed)?.ok_or_else(not_found)?;
        let mut page = FeedPage {
            feed: ask.feed.clone(),
            feed_epoch: state.epoch,
            revision: state.revision,
            ..FeedPage::default()
        };
        if ask.above > 0 && ask.feed_epoch != state.epoch {
            // The device reads from 0; nothing of this answer is taken.
            page.revision = 0;
            page.more = true;
            return Ok(Kind::FeedPage(page));
        }
        let limit = ask
            .limit
            .clamp(1, self.config.feed_page_rows.clamp(1, limits::FEED_PAGE_ROWS as u32));
        let mut rows = group.store.feed_rows(feed, ask.above, limit + 1)?;
        page.more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        if let Some(last) = rows.last().filter(|_| page.more) {
            page.revision = last.revision;
        }
        for row in rows {
            let conversation = if row.stands {
                group.conversation(row.conversation)?
            } else {
                None
            };
            let whole = matches!(feed, crate::record::Feed::Agent(_));
            page.rows.push(v1::FeedRow {
                revision: row.revision,
                conversation: row.conversation.to_bytes(),
                standing: wording::standing(row.stands).into(),
                head: conversation.as_ref().map_or(0, |c| c.head),
                floor: conversation.as_ref().map_or(0, |c| c.floor),
                summary: conversation.map(|c| self.summary(&c, whole)),
            });
        }
        Ok(Kind::FeedPage(page))
    }

    fn codec(&self, connection: ConnectionId) -> BlockCodec {
        self.connections
            .get(&connection)
            .map_or(BlockCodec::Plain, |known| known.codec)
    }

    fn entries_page(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        session: Session,
        ask: &ReadEntries,
    ) -> Answered {
        let (conversation, _) = self.visible(group, session, &ask.conversation)?;
        let reader = Reader::of(session.who);
        let head = reader.head(&conversation);
        let wanted = match &ask.what {
            Some(read_entries::What::Range(range)) if range.first >= 1 && range.first <= range.last => Wanted {
                first: range.first,
                last: range.last,
                newest: false,
            },
            Some(read_entries::What::Newest(count)) => {
                let count = u64::from(*count).clamp(1, limits::PAGE_ENTRIES);
                Wanted {
                    first: (head + 1).saturating_sub(count),
                    last: head,
                    newest: true,
                }
            }
            _ => return Err(Unanswered::Said(problem(ProblemCode::BadFrame, 0))),
        };
        let codec = self.codec(connection);
        Ok(Kind::EntriesPage(page_of(
            group,
            &conversation,
            reader,
            codec,
            &wanted,
        )?))
    }

    fn find_time(&mut self, group: &mut Group<'_>, session: Session, ask: &FindTime) -> Answered {
        let (conversation, part) = self.visible(group, session, &ask.conversation)?;
        let reader = Reader::of(session.who);
        let found = group
            .store
            .entry_at_time(conversation.id, ask.time_ms, part.is_customer())?;
        let (head, floor) = (reader.head(&conversation), reader.floor(&conversation));
        // What is older than the floor may not be off the disk yet.
        let seq = found.map_or(head + 1, |entry| reader.seq(&entry)).max(floor);
        Ok(Kind::FoundTime(FoundTime {
            conversation: conversation.id.to_bytes(),
            seq,
            head,
            floor,
        }))
    }

    fn compare(&mut self, group: &mut Group<'_>, session: Session, ask: &Compare) -> Answered {
        let (conversation, _) = self.visible(group, session, &ask.conversation)?;
        if ask.ranges.len() as u64 > limits::COMPARE_RANGES {
            return Err(Unanswered::Said(problem(ProblemCode::BadFrame, 0)));
        }
        let reader = Reader::of(session.who);
        let (head, floor) = (reader.head(&conversation), reader.floor(&conversation));
        let mut compared = Compared {
            conversation: conversation.id.to_bytes(),
            head,
            floor,
            hashes: Vec::new(),
        };
        for range in &ask.ranges {
            let mut hash = RangeHash {
                range: Some(*range),
                ..RangeHash::default()
            };
            if range.first >= floor && range.first <= range.last && range.last <= head {
                hash_range(group, &conversation, reader, &mut hash)?;
            }
            compared.hashes.push(hash);
        }
        Ok(Kind::Compared(compared))
    }

    fn watch(&mut self, group: &mut Group<'_>, connection: ConnectionId, session: Session, ask: &Watch) -> Answered {
        let (conversation, part) = self.visible(group, session, &ask.conversation)?;
        if !part.watches() {
            return Err(not_found());
        }
        let codec = self.codec(connection);
        let known = self.connections.get_mut(&connection).ok_or_else(not_found)?;
        if known.watches.len() as u64 >= limits::WATCHES && !known.watches.contains(&conversation.id) {
            return Err(Unanswered::Said(problem(ProblemCode::Watches, 0)));
        }
        let wanted = Wanted {
            first: (conversation.head + 1).saturating_sub(limits::BLOCK_SEQS),
            last: conversation.head,
            newest: true,
        };
        // What another node stores from here on is heard; what it stored before is in the snapshot.
        self.bus.follow(Subject::Conversation(conversation.id));
        let page = page_of(group, &conversation, Reader::Agent, codec, &wanted);
        if page.is_err() && !self.watchers.contains_key(&conversation.id) {
            self.bus.unfollow(Subject::Conversation(conversation.id));
        }
        let page = page?;
        // Only now: what was pushed before is in the snapshot.
        if let Some(known) = self.connections.get_mut(&connection) {
            known.watches.insert(conversation.id);
        }
        self.watchers.entry(conversation.id).or_default().insert(connection);
        Ok(Kind::WatchPage(WatchPage {
            conversation: conversation.id.to_bytes(),
            time_ms: self.now_ms,
            summary: Some(v1::Summary {
                unread: 0,
                ..self.summary(&conversation, true)
            }),
            page: Some(page),
        }))
    }

    fn colleagues(&self, session: Session) -> Answered {
        let Who::Agent(_) = session.who else {
            return Err(not_found());
        };
        let agents = self.people.agents.values().filter(|agent| !agent.disabled);
        let online = |team: Id| {
            self.people
                .members(team)
                .filter(|agent| self.is_connected(Who::Agent(agent.id)))
                .count()
        };
        Ok(Kind::Colleagues(Colleagues {
            agents: agents
                .map(|agent| Colleague {
                    id: agent.id.to_bytes(),
                    name: agent.name.clone(),
                    presence: self.presence_of(agent.id).into(),
                    open: self.board.load(agent.id),
                    capacity: agent.capacity,
                    teams: agent
                        .teams
                        .iter()
                        .map(|membership| membership.team.to_bytes())
                        .collect(),
                })
                .collect(),
            teams: self
                .people
                .teams
                .values()
                .map(|team| TeamCard {
                    id: team.id.to_bytes(),
                    name: team.name.clone(),
                    online: online(team.id) as u32,
                    queued: self.board.queued(team.id),
                })
                .collect(),
        }))
    }

    fn customer(&mut self, group: &mut Group<'_>, session: Session, ask: &ReadCustomer) -> Answered {
        let Who::Agent(_) = session.who else {
            return Err(not_found());
        };
        let (conversation, _) = self.visible(group, session, &ask.conversation)?;
        let customer = group.store.customer(conversation.customer)?.ok_or_else(not_found)?;
        let visits = group.store.visits(conversation.id, VISITS)?;
        let online = self.customers.get(&customer.id);
        // The page that is open now, if one said so after its log-in.
        let pages = online
            .into_iter()
            .flatten()
            .filter_map(|connection| self.connections.get(connection));
        let page_url = pages.filter_map(|known| known.page_url.clone()).next_back();
        Ok(Kind::Customer(v1::Customer {
            conversation: conversation.id.to_bytes(),
            card: Some(wording::card(
                &conversation,
                self.is_connected(Who::Customer(customer.id)),
            )),
            browser: customer.browser,
            language: customer.language,
            page_url: page_url.unwrap_or(customer.page_url),
            page_title: customer.page_title,
            referrer: customer.referrer,
            first_visit_ms: customer.first_visit_ms,
            tags: conversation.tags.clone(),
            visits: visits
                .into_iter()
                .map(|visit| v1::PastVisit {
                    first_seq: visit.first_seq,
                    started_ms: visit.started_ms,
                    ended_ms: visit.ended_ms,
                    first_words: visit.first_words,
                })
                .collect(),
        }))
    }
}

/// Entries of one reader's log.
pub(crate) fn read(store: &mut dyn Store, id: Id, reader: Reader, first: u64, last: u64) -> Stored<Vec<Entry>> {
    match reader {
        Reader::Agent => store.entries(id, first, last),
        Reader::Customer => store.public_entries(id, first, last),
    }
}

/// An entry as its reader's blocks hold it.
pub(crate) fn encoded(entry: &Entry, reader: Reader) -> bytes::Bytes {
    prost::Message::encode_to_vec(&wording::entry(entry, reader, false)).into()
}

/// The part of a range that has room in the page: its end if the newest matter, else its beginning; at least one entry
/// of a page always fits, since no content is as large as a page.
fn fitting<'e>(entries: &'e [Entry], reader: Reader, newest: bool, room: &mut usize) -> &'e [Entry] {
    let size = |entry: &Entry| prost::Message::encoded_len(&wording::entry(entry, reader, false)) + ENTRY_OVERHEAD;
    let mut count = 0;
    let mut fits = |entry: &Entry| {
        let size = size(entry);
        let fits = size <= *room;
        *room = if fits { *room - size } else { 0 };
        count += usize::from(fits);
        fits
    };
    if newest {
        let _ = entries.iter().rev().all(&mut fits);
        entries.get(entries.len() - count..).unwrap_or_default()
    } else {
        let _ = entries.iter().all(&mut fits);
        entries.get(..count).unwrap_or_default()
    }
}

fn hash_range(group: &mut Group<'_>, conversation: &Conversation, reader: Reader, hash: &mut RangeHash) -> Stored<()> {
    let Some(range) = hash.range else { return Ok(()) };
    let mut digest = Sha256::new();
    let mut at = range.first;
    while at <= range.last {
        let to = (at + limits::PAGE_ENTRIES - 1).min(range.last);
        let entries = read(group.store, conversation.id, reader, at, to)?;
        if entries.len() as u64 != to - at + 1 {
            return Ok(());
        }
        for entry in &entries {
            let author = entry.author.map(|author| author.0.to_vec()).unwrap_or_default();
            digest.update(reader.seq(entry).to_be_bytes());
            digest.update(entry.id.0);
            digest.update([author.len() as u8]);
            digest.update(author);
            if entry.erased {
                hash.erased.push(reader.seq(entry));
            }
        }
        at = to + 1;
    }
    hash.sha256 = digest.finalize().to_vec().into();
    Ok(())
}

fn page_of(
    group: &mut Group<'_>,
    conversation: &Conversation,
    reader: Reader,
    codec: BlockCodec,
    wanted: &Wanted,
) -> Stored<EntriesPage> {
    let (head, floor) = (reader.head(conversation), reader.floor(conversation));
    let mut page = EntriesPage {
        conversation: conversation.id.to_bytes(),
        head,
        floor,
        ..EntriesPage::default()
    };
    let first = wanted.first.max(floor).max(1);
    let last = wanted.last.min(head);
    let mut filling = Filling {
        id: conversation.id,
        reader,
        codec,
        newest: wanted.newest,
        room: PAGE_BYTES,
        left: limits::PAGE_ENTRIES,
    };
    let mut at = if wanted.newest { last } else { first };
    while filling.left > 0 && first <= at && at <= last {
        // One range of fixed borders at a time, so that no more than a block is ever held.
        let (start, end) = block::range_of(at);
        let (from, to) = if wanted.newest {
            (start.max(first), at)
        } else {
            (at, end.min(last))
        };
        let Some((part, whole)) = filling.part(group.store, from, to)? else {
            break;
        };
        at = if wanted.newest { part.first - 1 } else { part.last + 1 };
        page.blocks.push(part);
        if !whole {
            break;
        }
    }
    if wanted.newest {
        page.blocks.reverse();
        page.positions = positions_for(group, conversation, reader)?;
    }
    page.covers = match (page.blocks.first(), page.blocks.last()) {
        // A sealed block may hold more than was asked for; of the newest, all of it counts.
        (Some(begin), Some(end)) if wanted.newest => Some(SeqRange {
            first: begin.first,
            last: end.last,
        }),
        (Some(begin), Some(end)) => Some(SeqRange {
            first: begin.first.max(first),
            last: end.last.min(last),
        }),
        _ => None,
    };
    Ok(page)
}

/// A page on its way.
struct Filling {
    id: Id,
    reader: Reader,
    codec: BlockCodec,
    newest: bool,
    /// Bytes and entries that it still takes.
    room: usize,
    left: u64,
}

impl Filling {
    /// What the page gives of one fixed range, where `from` to `to` of it is wanted: its sealed block as a whole, else
    /// what fits of its entries as they are now; and whether that is all. None: there is no room.
    fn part(&mut self, store: &mut dyn Store, from: u64, to: u64) -> Stored<Option<(v1::Block, bool)>> {
        if let Some(sealed) = sealed(store, self.id, self.reader, (from, to), self.codec)? {
            let size = sealed.data.len() + ENTRY_OVERHEAD;
            // Any block has room in an empty page.
            if size > self.room && self.room < PAGE_BYTES {
                return Ok(None);
            }
            self.room = self.room.saturating_sub(size);
            self.left = self.left.saturating_sub(sealed.last - sealed.first + 1);
            return Ok(Some((sealed, true)));
        }
        let (from, to) = if self.newest {
            (from.max((to + 1).saturating_sub(self.left)), to)
        } else {
            (from, to.min(from + self.left - 1))
        };
        let entries = read(store, self.id, self.reader, from, to)?;
        let fitting = fitting(&entries, self.reader, self.newest, &mut self.room);
        let (Some(begin), Some(end)) = (fitting.first(), fitting.last()) else {
            return Ok(None);
        };
        let (begin, end) = (self.reader.seq(begin), self.reader.seq(end));
        self.left -= end - begin + 1;
        let bytes = fitting.iter().map(|entry| encoded(entry, self.reader)).collect();
        let packed = block::encode(self.codec, begin, end, 0, bytes);
        let packed = packed.map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(Some((packed, (begin, end) == (from, to))))
    }
}
