/** An image that Telegram takes as a photo, by its first bytes; undefined for anything else. */
export function sniff(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length >= 24 && view.readUInt32BE(0) === 0x89504e47) return { width: view.readUInt32BE(16), height: view.readUInt32BE(20) };
  if (view.length >= 10 && view.toString("latin1", 0, 4) === "GIF8") return { width: view.readUInt16LE(6), height: view.readUInt16LE(8) };
  if (view.toString("latin1", 8, 12) === "WEBP") return { width: 512, height: 512 };
  return view.length >= 3 && view.readUIntBE(0, 3) === 0xffd8ff ? jpegSize(view) : undefined;
}

/** From the frame header: https://www.w3.org/Graphics/JPEG/itu-t81.pdf B.2.2 */
function jpegSize(view: Buffer): { width: number; height: number } {
  let at = 2;
  while (at + 9 <= view.length && view[at] === 0xff) {
    const marker = view[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: view.readUInt16BE(at + 5), width: view.readUInt16BE(at + 7) };
    at += 2 + view.readUInt16BE(at + 2);
  }
  return { width: 1, height: 1 };
}
