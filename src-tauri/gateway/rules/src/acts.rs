//! Acts, checked in PROTOCOL.md's order: rate; lane ended; turn; known id; void; base; rights; staleness; limits.

use prost::Message;
use sha2::{Digest, Sha256};
use zuoxi_wire::v1::{
    Accepted, Act, ActKind, Acts, AuthorRole, EntryKind, ProblemCode, RefusalCode, Refused, Status, answer,
};
use zuoxi_wire::{Id, limits};

use crate::connection::{Session, id_of};
use crate::event::ConnectionId;
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::{Asked, Group};
use crate::lane::{Place, Young};
use crate::load::Level;
use crate::planted::{self, Fault};
use crate::record::{Conversation, Fingerprint, KnownId, Refusal, Who};
use crate::rights::{self, Part};
use crate::store::Stored;
use crate::telling::Origin;
use crate::wording::{Reader, problem};

/// Lanes of one connection at most: more are refused for now.
const LANES: usize = 10_000;
/// Seqs named by a STALE.
const STALE_SEQS: usize = 20;
/// So far back a stale reply is looked for.
const STALE_REACH: u64 = 1_000;
/// How soon what is behind may be sent again, milliseconds.
const BEHIND_MS: u32 = 100;

/// What becomes of an act.
enum Verdict {
    /// Stored; its answer is staged with what it tells.
    Stored,
    /// Its first answer, given again.
    Again {
        seq: u64,
        time_ms: u64,
    },
    Refused(Refused),
}

/// An act whose fields are what they must be.
pub(crate) struct Doing<'a> {
    pub(crate) act: &'a Act,
    pub(crate) id: Id,
    pub(crate) conversation: Id,
    pub(crate) kind: ActKind,
    pub(crate) who: Who,
    pub(crate) mobile: bool,
}

pub(crate) fn refused(code: RefusalCode) -> Refused {
    Refused {
        code: code.into(),
        ends_lane: rights::stops(code),
        ..Refused::default()
    }
}

fn for_now(code: RefusalCode, retry_ms: u32) -> Refused {
    Refused {
        code: code.into(),
        for_now: true,
        retry_ms,
        ..Refused::default()
    }
}

fn hash(salt: [u8; 16], act: &Act) -> [u8; 32] {
    let digest = Sha256::new().chain_update(salt).chain_update(act.kind.to_be_bytes());
    digest.chain_update(&act.content).finalize().into()
}

impl Gateway {
    pub(crate) fn acts(&mut self, group: &mut Group<'_>, connection: ConnectionId, session: Session, acts: Acts) {
        if acts.acts.len() as u64 > limits::ACTS_PER_FRAME {
            return self.end_with(group, connection, 0, problem(ProblemCode::BadFrame, 0));
        }
        for act in acts.acts {
            self.one_act(group, connection, session, &act);
        }
    }

    fn one_act(&mut self, group: &mut Group<'_>, connection: ConnectionId, session: Session, act: &Act) {
        let conversation = if act.conversation.is_empty() {
            session.own
        } else {
            id_of(&act.conversation)
        };
        let asked = Asked {
            connection,
            conversation: conversation.map_or_else(|| act.conversation.clone(), Id::to_bytes),
            lane: act.lane,
            number: act.number,
            id: act.id.clone(),
        };
        let verdict = match (id_of(&act.id), conversation) {
            (Some(id), Some(conversation)) if act.lane > 0 && act.number > 0 => {
                let mobile = self.connections.get(&connection).is_some_and(|known| known.mobile);
                let doing = Doing {
                    act,
                    id,
                    conversation,
                    kind: act.kind(),
                    who: session.who,
                    mobile,
                };
                self.in_turn(group, connection, &doing, &asked)
            }
            _ => Ok(Verdict::Refused(refused(RefusalCode::Malformed))),
        };
        let result = match verdict {
            Ok(Verdict::Stored) => return,
            Ok(Verdict::Again { seq, time_ms }) => {
                let accepted = Accepted {
                    seq,
                    time_ms,
                    push: None,
                };
                return group.leaving.push(asked.answered(answer::Result::Accepted(accepted)));
            }
            Ok(Verdict::Refused(refused)) => refused,
            Err(error) => {
                tracing::warn!(%error, "an act is refused for now");
                for_now(RefusalCode::Store, RETRY_MS)
            }
        };
        group.leaving.push(asked.answered(answer::Result::Refused(result)));
    }

