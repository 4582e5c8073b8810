//! One minute of the soak (`cargo xtask soak` runs longer): nothing lost, nothing doubled, nothing out of order.
#![allow(missing_docs)]

use std::time::Duration;

use zuoxi_tests::desk::Told;
use zuoxi_tests::soak::{RATE, soak};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a screen: cargo xtask test"]
async fn a_hundred_customers_talk_to_a_desk_and_three_colleagues() -> Told {
    let outcome = soak(Duration::from_mins(1), RATE).await?;
    // Figures are shown, never judged here: this machine may do other things.
    #[allow(clippy::print_stdout)]
    {
        println!("{outcome}");
    }
    if outcome.faults.0.is_empty() {
        Ok(())
    } else {
        Err(format!("\n{}", outcome.faults).into())
    }
}
