import { testDdlOn } from "./ddl.ts";

testDdlOn(18);
