const seconds = process.env["BUCARDO_FAULT_SECONDS"];
const chosen = process.env["BUCARDO_FAULT_SEED"];

/** The long form: every case, and random choices that differ from run to run. */
export const everything = seconds !== undefined || process.env["BUCARDO_LONG"] === "1";

/** How long a soak lasts. */
export const soakSeconds = Number(seconds ?? (everything ? 600 : 5));

/** Stands in the names of the tests that choose at random; the same seed makes the same choices. The short form chooses the same every time. */
export const seed = Number(chosen ?? (everything ? Math.floor(Math.random() * 1_000_000) : 1));
