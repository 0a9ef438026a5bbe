/** Examples of the reference. */
export const fileExample = {
  id: "fil_01HKQ9R2X30000000000000000",
  name: "invite.png",
  type: "photo",
  mime: "image/png",
  size: 48_213,
  account_id: null,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};

export const formExample = [
  "--boundary",
  'Content-Disposition: form-data; name="file"; filename="invite.txt"',
  "",
  "You are invited",
  "--boundary--",
  "",
].join("\r\n");

export const uploadDescription =
  "As the body itself, of whatever type, with its name as `?name=`; or as the one part `file` of a `multipart/form-data`. At most 50 MB. What it is, its bytes tell, not its name. Messages then take it as `attachments: [{file_id}]`, as often as you like. An upload that nothing has used for 30 days is removed.";

export const readDescription =
  "The file itself. One that was received is fetched from Telegram when it isn't here, and comes through as it arrives; it is kept then until there is no more room for it (`FILES_CACHE_MB`), and fetched again the next time. Telegram gives bots files of up to 20 MB. While it comes through only its end tells its length; once it is here `Content-Length` does, and `Range` takes a single range.";
