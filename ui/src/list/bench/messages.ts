// Messages made from their ids alone, so that every run reads the same.

import type { BenchMessage } from "./memorySource";

const words = [
  "你好",
  "请问",
  "这个",
  "订单",
  "什么时候",
  "可以",
  "发货",
  "谢谢",
  "包装",
  "有点",
  "破损",
  "麻烦",
  "帮我",
  "看一下",
  "退款",
  "地址",
  "改成",
  "浦东新区",
  "颜色",
  "雾白",
  "雾蓝",
  "保温壶",
  "两件",
  "昨天",
  "签收",
  "发票",
  "抬头",
  "写错了",
  "能不能",
  "今天",
  "之前",
  "收到",
  "客服",
  "好的",
  "亲",
  "稍等",
  "马上",
  "处理",
  "快递",
  "顺丰",
  "单号",
  "Thanks",
  "OK",
];
const names = ["王小姐", "陈先生", "李雨桐", "客服小美", "张伟", "赵敏"];

function mixed(id: number): number {
  let value = Math.imul(id | 0, 2654435761) >>> 0;
  value ^= value >>> 15;
  value = Math.imul(value, 2246822519) >>> 0;
  value ^= value >>> 13;
  return value >>> 0;
}

function text(seed: number): string {
  const kind = seed % 20;
  const count = kind < 10 ? 2 + (seed % 6) : kind < 18 ? 6 + (seed % 24) : 40 + (seed % 120);
  let made = "";
  for (let word = 0; word < count; word++) {
    made += words[mixed(seed + word * 977) % words.length] ?? "";
    if (word % 5 === 4) made += "，";
  }
  return made;
}

export function message(id: number, options: Partial<BenchMessage> = {}): BenchMessage {
  const seed = mixed(id + 7_777_777);
  const own = options.own ?? seed % 3 === 0;
  const name = own ? "客服小美" : (names[seed % names.length] ?? "");
  const time = `${8 + ((seed >>> 5) % 12)}:${String((seed >>> 9) % 60).padStart(2, "0")}`;
  const kind = id % 30 === 0 && !options.own ? "day" : "msg";
  const img = kind === "msg" && !own && (seed >>> 4) % 12 === 0 ? `/img/${(seed >>> 8) % 24}.png` : null;
  return {
    id,
    kind,
    text: kind === "day" ? `11 月 ${1 + (seed % 28)} 日` : text(seed),
    name,
    time,
    avatar: name.slice(0, 1),
    own,
    img,
    ...options,
  };
}

export function messages(from: number, count: number, options?: Partial<BenchMessage>): BenchMessage[] {
  return Array.from({ length: count }, (_, at) => message(from + at, options));
}
