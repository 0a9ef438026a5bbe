import { type Static, Type } from "@sinclair/typebox";
import { SANDBOX_ACCOUNT_ID } from "#src/modules/accounts/model.ts";
import { TEXT_MAX } from "#src/modules/messages/model.ts";

const id = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

export const NewInbound = Type.Object(
  {
    from: Type.Union([Type.String({ minLength: 1, maxLength: 100 }), Type.Integer(id)], {
      description: "Who writes: `@username` or a numeric id.",
    }),
    text: Type.String({ minLength: 1, maxLength: TEXT_MAX }),
    account_id: Type.Optional(Type.Integer({ ...id, default: SANDBOX_ACCOUNT_ID, description: "Whom they write to." })),
    message_id: Type.Optional(
      Type.Integer({ ...id, description: "As Telegram would number it in that chat: the same one again is the same message." }),
    ),
  },
  { additionalProperties: false },
);
export type NewInbound = Static<typeof NewInbound>;
