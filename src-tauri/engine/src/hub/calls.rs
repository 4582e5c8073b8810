//! What a user asks of the account that is logged in.

use bytes::Bytes;
use prost::Message;
use zuoxi_protocol::change::{Draft, OutboxAct, OutboxState};
use zuoxi_protocol::{Command as Ask, Input, NewAct};
use zuoxi_wire::content::{self, TextError};
use zuoxi_wire::v1::{
    ActKind, MessageContent, NoteContent, RecallContent, TagContent, TransferContent, message_content, transfer_content,
};
use zuoxi_wire::{Id, limits};

use super::Outside;
use super::active::Active;
use super::asking::{Waiting, tell};
use super::command::Command;
use super::panel;
use crate::desk::WindowId;
use crate::language;
use crate::view::{CallError, DeskEvent, DraftView, TransferTo};

/// Bytes of a draft: a text and a note of full length, and what was pasted too much.
const DRAFT_BYTES: usize = 256 * 1024;

impl Active {
    /// Does what a window asks. What concerns log-in and windows as such was taken before.
    pub(super) fn call(&mut self, command: Command, outside: &mut Outside) {
        match command {
            Command::ObserveInbox {
                window,
                tab,
                from,
                count,
                reply,
            } => {
                tell(reply, self.observe_inbox(&window, tab, from, count, outside));
            }
            Command::ObserveTimeline {
                window,
                conversation,
                from,
                count,
                reply,
            } => {
                self.observe(conversation, &window, from, count, outside);
                tell(reply, Ok(()));
            }
            Command::UnobserveTimeline {
                window,
                conversation,
                reply,
            } => {
                self.unobserve(conversation, &window, outside);
                tell(reply, Ok(()));
            }
            Command::FindTime {
                conversation,
                time_ms,
                reply,
            } => {
                self.find_time(
                    conversation,
                    time_ms.saturating_add_signed(-outside.time.to_wall()),
                    reply,
                );
            }
            Command::NextWaiting { except, reply } => tell(reply, Ok(self.next_waiting(&except))),
            Command::Write {
                conversation,
                id,
                text,
                note,
                reply,
            } => {
                tell(reply, self.write(conversation, id, &text, note));
            }
            Command::Recall {
                conversation,
                message,
                reply,
            } => {
                tell(reply, self.recall(conversation, message, outside));
            }
            Command::Resend {
                conversation,
                message,
                reply,
            } => tell(reply, self.resend(conversation, message, outside)),
            Command::Discard {
                conversation,
                message,
                reply,
            } => tell(reply, self.discard(conversation, message)),
            Command::Keep {
                conversation,
                message,
                reply,
            } => {
                self.recall_not_offered(conversation, message);
                tell(reply, Ok(()));
            }
            Command::Take { conversation, reply } => {
                self.act(outside.new_id(), conversation, ActKind::Take, Bytes::new(), None);
                tell(reply, Ok(()));
            }
            Command::Transfer {
                conversation,
                to,
                reason,
                reply,
            } => {
                tell(reply, self.transfer(conversation, &to, reason, outside));
            }
            Command::Close { conversation, reply } => {
                self.act(outside.new_id(), conversation, ActKind::Close, Bytes::new(), None);
                tell(reply, Ok(()));
            }
            Command::SetTags {
                conversation,
                tags,
                reply,
            } => {
                tell(reply, self.set_tags(conversation, tags, outside));
            }
            Command::MarkRead {
                conversation,
                seq,
                reply,
            } => {
                self.ask(Ask::MarkRead { conversation, seq });
                tell(reply, Ok(()));
            }
            Command::Typing {
                conversation,
                typing,
                reply,
            } => {
                self.ask(Ask::Typing {
                    conversation: Some(conversation),
                    typing,
                });
                tell(reply, Ok(()));
            }
            Command::SaveDraft {
                window,
                conversation,
                draft,
                reply,
            } => {
                tell(reply, self.save_draft(&window, conversation, draft, outside));
            }
            Command::ReadDraft { conversation, reply } => tell(reply, Ok(self.draft(conversation))),
            Command::ReadCustomer { conversation, reply } => {
                if let Some(panel) = self.panels.get(&conversation) {
                    outside
                        .windows
                        .tell_observers(conversation, &DeskEvent::Customer { panel: panel.clone() });
                }
                let ask = self.asks.wait(Waiting::Customer(reply));
                self.ask(Ask::ReadCustomer { ask, conversation });
            }
            Command::TransferTargets(reply) => {
                let ask = self.asks.wait(Waiting::Targets(reply));
                self.ask(Ask::ReadColleagues { ask });
            }
            Command::SetPresence(presence, reply) => {
                self.presence = panel::presence(presence);
                self.changed.me = true;
                self.ask(Ask::SetPresence(self.presence));
                tell(reply, Ok(()));
            }
            Command::ChangePassword { old, new, reply } => {
                let length = new.len() as u64;
                if !(limits::PASSWORD_MIN_BYTES..=limits::PASSWORD_BYTES).contains(&length) {
                    return tell(reply, Err(CallError::invalid()));
                }
                let ask = self.asks.wait(Waiting::Done(reply));
                self.ask(Ask::ChangePassword {
                    ask,
                    old: old.to_string(),
                    new: new.to_string(),
                });
            }
            Command::Proof(reply) => tell(reply, Ok(self.proof_view(outside))),
            Command::CheckNow(reply) | Command::ReconnectNow(reply) => {
                self.reload_now();
                self.ask(Ask::CheckNow);
                tell(reply, Ok(()));
            }
            // Taken by the hub itself.
            _ => {}
        }
    }

    pub(super) fn ask(&mut self, command: Ask) {
        self.later(Input::User(command));
    }

