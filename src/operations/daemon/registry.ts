import type { Operation } from "../operation.ts";

/** The operations that talk to the daemon. */
export const daemonOperations: readonly Operation[] = [];
