//! What each kind of act does, within the limits of its content.

use std::rc::Rc;

use prost::Message;
use zuoxi_wire::content::{TextError, check_text};
use zuoxi_wire::v1::{
    ActKind, AssignmentReason, AuthorRole, CloseReason, Due, EntryKind, MessageContent, NoteContent, RatingContent,
    RecallContent, RefusalCode, Status, TagContent, TransferContent, message_content, transfer_content,
};
use zuoxi_wire::{Id, content, limits};

use crate::acts::Doing;
use crate::change::{Assignment, Author, Change, Draft, no_longer_waits};
use crate::dispatch::{Placing, begin_reading};
use crate::gateway::Gateway;
use crate::group::Group;
use crate::record::{Audience, Conversation, Entry, Fingerprint, Who, Words};
use crate::rights::{self, Part};
use crate::store::Stored;
use crate::telling::last_visible;

/// Bytes of a BCP 47 name.
const LANGUAGE_BYTES: usize = 35;
/// Visits searched for a recalled message's words.
const VISITS: u32 = 50;
/// So far back the last words of a list are looked for after a recall.
const WORDS_REACH: u64 = 256;

/// A change with the Seq of the act's own entry, or why not.
type Carried = Result<(Change, u64), RefusalCode>;

fn text_code(error: TextError) -> RefusalCode {
    match error {
        TextError::Empty => RefusalCode::Empty,
        TextError::TooLong => RefusalCode::TooLong,
        TextError::Control => RefusalCode::Malformed,
    }
}

fn read<M: Message + Default>(doing: &Doing<'_>) -> Result<M, RefusalCode> {
    M::decode(doing.act.content.clone()).map_err(|_| RefusalCode::Malformed)
}

fn draft(doing: &Doing<'_>, kind: EntryKind, audience: Audience, fingerprint: Fingerprint) -> Draft {
    Draft {
        id: doing.id,
        audience,
        kind,
        content: doing.act.content.clone(),
        fingerprint: Some(fingerprint),
    }
}

impl Gateway {
    /// Makes the change that an allowed act asks for.
    pub(crate) fn carry_out(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: Option<&Rc<Conversation>>,
        fingerprint: Fingerprint,
    ) -> Stored<Carried> {
        if doing.act.content.len() as u64 > limits::CONTENT_BYTES {
            return Ok(Err(RefusalCode::TooLong));
        }
        let Some(conversation) = conversation else {
            return self.message(group, doing, None, fingerprint);
        };
        match doing.kind {
            ActKind::Message => self.message(group, doing, Some(conversation), fingerprint),
            ActKind::Note => Ok(self.note(doing, conversation, fingerprint)),
            ActKind::Recall => self.recall(group, doing, conversation, fingerprint),
            ActKind::Take => self.take(group, doing, conversation, fingerprint),
            ActKind::Transfer => self.transfer(group, doing, conversation, fingerprint),
            ActKind::Close => self.close(group, doing, conversation, fingerprint),
            ActKind::Tag => Ok(self.tag(doing, conversation, fingerprint)),
            ActKind::Rating => Ok(self.rating(doing, conversation, fingerprint)),
            ActKind::Void | ActKind::Unspecified => Ok(Err(RefusalCode::Malformed)),
        }
    }

    fn author(&self, who: Who, conversation: &Conversation) -> Author {
        match who {
            Who::Agent(id) => Author {
                role: AuthorRole::Agent,
                id: Some(id),
                name: self.people.agent_name(id),
            },
            Who::Customer(id) => Author {
                role: AuthorRole::Customer,
                id: Some(id),
                name: conversation.customer_name.clone(),
            },
        }
    }

