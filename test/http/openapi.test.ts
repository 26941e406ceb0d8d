import { expect, test } from "vitest";
import { catalogue } from "../../src/model/error-catalogue.ts";
import { operations } from "../../src/operations/registry.ts";
import { offers, pathOf, refusalOf } from "../../src/http/offer.ts";
import { openApi } from "../../src/http/openapi.ts";

type Json = Record<string, any>;
const document: Json = JSON.parse(JSON.stringify(openApi("1.2.3"))) as Json;

test("every operation is there, or says why it is not offered", () => {
  for (const operation of operations) {
    const why = refusalOf(operation);
    const item = document["paths"][pathOf(operation)];
    if (why !== null) expect(item, operation.name.join(" ")).toBeUndefined();
    else expect(Object.keys(item), operation.name.join(" ")).toEqual(operation.effect === "reads" ? ["get", "post"] : ["post"]);
  }
  expect(offers().size).toBeGreaterThan(40);
});

test("what changes something needs the token; reading does where it shows rows", () => {
  const needs = (path: string, method = "post"): boolean =>
    !document["paths"][path][method].security.some((one: Json) => Object.keys(one).length === 0);
  expect(
    ["kick", "add/sync", "remove/db", "replay", "migrate/cutover", "list/set-aside", "compare"].map((name) => needs(`/api/v1/${name}`)),
  ).not.toContain(false);
  expect(["status", "list/syncs", "list/samples", "show"].map((name) => needs(`/api/v1/${name}`, "get"))).not.toContain(true);
});

test("nothing that is for the command line alone is offered as a key", () => {
  const { properties } = document["paths"]["/api/v1/migrate/cutover"].post.requestBody.content["application/json"].schema;
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(["budget", "rehearse", "override", "confirm"]));
  for (const name of ["from", "to", "yes", "on_switch", "pgbouncer", "pgbouncer_ini"]) expect(properties).not.toHaveProperty(name);
});

test("a valid document: ids once, references that lead somewhere, responses, schemas, parameters", () => {
  expect(document["openapi"]).toBe("3.1.0");
  const ids = new Set<string>();
  for (const [path, item] of Object.entries<Json>(document["paths"])) {
    expect(path).toMatch(/^\/[\w./-]+$/);
    for (const [method, operation] of Object.entries<Json>(item)) {
      expect(["get", "post"]).toContain(method);
      expect(ids.has(operation["operationId"]), operation["operationId"]).toBe(false);
      ids.add(operation["operationId"] as string);
      expect(Object.keys(operation["responses"])).toEqual(expect.arrayContaining(["200", "default"]));
      expect(document["tags"].map(({ name }: Json) => name)).toEqual(expect.arrayContaining(operation["tags"]));
      for (const parameter of operation["parameters"] ?? [])
        expect(parameter).toMatchObject({ name: expect.any(String), in: "query", schema: expect.any(Object) });
      if (method === "get") expect(operation).not.toHaveProperty("requestBody");
    }
  }
  for (const reference of references(document)) {
    expect(reference).toMatch(/^#\//);
    const found = reference
      .slice(2)
      .split("/")
      .reduce<Json | undefined>((at, name) => at?.[name] as Json | undefined, document);
    expect(found, reference).toBeDefined();
  }
  expect(document["components"].schemas.Error.properties.code.enum).toEqual(Object.keys(catalogue));
});

function references(of: unknown): string[] {
  if (typeof of !== "object" || of === null) return [];
  return Object.entries(of).flatMap(([name, value]) => (name === "$ref" ? [value as string] : references(value)));
}
