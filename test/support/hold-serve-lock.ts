import { lockDataFolder } from "#src/serve-lock.ts";

/** Takes the lock, says so, and keeps it until it is killed. */
lockDataFolder(process.argv[2]!);
process.stdout.write("locked\n");
await new Promise((resolve) => process.stdin.on("end", resolve).resume());
