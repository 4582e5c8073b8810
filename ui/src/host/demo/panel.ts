import type { CustomerPanel, CustomerView, TransferTargets } from "../../gen/view";
import type { Pair } from "./people";

const day = 86_400_000;

/** What the demo knows about a customer. */
export function demoPanel(
  conversation: string,
  customer: CustomerView,
  tags: string[],
  now: number,
  say: (text: Pair) => string,
): CustomerPanel {
  const known = conversation === "chen";
  return {
    conversation,
    customer,
    browser: customer.mobile ? "Safari 19, iOS" : "Chrome 142, Windows",
    language: say(["zh-CN", "en-GB"]),
    page_url: known ? "https://shop.example/service/returns?from=order" : "https://shop.example/",
    page_title: known ? say(["售后政策 · 破损补发", "Returns · damaged items"]) : say(["青禾家居", "Qinghe Home"]),
    referrer: "https://search.example/?q=flask",
    first_visit_ms: now - (known ? 476 : 3) * day,
    tags,
    visits: known
      ? [
          {
            first_seq: 1,
            started_ms: now - 9 * day,
            ended_ms: now - 9 * day + 2_400_000,
            first_words: say(["雾白和雾蓝哪个耐脏一点？", "Which shows stains less, fog white or fog blue?"]),
          },
        ]
      : [],
  };
}

export function demoTargets(say: (text: Pair) => string): TransferTargets {
  return {
    teams: [
      { id: "team-finance", name: say(["财务与发票", "Finance"]), online: 3, queued: 1 },
      { id: "team-presale", name: say(["售前", "Pre-sales"]), online: 6, queued: 4 },
      { id: "team-repair", name: say(["维修", "Repairs"]), online: 2, queued: 0 },
    ],
    agents: [
      { id: "agent-li", name: say(["李哲（财务）", "Zhe Li (Finance)"]), presence: "online", open: 4, capacity: 8 },
      { id: "agent-qian", name: say(["钱敏（财务）", "Min Qian (Finance)"]), presence: "busy", open: 8, capacity: 8 },
      { id: "agent-wang", name: say(["王珊", "Shan Wang"]), presence: "online", open: 6, capacity: 8 },
      { id: "agent-gu", name: say(["顾北", "Bei Gu"]), presence: "away", open: 1, capacity: 6 },
    ],
  };
}
