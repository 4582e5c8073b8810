//! The embedded bus is a bus.

use zuoxi_rules::bus::Hub;
use zuoxi_rules::bus_conformance;

#[test]
fn the_hub_passes_the_suite_of_all_buses() {
    let hub = Hub::default();
    bus_conformance::run(&mut || hub.node(|| {}), &mut || {});
}
