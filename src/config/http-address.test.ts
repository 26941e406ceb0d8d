import { expect, test } from "vitest";
import { parseHttpAddress, showHttpAddress } from "./http-address.ts";

test.each([
  ["off", "off"],
  ["NO", "off"],
  ["on", { host: "127.0.0.1", port: 8432, loopback: true }],
  ["9000", { host: "127.0.0.1", port: 9000, loopback: true }],
  [":9000", { host: "127.0.0.1", port: 9000, loopback: true }],
  ["localhost:0", { host: "localhost", port: 0, loopback: true }],
  ["127.8.8.8:1", { host: "127.8.8.8", port: 1, loopback: true }],
  ["[::1]:9000", { host: "::1", port: 9000, loopback: true }],
  ["[::]:9000", { host: "::", port: 9000, loopback: false }],
  ["0.0.0.0:9000", { host: "0.0.0.0", port: 9000, loopback: false }],
  ["db1.example.org", { host: "db1.example.org", port: 8432, loopback: false }],
  ["localhost.example.org:1", { host: "localhost.example.org", port: 1, loopback: false }],
  ["127.0.0.1.example.org:1", { host: "127.0.0.1.example.org", port: 1, loopback: false }],
])("%s", (text, address) => expect(parseHttpAddress(text)).toEqual(address));

test.each(["http://x", "a b", "host:99999", "[1.2.3.4]:1", "1:2:3", "-x:1", "x:port", "99999"])("%s is none", (text) =>
  expect(parseHttpAddress(text)).toBeNull(),
);

test("shown as it is typed", () => {
  expect(showHttpAddress({ host: "::1", port: 1 })).toBe("[::1]:1");
  expect(showHttpAddress({ host: "127.0.0.1", port: 8432 })).toBe("127.0.0.1:8432");
});
