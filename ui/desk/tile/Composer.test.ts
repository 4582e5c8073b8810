// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, expect, it } from "vitest";
import type { DraftView } from "../../src/gen/view";
import type { Host } from "../../src/host/host";
import Composer from "./Composer.svelte";

let drawn: ReturnType<typeof mount> | undefined;

afterEach(async () => {
  if (drawn) await unmount(drawn);
});

function draw(saveDraft: (draft: DraftView) => Promise<void>) {
  const host = {
    readDraft: () => Promise.resolve({ text: "", note: "", on_note: false }),
    saveDraft: (_: string, draft: DraftView) => saveDraft(draft),
    typing: () => Promise.resolve(),
  } as unknown as Host;
  const composer = mount(Composer, {
    target: document.body,
    props: {
      conversation: "c1",
      name: "Amy",
      number: 1,
      focused: true,
      several: false,
      host,
      onSend: () => undefined,
      onKey: () => false,
      onTyped: () => undefined,
    },
  });
  drawn = composer;
  flushSync();
  return composer;
}

it("says whether words that were put back are a draft: what they came from goes only then", async () => {
  const refused = draw(() => Promise.reject(new Error("too_long")));
  await expect(refused.putBack("On its way", false)).rejects.toThrow("too_long");
  expect(document.querySelector("textarea")?.value).toBe("On its way");
  await unmount(refused);
  const saved: DraftView[] = [];
  const taken = draw(async (draft) => void saved.push(draft));
  await taken.putBack("On its way", false);
  expect(saved.map((draft) => draft.text)).toEqual(["On its way"]);
});
