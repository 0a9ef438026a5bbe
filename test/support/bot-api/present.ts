import type { Bot, Chat, User } from "./model.ts";

/** A bot as a User object. */
export function presentBot({ id, first_name, username }: Bot): User {
  return { id, is_bot: true, first_name, username };
}

/** A person, of whom the private chat is known, as a User object. */
export function presentPerson({ id, first_name = "", last_name, username }: Chat): User {
  return { id, is_bot: false, first_name, last_name, username };
}
