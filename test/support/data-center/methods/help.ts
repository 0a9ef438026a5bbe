import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Methods } from "./call.ts";

const CONFIG_SECONDS = 3600;

export function helpMethods({ ports }: Cloud): Methods {
  return {
    "help.getConfig": (_, { dcId }) =>
      make("config", {
        date: unixTime(),
        expires: unixTime() + CONFIG_SECONDS,
        thisDc: dcId,
        meUrlPrefix: "https://t.me/",
        dcOptions: [...ports].map(([id, port]) => make("dcOption", { id, ipAddress: "127.0.0.1", port })),
      }),
    "help.getNearestDc": (_, { dcId }) => ({ _: "nearestDc", country: "NL", thisDc: dcId, nearestDc: dcId }),
    "help.getAppConfig": () => ({ _: "help.appConfig", hash: 1, config: { _: "jsonObject", value: [] } }),
  };
}
