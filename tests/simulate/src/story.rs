//! What happens in a run: who does what, and what breaks, each at its moment. Made from a seed alone; a story with deeds
//! left out is a story too, so that a failure can be told short.

use crate::dice::Dice;

/// A device by number: 0 and 1 are Amy's desks, 2 is Ben's, 3 to 6 are customers, then Lea's (who leads the team) where
/// she is there, then copies. Larger numbers begin anew.
pub type Who = u8;

/// Which conversation: below [`ANY`] one of those that the desk holds (any, if none), above one of all, [`FIXED`] the one
/// that [`Deed::Fix`] chose.
pub type Talk = u8;

/// From here on `Talk` means any conversation.
pub const ANY: u8 = 190;
/// The conversation chosen by the last [`Deed::Fix`].
pub const FIXED: u8 = 255;
/// Number of Amy's two desks, Ben's, and the first customer's device.
pub const AMY: Who = 0;
/// Amy's second.
pub const AMY_TOO: Who = 1;
/// Ben's.
pub const BEN: Who = 2;
/// Of the first customer.
pub const CUSTOMER: Who = 3;
/// Whoever came last: the copy, if there is one.
pub const LAST: Who = 254;
/// How many customers there are.
pub const CUSTOMERS: u8 = 4;

/// One thing that somebody does, or that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    // ---- users -------------------------------------------------------------------------------------------------
    Say {
        who: Who,
        talk: Talk,
        count: u8,
        big: bool,
    },
    Note {
        who: Who,
        talk: Talk,
    },
    Recall {
        who: Who,
        pick: u8,
    },
    Take {
        who: Who,
        talk: Talk,
    },
    Transfer {
        who: Who,
        talk: Talk,
        to: u8,
    },
    Close {
        who: Who,
        talk: Talk,
    },
    Discard {
        who: Who,
        pick: u8,
    },
    Resend {
        who: Who,
        pick: u8,
    },
    SendAgain {
        who: Who,
        pick: u8,
    },
    Read {
        who: Who,
        talk: Talk,
    },
    Type {
        who: Who,
        talk: Talk,
    },
    Watch {
        who: Who,
        talk: Talk,
    },
    Unwatch {
        who: Who,
        talk: Talk,
    },
    Want {
        who: Who,
        talk: Talk,
        from: u8,
    },
    Fix {
        who: Who,
    },
    // ---- network -----------------------------------------------------------------------------------------------
    /// The connection breaks; what is on its way up arrives late, or never.
    Break {
        who: Who,
        late: bool,
    },
    /// Nothing comes down (or goes up) any more, and nobody says so.
    HalfOpen {
        who: Who,
        up: bool,
    },
    /// In mid-frame.
    Cut {
        who: Who,
    },
    /// Nothing passes for a while.
    Partition {
        who: Who,
        ms: u32,
    },
    /// The reader takes a frame only now and then.
    Slow {
        who: Who,
        ms: u32,
    },
    /// A cache on the way gives blocks as they were first.
    Older {
        who: Who,
        ms: u32,
    },
    /// The system says that the network came.
    Network {
        who: Who,
    },
    // ---- devices -----------------------------------------------------------------------------------------------
    Kill {
        who: Who,
        ms: u32,
    },
    PowerLoss {
        who: Who,
        ms: u32,
        kept: u8,
    },
    DiskFull {
        who: Who,
        count: u8,
    },
    Unreadable {
        who: Who,
    },
    Sleep {
        who: Who,
        ms: u32,
    },
    Clock {
        who: Who,
        ms: i32,
    },
    /// The disk as it is, with a second process over it.
    Copy {
        who: Who,
    },
    // ---- gateway -----------------------------------------------------------------------------------------------
    /// After so many operations of its store (255: between two groups).
    KillGateway {
        after: u8,
        ms: u32,
        clock: i32,
    },
    CommitLost,
    CommitStored,
    /// The next COMMIT that remembers a refusal fails.
    LoseRefusal,
    Full {
        ms: u32,
    },
    BadReads {
        ms: u32,
    },
    Backup,
    Restore {
        ms: u32,
    },
    /// Ben is moved out of the second team, or into it again.
    Teams,
    /// Another password: all sessions of the agent end.
    Password {
        who: Who,
    },
    /// The administrator shortens a feed: it gets another epoch.
    Shorten {
        who: Who,
    },
    /// A month goes by.
    Month,
}

