import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Media, NewFile, StoredFile } from "#test/support/data-center/cloud/files.ts";
import type { User } from "#test/support/data-center/cloud/model.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";

/** Takes in what a client sends beside the text. @throws RpcFailure if it is not whole, or the cloud does not know it */
export function receiveMedia({ files }: Cloud, me: User, dcId: number, input: tl.TypeInputMedia): Media {
  const uploaded = (file: tl.TypeInputFile) => {
    if (file._ === "inputFileStoryDocument") throw new RpcFailure(400, "MEDIA_INVALID");
    return files.assemble(me, file.id, file.parts);
  };
  const known = (input: tl.TypeInputPhoto | tl.TypeInputDocument): StoredFile => {
    if (!("fileReference" in input)) throw new RpcFailure(400, "MEDIA_EMPTY");
    return files.find(input.id, input.accessHash, input.fileReference);
  };
  /** The cloud is said to have fetched it. */
  const fetched = (url: string, kind: NewFile["kind"]) => {
    if (!URL.canParse(url)) throw new RpcFailure(400, "WEBPAGE_CURL_FAILED");
    return files.add({ kind, dcId, url, bytes: Buffer.from(`what is at ${url}`) });
  };
  switch (input._) {
    case "inputMediaUploadedPhoto":
      return { ...spoilerOf(input), file: files.add({ kind: "photo", dcId, bytes: uploaded(input.file) }) };
    case "inputMediaUploadedDocument": {
      const { mimeType, attributes, file } = input;
      return { ...spoilerOf(input), file: files.add({ kind: "document", dcId, bytes: uploaded(file), mimeType, attributes }) };
    }
    case "inputMediaPhoto":
    case "inputMediaDocument":
      return { ...spoilerOf(input), file: known(input.id) };
    case "inputMediaPhotoExternal":
      return { ...spoilerOf(input), file: fetched(input.url, "photo") };
    case "inputMediaDocumentExternal":
      return { ...spoilerOf(input), file: fetched(input.url, "document") };
    case "inputMediaContact": {
      const { phoneNumber, firstName, lastName, vcard } = input;
      return { shown: make("messageMediaContact", { phoneNumber, firstName, lastName, vcard }) };
    }
    case "inputMediaGeoPoint":
      if (input.geoPoint._ === "inputGeoPointEmpty") throw new RpcFailure(400, "MEDIA_EMPTY");
      return { shown: make("messageMediaGeo", { geo: make("geoPoint", { long: input.geoPoint.long, lat: input.geoPoint.lat }) }) };
    default:
      throw new RpcFailure(400, "MEDIA_INVALID");
  }
}

function spoilerOf({ spoiler }: { spoiler?: boolean }): { spoiler?: boolean } {
  return spoiler ? { spoiler } : {};
}
