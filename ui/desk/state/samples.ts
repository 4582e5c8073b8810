// What tests show: the state of a desk that nobody has logged in to, and a row of its list.

import type { StartState } from "../../src/gen/shell";
import type { InboxRow } from "../../src/gen/view";

export const start: StartState = {
  me: null,
  gateway: "im.example.com",
  name: "shen",
  password: "",
  passphrase: "no",
  keyring: true,
  trouble: null,
  settings: { theme: "light", language: "en", notify: true, sound: true, safe_graphics: false },
  layout: { tiles: 2, open: [], focused: 0, panel: null, tab: "mine" },
  popped_out: null,
  popped: [],
  version: "0.1.0",
};

export function row(conversation: string, unread = 0): InboxRow {
  return {
    conversation,
    customer: { id: conversation, name: conversation, verified: false, mobile: false, online: true, hue: 1 },
    status: "open",
    assignee: "",
    mine: true,
    team: "",
    preview: "",
    draft: false,
    mark: null,
    unread,
    waiting: null,
    last_ms: 0,
    not_sent: 0,
  };
}
