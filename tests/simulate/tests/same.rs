//! The same seed plays the same story, byte for byte.
#![allow(missing_docs)]

use zuoxi_simulate::story::Story;
use zuoxi_simulate::world::{STEPS, play};

#[test]
fn a_seed_plays_the_same_story_each_time_byte_for_byte() {
    for seed in 3..5 {
        let [first, second] = [(); 2].map(|()| play(&Story::of(seed), false));
        assert!(first.failure.is_none(), "{:?}", first.failure);
        assert!(first.steps >= STEPS && first.rare.faults.len() >= 5);
        assert_eq!(
            (first.trace, first.steps, first.ms),
            (second.trace, second.steps, second.ms)
        );
    }
}
