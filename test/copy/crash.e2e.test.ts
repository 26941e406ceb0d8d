import { crashTests } from "./crash-scenario.ts";

crashTests(["copy.piece-cut=kill", "copy.piece-recorded=kill", "copy.piece-recorded=kill:6", "copy.piece-committed=kill:2"]);
