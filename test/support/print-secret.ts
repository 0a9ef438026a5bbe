import { silentLog } from "#src/core/log.ts";
import { readOrMakeSecret } from "#src/data-folder.ts";

process.stdout.write(readOrMakeSecret(process.argv[2]!, silentLog));
