import { meetings } from "./several-sources.ts";

meetings({ seconds: 120, majors: [10, 18, 13], strategy: "bucardo_latest" });
meetings({ seconds: 120, majors: [16, 12, 17], strategy: "C,A,B" });
meetings({ seconds: 60, majors: [18, 15, 15], strategy: "bucardo_random" });
