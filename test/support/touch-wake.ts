import { touchWake } from "#src/wake.ts";

touchWake(process.argv[2]!);
