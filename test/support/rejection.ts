/** What a promise is rejected with. @throws Error when it resolves */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("a promise that was to be rejected has resolved");
}
