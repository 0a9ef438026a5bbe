import type { Readable } from "node:stream";
import Busboy from "@fastify/busboy";
import { AppError, invalidField } from "#src/core/errors.ts";

/** The one file of a form, not read yet. */
export interface FormFile {
  name: string | null;
  bytes: AsyncIterable<Uint8Array>;
}

/**
 * Reads a form up to its file. https://www.rfc-editor.org/rfc/rfc7578
 * @throws AppError `bad_request` for what is no form, `validation_error` for one that has no part `file` or has others; what the
 * bytes throw. Reading the file throws the same
 */
export async function fileOf(contentType: string, bytes: AsyncIterable<Uint8Array>): Promise<FormFile> {
  const found = Promise.withResolvers<FormFile>();
  const whole = Promise.withResolvers<void>();
  whole.promise.catch(() => undefined);
  let file: Readable | null = null;
  const form = openForm(contentType);
  const fail = (error: AppError) => {
    found.reject(error);
    whole.reject(error);
    file?.destroy();
    form.destroy();
  };
  form.on("file", (field, stream, filename) => {
    // It is told to whoever reads it; with nobody reading it would end the program.
    stream.on("error", () => undefined);
    if (field !== "file" || file !== null) return fail(unknownPart(field));
    file = stream;
    found.resolve({ name: filename ?? null, bytes: read(stream) });
  });
  form.on("field", (field) => fail(unknownPart(field)));
  form.on("error", (error) => fail(error instanceof AppError ? error : badForm(error)));
  form.on("finish", () => {
    found.reject(invalidField("file", "required", "The form has no part named file."));
    whole.resolve();
  });
  void pump();
  return found.promise;

  /** What stands behind the file can still spoil the form. */
  async function* read(stream: Readable): AsyncGenerator<Uint8Array> {
    let isAbandoned = true;
    try {
      for await (const some of stream) yield some as Uint8Array;
      isAbandoned = false;
    } catch (error) {
      fail(badForm(error));
    } finally {
      if (isAbandoned) form.destroy();
    }
    await whole.promise;
  }

  async function pump(): Promise<void> {
    try {
      for await (const some of bytes) {
        if (form.destroyed) return;
        if (!form.write(some)) await drained();
      }
      form.end();
    } catch (error) {
      fail(error instanceof AppError ? error : badForm(error));
    }
  }

  /** Until whoever reads the file has made room, or has gone. */
  function drained(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => resolve();
      form.once("drain", go);
      form.once("close", go);
    });
  }
}

function openForm(contentType: string) {
  try {
    return new Busboy({ headers: { "content-type": contentType } });
  } catch (error) {
    throw badForm(error);
  }
}

function badForm(cause: unknown): AppError {
  return new AppError("bad_request", "The body is no well-formed multipart/form-data.", { cause });
}

function unknownPart(field: string): AppError {
  return invalidField(field.slice(0, 100), "unknown_field", "The form has one part, named file.");
}
