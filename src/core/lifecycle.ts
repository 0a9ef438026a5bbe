/** Whatever runs in the background. Starting twice or stopping twice is harmless. */
export interface Component {
  readonly name: string;
  start(): Promise<void>;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Starts in order, stops in reverse; a part that fails to start stops those before it. */
export function lifecycle(parts: Component[]): Component {
  let started: Component[] = [];
  const stop = async () => {
    const running = started.toReversed();
    started = [];
    for (const part of running) await part.stop();
  };
  return {
    name: "all",
    async start() {
      if (started.length > 0) return;
      for (const part of parts) {
        try {
          await part.start();
        } catch (error) {
          await stop();
          throw error;
        }
        started.push(part);
      }
    },
    stop,
  };
}
