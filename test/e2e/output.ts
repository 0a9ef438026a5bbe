/** What a process writes, while it writes it. */
export interface Output {
  text(): string;
  /** Resolves when the process has closed it. */
  ended: Promise<void>;
  /** Resolves with what `find` finds, now or later. @throws Error with the whole text when it ends without that */
  awaited<T>(what: string, find: (text: string) => T | undefined): Promise<T>;
}

export function readOutput(stream: ReadableStream<Uint8Array>): Output {
  const watchers = new Set<() => void>();
  let text = "";
  let isOver = false;

  function look(): void {
    for (const watch of [...watchers]) watch();
  }

  async function read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      look();
    }
    isOver = true;
    look();
  }

  return {
    text: () => text,
    ended: read(),
    awaited: <T>(what: string, find: (text: string) => T | undefined) =>
      new Promise<T>((resolve, reject) => {
        const watch = () => {
          const found = find(text);
          if (found === undefined && !isOver) return;
          watchers.delete(watch);
          if (found === undefined) reject(new Error(`it ended without ${what}:\n${text}`));
          else resolve(found);
        };
        watchers.add(watch);
        watch();
      }),
  };
}
