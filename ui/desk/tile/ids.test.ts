import { expect, it } from "vitest";
import { messageOf } from "./ids";

it("knows the message behind a row, also where its id stands in the log with other words", () => {
  const id = "0190b5a0-0000-7000-8000-00000000000a";
  expect(messageOf({ key: id })).toBe(id);
  expect(messageOf({ key: `act:${id}` })).toBe(id);
});
