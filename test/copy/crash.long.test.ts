import { points } from "../../src/base/point.ts";
import { crashTests } from "./crash-scenario.ts";

const places = points.filter((point) => point.startsWith("copy."));
/** How often each is passed: the whole is planned once, and each of the two tables is cut once; pieces are many. */
const passes: Readonly<Record<string, readonly string[]>> = { "copy.planned": [""], "copy.piece-cut": ["", ":2"] };
crashTests(places.flatMap((point) => (passes[point] ?? ["", ":2", ":5"]).map((pass) => `${point}=kill${pass}`)));
