import type { Emulation } from "./emulation.ts";
import { presentMedia } from "./media.ts";
import type { Bot, Chat, Entity, MediaKind } from "./model.ts";
import type { Update } from "./updates.ts";
import { createWriting, type Writing } from "./writing.ts";

type BotRef = Pick<Bot, "token">;
type ChatRef = Pick<Chat, "id">;

/** A file that somebody sends, with its bytes in Base64, or as so many zeros. */
interface Upload {
  kind: MediaKind;
  bytes?: string;
  size?: number;
  name?: string;
  type?: string;
  caption?: string;
  entities?: Entity[];
}

/** What people send as files. */
export interface Uploads {
  sendFile(bot: BotRef, chat: ChatRef, upload: Upload, writing?: Writing): Update;
  /** Several files as one album: as many messages of one `media_group_id`. */
  sendAlbum(bot: BotRef, chat: ChatRef, uploads: Upload[], writing?: Writing): Update[];
}

/** The smallest JPEG that has a size, 1 by 1: what is sent as a photo where no bytes are given. */
const TINY_JPEG = "/9j/wAALCAABAAEBAREA/9k=";

export function createUploads(emulation: Emulation): Uploads {
  const { write } = createWriting(emulation);
  let albums = 13_900_000_000_000_000;

  const contentOf = (bot: BotRef, { kind, bytes, size, name, type, caption, entities }: Upload) => {
    const given = size === undefined ? Buffer.from(bytes ?? TINY_JPEG, "base64") : Buffer.alloc(size);
    const file = emulation.files.keep(bot, { kind, bytes: given, name, type });
    return {
      ...presentMedia(file),
      ...(caption === undefined ? {} : { caption }),
      ...(entities === undefined ? {} : { caption_entities: entities }),
    };
  };
  return {
    sendFile: (bot, chat, upload, writing) => write(bot, chat, contentOf(bot, upload), writing),
    sendAlbum(bot, chat, uploads, writing) {
      const media_group_id = String(++albums);
      return uploads.map((upload) => write(bot, chat, { media_group_id, ...contentOf(bot, upload) }, writing));
    },
  };
}
