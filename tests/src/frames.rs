//! How busy the thread that draws is, frame by frame, seen from outside: the page says when its frames began, the
//! system how long the thread had worked by then. Waiting for a processor doesn't count, so a busy machine spoils little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::desk::{Desk, Told};
use crate::process::{family, name_of};
use crate::sample::Sample;

/// Draws a frame whenever one may be drawn, with one pixel changed: what an empty frame costs. Says when each began.
const PROBE: &str = r"
if (window.__frames) return true;
const frames = (window.__frames = []);
const pixel = document.createElement('div');
pixel.style.position = 'fixed';
pixel.style.width = pixel.style.height = '1px';
pixel.style.zIndex = '9';
document.body.append(pixel);
let on = false;
const frame = () => {
  frames.push(performance.timeOrigin + performance.now());
  on = !on;
  pixel.style.backgroundColor = on ? '#777' : '#888';
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
return true;";

/// How often the system is asked, milliseconds: a small part of a frame.
const EVERY: Duration = Duration::from_millis(2);

/// A thread of the system, looked at all the time.
pub struct Watch {
    stop: Arc<AtomicBool>,
    looking: JoinHandle<Vec<(f64, u64)>>,
}

impl Watch {
    /// Begins to look at the thread that draws a desk's windows, and makes the page where the driver is draw frames.
    ///
    /// # Errors
    /// The driver's, or the process isn't found.
    pub async fn begin(desk: &Desk) -> Told<Self> {
        desk.driver.execute(PROBE, vec![]).await?;
        desk.driver.execute("window.__frames.length = 0", vec![]).await?;
        let process = drawing_process(desk)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let looking = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(worked) = worked_ns(process) {
                    seen.push((now_ms(), worked));
                }
                std::thread::sleep(EVERY);
            }
            seen
        });
        Ok(Self { stop, looking })
    }

    /// Ends it: milliseconds of work in each frame.
    ///
    /// # Errors
    /// The driver's.
    pub async fn end(self, desk: &Desk) -> Told<Sample> {
        let began = desk.driver.execute("return window.__frames", vec![]).await?;
        let began: Vec<f64> = serde_json::from_value(began.json().clone())?;
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.looking.join().map_err(|_| "the watch broke off")?;
        let marks: Vec<f64> = began.iter().filter_map(|at| worked_at(&seen, *at)).collect();
        let next = marks.iter().skip(1);
        Ok(Sample(marks.iter().zip(next).map(|(mark, next)| next - mark).collect()))
    }
}

/// The process in which a desk's pages run.
///
/// # Errors
/// There is none.
pub fn drawing_process(desk: &Desk) -> Told<u32> {
    let found = family(desk.process()?)?;
    let page = found
        .into_iter()
        .find(|process| name_of(*process).starts_with("WebKitWebProces"));
    page.ok_or_else(|| "the desk has no web process".into())
}

fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1_000.0
}

/// Nanoseconds that a process' first thread has worked.
fn worked_ns(process: u32) -> Option<u64> {
    let told = std::fs::read_to_string(format!("/proc/{process}/task/{process}/schedstat")).ok()?;
    told.split_whitespace().next()?.parse().ok()
}

/// Milliseconds worked by then, between the two looks around it.
fn worked_at(seen: &[(f64, u64)], at: f64) -> Option<f64> {
    let after = seen.partition_point(|(time, _)| *time <= at);
    let (before, after) = (seen.get(after.checked_sub(1)?)?, seen.get(after)?);
    let share = (at - before.0) / (after.0 - before.0);
    Some((before.1 as f64 + share * (after.1 - before.1) as f64) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::worked_at;

    #[test]
    fn work_is_read_between_two_looks() {
        let seen = [(10.0, 1_000_000), (12.0, 3_000_000), (14.0, 3_000_000)];
        assert_eq!(worked_at(&seen, 11.0), Some(2.0));
        assert_eq!(worked_at(&seen, 13.0), Some(3.0));
        assert_eq!(worked_at(&seen, 9.0), None);
        assert_eq!(worked_at(&seen, 15.0), None);
    }
}
