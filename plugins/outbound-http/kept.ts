const KEPT_BYTES_MAX = 4_096;

/** The beginning of a body. */
export interface Kept {
  clear(): void;
  add(piece: Buffer): void;
  /** The first 4 KiB as UTF-8, without NUL, which PostgreSQL's text can't hold. No character is cut in two. */
  text(): string;
}

export function createKept(): Kept {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let isCut = false;

  return {
    clear() {
      if (bytes > 0) pieces = [];
      bytes = 0;
      isCut = false;
    },
    add(piece) {
      const room = KEPT_BYTES_MAX - bytes;
      if (piece.length > room) isCut = true;
      if (room <= 0 || piece.length === 0) return;
      pieces.push(piece.length > room ? piece.subarray(0, room) : piece);
      bytes += Math.min(piece.length, room);
    },
    text() {
      if (bytes === 0) return "";
      const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      // Told that more follows, a decoder leaves out a character whose end is not here.
      const text = isCut ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole, { stream: true }) : whole.toString();
      return text.includes("\0") ? text.replaceAll("\0", "") : text;
    },
  };
}
