export const contactExample = {
  id: "ct_01HKQ9R2X30000000000000000",
  number: 42,
  external_id: "customer-1042",
  telegram_id: null,
  username: "sarah_miller",
  email: "sarah@example.com",
  phone: null,
  name: "Sarah Miller",
  first_name: "Sarah",
  last_name: "Miller",
  language: "en",
  timezone: "Europe/London",
  consent: { status: "granted", at: "2026-05-06T14:32:18.000Z", source: "webinar form" },
  tags: ["trial", "webinar-2026-06"],
  fields: { plan: "starter", seats: 12 },
  metadata: {},
  last_seen_at: null,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};

export const contactCsvExample = `id,number,external_id,telegram_id,username,email,phone,name,first_name,last_name,language,timezone,consent_status,consent_at,consent_source,tags,metadata,last_seen_at,created_at,updated_at,fields\r
ct_01HKQ9R2X30000000000000000,42,customer-1042,,sarah_miller,sarah@example.com,,Sarah Miller,Sarah,Miller,en,Europe/London,granted,2026-05-06T14:32:18.000Z,webinar form,"trial;webinar-2026-06",{},,2026-05-06T14:32:18.000Z,2026-05-06T14:32:18.000Z,"{""plan"":""starter"",""seats"":12}"\r
`;

export const scoredExample = {
  ...contactExample,
  score: {
    total: 18,
    why: [
      {
        rule_id: "rule_01HKQ9R2X30000000000000000",
        name: "Reads what we write",
        points: 12.67,
        count: 2,
        last_at: "2026-05-20T08:01:44.000Z",
      },
      { rule_id: "rule_01HKQ9R2X40000000000000000", name: "Has an address", points: 5, count: null, last_at: null },
    ],
  },
};

export const upsertExample = {
  username: "@sarah_miller",
  name: "Sarah Miller",
  email: "sarah@example.com",
  tags: ["trial", "webinar-2026-06"],
};

export const eraseExample = {
  id: "job_01HKQ9R2X30000000000000000",
  kind: "contacts.erase",
  status: "queued",
  progress: { done: 0, total: 1 },
  result: null,
  error: null,
  created_at: "2026-05-06T14:32:18.000Z",
  finished_at: null,
};
