//! The shortest story that still fails: deeds are left out, many at once, then fewer.

use crate::story::{Deed, Story};
use crate::world::{Failure, play};

/// What a failure says, without names and numbers: stories that fail alike.
fn kind(failure: &Failure) -> Vec<String> {
    let told = |word: &&str| !word.chars().any(|letter| letter.is_ascii_digit());
    let names = ["Amy", "Ben", "Lea", "copy", "of", "customer"];
    let words = failure
        .what
        .split_whitespace()
        .filter(told)
        .filter(|word| !names.contains(word));
    words.take(8).map(str::to_owned).collect()
}

/// A shorter story that fails alike, and how.
pub fn shorten(story: &Story, mut tries: u32) -> Option<(Story, Failure)> {
    let mut failure = play(story, false).failure?;
    let wanted = kind(&failure);
    let fails = |deeds: &[(u64, Deed)]| {
        let found = play(&story.with(deeds.to_vec()), false).failure;
        found.filter(|found| kind(found) == wanted)
    };
    let mut deeds: Vec<(u64, Deed)> = story
        .deeds
        .iter()
        .filter(|(at, _)| *at <= failure.at_ms)
        .copied()
        .collect();
    if let Some(found) = fails(&deeds) {
        failure = found;
    } else {
        deeds.clone_from(&story.deeds);
    }
    let mut size = deeds.len().div_ceil(2).max(1);
    while tries > 0 {
        let mut shorter = false;
        let mut from = 0;
        while from < deeds.len() && tries > 0 {
            tries -= 1;
            let mut fewer = deeds.clone();
            fewer.drain(from..(from + size).min(deeds.len()));
            match fails(&fewer) {
                Some(found) => {
                    (deeds, failure, shorter) = (fewer, found, true);
                }
                None => from += size,
            }
        }
        if size == 1 && !shorter {
            break;
        }
        size = (size / 2).max(1);
    }
    Some((story.with(deeds), failure))
}
