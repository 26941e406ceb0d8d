import { expect, test } from "vitest";
import type { Alert } from "../control/alert.ts";
import { jsonOf, subjectOf, textOf, type Notice } from "./notice.ts";

const alert = {
  id: 1,
  kind: "failed",
  grade: "critical",
  what: "sync s, target B: stopped. A row\r\nBcc: everyone@example.com was refused.",
  advice: "Mend it.",
  began: new Date(0),
  over: null,
} as unknown as Alert;
const notice: Notice = {
  host: "db7",
  pid: 1,
  version: "6",
  at: new Date(0),
  event: null,
  raised: [alert],
  over: [],
  url: null,
};

test("the subject is one line, and says what is most important", () => {
  expect(subjectOf(notice)).toBe("Bucardo on db7: sync s, target B: stopped");
  expect(subjectOf({ ...notice, raised: [alert, alert] })).toBe("Bucardo on db7: 2 problems");
  expect(subjectOf({ ...notice, over: [alert] })).toBe("Bucardo on db7: 1 over");
  expect(subjectOf({ ...notice, raised: [], over: [alert] })).toContain("over: sync s");
  expect(subjectOf({ ...notice, raised: [], event: { word: "started", why: null } })).toBe("Bucardo on db7: daemon started");
  const long = { ...alert, what: `table "a\nb\u2028${"x".repeat(500)}"` };
  expect(subjectOf({ ...notice, raised: [long] })).toMatch(/^[^\p{Cc}\u2028]{120}$/u);
});

test("no name can begin a line of its own in the text", () => {
  expect(textOf(notice).split("\n")[0]).toBe("CRITICAL: sync s, target B: stopped. A row Bcc: everyone@example.com was refused.");
  expect(JSON.parse(jsonOf(notice))).toMatchObject({ format: 1, raised: [{ id: 1, kind: "failed" }], over: [] });
});
