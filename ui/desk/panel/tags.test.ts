import { describe, expect, it } from "vitest";
import { withTag } from "./tags";

describe("a tag that is typed", () => {
  it("is added once, trimmed and cut to what the server takes", () => {
    expect(withTag(["a"], "  b  c ")).toEqual(["a", "b c"]);
    expect(withTag(["a"], "a")).toBeNull();
    expect(withTag([], "   ")).toBeNull();
    expect(withTag([], "老".repeat(25))).toEqual(["老".repeat(20)]);
  });

  it("isn't added to twenty", () => {
    expect(
      withTag(
        Array.from({ length: 20 }, (_, index) => String(index)),
        "x",
      ),
    ).toBeNull();
  });
});