/// How the world is in a run.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Slowest frame, milliseconds.
    pub latency: u64,
    /// Slowest commit of a device, milliseconds.
    pub disk: u64,
    /// Slowest group commit of the gateway, milliseconds.
    pub commit: u64,
    /// Lea is there.
    pub lead: bool,
    /// One conversation already has a long history.
    pub history: bool,
    /// A second gateway hears the same without notes; its store and log have no faults then.
    pub twin: bool,
    /// Rows of a feed's page.
    pub feed_rows: u32,
    /// The administrator keeps history for some days alone.
    pub keep: bool,
    /// Pages of entries may arrive after what was said later: nothing promises an order between them.
    pub late_pages: bool,
}

/// A seed's story.
#[derive(Debug, Clone)]
pub struct Story {
    pub seed: u64,
    pub weather: Weather,
    /// Milliseconds since the start, and what happens then; sorted.
    pub deeds: Vec<(u64, Deed)>,
}

/// When the first deed may come: all have logged in.
const BEGIN_MS: u64 = 1_500;
const DEEDS: usize = 75;
/// Of a thousand seeds, those in which a block is sealed while its words are recalled.
const SEALED: u64 = 150;

impl Story {
    /// The story of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let pick = |dice: &mut Dice, of: &[u64]| of[dice.below(of.len() as u64) as usize];
        let weather = Weather {
            latency: pick(&mut dice, &[8, 30, 30, 80, 200]),
            disk: pick(&mut dice, &[2, 8, 8, 30, 120]),
            commit: pick(&mut dice, &[2, 6, 20, 60]),
            lead: dice.often(500),
            history: dice.often(120),
            twin: dice.often(150),
            feed_rows: pick(&mut dice, &[1, 2, 3, 500]) as u32,
            keep: false,
            late_pages: false,
        };
        // Chance of its own, so that older seeds tell what they told.
        let mut other = Dice::new(seed, 4);
        let weather = Weather {
            keep: other.often(300) && !weather.twin,
            ..weather
        };
        let weather = Weather {
            late_pages: (weather.keep || other.often(300)) && !weather.twin,
            ..weather
        };
        let pace = pick(&mut dice, &[100, 200, 300, 500]);
        let mut deeds = Vec::with_capacity(DEEDS + 40);
        let mut at = BEGIN_MS;
        for _ in 0..DEEDS {
            at += dice.below(pace * 2);
            deeds.push((at, one(&mut dice)));
        }
        let end = at;
        // Of these at least one each.
        for fault in [
            Deed::Break {
                who: anybody(&mut dice),
                late: true,
            },
            Deed::Partition {
                who: anybody(&mut dice),
                ms: 1_500,
            },
            Deed::Kill {
                who: anybody(&mut dice),
                ms: 500,
            },
            Deed::PowerLoss {
                who: anybody(&mut dice),
                ms: 500,
                kept: 1,
            },
            Deed::HalfOpen {
                who: anybody(&mut dice),
                up: false,
            },
        ] {
            deeds.push((dice.between(BEGIN_MS, end), fault));
        }
        for _ in 0..dice.between(2, 3) {
            let from = dice.between(BEGIN_MS + 4_000, (end * 3 / 4).max(BEGIN_MS + 5_000));
            scene(&mut dice, from, &mut deeds);
        }
        if weather.keep {
            let from = other.between(BEGIN_MS + 2_000, end.max(BEGIN_MS + 3_000));
            retention(&mut other, from, &mut deeds);
        }
        // By a stream of its own, so that all other seeds have the stories that they had before there was this scene.
        let mut dice = Dice::new(seed, 9);
        if dice.often(SEALED) {
            let from = dice.between(BEGIN_MS + 4_000, (end * 3 / 4).max(BEGIN_MS + 5_000));
            sealed(&mut dice, from, &mut deeds);
        }
        if weather.twin {
            deeds.retain(|(_, deed)| !is_of_the_store(*deed));
        }
        deeds.sort_by_key(|(at, _)| *at);
        Self { seed, weather, deeds }
    }

    /// The same with these deeds alone.
    #[must_use]
    pub fn with(&self, deeds: Vec<(u64, Deed)>) -> Self {
        Self { deeds, ..self.clone() }
    }
}

