//! What somebody does, or what breaks, and how likely each is.

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

pub(super) fn agent(dice: &mut Dice) -> Who {
    // Lea's number is that of a customer's where she isn't there; then the customer does it, or nothing.
    [AMY, AMY, AMY_TOO, BEN, BEN, CUSTOMER + CUSTOMERS][dice.below(6) as usize]
}

pub(super) fn customer(dice: &mut Dice) -> Who {
    CUSTOMER + dice.below(u64::from(CUSTOMERS)) as u8
}

pub(super) fn anybody(dice: &mut Dice) -> Who {
    dice.below(9) as u8
}

pub(super) fn one(dice: &mut Dice) -> Deed {
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
