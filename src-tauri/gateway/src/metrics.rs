//! Counters for Prometheus.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use zuoxi_rules::load::{Level, Shed};

/// What the gateway counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// WebSockets that are open.
    pub connections: Gauge,
    /// Sockets that were taken, WebSocket or not.
    pub accepted_sockets: Counter,
    /// Sockets that were turned away for their address or in all.
    pub crowded: Counter,
    /// Connections dropped because they didn't read what was sent to them.
    pub slow: Counter,
    /// Frames that came in.
    pub frames: Counter,
    /// Frames that could not be read.
    pub bad_frames: Counter,
    /// Acts that got a Seq, repeats included.
    pub accepted: Counter,
    /// Acts refused for good.
    pub refused: Counter,
    /// Acts refused for now.
    pub postponed: Counter,
    /// Events of one group commit.
    pub batch: Histogram,
    /// Time of one group commit with its rules, seconds.
    pub turn: Histogram,
    /// Events that wait for the core.
    pub waiting: Gauge,
    /// What is shed: 0 nothing, 1 typing and presence, 2 pushes too, 3 log-ins too, 4 acts too.
    pub load: Gauge,
    /// Signals and news of presence that were shed.
    pub shed_signals: Counter,
    /// Pushes that became heads.
    pub shed_pushes: Counter,
    /// Log-ins that were told to wait.
    pub shed_log_ins: Counter,
    /// Acts refused for now, for the load.
    pub shed_acts: Counter,
    /// Connections told to come back, since their address came too often.
    pub floods: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("zuoxi");
        let metrics = Self {
            connections: Gauge::default(),
            accepted_sockets: Counter::default(),
            crowded: Counter::default(),
            slow: Counter::default(),
            frames: Counter::default(),
            bad_frames: Counter::default(),
            accepted: Counter::default(),
            refused: Counter::default(),
            postponed: Counter::default(),
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            turn: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            waiting: Gauge::default(),
            load: Gauge::default(),
            shed_signals: Counter::default(),
            shed_pushes: Counter::default(),
            shed_log_ins: Counter::default(),
            shed_acts: Counter::default(),
            floods: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("connections", "WebSockets that are open", metrics.connections.clone());
        registry.register("sockets", "Sockets that were taken", metrics.accepted_sockets.clone());
        registry.register("crowded", "Sockets turned away by a limit", metrics.crowded.clone());
        registry.register(
            "slow",
            "Connections dropped because they did not read",
            metrics.slow.clone(),
        );
        registry.register("frames", "Frames that came in", metrics.frames.clone());
        registry.register(
            "bad_frames",
            "Frames that could not be read",
            metrics.bad_frames.clone(),
        );
        registry.register(
            "acts_accepted",
            "Acts that got a Seq, repeats included",
            metrics.accepted.clone(),
        );
        registry.register("acts_refused", "Acts refused for good", metrics.refused.clone());
        registry.register("acts_postponed", "Acts refused for now", metrics.postponed.clone());
        registry.register("batch_events", "Events of one group commit", metrics.batch.clone());
        registry.register_with_unit(
            "turn",
            "Time of one group commit with its rules",
            Unit::Seconds,
            metrics.turn.clone(),
        );
        registry.register(
            "waiting_events",
            "Events that wait for the core",
            metrics.waiting.clone(),
        );
        registry.register(
            "load_level",
            "What is shed: 0 nothing, 1 typing and presence, 2 pushes too, 3 log-ins too, 4 acts too",
            metrics.load.clone(),
        );
        for (name, what, counter) in [
            (
                "shed_signals",
                "Signals and news of presence that were shed",
                &metrics.shed_signals,
            ),
            ("shed_pushes", "Pushes that became heads", &metrics.shed_pushes),
            ("shed_log_ins", "Log-ins that were told to wait", &metrics.shed_log_ins),
            ("shed_acts", "Acts refused for now, for the load", &metrics.shed_acts),
            (
                "floods",
                "Connections told to come back, since their address came too often",
                &metrics.floods,
            ),
        ] {
            registry.register(name, what, counter.clone());
        }
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// What is shed now and was since the start.
    pub fn set_load(&self, level: Level, shed: Shed) {
        self.load.set(level as i64);
        for (counter, total) in [
            (&self.shed_signals, shed.signals),
            (&self.shed_pushes, shed.pushes),
            (&self.shed_log_ins, shed.log_ins),
            (&self.shed_acts, shed.acts),
            (&self.floods, shed.floods),
        ] {
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }

    /// In Prometheus' text form.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
