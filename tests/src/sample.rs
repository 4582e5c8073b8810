//! Figures of one kind, and what they say together.

/// Milliseconds, or whatever was measured, in the order of measuring.
#[derive(Debug, Clone, Default)]
pub struct Sample(pub Vec<f64>);

impl Sample {
    /// The figure below which so many of a hundred lie; 0: there is none.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() as f64 * percent / 100.0) as usize;
        sorted
            .get(at.min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    /// The highest.
    pub fn most(&self) -> f64 {
        self.percentile(100.0)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn percentiles_are_of_all_figures() {
        let sample = Sample((1..=100).rev().map(f64::from).collect());
        let told = (sample.percentile(50.0), sample.percentile(99.0), sample.most());
        assert_eq!(told, (51.0, 100.0, 100.0));
        assert_eq!(Sample::default().count(), 0);
    }
}
