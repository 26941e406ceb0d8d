import { daemonOperations } from "./daemon/registry.ts";
import type { Operation } from "./operation.ts";

/** Every operation, in the order of the reference page. */
export const operations: readonly Operation[] = [...daemonOperations];