/// Something happens to the gateway's store.
fn is_of_the_store(deed: Deed) -> bool {
    match deed {
        // A clock that goes back gives a public entry the time of the note before it.
        Deed::KillGateway { after, clock, .. } => after < 255 || clock < 0,
        Deed::CommitLost
        | Deed::CommitStored
        | Deed::LoseRefusal
        | Deed::Full { .. }
        | Deed::BadReads { .. }
        | Deed::Restore { .. }
        | Deed::Shorten { .. }
        // A desk whose ACKs are only thought is too late with other ones than the real one.
        | Deed::Month => true,
        _ => false,
    }
}

fn agent(dice: &mut Dice) -> Who {
    // Lea's number is that of a customer's where she isn't there; then the customer does it, or nothing.
    [AMY, AMY, AMY_TOO, BEN, BEN, CUSTOMER + CUSTOMERS][dice.below(6) as usize]
}

fn customer(dice: &mut Dice) -> Who {
    CUSTOMER + dice.below(u64::from(CUSTOMERS)) as u8
}

fn anybody(dice: &mut Dice) -> Who {
    dice.below(9) as u8
}

fn one(dice: &mut Dice) -> Deed {
    let (talk, pick) = (dice.byte().min(FIXED - 1), dice.byte());
    match dice.below(1_000) {
        0..190 => Deed::Say {
            who: customer(dice),
            talk,
            count: [1, 1, 1, 2, 4][dice.below(5) as usize],
            big: false,
        },
        190..390 => Deed::Say {
            who: agent(dice),
            talk,
            count: [1, 1, 1, 2, 5][dice.below(5) as usize],
            big: false,
        },
        390..430 => Deed::Note { who: agent(dice), talk },
        430..465 => Deed::Recall {
            who: anybody(dice),
            pick,
        },
        465..490 => Deed::Take {
            who: agent(dice),
            talk: talk.max(ANY),
        },
        490..520 => Deed::Transfer {
            who: agent(dice),
            talk,
            to: dice.below(5) as u8,
        },
        520..545 => Deed::Close {
            who: if dice.often(300) { customer(dice) } else { agent(dice) },
            talk,
        },
        545..575 => Deed::Discard {
            who: anybody(dice),
            pick,
        },
        575..600 => Deed::Resend {
            who: anybody(dice),
            pick,
        },
        600..620 => Deed::SendAgain {
            who: anybody(dice),
            pick,
        },
        620..660 => Deed::Read {
            who: anybody(dice),
            talk,
        },
        660..670 => Deed::Type {
            who: anybody(dice),
            talk,
        },
        670..690 => Deed::Watch {
            who: agent(dice),
            talk: talk.max(ANY),
        },
        690..698 => Deed::Unwatch {
            who: agent(dice),
            talk: talk.max(ANY),
        },
        698..710 => Deed::Want {
            who: anybody(dice),
            talk,
            from: pick,
        },
        710..=999 => fault(dice),
        _ => Deed::CommitLost,
    }
}

fn fault(dice: &mut Dice) -> Deed {
    let who = anybody(dice);
    let ms = [300, 1_500, 4_000, 15_000][dice.below(4) as usize];
    let clock = [-90_000, -2_000, 0, 0, 3_000, 200_000][dice.below(6) as usize];
    match dice.below(100) {
        0..16 => Deed::Break {
            who,
            late: dice.often(600),
        },
        16..22 => Deed::HalfOpen {
            who,
            up: dice.often(400),
        },
        22..26 => Deed::Cut { who },
        26..32 => Deed::Partition { who, ms },
        32..36 => Deed::Slow { who, ms },
        36..42 => Deed::Network { who },
        42..52 => Deed::Kill { who, ms: ms.min(4_000) },
        52..60 => Deed::PowerLoss {
            who,
            ms: ms.min(4_000),
            kept: dice.below(6) as u8,
        },
        60..64 => Deed::DiskFull {
            who,
            count: dice.between(1, 4) as u8,
        },
        64..65 => Deed::Unreadable { who },
        65..68 => Deed::Sleep { who, ms },
        68..71 => Deed::Clock { who, ms: clock },
        71..79 => Deed::KillGateway {
            after: if dice.often(600) { dice.below(60) as u8 } else { 255 },
            ms: ms.min(1_500),
            clock,
        },
        79..83 => Deed::CommitLost,
        83..88 => Deed::CommitStored,
        88..90 => Deed::Full { ms: ms.min(4_000) },
        90..92 => Deed::BadReads { ms: ms.min(4_000) },
        92..95 => Deed::Teams,
        95..96 => Deed::Password { who: agent(dice) },
        96..98 => Deed::Shorten { who: agent(dice) },
        _ => Deed::Backup,
    }
}