    /// Rate, lane and turn; then the act itself, which settles its number.
    fn in_turn(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        doing: &Doing<'_>,
        asked: &Asked,
    ) -> Stored<Verdict> {
        group.usable()?;
        if self.sheds(Level::Acts) {
            let retry = self.acts_later();
            return Ok(Verdict::Refused(for_now(RefusalCode::Busy, retry)));
        }
        let Some(known) = self.connections.get_mut(&connection) else {
            return Ok(Verdict::Refused(for_now(RefusalCode::Busy, RETRY_MS)));
        };
        if self.stopping || known.lanes.len() >= LANES {
            return Ok(Verdict::Refused(for_now(RefusalCode::Busy, RETRY_MS)));
        }
        if let Err(retry) = known.acts.take(self.now_ms) {
            return Ok(Verdict::Refused(for_now(RefusalCode::Rate, retry)));
        }
        let key = (connection, doing.conversation);
        let held = group.lanes.get(&key).or_else(|| known.lanes.get(&doing.conversation));
        let mut lane = held.copied().unwrap_or_default();
        let place = lane.place(doing.act.lane, doing.act.number);
        group.lanes.insert(key, lane);
        match place {
            Place::Ended => {
                let said = Refused {
                    ends_lane: true,
                    ..refused(RefusalCode::LaneEnded)
                };
                return Ok(Verdict::Refused(said));
            }
            Place::Behind => return Ok(Verdict::Refused(for_now(RefusalCode::Behind, BEHIND_MS))),
            Place::Due | Place::Settled => {}
        }
        let verdict = match self.decide(group, doing, asked, &mut lane.young) {
            Err(error) if planted::has(Fault::LanePastForNow) => {
                lane.settle(doing.act.number, false);
                group.lanes.insert(key, lane);
                return Err(error);
            }
            decided => decided?,
        };
        let ends = matches!(&verdict, Verdict::Refused(refused) if refused.ends_lane);
        if !matches!(&verdict, Verdict::Refused(refused) if refused.for_now) {
            lane.settle(doing.act.number, ends);
            group.lanes.insert(key, lane);
        }
        Ok(verdict)
    }

    fn decide(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        asked: &Asked,
        young: &mut Young,
    ) -> Stored<Verdict> {
        let conversation = group.conversation(doing.conversation)?;
        if planted::has(Fault::RightsBeforeKnownId)
            && let Err(said) = self.checked(group, doing, conversation.as_deref())?
        {
            return Ok(Verdict::Refused(said));
        }
        if let Some(first) = self.first_answer(group, doing, conversation.as_deref(), young)? {
            return Ok(first);
        }
        let salt = self.entropy.bytes();
        let fingerprint = Fingerprint {
            salt,
            hash: hash(salt, doing.act),
        };
        let said = match self.checked(group, doing, conversation.as_deref())? {
            Err(said) => said,
            Ok(()) => match self.carry_out(group, doing, conversation.as_ref(), fingerprint)? {
                Err(code) => refused(code),
                Ok((mut change, seq)) => {
                    let author = doing.who.id();
                    let time_ms = change.time_ms(Reader::of(doing.who));
                    let known = KnownId {
                        id: doing.id,
                        conversation: doing.conversation,
                        author,
                        seq,
                        time_ms,
                    };
                    change.known = Some(known);
                    let as_sent = matches!(
                        doing.kind,
                        ActKind::Message | ActKind::Note | ActKind::Recall | ActKind::Tag | ActKind::Rating
                    );
                    if doing.kind == ActKind::Message {
                        // By a note it would show to the customer that there is one.
                        self.typed(doing.conversation, doing.who);
                    }
                    let origin = Origin {
                        asked: asked.clone(),
                        who: doing.who,
                        seq,
                        as_sent,
                    };
                    self.apply(group, change, Some(origin))?;
                    return Ok(Verdict::Stored);
                }
            },
        };
        // Also where there is no conversation: after a restore it may come again, and with it a copied disk.
        if !planted::has(Fault::RefusalForgotten) {
            group.store.remember_refusal(&Refusal {
                id: doing.id,
                conversation: doing.conversation,
                author: doing.who.id(),
                fingerprint,
                answer: said.encode_to_vec().into(),
            })?;
        }
        Ok(Verdict::Refused(said))
    }

