export const importDescription = `Takes a file of any size and imports it in a job; the answer comes when all of the file is durable. The import ends in one \`job.completed\` and is no \`contact.created\` a row. Each row goes through the checks of an upsert by itself: those that are refused stand in the report (\`GET /v1/imports/:job_id/report\`), and the others land. The job's \`result\` has \`created\`, \`updated\` (of which \`unchanged\` were as the row says already), \`skipped\` (who was here under \`mode=create\`, or was not under \`mode=update\`), \`failed\`, and the address of the \`report\` where some failed. Its \`progress\` counts rows.

**CSV** (RFC 4180), in UTF-8, with or without a byte order mark; cells are parted by \`,\`, \`;\` or a tab, which the first line tells. That line names the columns: members of a contact (\`First Name\` is \`first_name\`), keys of custom fields (also as \`fields.key\`), \`consent_status\`, \`consent_at\` and \`consent_source\`, and \`metadata\` and \`fields\` as JSON. A column that is none of these refuses the file, unless \`mapping\` says what it is; one without a name is left out. An empty cell says nothing: what is there stays. \`tags\` and several choices are parted by \`;\`, and apostrophes before formulas are taken away, as the export writes them.

**NDJSON**: each line is an object as \`POST /v1/contacts\` takes it; null clears.

An export can be imported again: \`id\`, \`number\`, \`last_seen_at\`, \`created_at\` and \`updated_at\` are left out. Two rows about one person: the later one changes what the earlier one made. A dry run writes nothing; \`GET /v1/imports/:job_id/sample\`, whose address is its \`result.sample\`, shows the first 20 differences. Since nobody is made, it counts a person who is new and stands in the file twice, some hundred rows apart, as created twice.`;

export const undoDescription =
  "Takes an import back in a job, for 30 days and once: whom it made is removed, and what it changed is as it was before. What somebody has changed since stays: of a contact that the import changed only that member, of one that it made the whole. The job's `result` has `removed`, `restored` and `kept`. A canceled import can be undone too.";

export const csvExample = "external_id,name,email,tags\r\nu-1042,Sarah Miller,sarah@example.com,trial;newsletter\r\n";
export const ndjsonExample = '{"external_id":"u-1042","name":"Sarah Miller","email":"sarah@example.com","tags":["trial","newsletter"]}\n';
export const reportExample = "line,code,field,message\r\n7,validation_error,email,email is not an address such as sarah@example.com.\r\n";

export const importExample = {
  id: "job_01HKQ9R2X30000000000000000",
  kind: "contacts.import",
  status: "queued",
  progress: { done: 0, total: 5000 },
  result: null,
  error: null,
  created_at: "2026-05-06T14:32:18.000Z",
  finished_at: null,
};

export const undoExample = { ...importExample, id: "job_01HKQ9R2X30000000000000001", kind: "contacts.import_undo" };

export const sampleExample = {
  line: 7,
  change: "updated",
  contact_id: "ct_01HKQ9R2X30000000000000000",
  members: { name: { before: "Sarah", after: "Sarah Miller" } },
};
