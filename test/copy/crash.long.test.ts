import { points } from "../../src/base/point.ts";
import { crashTests } from "./crash-scenario.ts";

const places = points.filter((point) => point.startsWith("copy."));
crashTests(
  places.flatMap((point) => (point === "copy.planned" ? [`${point}=kill`] : [`${point}=kill`, `${point}=kill:2`, `${point}=kill:5`])),
);
