import { expect, test } from "vitest";
import { bearerOf, refuseForeign } from "./guard.ts";

const data = { method: "POST", forPage: false };
const own = ["db1", "bucardo.example.org"];

test.each(["127.0.0.1:8432", "localhost:8432", "LOCALHOST", "[::1]:8432", "10.0.0.7", "db1:80", "bucardo.example.org", "db1."])(
  "%s is this server",
  (host) => expect(() => refuseForeign({ ...data, headers: { host } }, own)).not.toThrow(),
);

test.each(["evil.example.org:8432", "localhost.evil.org", "127.0.0.1.evil.org", "", "a:b:c", "xdb1", "localhost@evil.org", undefined])(
  "%s is not: somebody may have made that name lead here",
  (host) =>
    expect(() => refuseForeign({ ...data, headers: { host } }, own)).toThrow(expect.objectContaining({ code: "http-origin", status: 421 })),
);

test("pages of other sites are refused, whatever they ask for", () => {
  const host = "localhost:8432";
  const refused = (headers: object, more: object = {}): void =>
    expect(() => refuseForeign({ ...data, ...more, headers: { host, ...headers } }, own), JSON.stringify(headers)).toThrow(
      expect.objectContaining({ status: 403 }),
    );
  refused({ origin: "https://evil.example.org" });
  refused({ origin: "null" });
  refused({ origin: "http://localhost:9999" });
  refused({ origin: "file://localhost:8432" });
  refused({ "sec-fetch-site": "cross-site" });
  refused({ "sec-fetch-site": "same-site" }, { method: "GET" });
  // Another site may not embed the page or its files either, nor follow a link to data.
  refused({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, { method: "GET", forPage: true });
  refused({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" }, { method: "GET", forPage: true });
  refused({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, { method: "GET" });
});

test("the page itself, programs, and a link to the page are welcome", () => {
  const host = "localhost:8432";
  const welcome = (headers: object, more: object = {}): void =>
    expect(() => refuseForeign({ ...data, ...more, headers: { host, ...headers } }, own)).not.toThrow();
  welcome({});
  welcome({ origin: "http://localhost:8432", "sec-fetch-site": "same-origin" });
  welcome({ "sec-fetch-site": "none" }, { method: "GET" });
  welcome({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, { method: "GET", forPage: true });
  expect(() => refuseForeign({ ...data, headers: { host: "db1:443", origin: "https://db1" } }, own)).not.toThrow();
});

test("the token comes in one way only", () => {
  expect(bearerOf({})).toBeNull();
  expect(bearerOf({ authorization: "bearer bcd_x-y" })).toBe("bcd_x-y");
  for (const authorization of ["Basic YTpi", "Bearer", "Bearer a b", "Bearer \u0000", `Bearer ${"x".repeat(201)}`])
    expect(() => bearerOf({ authorization }), authorization).toThrow(expect.objectContaining({ code: "http-token", status: 401 }));
});
