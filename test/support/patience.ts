import { setDefaultTimeout } from "bun:test";

// A machine that does other things too must not fail a test: what hangs is told apart from what is slow.
setDefaultTimeout(60_000);
