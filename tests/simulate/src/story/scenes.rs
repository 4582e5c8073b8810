//! Several deeds in a row, which chance alone would seldom bring about.

use super::deed::{AMY, AMY_TOO, ANY, BEN, CUSTOMER, Deed, FIXED, LAST, Who, agent, customer};
use crate::dice::Dice;

/// History passes out of what is kept while somebody asks for it.
pub(super) fn retention(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
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
pub(super) fn sealed(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
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

/// A desk falls asleep, and a note is the first that it doesn't acknowledge.
pub(super) fn noted(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
    let talk = FIXED;
    deeds.push((from, Deed::Fix { who: BEN }));
    deeds.push((from, Deed::Sleep { who: BEN, ms: 45_000 }));
    let after = dice.between(1, 200);
    deeds.push((from + after, Deed::Note { who: AMY, talk }));
}

/// Something that chance alone would seldom bring about.
pub(super) fn scene(dice: &mut Dice, from: u64, deeds: &mut Vec<(u64, Deed)>) {
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