    fn message(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: Option<&Rc<Conversation>>,
        fingerprint: Fingerprint,
    ) -> Stored<Carried> {
        let said = match read::<MessageContent>(doing) {
            Ok(said) if said.language.len() <= LANGUAGE_BYTES => said,
            Ok(_) => return Ok(Err(RefusalCode::Malformed)),
            Err(code) => return Ok(Err(code)),
        };
        let Some(message_content::Body::Text(text)) = said.body else {
            return Ok(Err(RefusalCode::Empty));
        };
        if let Err(error) = check_text(&text) {
            return Ok(Err(text_code(error)));
        }
        let mut change = match conversation {
            Some(conversation) => Change::of(conversation, self.now_ms),
            None => match self.new_conversation(group, doing)? {
                Some(change) => change,
                None => return Ok(Err(RefusalCode::NotFound)),
            },
        };
        let by = self.author(doing.who, &change.after);
        let starts = change.before.is_none() || change.after.status == Status::Closed;
        if starts {
            change.after.customer_mobile = doing.mobile;
        }
        if change.before.is_none() {
            change.begin_visit();
        } else if starts {
            change.reopen(&by, self.entropy.id(self.now_ms));
        }
        let seq = change.message(
            &by,
            draft(doing, EntryKind::Message, Audience::Everybody, fingerprint),
            &text,
        );
        if starts {
            let gateway = Author::gateway();
            self.place(
                group,
                &mut change,
                &Placing {
                    by: &gateway,
                    except: None,
                    reason: None,
                },
            )?;
        }
        Ok(Ok((change, seq)))
    }

    fn new_conversation(&self, group: &mut Group<'_>, doing: &Doing<'_>) -> Stored<Option<Change>> {
        let Some(customer) = group.store.customer(doing.who.id())? else {
            return Ok(None);
        };
        let Some(brand) = self.people.brands.get(&customer.brand) else {
            return Ok(None);
        };
        if customer.conversation != doing.conversation {
            return Ok(None);
        }
        let conversation = Conversation {
            id: customer.conversation,
            brand: brand.id,
            team: brand.team,
            customer: customer.id,
            customer_name: customer.name,
            customer_verified: customer.external.is_some(),
            customer_mobile: doing.mobile,
            status: Status::Queued,
            holder: None,
            last_agent: None,
            head: 0,
            public_head: 0,
            floor: 1,
            public_floor: 1,
            queued_ms: self.now_ms,
            waiting_ms: 0,
            waiting_seq: 0,
            due: Due::Unspecified,
            preview: String::new(),
            answered: false,
            customer_messages: 0,
            unread: 0,
            words: None,
            tags: Vec::new(),
            visit: 1,
            moved_ms: 0,
            public_ms: 0,
            linked_to: None,
        };
        Ok(Some(Change::new(conversation, self.now_ms)))
    }

    fn note(&self, doing: &Doing<'_>, conversation: &Rc<Conversation>, fingerprint: Fingerprint) -> Carried {
        let said: NoteContent = read(doing)?;
        check_text(&said.text).map_err(text_code)?;
        let mut change = Change::of(conversation, self.now_ms);
        let by = self.author(doing.who, conversation);
        let seq = change.add(&by, draft(doing, EntryKind::Note, Audience::Agents, fingerprint));
        Ok((change, seq))
    }

    fn tag(&self, doing: &Doing<'_>, conversation: &Rc<Conversation>, fingerprint: Fingerprint) -> Carried {
        let said: TagContent = read(doing)?;
        let long = |tag: &String| tag.chars().count() as u64 > limits::TAG_SCALARS;
        if said.tags.len() as u64 > limits::TAGS || said.tags.iter().any(long) {
            return Err(RefusalCode::TooLong);
        }
        for tag in &said.tags {
            check_text(tag).map_err(text_code)?;
        }
        let mut change = Change::of(conversation, self.now_ms);
        let by = self.author(doing.who, conversation);
        let seq = change.add(&by, draft(doing, EntryKind::Tag, Audience::Agents, fingerprint));
        change.after.tags = said.tags;
        Ok((change, seq))
    }