/// History passes out of what is kept while somebody asks for it.
fn retention(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
    let mut at = from;
    let mut then = |after: u64, deed: Deed| {
        at += after;
        deeds.push((at, deed));
    };
    let (who, talk) = (if dice.often(500) { agent(dice) } else { customer(dice) }, FIXED);
    let say = |who: Who, count: u8| Deed::Say {
        who,
        talk,
        count,
        big: false,
    };
    then(0, Deed::Fix { who });
    then(0, say(who, dice.between(2, 6) as u8));
    then(dice.between(0, 900), say(CUSTOMER, 3));
    if dice.often(700) {
        then(dice.between(100, 900), Deed::Close { who, talk });
    }
    if dice.often(400) {
        then(dice.between(0, 400), Deed::Partition { who, ms: 900 });
    }
    for _ in 0..dice.between(1, 3) {
        let from = dice.below(4) as u8;
        then(dice.between(0, 60), Deed::Want { who, talk, from });
    }
    then(dice.between(0, 100), Deed::Month);
    for _ in 0..dice.between(1, 4) {
        let from = dice.below(4) as u8;
        then(dice.between(1, 120), Deed::Want { who, talk, from });
    }
    then(dice.between(100, 3_000), say(who, 2));
    then(dice.between(0, 600), say(CUSTOMER, 2));
}

/// A customer's log fills a block while words of it are recalled, act by act, and is closed; then it is read, and once more
/// through a cache that has it as it was first.
fn sealed(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
    let mut at = from;
    let mut then = |after: u64, deed: Deed| {
        at += after;
        deeds.push((at, deed));
    };
    let (who, talk) = (customer(dice), ANY);
    let say = |count: u8| Deed::Say {
        who,
        talk,
        count,
        big: false,
    };
    let want = Deed::Want { who, talk, from: 0 };
    then(0, say(40));
    then(dice.between(4_000, 6_000), say(1));
    for _ in 0..20 {
        then(dice.between(5, 200), say(1));
        let pick = dice.byte();
        then(dice.between(0, 100), Deed::Recall { who, pick });
    }
    then(0, Deed::Close { who, talk });
    then(dice.between(5_000, 8_000), want);
    then(dice.between(500, 1_500), Deed::Older { who, ms: 6_000 });
    then(10, want);
    then(dice.between(1_000, 2_000), want);
}

