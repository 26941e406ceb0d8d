import { findKeyExactly, namesOf } from "../operations/fields.ts";
import type { Operation } from "../operations/operation.ts";
import { operations } from "../operations/registry.ts";

/** An operation as HTTP offers it. */
export type Offer = {
  readonly operation: Operation;
  /** `/api/v1/list/syncs` */
  readonly path: string;
  readonly methods: readonly ("GET" | "POST")[];
  /** Whether it needs the token even where reading is free. */
  readonly token: boolean;
  /** Fields of the output that are left out for who has no token. */
  readonly hide: ReadonlySet<string>;
  /** Names of the input that are taken; those of the command line only are not. */
  readonly names: readonly string[];
  /** A person types a name before it works: it comes as `confirm`. */
  readonly confirms: boolean;
};

export const API = "/api/v1/";

/** The operations in which the name of a database is typed. */
const CONFIRMED = new Set(["migrate cutover", "migrate switchback"]);

export function pathOf({ name }: Pick<Operation, "name">): string {
  return `${API}${name.join("/")}`;
}

/** Why an operation is not offered; null: it is. */
export function refusalOf({ http }: Operation): string | null {
  return typeof http === "object" && "refused" in http ? http.refused : null;
}

export function offerOf(operation: Operation): Offer {
  const { http, effect } = operation;
  const reads = effect === "reads";
  return {
    operation,
    path: pathOf(operation),
    methods: reads ? ["GET", "POST"] : ["POST"],
    token: !reads || http === "token",
    hide: new Set(typeof http === "object" && "hide" in http ? http.hide : []),
    names: namesOf(operation).filter((name) => findKeyExactly(operation, name)?.local !== true),
    confirms: CONFIRMED.has(operation.name.join(" ")),
  };
}

/** All that are offered, by path. */
export function offers(of: readonly Operation[] = operations): ReadonlyMap<string, Offer> {
  return new Map(of.filter((operation) => refusalOf(operation) === null).map((operation) => [pathOf(operation), offerOf(operation)]));
}