    fn rating(&self, doing: &Doing<'_>, conversation: &Rc<Conversation>, fingerprint: Fingerprint) -> Carried {
        let said: RatingContent = read(doing)?;
        if !(1..=5).contains(&said.stars) {
            return Err(RefusalCode::Malformed);
        }
        if !said.text.is_empty() {
            check_text(&said.text).map_err(text_code)?;
        }
        let mut change = Change::of(conversation, self.now_ms);
        let by = self.author(doing.who, conversation);
        let seq = change.add(&by, draft(doing, EntryKind::Rating, Audience::Everybody, fingerprint));
        Ok((change, seq))
    }

    fn close(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Rc<Conversation>,
        fingerprint: Fingerprint,
    ) -> Stored<Carried> {
        let reason = match doing.who {
            Who::Agent(_) => CloseReason::Agent,
            Who::Customer(_) => CloseReason::Customer,
        };
        let visit = group.store.visits(conversation.id, 1)?.pop();
        let by = self.author(doing.who, conversation);
        let mut change = Change::of(conversation, self.now_ms);
        let seq = change.close(&by, doing.id, Some(fingerprint), reason, visit);
        Ok(Ok((change, seq)))
    }

    fn take(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Rc<Conversation>,
        fingerprint: Fingerprint,
    ) -> Stored<Carried> {
        let by = self.author(doing.who, conversation);
        let mut change = Change::of(conversation, self.now_ms);
        let me = doing.who.id();
        begin_reading(group, &mut change, me)?;
        let seq = change.assign(Assignment {
            ids: [doing.id, self.entropy.id(self.now_ms)],
            fingerprint: Some(fingerprint),
            agent: Some((me, by.name.clone())),
            team: self.team_of(conversation.team),
            reason: AssignmentReason::Taken,
            words: "",
            by: &by,
        });
        Ok(Ok((change, seq)))
    }

    fn transfer(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Rc<Conversation>,
        fingerprint: Fingerprint,
    ) -> Stored<Carried> {
        let said: TransferContent = match read(doing) {
            Ok(said) => said,
            Err(code) => return Ok(Err(code)),
        };
        if !said.reason.is_empty()
            && let Err(error) = check_text(&said.reason)
        {
            return Ok(Err(text_code(error)));
        }
        let Some((agent, team)) = self.target(&said, conversation) else {
            return Ok(Err(RefusalCode::NoTarget));
        };
        let by = self.author(doing.who, conversation);
        let mut change = Change::of(conversation, self.now_ms);
        if let Some(agent) = agent {
            begin_reading(group, &mut change, agent)?;
        }
        let seq = change.assign(Assignment {
            ids: [doing.id, self.entropy.id(self.now_ms)],
            fingerprint: Some(fingerprint),
            agent: agent.map(|agent| (agent, self.people.agent_name(agent))),
            team: self.team_of(team),
            reason: AssignmentReason::Transfer,
            words: &said.reason,
            by: &by,
        });
        if agent.is_none() {
            // Whoever hands it to a team doesn't get it back at once.
            self.give_if_room(group, &mut change, conversation.holder)?;
        }
        Ok(Ok((change, seq)))
    }

    /// The agent (if one is named) and the team of a transfer, if they can take it.
    fn target(&self, said: &TransferContent, conversation: &Conversation) -> Option<(Option<Id>, Id)> {
        match said.to.as_ref()? {
            transfer_content::To::Team(team) => {
                let team = self.people.teams.get(&Id::try_from(team).ok()?)?;
                Some((None, team.id))
            }
            transfer_content::To::Agent(agent) => {
                let agent = self.people.agents.get(&Id::try_from(agent).ok()?)?;
                let there = !agent.disabled && self.is_connected(Who::Agent(agent.id));
                if !there || conversation.assignee() == Some(agent.id) {
                    return None;
                }
                let same = self.people.membership(agent.id, conversation.team);
                let team = same.or_else(|| agent.teams.first().copied())?;
                Some((Some(agent.id), team.team))
            }
        }
    }

