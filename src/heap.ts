/**
 * What the engine is told: that the machine has 160 MiB, since it collects in earnest only once it holds four fifths of that, and
 * to let its heap grow by little more than half of what lives between collections, where it would let it double. By less, what is
 * new would have under a third of the heap, and the engine would then go through everything each second time, at 10 ms a turn.
 */
const HEAP_SETTINGS = {
  BUN_JSC_forceRAMSize: String(160 * 1024 * 1024),
  BUN_JSC_smallHeapGrowthFactor: "1.55",
  MIMALLOC_PURGE_DELAY: "0",
};

/** Requests of `fetch` under way: each bot that listens holds one, and 256, the runtime's own limit, would leave none for sends. */
const FETCH_SETTINGS = { BUN_CONFIG_MAX_HTTP_REQUESTS: "4096" };

/**
 * The engine lets garbage gather up to four times what lives where the machine's memory is large, and reads such settings once,
 * as the process begins. So the executable begins anew in the same process, some milliseconds later: a busy server then takes
 * half the memory, and what lives may still grow as it likes. Somebody who has made any of these settings is left alone with it.
 * Reads the limit of requests in the same moment. Does nothing where the sources are run, or where a process can't begin anew (Windows).
 * https://github.com/oven-sh/WebKit/blob/main/Source/JavaScriptCore/heap/Heap.cpp (proportionalHeapSize),
 * https://microsoft.github.io/mimalloc/environment.html
 */
export function keepHeapSmall({ env, execPath, argv, execve }: NodeJS.Process): void {
  const isSet = Object.keys(HEAP_SETTINGS).some((name) => env[name] !== undefined);
  if (!Bun.isStandaloneExecutable || isSet || execve === undefined) return;
  execve(execPath, [execPath, ...argv.slice(2)], { ...FETCH_SETTINGS, ...env, ...HEAP_SETTINGS });
}
