//! A cache between a device and the gateway: it gives blocks as they were first, though the gateway has later ones.

use prost::Message as _;
use zuoxi_rules::record::Audience;
use zuoxi_wire::v1::{Block, BlockCodec, GatewayFrame, gateway_frame};
use zuoxi_wire::{Id, block};

use super::World;

impl World {
    /// The frame as it leaves the cache. Only a block of which the device holds a later generation is changed: what that
    /// one took away is known there, so all that the older one must not do is come in.
    pub(super) fn through_cache(&mut self, n: usize, mut frame: GatewayFrame) -> GatewayFrame {
        let device = &self.devices[n];
        if device.older_until <= self.now {
            return frame;
        }
        let Some(gateway_frame::Kind::EntriesPage(page)) = &mut frame.kind else {
            return frame;
        };
        let log = if device.is_customer() {
            Audience::Everybody
        } else {
            Audience::Agents
        };
        let conversation = Id::try_from(&page.conversation).ok();
        let held = conversation.and_then(|conversation| Some((conversation, device.disk.now.logs.get(&conversation)?)));
        let Some((conversation, held)) = held else {
            return frame;
        };
        // A device that drops some of a block forgets its generation.
        let floor = page.floor;
        for block in page.blocks.iter_mut().filter(|block| block.generation > 0) {
            let start = block::range_of(block.first).0;
            let oldest = self.node.store.oldest.get(&(conversation, log, start));
            let later = |generation: u32| held.generations.get(&start).is_some_and(|held| *held > generation);
            if let Some(oldest) = oldest.filter(|oldest| oldest.first >= floor && later(oldest.generation))
                && let Some(older) = unpacked(oldest.bytes.clone(), block.codec())
            {
                *block = older;
                self.rare.add("a block in an older generation", 1);
            }
        }
        frame
    }
}

fn unpacked(bytes: bytes::Bytes, codec: BlockCodec) -> Option<Block> {
    let packed = Block::decode(bytes).ok()?;
    match codec {
        BlockCodec::Zstd => Some(packed),
        _ => block::plain(packed).ok(),
    }
}
