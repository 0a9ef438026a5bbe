import type { Long, tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import type { User } from "./model.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import { isEqual, random, randomLong } from "#test/support/data-center/wire/hash.ts";

/** A photo or any other file that the cloud has. */
export interface StoredFile {
  kind: "photo" | "document";
  /** The data centre from which it can be had. */
  dcId: number;
  id: Long;
  accessHash: Long;
  /** By which a client shows that it has seen the file lately. */
  reference: Uint8Array;
  bytes: Uint8Array;
  mimeType: string;
  attributes: tl.TypeDocumentAttribute[];
  /** From where the cloud is said to have fetched it. */
  url?: string;
}

/** What a message has beside its text. */
export type Media = { file: StoredFile; spoiler?: boolean } | { file?: undefined; shown: tl.TypeMessageMedia };

export type NewFile = Pick<StoredFile, "kind" | "bytes" | "dcId"> & Partial<StoredFile>;

export interface Files {
  add(file: NewFile): StoredFile;
  /** Keeps a part of what a client uploads. */
  savePart(owner: User, id: Long, part: number, bytes: Uint8Array): void;
  /** Everything that was uploaded under this id. @throws RpcFailure if a part is missing */
  assemble(owner: User, id: Long, parts: number): Uint8Array;
  /** @throws RpcFailure if the client may not have it */
  find(id: Long, accessHash: Long, reference: Uint8Array): StoredFile;
  /** No reference that a client has is good any more. */
  expireReferences(): void;
}

/** Without the bytes of a photo nobody knows how big it is. */
const PHOTO_WIDTH = 800;
const PHOTO_HEIGHT = 600;

export function createFiles(): Files {
  const files = new Map<string, StoredFile>();
  const uploads = new Map<string, Map<number, Uint8Array>>();
  return {
    add(given) {
      const file: StoredFile = {
        id: randomLong(),
        accessHash: randomLong(),
        reference: random(16),
        mimeType: given.kind === "photo" ? "image/jpeg" : "application/octet-stream",
        attributes: [],
        ...given,
      };
      files.set(file.id.toString(), file);
      return file;
    },
    savePart(owner, id, part, bytes) {
      const key = `${owner.id}:${id.toString()}`;
      const parts = uploads.get(key) ?? new Map<number, Uint8Array>();
      uploads.set(key, parts.set(part, bytes));
    },
    assemble(owner, id, parts) {
      const uploaded = uploads.get(`${owner.id}:${id.toString()}`);
      const bytes = Array.from({ length: parts }, (_, part) => {
        const found = uploaded?.get(part);
        if (found === undefined) throw new RpcFailure(400, `FILE_PART_${part}_MISSING`);
        return found;
      });
      return new Uint8Array(Buffer.concat(bytes));
    },
    find(id, accessHash, reference) {
      const file = files.get(id.toString());
      if (file === undefined || file.accessHash.neq(accessHash)) throw new RpcFailure(400, "FILE_ID_INVALID");
      if (!isEqual(file.reference, reference)) throw new RpcFailure(400, "FILE_REFERENCE_EXPIRED");
      return file;
    },
    expireReferences() {
      for (const file of files.values()) file.reference = random(16);
    },
  };
}

export function presentMedia(media: Media): tl.TypeMessageMedia {
  if (media.file === undefined) return media.shown;
  const { file, spoiler } = media;
  if (file.kind === "photo") return make("messageMediaPhoto", { photo: presentPhoto(file), spoiler });
  return make("messageMediaDocument", { document: presentDocument(file), spoiler });
}

function presentPhoto({ id, accessHash, reference, bytes, dcId }: StoredFile): tl.RawPhoto {
  const size = make("photoSize", { type: "x", w: PHOTO_WIDTH, h: PHOTO_HEIGHT, size: bytes.length });
  return make("photo", { id, accessHash, fileReference: reference, sizes: [size], dcId });
}

function presentDocument({ id, accessHash, reference, bytes, mimeType, attributes, dcId }: StoredFile): tl.RawDocument {
  return make("document", { id, accessHash, fileReference: reference, mimeType, size: bytes.length, attributes, dcId });
}
