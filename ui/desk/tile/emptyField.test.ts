// @vitest-environment jsdom
import { expect, it } from "vitest";
import { emptyField } from "./emptyField";

it("empties a field that is written in, and leaves hands where they are", () => {
  const field = document.createElement("textarea");
  document.body.append(field);
  field.value = "On its way";
  field.focus();
  emptyField(field);
  expect([field.value, field.selectionStart]).toEqual(["", 0]);
  expect(document.activeElement).toBe(field);
});

it("takes the focus to no field that hadn't it", () => {
  const field = document.createElement("textarea");
  const other = document.createElement("input");
  document.body.append(field, other);
  field.value = "On its way";
  other.focus();
  emptyField(field);
  expect(field.value).toBe("");
  expect(document.activeElement).toBe(other);
});
