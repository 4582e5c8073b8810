import type { PresenceView, TransferTargets, TransferTo } from "../../src/gen/view";

export type Choice =
  | { kind: "team"; to: TransferTo; name: string; online: number; queued: number }
  | { kind: "agent"; to: TransferTo; name: string; presence: PresenceView; open: number; capacity: number };

/** Teams first, then agents who can take it soonest; without the one who asks. */
export function choices(targets: TransferTargets, words: string, me: string): Choice[] {
  const wanted = words.trim().toLocaleLowerCase();
  const fits = ({ name }: { name: string }) => name.toLocaleLowerCase().includes(wanted);
  const teams = targets.teams
    .filter(fits)
    .map(({ id, name, online, queued }): Choice => ({ kind: "team", to: { to: "team", id }, name, online, queued }));
  const agents = targets.agents
    .filter((agent) => agent.id !== me && fits(agent))
    .toSorted((one, other) => rank(one) - rank(other) || one.open - other.open)
    .map(({ id, name, presence, open, capacity }): Choice => ({
      kind: "agent",
      to: { to: "agent", id },
      name,
      presence,
      open,
      capacity,
    }));
  return [...teams, ...agents];
}

function rank({ presence, open, capacity }: { presence: PresenceView; open: number; capacity: number }): number {
  if (presence === "online") return open < capacity ? 0 : 1;
  return { busy: 2, away: 3, offline: 4 }[presence];
}

/** A name cut where the typed words stand in it. */
export function pieces(name: string, words: string): { text: string; found: boolean }[] {
  const wanted = words.trim().toLocaleLowerCase();
  const at = wanted === "" ? -1 : name.toLocaleLowerCase().indexOf(wanted);
  if (at < 0) return [{ text: name, found: false }];
  const end = at + wanted.length;
  return [
    { text: name.slice(0, at), found: false },
    { text: name.slice(at, end), found: true },
    { text: name.slice(end), found: false },
  ].filter(({ text }) => text !== "");
}
