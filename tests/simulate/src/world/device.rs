//! One device: its process (a session of the crates that ship), its disk and its clock.

use zuoxi_protocol::{Config, Credential, Role, Session};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{AgentPassword, BlockCodec, Presence};

use crate::dice::Dice;

use super::disk::Disk;
use super::screen::Eyes;

/// An agent or a customer at a computer.
pub struct Device {
    pub name: String,
    pub role: Role,
    /// An agent's number; see [`super::people`].
    pub agent: Option<u8>,
    pub config: Config,
    /// None: the process doesn't run.
    pub session: Option<Session>,
    /// Counts processes.
    pub process: u32,
    pub disk: Disk,
    /// The connection that the process knows of.
    pub link: Option<usize>,
    pub wake: u64,
    pub dice: Dice,
    /// Its clock minus the true one, milliseconds.
    pub skew: i64,
    pub frozen_until: u64,
    pub partition_until: u64,
    pub slow_until: u64,
    /// Until then a cache on the way gives blocks as they were first.
    pub older_until: u64,
    /// For ids of acts; goes with a copied disk, as the state of a copied machine's generator does.
    pub ids: Dice,
    pub asks: u64,
    /// It was copied from another.
    pub copy: bool,
    /// Of the agent who sits there.
    pub eyes: Option<Eyes>,
    /// The user will type the password again.
    pub typing: bool,
}

impl Device {
    pub fn new(n: usize, name: String, agent: Option<u8>, seed: u64) -> Self {
        let mut dice = Dice::new(seed, 100 + n as u64);
        let role = if agent.is_some() { Role::Agent } else { Role::Customer };
        let config = Config {
            role,
            device: Id([n as u8 + 1; 16]),
            software: "simulated".into(),
            language: "zh-CN".into(),
            codecs: if n.is_multiple_of(2) {
                Vec::new()
            } else {
                vec![BlockCodec::Zstd]
            },
            visit: None,
            presence: Presence::Online,
            seed: dice.next(),
        };
        Self {
            name,
            role,
            agent,
            config,
            session: None,
            process: 0,
            disk: Disk::default(),
            link: None,
            wake: u64::MAX,
            ids: Dice::new(seed, 200 + n as u64),
            // Chance of its own: whoever looks changes nothing of the story.
            eyes: agent.map(|_| Eyes::new(Dice::new(seed, 300 + n as u64))),
            dice,
            skew: 0,
            frozen_until: 0,
            partition_until: 0,
            slow_until: 0,
            older_until: 0,
            asks: 0,
            copy: false,
            typing: false,
        }
    }

    pub fn is_customer(&self) -> bool {
        self.role == Role::Customer
    }

    /// With what its user logs in.
    pub fn credential(&self, passwords: &[String]) -> Credential {
        match self.agent {
            Some(agent) => Credential::Password(AgentPassword {
                name: super::people::LOGINS[usize::from(agent)].into(),
                password: passwords[usize::from(agent)].clone(),
            }),
            None => Credential::Visitor {
                brand: super::people::BRAND.into(),
            },
        }
    }

    pub fn new_id(&mut self, now_ms: u64) -> Id {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.ids.next().to_be_bytes());
        Id::v7(now_ms, random)
    }
}
