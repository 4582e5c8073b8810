// Who stands in the demo's lists. Each text is [Chinese, English]; times are seconds before the demo's now.

import type { Mark } from "../../gen/view";

export type Pair = readonly [string, string];

export interface Person {
  id: string;
  name: Pair;
  hue: number;
  mobile: boolean;
  words: Pair;
  list: "mine" | "queue" | "team" | "closed";
  /** Waits since so many seconds. */
  waits?: number;
  first?: boolean;
  unread?: number;
  draft?: Pair;
  mark?: Mark;
  /** Last words so many seconds ago. */
  last: number;
  notSent?: number;
}

const minute = 60;
const at = (hour: number, minutes: number) => (14 * 60 + 32 - hour * 60 - minutes) * minute;

const waiting: readonly Person[] = [
  {
    id: "huang",
    name: ["黄俊杰", "Marcus Hale"],
    hue: 4,
    mobile: true,
    words: ["再不回我就申请退款了", "I will ask for a refund if nobody answers"],
    list: "mine",
    waits: 12 * minute + 48,
    unread: 4,
    last: 4 * minute,
  },
  {
    id: "chen",
    name: ["陈一诺", "Nora Chen"],
    hue: 1,
    mobile: true,
    words: ["能今天发吗？急用", "Can it ship today? I need it"],
    list: "mine",
    waits: 6 * minute + 20,
    last: 6 * minute,
  },
  {
    id: "emily",
    name: ["Emily Carter", "Emily Carter"],
    hue: 2,
    mobile: false,
    words: ["Thanks. The invoice should say Carter Studio Ltd.", "Thanks. The invoice should say Carter Studio Ltd."],
    list: "mine",
    waits: 2 * minute + 51,
    unread: 1,
    last: 3 * minute,
  },
  {
    id: "zhou",
    name: ["周子墨", "Mia Torres"],
    hue: 3,
    mobile: false,
    words: ["杭州青柠文化创意有限公司，税号 91330106MA2XQ7T31B", "Lime Creative Ltd, tax number 91330106MA2XQ7T31B"],
    list: "mine",
    waits: minute + 56,
    draft: ["抬头改过两次了，第三次要主管同意", "Title changed twice already, a third needs a lead"],
    last: 2 * minute,
  },
  {
    id: "he",
    name: ["何静", "Jane Holt"],
    hue: 5,
    mobile: true,
    words: ["包装箱压坏了，里面好像也有裂纹", "The box was crushed and something rattles inside"],
    list: "mine",
    waits: minute + 34,
    unread: 3,
    last: minute,
  },
  {
    id: "zhao",
    name: ["赵雪", "Sofia Reyes"],
    hue: 7,
    mobile: false,
    words: ["在吗？想问下亚麻四件套有没有 1.8 m 的", "Hi, does the linen set come in king size?"],
    list: "mine",
    waits: 52,
    first: true,
    unread: 1,
    last: 52,
  },
  {
    id: "wu",
    name: ["吴桐", "Tom Wu"],
    hue: 6,
    mobile: true,
    words: ["地址写错了，麻烦改成浦东新区", "Wrong address, please change it"],
    list: "mine",
    waits: 21,
    first: true,
    unread: 1,
    last: 21,
  },
  {
    id: "kim",
    name: ["David Kim", "David Kim"],
    hue: 8,
    mobile: false,
    words: ["Does the lamp come with a UK plug?", "Does the lamp come with a UK plug?"],
    list: "mine",
    waits: 8,
    unread: 1,
    last: 8,
  },
];