/// Something that chance alone would seldom bring about.
fn scene(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
    let mut at = from;
    let mut then = |after: u64, deed: Deed| {
        at += after;
        deeds.push((at, deed));
    };
    let who = if dice.often(500) { agent(dice) } else { customer(dice) };
    let (talk, count) = (FIXED, dice.between(1, 4) as u8);
    let say = |who: Who| Deed::Say {
        who,
        talk,
        count,
        big: false,
    };
    // A flood is dear: seldom enough.
    let which = dice.below(14);
    let which = if which == 5 && dice.often(450) { 13 } else { which };
    match which {
        // Stored, but the answer never comes; then discarded, or repeated.
        0 | 1 => {
            then(0, Deed::Fix { who });
            then(0, say(who));
            then(dice.between(20, 200), Deed::HalfOpen { who, up: false });
            if dice.often(700) {
                then(dice.between(50, 400), Deed::Discard { who, pick: 255 });
            }
            then(dice.between(100, 2_000), Deed::Break { who, late: false });
        }
        // Sent on a connection that is gone, and on the next one.
        2 => {
            then(0, Deed::Fix { who });
            then(0, say(who));
            then(dice.between(0, 60), Deed::Break { who, late: true });
            then(dice.between(1, 60), Deed::Network { who });
            if dice.often(400) {
                then(dice.between(1, 200), Deed::Discard { who, pick: 255 });
            }
            if dice.often(300) {
                then(dice.between(1, 100), Deed::CommitLost);
            }
        }
        // Taken away while away: what was done meanwhile is refused with what it stood behind; or overtaken.
        3 | 4 => {
            then(0, Deed::Fix { who: AMY });
            then(0, Deed::Partition { who: AMY, ms: 24_000 });
            then(dice.between(100, 900), say(AMY));
            then(
                dice.between(100, 2_000),
                Deed::Transfer {
                    who: AMY_TOO,
                    talk,
                    to: 1,
                },
            );
            then(dice.between(1_000, 2_000), say(BEN));
            if dice.often(650) {
                then(dice.between(500, 2_000), Deed::Transfer { who: BEN, talk, to: 0 });
            }
            then(24_000, Deed::Network { who: AMY });
        }
        // More than a window holds, to a desk that reads slowly.
        5 => {
            then(0, Deed::Fix { who: AMY });
            then(
                0,
                Deed::Slow {
                    who: AMY_TOO,
                    ms: 9_000,
                },
            );
            then(
                100,
                Deed::Say {
                    who: AMY,
                    talk,
                    count: 195,
                    big: true,
                },
            );
        }
        // Accepted a month ago, never told.
        6 => {
            then(0, Deed::Fix { who });
            then(0, say(who));
            then(dice.between(30, 300), Deed::HalfOpen { who, up: false });
            then(dice.between(50, 300), Deed::Kill { who, ms: 3_000 });
            then(200, Deed::Month);
        }
        // An older backup.
        7 | 8 => {
            then(0, Deed::Backup);
            then(dice.between(0, 300), Deed::Fix { who });
            then(dice.between(0, 300), say(who));
            then(dice.between(500, 4_000), say(AMY));
            then(
                dice.between(100, 3_000),
                Deed::Restore {
                    ms: dice.between(50, 2_000) as u32,
                },
            );
            then(dice.between(3_000, 9_000), Deed::SendAgain { who, pick: 0 });
            then(dice.between(10, 900), Deed::SendAgain { who: AMY, pick: 0 });
        }
        // A copied disk, with something unsent on it: both come back at the same moment.
        9 => {
            then(0, Deed::Fix { who });
            then(0, Deed::Partition { who, ms: 900 });
            then(dice.between(0, 300), say(who));
            then(dice.between(50, 400), Deed::Copy { who });
            // The generators of both stand alike: the same id for other words.
            then(150, say(who));
            then(0, say(LAST));
            then(800, Deed::Network { who });
            then(dice.between(0, 9), Deed::Network { who: LAST });
            if dice.often(400) {
                then(dice.between(0, 900), Deed::CommitLost);
            }
        }
        // The copy comes back after its original has let something go.
        10 | 12 => {
            then(0, Deed::Fix { who });
            then(0, Deed::Partition { who, ms: 1_500 });
            then(dice.between(0, 300), say(who));
            then(dice.between(50, 400), Deed::Copy { who });
            then(0, Deed::Partition { who: LAST, ms: 7_000 });
            then(dice.between(0, 400), Deed::Discard { who, pick: 255 });
            then(0, Deed::LoseRefusal);
            then(1_500, Deed::Network { who });
            then(6_000, Deed::Network { who: LAST });
        }
        // Taken away and given back while somebody goes on typing.
        13 => {
            then(0, Deed::Fix { who: AMY });
            let hand = |who: Who, to: u8| Deed::Transfer { who, talk, to };
            for nth in 0..60 {
                then(
                    dice.between(5, 30),
                    Deed::Say {
                        who: AMY,
                        talk,
                        count: 1,
                        big: false,
                    },
                );
                match nth {
                    3 | 30 => then(0, hand(AMY_TOO, 1)),
                    14 | 20 | 26 | 42 | 50 => then(0, hand(BEN, 0)),
                    _ => {}
                }
            }
        }
        // Stored though COMMIT failed, with more behind it; what others say shows it before the repeat does.
        _ => {
            then(0, Deed::Fix { who });
            then(0, say(who));
            then(dice.between(0, 40), Deed::CommitStored);
            then(0, say(who));
            then(dice.between(0, 40), Deed::Close { who, talk });
            then(dice.between(60, 200), say(who));
            for other in [AMY, BEN, CUSTOMER, CUSTOMER + 1, CUSTOMER + 2, CUSTOMER + 3] {
                then(dice.between(0, 90), say(other));
            }
        }
    }
}