    /// The first answer to this id, whatever its sender may do by now; `reused` where it belongs to something else.
    fn first_answer(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: Option<&Conversation>,
        young: &mut Young,
    ) -> Stored<Option<Verdict>> {
        let author = doing.who.id();
        let reused = || Some(Verdict::Refused(refused(RefusalCode::Reused)));
        let void = doing.kind == ActKind::Void;
        let same = |fingerprint: &Fingerprint| {
            planted::has(Fault::NoContentHash) || hash(fingerprint.salt, doing.act) == fingerprint.hash
        };
        let mut foreign = false;
        let mut entries = Vec::new();
        if let Some(conversation) = conversation {
            let mut remembered = group.store.known(doing.conversation, doing.id)?;
            remembered.retain(|known| {
                !planted::has(Fault::IdOutsideTransaction) || !group.is_of_this_group(doing.conversation, known.seq)
            });
            for known in remembered {
                if known.author != author {
                    foreign = true;
                } else if let Some(entry) = group.store.entry(doing.conversation, known.seq)? {
                    entries.push(entry);
                } else {
                    // Retention took the entry: id and author alone are left to compare.
                    return Ok(Some(Verdict::Again {
                        seq: if matches!(doing.who, Who::Agent(_)) {
                            known.seq
                        } else {
                            0
                        },
                        time_ms: known.time_ms,
                    }));
                }
            }
            if entries.is_empty() {
                entries = self.older_entries(group, doing, conversation, young)?;
            }
        }
        for entry in entries {
            if entry.author != Some(author) {
                foreign = true;
                continue;
            }
            let free = void || entry.erased || entry.fingerprint.as_ref().is_none_or(same);
            let reader = Reader::of(doing.who);
            return Ok(if free {
                Some(Verdict::Again {
                    seq: reader.seq(&entry),
                    time_ms: reader.time_ms(&entry),
                })
            } else {
                reused()
            });
        }
        for refusal in group.store.refusals(doing.conversation, doing.id)? {
            if refusal.author != author {
                foreign = true;
                continue;
            }
            let said = Refused::decode(refusal.answer).unwrap_or_else(|_| refused(RefusalCode::Unknown));
            let free = void || said.code() == RefusalCode::Void || same(&refusal.fingerprint);
            return Ok(if free { Some(Verdict::Refused(said)) } else { reused() });
        }
        Ok(if foreign { reused() } else { None })
    }

    /// Entries of this id above the base, if the entry after the base is older than the index of ids remembers.
    fn older_entries(
        &self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Conversation,
        young: &mut Young,
    ) -> Stored<Vec<crate::record::Entry>> {
        let reader = Reader::of(doing.who);
        let (base, head) = (doing.act.base, reader.head(conversation));
        if base >= head {
            *young = Young::of(head, reader.moved_ms(conversation));
            return Ok(Vec::new());
        }
        let next = (base + 1).max(reader.floor(conversation));
        let since_ms = self.now_ms.saturating_sub(limits::ID_MEMORY_MS);
        if young.covers(next, since_ms) {
            return Ok(Vec::new());
        }
        let first = match reader {
            Reader::Agent => group.store.entry(doing.conversation, next)?,
            Reader::Customer => group.store.public_entry(doing.conversation, next)?,
        };
        let Some(first) = first else { return Ok(Vec::new()) };
        let first_ms = reader.time_ms(&first);
        *young = Young::of(reader.seq(&first), first_ms);
        if first_ms < since_ms {
            group.store.find_entries(doing.conversation, doing.id, first.seq - 1)
        } else {
            Ok(Vec::new())
        }
    }

