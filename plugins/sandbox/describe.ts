import { type Play, plays } from "./recipients.ts";

/** The magic recipients as a Markdown table, for the reference. */
export function describeRecipients(): string {
  const rows = [...plays].map(([name, play]) => `| \`${name}\` | ${describe(play)} |`);
  return ["| recipient | what happens |", "|---|---|", ...rows].join("\n");
}

function describe(play: Play): string {
  switch (play.kind) {
    case "fails":
      return `fails as \`${play.code}\``;
    case "reaches":
      return `goes on to \`${play.state}\``;
    case "flood":
      return `is told to wait ${play.ms / 1000} s, which holds the account's queue; then sent`;
    case "unreachable":
      return "the network is away at first; repeated, then sent";
    case "slow":
      return `sent after ${play.ms / 1000} s`;
    case "answers":
      return `answers by ${play.by}`;
    case "refused_at_once":
      return "the request is answered with 429 `daily_send_limit_reached`";
    default:
      return play satisfies never;
  }
}