    fn act(&mut self, id: Id, conversation: Id, kind: ActKind, content: Bytes, draft: Option<Draft>) {
        self.ask(Ask::Act(NewAct {
            id,
            conversation: Some(conversation),
            kind,
            content,
            draft,
        }));
    }

    fn write(&mut self, conversation: Id, id: Id, text: &str, note: bool) -> Result<(), CallError> {
        content::check_text(text).map_err(text_error)?;
        if self.acts.contains_key(&id) {
            return Err(CallError::invalid());
        }
        let text = text.to_owned();
        let mut draft = self.drafts.get(&conversation).cloned().unwrap_or_default();
        let (kind, content) = if note {
            draft.note.clear();
            (ActKind::Note, NoteContent { text }.encode_to_vec())
        } else {
            draft.text.clear();
            let language = language::guess(&text).to_owned();
            let content = MessageContent {
                body: Some(message_content::Body::Text(text)),
                language,
            };
            (ActKind::Message, content.encode_to_vec())
        };
        self.drafts.insert(conversation, draft.clone());
        self.act(id, conversation, kind, content.into(), Some(draft));
        Ok(())
    }

    fn recall(&mut self, conversation: Id, message: Id, outside: &Outside) -> Result<(), CallError> {
        let shown = self.showing.shown.get(&conversation);
        let entered = shown.is_some_and(|shown| shown.timeline.has_own_entry(message));
        if self.acts.contains_key(&message) && !entered {
            // Not settled: it is taken back, not recalled.
            self.ask(Ask::Discard { id: message });
            return Ok(());
        }
        let me = self.me().ok_or_else(CallError::session)?;
        self.recall_not_offered(conversation, message);
        let content = RecallContent {
            author: me.id.to_bytes(),
            id: message.to_bytes(),
        }
        .encode_to_vec();
        self.act(outside.new_id(), conversation, ActKind::Recall, content.into(), None);
        Ok(())
    }

    /// What was discarded too late is recalled, or stays: no window asks any more.
    fn recall_not_offered(&mut self, conversation: Id, message: Id) {
        if let Some(offered) = self.too_late.get_mut(&conversation) {
            offered.remove(&message);
        }
        if let Some(shown) = self.showing.shown.get_mut(&conversation) {
            shown.timeline.recall_not_offered(message);
        }
    }

    fn resend(&mut self, conversation: Id, message: Id, outside: &Outside) -> Result<(), CallError> {
        match self.unsettled(conversation, message)?.state {
            OutboxState::Lost => self.ask(Ask::SendAgain { id: message }),
            OutboxState::Parked { .. } => {
                let new_id = outside.new_id();
                self.resends.insert(new_id, message);
                self.ask(Ask::Resend { id: message, new_id });
            }
            OutboxState::Waiting | OutboxState::Voided => return Err(CallError::invalid()),
        }
        Ok(())
    }

    fn discard(&mut self, conversation: Id, message: Id) -> Result<(), CallError> {
        self.unsettled(conversation, message)?;
        self.ask(Ask::Discard { id: message });
        Ok(())
    }

    fn unsettled(&self, conversation: Id, message: Id) -> Result<&OutboxAct, CallError> {
        let act = self
            .acts
            .get(&message)
            .filter(|act| act.conversation == Some(conversation));
        act.ok_or_else(|| CallError::new("not_found"))
    }

    fn transfer(
        &mut self,
        conversation: Id,
        to: &TransferTo,
        reason: String,
        outside: &Outside,
    ) -> Result<(), CallError> {
        if !reason.is_empty() {
            content::check_text(&reason).map_err(text_error)?;
        }
        let parse = |text: &str| text.parse::<Id>().map(Id::to_bytes).map_err(|_| CallError::invalid());
        let to = match to {
            TransferTo::Agent(id) => transfer_content::To::Agent(parse(id)?),
            TransferTo::Team(id) => transfer_content::To::Team(parse(id)?),
        };
        let content = TransferContent { to: Some(to), reason }.encode_to_vec();
        self.act(outside.new_id(), conversation, ActKind::Transfer, content.into(), None);
        Ok(())
    }

    fn set_tags(&mut self, conversation: Id, tags: Vec<String>, outside: &Outside) -> Result<(), CallError> {
        if tags.len() as u64 > limits::TAGS {
            return Err(CallError::new("too_long"));
        }
        for tag in &tags {
            content::check_text(tag).map_err(text_error)?;
            if tag.chars().count() as u64 > limits::TAG_SCALARS {
                return Err(CallError::new("too_long"));
            }
        }
        let content = TagContent { tags }.encode_to_vec();
        self.act(outside.new_id(), conversation, ActKind::Tag, content.into(), None);
        Ok(())
    }

    fn save_draft(
        &mut self,
        window: &WindowId,
        conversation: Id,
        draft: DraftView,
        outside: &mut Outside,
    ) -> Result<(), CallError> {
        if draft.text.len() + draft.note.len() > DRAFT_BYTES {
            return Err(CallError::new("too_long"));
        }
        let draft = Draft {
            text: draft.text,
            note: draft.note,
            on_note: draft.on_note,
        };
        let known = self.drafts.get(&conversation).unwrap_or(&Draft::default()) == &draft;
        if known && !self.unsaved.contains(&conversation) {
            return Ok(());
        }
        if draft == Draft::default() {
            self.drafts.remove(&conversation);
        } else {
            self.drafts.insert(conversation, draft.clone());
        }
        self.ask(Ask::SaveDraft { conversation, draft });
        self.inbox_draft(conversation);
        self.tell_draft(conversation, window, outside);
        Ok(())
    }
}

fn text_error(error: TextError) -> CallError {
    CallError::new(match error {
        TextError::Empty => "empty",
        TextError::TooLong => "too_long",
        TextError::Control => "control",
    })
}