    /// Void, base, rights and staleness.
    fn checked(
        &mut self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: Option<&Conversation>,
    ) -> Stored<Result<(), Refused>> {
        if doing.kind == ActKind::Void {
            return Ok(Err(refused(RefusalCode::Void)));
        }
        let reader = Reader::of(doing.who);
        let (head, floor) = conversation.map_or((0, 1), |c| (reader.head(c), reader.floor(c)));
        let sees = conversation.is_none_or(|c| rights::part(&self.people, doing.who, c) != Part::None);
        // Whoever may not see it isn't told where its log ends.
        if sees && doing.act.base.saturating_add(1) < floor {
            return Ok(Err(refused(RefusalCode::Unknown)));
        }
        if sees && doing.act.base > head {
            return Ok(Err(refused(RefusalCode::Base)));
        }
        let Some(conversation) = conversation else {
            let first = matches!(doing.who, Who::Customer(_)) && doing.kind == ActKind::Message;
            return Ok(if first {
                Ok(())
            } else {
                Err(refused(RefusalCode::NotFound))
            });
        };
        if let Err(code) = rights::may(&self.people, doing.who, conversation, doing.kind) {
            return self.not_theirs(group, doing, conversation, code).map(Err);
        }
        if doing.kind == ActKind::Message
            && let Who::Agent(me) = doing.who
        {
            return self.overtaken(group, doing, conversation, me);
        }
        Ok(Ok(()))
    }

    /// Whoever served a conversation is told that it was taken away; to others it isn't there.
    fn not_theirs(
        &self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Conversation,
        code: RefusalCode,
    ) -> Stored<Refused> {
        let none = rights::part(&self.people, doing.who, conversation) == Part::None;
        if none && matches!(doing.who, Who::Agent(_)) {
            let served = group
                .store
                .positions(conversation.id)?
                .iter()
                .any(|position| position.who == doing.who);
            let unknown = doing.act.base.saturating_add(1) < conversation.floor;
            return Ok(refused(match (served, unknown) {
                // It may have been stored while they served, and removed by retention since.
                (true, true) => RefusalCode::Unknown,
                (true, false) => RefusalCode::Taken,
                (false, _) => RefusalCode::NotFound,
            }));
        }
        if none && let Some(to) = conversation.linked_to {
            let mine = group
                .conversation(to)?
                .is_some_and(|goes_on| goes_on.customer == doing.who.id());
            return Ok(refused(if mine {
                RefusalCode::Linked
            } else {
                RefusalCode::NotFound
            }));
        }
        let mut said = refused(code);
        if code == RefusalCode::Taken
            && let Some(agent) = conversation.assignee()
        {
            said.assignee_name = self.people.agent_name(agent);
        }
        Ok(said)
    }

    /// A reply that waited for long while another agent answered is held back.
    fn overtaken(
        &self,
        group: &mut Group<'_>,
        doing: &Doing<'_>,
        conversation: &Conversation,
        me: Id,
    ) -> Stored<Result<(), Refused>> {
        let limit = self.team(conversation).map_or(limits::STALE_MS, |team| team.stale_ms);
        if limit == 0 || doing.act.age_ms <= limit || conversation.status != Status::Open {
            return Ok(Ok(()));
        }
        let first = (doing.act.base + 1).max(conversation.head.saturating_sub(STALE_REACH));
        let meanwhile = group.store.entries(conversation.id, first, conversation.head)?;
        let by_others = meanwhile.iter().filter(|entry| {
            entry.kind == EntryKind::Message && entry.role == AuthorRole::Agent && entry.author != Some(me)
        });
        let stale_seqs: Vec<u64> = by_others.map(|entry| entry.seq).take(STALE_SEQS).collect();
        Ok(if stale_seqs.is_empty() {
            Ok(())
        } else {
            Err(Refused {
                stale_seqs,
                ..refused(RefusalCode::Stale)
            })
        })
    }
}
