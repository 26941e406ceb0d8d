// The law of imports: a room may import from itself and from rooms above it in this list, never from below, never in a circle.
export const rooms = [
  "base",
  "model",
  "postgres",
  "config",
  "telemetry",
  "catalog",
  "control",
  "capture",
  "replicate",
  "files",
  "copy",
  "schema",
  "verify",
  "migrate",
  "customcode",
  "alert",
  "daemon",
  "operations",
  "http",
  "cli",
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...rooms.slice(0, -1).map((room, index) => ({
      name: `${room}-imports-downwards`,
      comment: `src/${room} may import only: ${[...rooms.slice(0, index), room].join(", ")}`,
      severity: "error",
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${rooms.slice(index + 1).join("|")})/` },
    })),
    {
      name: "a-room-of-the-law",
      comment: "a new room needs its place in the list",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: `^src/((${rooms.join("|")})/|index\\.ts$)` },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "the-driver-stays-in-postgres",
      comment: "other rooms know Session only",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/postgres/", "\\.test\\.ts$"] },
      to: { path: "node_modules/(@types/)?pg/" },
    },
    {
      name: "tests-are-not-imported",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { path: "^(test|bench|scripts)/|\\.test\\.ts$" },
    },
    {
      name: "nothing-of-development-in-the-product",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "node_modules/@types/" },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
