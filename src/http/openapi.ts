import { z } from "zod";
import { catalogue } from "../model/error-catalogue.ts";
import { fields } from "../operations/input.ts";
import { spell, type Operation } from "../operations/operation.ts";
import { offers, type Offer } from "./offer.ts";

type Json = Record<string, unknown>;

/** The document of everything that can be asked, derived from the declarations of the operations: OpenAPI 3.1. */
export function openApi(version: string, operations?: readonly Operation[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Bucardo",
      version,
      description:
        "Every operation that is offered over HTTP. Reading is free on the daemon's own machine, except where the token is named; whatever changes something needs it: " +
        "`Authorization: Bearer TOKEN`, printed by `bucardo http token`. Bodies are JSON objects sent as application/json.",
      license: { name: "BSD-2-Clause", identifier: "BSD-2-Clause" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set([...offers(operations).values()].map(({ operation }) => operation.group))].map((name) => ({ name })),
    paths: { ...own(), ...Object.fromEntries([...offers(operations).values()].map((offer) => [offer.path, pathItem(offer)])) },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "`bucardo http token` prints it." } },
      schemas: { Error: errorSchema(), Failure: failureSchema() },
      responses: {
        Failure: {
          description: "It was not done; the code is one of docs/errors.md.",
          content: jsonOf({ $ref: "#/components/schemas/Failure" }),
        },
      },
    },
  };
}

function pathItem(offer: Offer): Json {
  return Object.fromEntries(offer.methods.map((method) => [method.toLowerCase(), operationObject(offer, method)]));
}

function operationObject({ operation, token, names, confirms }: Offer, method: "GET" | "POST"): Json {
  const input = pick(schemaOf(operation.input, "input"), names);
  const output = schemaOf(operation.output, "output");
  const id = operation.name.join("-");
  return {
    operationId: method === "GET" ? `${id}-get` : id,
    tags: [operation.group],
    summary: operation.summary,
    description: operation.description,
    security: token ? [{ token: [] }] : [{}, { token: [] }],
    ...(method === "GET" ? { parameters: queryParameters(input) } : { parameters: MANNER, requestBody: bodyOf(input, confirms) }),
    responses: {
      "200": {
        description: "Done.",
        content: jsonOf({ type: "object", properties: { ok: { const: true }, output }, required: ["ok", "output"] }),
      },
      default: { $ref: "#/components/responses/Failure" },
    },
    "x-command": `bucardo ${spell(operation)}`,
    "x-effect": operation.effect,
  };
}

const MANNER = [
  { name: "dryrun", in: "query", description: "Check everything, change nothing.", schema: { type: "boolean" } },
  { name: "force", in: "query", description: "Go on where a check says no.", schema: { type: "boolean" } },
];

function bodyOf(input: Json, confirms: boolean): Json {
  const confirm = {
    type: "string",
    description: "The name of the database that is left, as a person typed it; not needed for a rehearsal.",
  };
  const schema = confirms ? { ...input, properties: { ...(input["properties"] as Json), confirm } } : input;
  return { required: ((input["required"] as string[] | undefined) ?? []).length > 0, content: jsonOf(schema) };
}

/** Lists are given as `a=1&a=2`. */
function queryParameters(input: Json): Json[] {
  const required = (input["required"] as string[] | undefined) ?? [];
  return Object.entries((input["properties"] ?? {}) as Record<string, Json>).map(([name, schema]) => {
    const { description, ...rest } = schema;
    return { name, in: "query", ...(description !== undefined && { description }), required: required.includes(name), schema: rest };
  });
}

/** zod's own; what JSON has no type for (dates, types of our own) is told as what comes out. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    reused: "inline",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
      const field = fields.get(zodSchema as unknown as z.ZodType);
      if (field !== undefined) Object.assign(jsonSchema, { description: field.about, ...(field.legacy && { deprecated: true }) });
    },
  }) as Json;
  return rest;
}

function pick(schema: Json, names: readonly string[]): Json {
  const properties = Object.entries((schema["properties"] ?? {}) as Json).filter(([name]) => names.includes(name));
  const required = ((schema["required"] ?? []) as string[]).filter((name) => names.includes(name));
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function jsonOf(schema: Json): Json {
  return { "application/json": { schema } };
}

function errorSchema(): Json {
  const text = { type: "string" };
  return {
    type: "object",
    properties: {
      code: { type: "string", enum: Object.keys(catalogue) },
      message: text,
      advice: { type: "string", description: "What to do next." },
      db: text,
      sync: text,
      table: text,
      sqlstate: text,
      problems: {
        type: "array",
        items: { type: "object", properties: { grade: text, what: text, remedy: text }, required: ["grade", "what", "remedy"] },
      },
    },
    required: ["code", "message", "advice"],
  };
}

function failureSchema(): Json {
  return {
    type: "object",
    properties: { ok: { const: false }, error: { $ref: "#/components/schemas/Error" } },
    required: ["ok", "error"],
  };
}

/** Routes that are no operations. */
function own(): Json {
  const free = [{}];
  const get = (operationId: string, summary: string, type: string, schema: Json, security: Json[] = [{}, { token: [] }]): Json => ({
    get: {
      operationId,
      tags: ["daemon"],
      summary,
      security,
      responses: {
        "200": { description: "As it is now.", content: { [type]: { schema } } },
        default: { $ref: "#/components/responses/Failure" },
      },
    },
  });
  const text = { type: "string" };
  return {
    "/events": get("events", "What happens: a snapshot, then changes (src/http/page-types.ts has their shape)", "text/event-stream", text),
    "/metrics": get("metrics", "Metrics for Prometheus", "text/plain", text),
    "/healthz": get("healthz", "Whether the process answers", "text/plain", text, free),
    "/readyz": get("readyz", "Whether the daemon is ready and its control database answers (503: not)", "text/plain", text, free),
    "/openapi.json": get("openapi", "This document", "application/json", { type: "object" }, free),
    "/api/v1/site": get(
      "site",
      "What this server serves, and whether the token that came along is right",
      "application/json",
      { type: "object" },
      free,
    ),
  };
}
