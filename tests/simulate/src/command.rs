//! The command line.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

#[cfg(feature = "planted")]
use crate::planted::{Planted, catch_all};
use crate::rare::RARE;
use crate::shrink::shorten;
use crate::story::Story;
use crate::world::{Failure, Outcome, play};

/// From so many runs on every rare event must have happened in one of a hundred.
const ENOUGH: u64 = 10_000;
/// Fewest kinds of fault in a run.
const KINDS: usize = 5;
/// Stories that are tried to shorten one.
const TRIES: u32 = 1_500;

/// Seeds that ever failed.
const REGRESSIONS: &str = include_str!("../regressions.txt");

/// What was asked for.
struct Wanted {
    /// Stops after so many seconds, if the runs aren't done by then.
    seconds: u64,
    regressions: bool,
    #[cfg(feature = "planted")]
    planted: Option<Vec<Planted>>,
    seed: u64,
    runs: u64,
    print: bool,
    print_short: bool,
    shorten: bool,
}

/// Another seed each time, told at the end: by the time.
fn fresh() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs()) << 16
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted {
        seconds: u64::MAX,
        regressions: false,
        #[cfg(feature = "planted")]
        planted: None,
        seed: 0,
        runs: 100,
        print: false,
        print_short: false,
        shorten: true,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or(format!("{argument} takes a number"))?;
            text.parse::<u64>().map_err(|_| format!("{argument} takes a number"))
        };
        match argument.as_str() {
            "--seed" => wanted.seed = number()?,
            "--runs" => wanted.runs = number()?,
            "--seconds" => wanted.seconds = number()?,
            "--fresh" => wanted.seed = fresh(),
            "--regressions" => wanted.regressions = true,
            #[cfg(feature = "planted")]
            "--planted" => wanted.planted = Some(Planted::named(arguments.next().as_deref())?),
            "--print" => wanted.print = true,
            "--whole" => wanted.shorten = false,
            "--short" => wanted.print_short = true,
            other => {
                return Err(format!(
                    "there is no {other}: --seed N or --fresh, --runs M, --seconds S, --regressions, --print, --short, --whole"
                ));
            }
        }
    }
    Ok(wanted)
}

/// Plays what was asked for.
pub fn main() -> ExitCode {
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(said) => {
            println!("{said}");
            return ExitCode::FAILURE;
        }
    };
    if wanted.print || wanted.print_short {
        let mut story = Story::of(wanted.seed);
        if wanted.print_short
            && let Some((shorter, _)) = shorten(&story, TRIES)
        {
            story = shorter;
        }
        let outcome = play(&story, true);
        println!("{:?}", outcome.failure);
        return ExitCode::from(u8::from(outcome.failure.is_some()));
    }
    std::panic::set_hook(Box::new(|_| {}));
    #[cfg(feature = "planted")]
    if let Some(which) = wanted.planted {
        return ExitCode::from(u8::from(!catch_all(wanted.seed, which)));
    }
    let begun = Instant::now();
    let mut sum = Sum::default();
    let known = REGRESSIONS
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let known: Vec<u64> = known.filter(|_| wanted.regressions).collect();
    for seed in known
        .into_iter()
        .chain(wanted.seed..wanted.seed.saturating_add(wanted.runs))
    {
        if begun.elapsed().as_secs() >= wanted.seconds {
            break;
        }
        let outcome = play(&Story::of(seed), false);
        if let Some(failure) = &outcome.failure {
            tell(seed, failure, wanted.shorten);
            return ExitCode::FAILURE;
        }
        sum.add(&outcome);
    }
    sum.tell(wanted.seed, begun.elapsed().as_secs_f64())
}

