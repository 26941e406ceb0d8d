// A worker that has lost vitest's main process ends too, and its watchdogs clear up after it; by itself it would finish its tests.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
