/**
 * Gathers the lines of one turn of the event loop into one write: under load a system call a line costs more than the line.
 * What the process still holds when it exits goes out then.
 */
export function gatherLines(write: (text: string) => void): (line: string) => void {
  let held = "";
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    const text = held;
    held = "";
    if (text !== "") write(text);
  };
  process.once("exit", flush);
  return (line) => {
    held += line;
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
}