/// Tells a failure: seed, step, and the shortest story found.
pub fn tell(seed: u64, failure: &Failure, shortened: bool) {
    println!(
        "seed {seed} fails at step {}, after {} ms:\n  {}",
        failure.step, failure.at_ms, failure.what
    );
    if !shortened {
        return;
    }
    let Some((story, failure)) = shorten(&Story::of(seed), TRIES) else {
        println!("  and not when played again: that must never be");
        return;
    };
    println!("\nThe shortest story found ({:?}):", story.weather);
    for (at, deed) in &story.deeds {
        println!("  {at:>7} ms  {deed:?}");
    }
    println!(
        "  fails at step {}, after {} ms:\n  {}",
        failure.step, failure.at_ms, failure.what
    );
}

/// All runs together.
#[derive(Default)]
struct Sum {
    runs: u64,
    steps: u64,
    fewest: Option<u64>,
    ms: u64,
    trace: u64,
    /// Clocks that users saw, and cached entries that were compared in the end.
    clocks: u64,
    compared: u64,
    faults: BTreeMap<usize, u64>,
    rare: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.steps += outcome.steps;
        self.fewest = Some(self.fewest.map_or(outcome.steps, |fewest| fewest.min(outcome.steps)));
        self.ms += outcome.ms;
        self.trace = self.trace.rotate_left(7) ^ outcome.trace;
        self.clocks += outcome.clocks;
        self.compared += outcome.compared;
        *self.faults.entry(outcome.rare.faults.len()).or_default() += 1;
        for what in outcome.rare.happened() {
            *self.rare.entry(what).or_default() += 1;
        }
    }

    fn fewest_kinds(&self) -> usize {
        self.faults.keys().next().copied().unwrap_or(0)
    }

    /// What didn't happen, without which nothing is proven.
    fn missing(&self) -> Vec<&'static str> {
        let needed = [
            (self.runs > 0, "no run was played"),
            (self.clocks > 0, "no act was shown as stored"),
            (self.compared > 0, "no cached entry was compared"),
            (self.fewest_kinds() >= KINDS, "a run had too few kinds of fault"),
        ];
        let missing = needed.into_iter().filter(|(there, _)| !there);
        missing.map(|(_, what)| what).collect()
    }

    fn tell(&self, seed: u64, seconds: f64) -> ExitCode {
        println!(
            "{} runs from seed {seed}: {} steps (fewest {}), {:.1} simulated hours, in {seconds:.1} s: {:.0} runs/s, {:.0} steps/s; trace {:016x}",
            self.runs,
            self.steps,
            self.fewest.unwrap_or(0),
            self.ms as f64 / 3_600_000.0,
            self.runs as f64 / seconds,
            self.steps as f64 / seconds,
            self.trace,
        );
        println!(
            "kinds of fault in a run: {} at least; {} acts shown as stored, {} cached entries compared",
            self.fewest_kinds(),
            self.clocks,
            self.compared
        );
        let missing = self.missing();
        if !missing.is_empty() {
            println!("That proves nothing: {}.", missing.join(", "));
            return ExitCode::FAILURE;
        }
        println!("0 lost, 0 doubled, 0 misordered. What happened in how many of the runs:");
        let mut seldom = Vec::new();
        let mut named: Vec<&'static str> = self.rare.keys().copied().chain(RARE.iter().copied()).collect();
        named.sort_unstable();
        named.dedup();
        for what in named {
            let runs = self.rare.get(what).copied().unwrap_or(0);
            let share = runs as f64 * 100.0 / self.runs.max(1) as f64;
            println!("  {share:>6.2} %  {what}");
            if share < 1.0 && RARE.contains(&what) {
                seldom.push(what);
            }
        }
        if self.runs >= ENOUGH && !seldom.is_empty() {
            println!("too seldom to prove anything: {seldom:?}");
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_in_which_nothing_happened_prove_nothing() {
        let mut sum = Sum::default();
        assert_eq!(sum.missing().len(), 4);
        sum.add(&play(&Story::of(0), false));
        assert!(sum.missing().is_empty(), "{:?}", sum.missing());
        let bare = Story::of(0).with(Vec::new());
        sum.add(&play(&bare, false));
        assert_eq!(sum.missing(), ["a run had too few kinds of fault"]);
    }
}
