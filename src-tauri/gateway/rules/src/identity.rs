//! A customer proves who they are, and their stories become one.

use std::fmt::Write;

use zuoxi_wire::limits;
use zuoxi_wire::v1::{CloseReason, Identify, ProblemCode, Status, gateway_frame};

use crate::change::{Author, Change};
use crate::connection::{Pending, Session, cut};
use crate::event::{Claims, ConnectionId, Output};
use crate::gateway::{Gateway, RETRY_MS};
use crate::group::Group;
use crate::record::{Customer, Who};
use crate::store::Stored;
use crate::wording::problem;

/// Bytes of a merchant's id for a customer, of a token's id, and of a name.
const CLAIM_BYTES: usize = 128;
const NAME_BYTES: u64 = 96;

impl Gateway {
    pub(crate) fn identify(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        request: u32,
        session: Session,
        identify: Identify,
    ) {
        let key = match session.who {
            Who::Customer(id) => match group.store.customer(id) {
                Ok(customer) => customer
                    .and_then(|customer| self.people.brands.get(&customer.brand))
                    .and_then(|brand| brand.identity_key.clone()),
                Err(_) => return say(group, connection, request, ProblemCode::Store, RETRY_MS),
            },
            Who::Agent(_) => None,
        };
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        match key {
            Some(_) if known.pending.is_some() => say(group, connection, request, ProblemCode::Rate, RETRY_MS),
            Some(key) if identify.jwt.len() as u64 <= limits::JWT_BYTES => {
                known.pending = Some(Pending::Identity { request });
                group.mail.work(Output::VerifyIdentity {
                    connection,
                    jwt: identify.jwt,
                    key,
                });
            }
            _ => say(group, connection, request, ProblemCode::Identity, 0),
        }
    }

    pub(crate) fn identity_verified(
        &mut self,
        group: &mut Group<'_>,
        connection: ConnectionId,
        claims: Option<Claims>,
    ) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        let Some(Pending::Identity { request }) = known.pending.take() else {
            return;
        };
        let (nonce, session) = (hex(&known.nonce), known.session());
        let Some(session) = session else { return };
        let adopted = claims.map_or(Ok(None), |claims| self.adopt(group, session, &nonce, &claims));
        match adopted {
            Ok(Some(customer)) => {
                let who = Who::Customer(customer.id);
                // The token that bought nothing more is worth nothing any longer.
                let done = group
                    .store
                    .remove_session(&session.token_hash)
                    .and_then(|()| self.new_session(group, connection, request, who, Some(customer.conversation)));
                if done.is_err() {
                    say(group, connection, request, ProblemCode::Store, RETRY_MS);
                }
            }
            Ok(None) => say(group, connection, request, ProblemCode::Identity, 0),
            Err(_) => say(group, connection, request, ProblemCode::Store, RETRY_MS),
        }
    }

    /// Who the connection's customer is from now on; none: the claims aren't good.
    fn adopt(
        &mut self,
        group: &mut Group<'_>,
        session: Session,
        nonce: &str,
        claims: &Claims,
    ) -> Stored<Option<Customer>> {
        group.usable()?;
        let Some(mine) = group.store.customer(session.who.id())? else {
            return Ok(None);
        };
        let Some(brand) = self.people.brands.get(&mine.brand) else {
            return Ok(None);
        };
        let sized = |text: &str| !text.is_empty() && text.len() <= CLAIM_BYTES;
        let good = claims.audience.contains(&brand.key)
            && claims.nonce == nonce
            && claims.expires_ms > self.now_ms
            && claims.expires_ms <= self.now_ms + limits::JWT_AHEAD_MS
            && sized(&claims.subject)
            && sized(&claims.token_id);
        if !good
            || !group
                .store
                .use_token_id(mine.brand, &claims.token_id, claims.expires_ms)?
        {
            return Ok(None);
        }
        // Somebody who is known already isn't made another by a token.
        if mine
            .external
            .as_ref()
            .is_some_and(|external| *external != claims.subject)
        {
            return Ok(None);
        }
        let theirs = group.store.customer_by_external(mine.brand, &claims.subject)?;
        let name = shown_name(claims);
        match theirs {
            Some(theirs) if theirs.id != mine.id => self.join(group, mine, theirs, name).map(Some),
            _ => self
                .name_customer(
                    group,
                    Customer {
                        external: Some(claims.subject.clone()),
                        name,
                        ..mine
                    },
                )
                .map(Some),
        }
    }

    /// The identity is another customer's already.
    fn join(&mut self, group: &mut Group<'_>, mine: Customer, theirs: Customer, name: String) -> Stored<Customer> {
        let my_story = group.conversation(mine.conversation)?;
        let has_story = group.conversation(theirs.conversation)?.is_some();
        match my_story {
            Some(_) if !has_story => {
                // They have none: mine becomes theirs, by the identity moving here.
                let external = theirs.external.clone();
                let empty = Customer {
                    external: None,
                    merged_into: Some(mine.id),
                    ..theirs
                };
                group.store.put_customer(&empty)?;
                self.name_customer(group, Customer { name, external, ..mine })
            }
            Some(conversation) => {
                let visit = group.store.visits(conversation.id, 1)?.pop();
                let mut change = Change::of(&conversation, self.now_ms);
                if change.after.status != Status::Closed {
                    let id = self.entropy.id(self.now_ms);
                    change.close(&Author::gateway(), id, None, CloseReason::Linked, visit);
                }
                change.link(self.entropy.id(self.now_ms), theirs.conversation);
                self.apply(group, change, None)?;
                self.name_customer(group, Customer { name, ..theirs })
            }
            None => self.name_customer(group, Customer { name, ..theirs }),
        }
    }

    /// Stores a customer's verified name, and shows it in their conversation.
    fn name_customer(&mut self, group: &mut Group<'_>, customer: Customer) -> Stored<Customer> {
        group.store.put_customer(&customer)?;
        if let Some(conversation) = group.conversation(customer.conversation)? {
            let mut change = Change::of(&conversation, self.now_ms);
            change.after.customer_name.clone_from(&customer.name);
            change.after.customer_verified = customer.external.is_some();
            if change.before.as_deref() != Some(&change.after) {
                self.apply(group, change, None)?;
            }
        }
        Ok(customer)
    }
}

fn say(group: &mut Group<'_>, connection: ConnectionId, request: u32, code: ProblemCode, retry_ms: u32) {
    group.mail.say(
        connection,
        request,
        gateway_frame::Kind::Problem(problem(code, retry_ms)),
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn shown_name(claims: &Claims) -> String {
    let name: String = claims.name.chars().filter(|c| !c.is_control()).collect();
    let name = if name.trim().is_empty() {
        claims.subject.clone()
    } else {
        name.trim().to_owned()
    };
    cut(&name, NAME_BYTES)
}
