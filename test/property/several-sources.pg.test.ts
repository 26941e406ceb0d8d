import { meetings } from "./several-sources.ts";

meetings({ seconds: 12, majors: [15, 15, 18], strategy: "bucardo_latest" });
