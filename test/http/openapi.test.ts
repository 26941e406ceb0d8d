import { expect, test } from "vitest";
import { catalogue } from "../../src/model/error-catalogue.ts";
import { operations } from "../../src/operations/registry.ts";
import { offers, pathOf, refusalOf } from "../../src/http/offer.ts";
import { openApi } from "../../src/http/openapi.ts";

type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: { readonly properties: object } } } };
  readonly responses: object;
};

type Document = {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: { readonly Error: { readonly properties: { readonly code: { readonly enum: readonly string[] } } } };
  };
};

const document = JSON.parse(JSON.stringify(openApi("1.2.3"))) as Document;

test("every operation is there, or says why it is not offered", () => {
  const methods = ({ effect }: { effect: "reads" | "writes" }): string[] => (effect === "reads" ? ["get", "post"] : ["post"]);
  for (const operation of operations)
    expect(Object.keys(document.paths[pathOf(operation)] ?? {}), operation.name.join(" ")).toEqual(
      refusalOf(operation) === null ? methods(operation) : [],
    );
  expect(offers().size).toBeGreaterThan(40);
});

test("what changes something needs the token; reading does where it shows rows", () => {
  const needs = (path: string, method = "post"): boolean =>
    document.paths[path]?.[method]?.security.every((one) => Object.keys(one).length > 0) ?? false;
  expect(
    ["kick", "add/sync", "remove/db", "replay", "migrate/cutover", "list/set-aside", "compare"].map((name) => needs(`/api/v1/${name}`)),
  ).not.toContain(false);
  expect(["status", "list/syncs", "list/samples", "show"].map((name) => needs(`/api/v1/${name}`, "get"))).not.toContain(true);
});

test("nothing that is for the command line alone is offered as a key", () => {
  const properties = document.paths["/api/v1/migrate/cutover"]?.["post"]?.requestBody?.content["application/json"].schema.properties ?? {};
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(["budget", "rehearse", "override", "confirm"]));
  for (const name of ["from", "to", "yes", "on_switch", "pgbouncer", "pgbouncer_ini"]) expect(properties).not.toHaveProperty(name);
});

test("a valid document: ids once, references that lead somewhere, responses, schemas, parameters", () => {
  expect(document.openapi).toBe("3.1.0");
  const tags = document.tags.map(({ name }) => name);
  const ids = new Set<string>();
  for (const [path, item] of Object.entries(document.paths)) {
    expect(path).toMatch(/^\/[\w./-]+$/);
    for (const [method, operation] of Object.entries(item)) {
      expect(["get", "post"]).toContain(method);
      expect([...ids], path).not.toContain(operation.operationId);
      ids.add(operation.operationId);
      expect(Object.keys(operation.responses)).toEqual(["200", "default"]);
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
      for (const parameter of operation.parameters ?? [])
        expect(parameter).toMatchObject({ name: expect.any(String), in: "query", schema: expect.any(Object) });
      expect([method, operation.requestBody === undefined]).not.toEqual(["get", false]);
    }
  }
  for (const reference of references(document)) {
    expect(reference).toMatch(/^#\//);
    const found = reference
      .slice(2)
      .split("/")
      .reduce((at: unknown, name) => (at as Record<string, unknown> | undefined)?.[name], document);
    expect(found, reference).toBeDefined();
  }
  expect(document.components.schemas.Error.properties.code.enum).toEqual(Object.keys(catalogue));
});

function references(of: unknown): string[] {
  if (typeof of !== "object" || of === null) return [];
  return Object.entries(of).flatMap(([name, value]) => (name === "$ref" ? [value as string] : references(value)));
}
