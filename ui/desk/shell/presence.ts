import type { PresenceView } from "../../src/gen/view";
import { m } from "../../src/texts/messages.js";

const names: Record<PresenceView, () => string> = {
  online: () => m.presence_online(),
  busy: () => m.presence_busy(),
  away: () => m.presence_away(),
  offline: () => m.presence_offline(),
};

export function presenceName(presence: PresenceView): string {
  return names[presence]();
}