const talked: readonly (readonly [string, Pair, number, boolean, Pair, number, Mark | "draft" | null])[] = [
  [
    "lin",
    ["林晓雨", "Lily Lin"],
    3,
    true,
    ["好的，地址已经帮您改好了", "Done, your address is updated"],
    at(14, 29),
    "delivered",
  ],
  [
    "sun",
    ["孙悦", "Anna Sun"],
    2,
    false,
    ["您好，关于您昨天问的退款进度", "Hello, about the refund you asked for yesterday"],
    at(14, 21),
    "draft",
  ],
  [
    "ma",
    ["马思远", "Ryan Ma"],
    1,
    false,
    ["电子发票已经发到您的邮箱", "The invoice is in your mailbox"],
    at(14, 5),
    "delivered",
  ],
  ["liu", ["刘洋", "刘洋"], 6, true, ["运费我们来承担，您放心", "运费我们来承担，您放心"], at(13, 47), "sent"],
  [
    "olivia",
    ["Olivia Brown", "Olivia Brown"],
    5,
    false,
    ["Perfect, thank you so much!", "Perfect, thank you so much!"],
    at(13, 30),
    null,
  ],
  [
    "zheng",
    ["郑晓彤", "Claire Zheng"],
    7,
    false,
    ["已为您登记，48 小时内回复", "Registered, we answer within 48 hours"],
    at(13, 12),
    "delivered",
  ],
  ["song", ["宋佳", "Grace Song"], 8, true, ["好的谢谢", "All right, thanks"], at(12, 58), null],
  [
    "tang",
    ["唐悦心", "Joy Tang"],
    4,
    false,
    ["尺码按平时穿的选就可以", "Take the size you usually wear"],
    at(12, 40),
    "delivered",
  ],
  ["han", ["韩磊", "Leo Han"], 2, true, ["收到了，颜色很好看", "It came, lovely colour"], at(12, 31), null],
];

const answered: readonly Person[] = talked.map(([id, name, hue, mobile, words, last, mark]) => {
  const person: Person = { id, name, hue, mobile, words, list: "mine", last };
  if (mark === "draft") return { ...person, draft: words };
  return mark === null ? person : { ...person, mark };
});

const surnames: readonly Pair[] = [
  ["钱", "Qian"],
  ["冯", "Feng"],
  ["沈", "Shen"],
  ["许", "Xu"],
  ["吕", "Lyu"],
  ["孔", "Kong"],
  ["曹", "Cao"],
  ["严", "Yan"],
];
const given: readonly Pair[] = [
  ["雨桐", "Yutong"],
  ["子涵", "Zihan"],
  ["浩然", "Haoran"],
  ["思琪", "Siqi"],
  ["一鸣", "Yiming"],
];
const questions: readonly Pair[] = [
  ["这款台灯有货吗？", "Is this lamp in stock?"],
  ["想换个颜色，可以吗？", "Can I change the colour?"],
  ["快递三天没动了", "The parcel has not moved for three days"],
  ["保修期是多久？", "How long is the warranty?"],
  ["能开专票吗？", "Can I get a VAT invoice?"],
  ["尺寸买大了，怎么退？", "It is too large, how do I return it?"],
];

function crowd(list: Person["list"], count: number, from: number): Person[] {
  return Array.from({ length: count }, (_, index) => {
    const nth = from + index;
    const surname = surnames[nth % surnames.length] ?? ["", ""];
    const rest = given[(nth * 3 + Math.floor(nth / 8)) % given.length] ?? ["", ""];
    const guest = list === "queue" && index % 2 === 0;
    const number = ["7K3F", "M2QD", "X9PA", "4RTW"][nth % 4] ?? "7K3F";
    const waits = list === "queue" ? 72 - index * 13 : list === "team" && index % 3 === 0 ? 100 + index * 8 : undefined;
    return {
      id: `${list}-${index}`,
      name: guest ? [`访客 ${number}`, `Guest ${number}`] : [surname[0] + rest[0], `${rest[1]} ${surname[1]}`],
      hue: (nth % 8) + 1,
      mobile: nth % 2 === 0,
      words: questions[nth % questions.length] ?? ["", ""],
      list,
      last: waits ?? 600 + index * 420,
      ...(waits === undefined ? {} : { waits, first: list === "queue", unread: list === "queue" ? 1 : 0 }),
    };
  });
}

export const people: readonly Person[] = [
  ...waiting,
  ...answered,
  ...crowd("queue", 5, 0),
  ...crowd("team", 31, 5),
  ...crowd("closed", 40, 36),
];