    fn recall(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Rc<Conversation>,
        fingerprint: Fingerprint,
    ) -> Stored<Carried> {
        let named: RecallContent = match read(doing) {
            Ok(named) => named,
            Err(code) => return Ok(Err(code)),
        };
        let me = doing.who.id();
        let (Ok(author), Ok(id)) = (Id::try_from(&named.author), Id::try_from(&named.id)) else {
            return Ok(Err(RefusalCode::Malformed));
        };
        let target = if author == me {
            find_own(group, conversation, id, me)?
        } else {
            None
        };
        let recallable = |entry: &Entry| {
            !entry.erased
                && entry.seq >= conversation.floor
                && matches!(entry.kind, EntryKind::Message | EntryKind::Note)
        };
        let Some(target) = target.filter(recallable) else {
            return Ok(Err(RefusalCode::NotRecallable));
        };
        let part = rights::part(&self.people, doing.who, conversation);
        if target.audience == Audience::Everybody && matches!(part, Part::Team { .. }) {
            return Ok(Err(RefusalCode::Taken));
        }
        let by = self.author(doing.who, conversation);
        let mut change = Change::of(conversation, self.now_ms);
        let seq = change.add(&by, draft(doing, EntryKind::Recall, target.audience, fingerprint));
        change.erased.push(target.seq);
        change.recalls = true;
        take_words_away(group, &mut change, &target)?;
        Ok(Ok((change, seq)))
    }
}

/// One's own entry by its act's id.
fn find_own(group: &mut Group<'_>, conversation: &Conversation, id: Id, me: Id) -> Stored<Option<Entry>> {
    let known = group.store.known(conversation.id, id)?;
    if let Some(known) = known.iter().find(|known| known.author == me) {
        return group.store.entry(conversation.id, known.seq);
    }
    let found = group.store.find_entries(conversation.id, id, conversation.floor - 1)?;
    Ok(found.into_iter().find(|entry| entry.author == Some(me)))
}

/// A recalled message is gone from previews, last words and visits too.
fn take_words_away(group: &mut Group<'_>, change: &mut Change, target: &Entry) -> Stored<()> {
    let id = target.conversation;
    let head = change.after.head;
    if change.after.waiting_seq == target.seq {
        let above = group.store.entries(id, target.seq + 1, head)?;
        let asks =
            |entry: &&Entry| entry.kind == EntryKind::Message && entry.role == AuthorRole::Customer && !entry.erased;
        match above.iter().find(asks) {
            Some(next) => {
                change.after.waiting_seq = next.seq;
                change.after.waiting_ms = next.public_ms;
                change.after.preview = words_of(next);
            }
            None => no_longer_waits(&mut change.after),
        }
    }
    if change.after.words.as_ref().is_some_and(|words| words.seq == target.seq) {
        let lowest = target.seq.saturating_sub(WORDS_REACH).max(change.after.floor);
        let mut before = group.store.entries(id, lowest, target.seq - 1)?;
        before.retain(|entry| entry.kind == EntryKind::Message);
        change.after.words = last_visible(&before).map(|entry| Words {
            role: entry.role,
            author: entry.author.unwrap_or_default(),
            text: words_of(entry),
            time_ms: entry.time_ms,
            seq: entry.seq,
        });
    }
    let mut visits = group.store.visits(id, VISITS)?;
    visits.retain(|visit| visit.words_seq == target.seq);
    for mut visit in visits {
        visit.first_words = String::new();
        change.visits.push(visit);
    }
    Ok(())
}

fn words_of(entry: &Entry) -> String {
    match MessageContent::decode(entry.content.clone())
        .ok()
        .and_then(|said| said.body)
    {
        Some(message_content::Body::Text(text)) => content::preview(&text),
        None => String::new(),
    }
}
