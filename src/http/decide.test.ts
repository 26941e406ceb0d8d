import { expect, test } from "vitest";
import { resolveSettings } from "../config/setting.ts";
import { decideServing } from "./decide.ts";

const decide = (of: Record<string, string>) => decideServing(resolveSettings(of));

test("this machine alone by default, where reading is free", () => {
  expect(decide({})).toMatchObject({ kind: "serve", host: "127.0.0.1", port: 8432, tls: null, readsNeedToken: false });
  expect(decide({ http: "off" })).toEqual({ kind: "off" });
});

test("beyond it a certificate, or the word that none is wanted; and the token for everything", () => {
  expect(decide({ http: "0.0.0.0:8432" })).toMatchObject({ kind: "refused", why: expect.stringContaining("http_certificate") });
  expect(decide({ http: "0.0.0.0:8432", http_insecure: "yes" })).toMatchObject({ kind: "serve", tls: null, readsNeedToken: true });
  expect(decide({ http: "db1:8432", http_certificate: "c.pem", http_key: "k.pem" })).toMatchObject({
    kind: "serve",
    tls: { certificate: "c.pem", key: "k.pem" },
    readsNeedToken: true,
    names: expect.arrayContaining(["db1"]),
  });
  expect(decide({ http_certificate: "c.pem" })).toMatchObject({ kind: "refused" });
});

test("more names", () =>
  expect(decide({ http_hosts: "A.example.org, b" })).toMatchObject({ names: expect.arrayContaining(["a.example.org", "b"]) }));
