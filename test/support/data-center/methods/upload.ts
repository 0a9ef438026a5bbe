import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { StoredFile } from "#test/support/data-center/cloud/files.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Methods } from "./call.ts";

const PART_BYTES_MAX = 512 * 1024;

/** See https://core.telegram.org/api/files */
export function uploadMethods({ files }: Cloud): Methods {
  const save: Methods["upload.saveFilePart"] = ({ fileId, filePart, bytes }, { me }) => {
    if (bytes.length === 0) throw new RpcFailure(400, "FILE_PART_EMPTY");
    if (bytes.length > PART_BYTES_MAX) throw new RpcFailure(400, "FILE_PART_TOO_BIG");
    files.savePart(me, fileId, filePart, new Uint8Array(bytes));
    return true;
  };
  return {
    "upload.saveFilePart": save,
    "upload.saveBigFilePart": (request, call) => save({ ...request, _: "upload.saveFilePart" }, call),
    "upload.getFile"({ location, offset, limit }, { dcId }) {
      const isFile = location._ === "inputPhotoFileLocation" || location._ === "inputDocumentFileLocation";
      if (!isFile) throw new RpcFailure(400, "LOCATION_INVALID");
      const file = files.find(location.id, location.accessHash, location.fileReference);
      if (file.dcId !== dcId) throw new RpcFailure(303, `FILE_MIGRATE_${file.dcId}`);
      return { _: "upload.file", type: typeOf(file), mtime: 0, bytes: file.bytes.subarray(offset, offset + limit) };
    },
  };
}

function typeOf({ kind }: StoredFile) {
  return { _: kind === "photo" ? "storage.fileJpeg" : "storage.filePartial" } as const;
}
