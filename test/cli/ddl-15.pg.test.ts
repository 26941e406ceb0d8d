import { testDdlOn } from "./ddl.ts";

// proves: 6.3/ddl
testDdlOn(15);
