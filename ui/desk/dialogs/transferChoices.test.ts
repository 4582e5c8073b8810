import { describe, expect, it } from "vitest";
import type { AgentTarget, TransferTargets } from "../../src/gen/view";
import { choices, pieces } from "./transferChoices";

function agent(id: string, name: string, presence: AgentTarget["presence"], open: number): AgentTarget {
  return { id, name, presence, open, capacity: 8 };
}

const targets: TransferTargets = {
  teams: [{ id: "t", name: "Finance", online: 3, queued: 1 }],
  agents: [
    agent("away", "Ann (finance)", "away", 0),
    agent("full", "Bea (finance)", "online", 8),
    agent("free", "Cai", "online", 5),
    agent("freer", "Dan (FINANCE)", "online", 1),
    agent("me", "Me (finance)", "online", 0),
  ],
};

describe("whom a conversation can go to", () => {
  it("lists teams, then those with room, without the one who asks", () => {
    expect(choices(targets, "", "me").map((choice) => choice.to.id)).toEqual(["t", "freer", "free", "full", "away"]);
  });

  it("filters by the typed words, whatever their case", () => {
    expect(choices(targets, " fin", "me").map((choice) => choice.to.id)).toEqual(["t", "freer", "full", "away"]);
  });

  it("marks the words that were found", () => {
    expect(pieces("Dan (FINANCE)", "fin")).toEqual([
      { text: "Dan (", found: false },
      { text: "FIN", found: true },
      { text: "ANCE)", found: false },
    ]);
    expect(pieces("Cai", "")).toEqual([{ text: "Cai", found: false }]);
  });
});
