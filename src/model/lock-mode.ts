/** Modes of LOCK TABLE, the weakest first. */
export const lockModes = [
  "access share",
  "row share",
  "row exclusive",
  "share update exclusive",
  "share",
  "share row exclusive",
  "exclusive",
  "access exclusive",
] as const;
export type LockMode = (typeof lockModes)[number];
