import fc from "fast-check";

const MIB = 1024 * 1024;

/** JSON texts that stand where a value is expected; some are no JSON. */
export const hostileJson: readonly string[] = [
  ...["null", "true", "0", "-0", "-1", "1.5", "1e999", "-1e999", "1e300", "1e-400", "9007199254740993", "18446744073709551616"],
  ...["-9223372036854775809", "0.1e1", "00", "0x10", "NaN", "Infinity", "undefined", "+1", "1e", ".5"],
  ...[
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\u202e\\ufeff"',
    '"\\n\\r\\t"',
    '"\u0007"',
    "'text'",
  ],
  ...[
    '"%00"',
    '"../../etc/passwd"',
    '"\' or 1=1 --"',
    '"{first_name}"',
    '"{constructor}"',
    '"${x}"',
    '"<script>"',
    '"\\\\{"',
    '"msg_"',
    '"9".repeat(3)',
  ],
  ...[
    "[]",
    "[null]",
    "[[[]]]",
    "{}",
    '{"":""}',
    '{"a":{"b":{}}}',
    '{"__proto__":{}}',
    '{"constructor":{"prototype":{}}}',
    '{"toJSON":1}',
    '{"length":1e9}',
  ],
  `"${"x".repeat(70_000)}"`,
  `"${"😀".repeat(10_000)}"`,
  `[${"1,".repeat(20_000)}1]`,
  `{${Array.from({ length: 2_000 }, (_, at) => `"k${at}":1`).join(",")}}`,
  "[".repeat(100_000),
  `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  `${"[".repeat(2_000)}${"]".repeat(2_000)}`,
  `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`,
  `${'{"text":'.repeat(2_000)}1${"}".repeat(2_000)}`,
];

const bytesOf = (text: string) => new TextEncoder().encode(text);
const joined = (...parts: (string | number[])[]) =>
  new Uint8Array(parts.flatMap((part) => (typeof part === "string" ? [...bytesOf(part)] : part)));

/** Whole bodies that are none, or too much of one. */
export const hostileBodies: readonly (string | Uint8Array)[] = [
  ...[
    "",
    " ",
    "\n",
    "{",
    "}",
    "{}{}",
    '{"a":1,}',
    "{,}",
    '{"a"}',
    "\ufeff{}",
    "\u0000",
    "{}\u0000",
    "// {}",
    "a=b&c=d",
    "<xml/>",
    "--x\r\n\r\n",
  ],
  joined('{"text":"', [0xff], '"}'),
  joined('{"text":"', [0xc3], '"}'),
  joined('{"text":"', [0xed, 0xa0, 0x80], '"}'),
  joined('{"text":"', [0xf8, 0x88, 0x80, 0x80, 0x80], '"}'),
  joined([0xff, 0xfe], "{}"),
  joined([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0]),
  `{"text":"${"x".repeat(2 * MIB)}"}`,
  `{"text":"${"x".repeat(MIB - 100)}"}`,
  " ".repeat(2 * MIB),
  `[${"{},".repeat(300_000)}{}]`,
];

/** Parts of an address, as they stand in a request line. */
export const hostileParts: readonly string[] = [
  ...[
    "%00",
    "a%00b",
    "%",
    "%%",
    "%2",
    "%ZZ",
    "%c0%80",
    "%ff",
    "%ed%a0%80",
    "%e2%80%ae",
    "%0d%0a",
    "%20",
    "+",
    "..%2f..",
    "%2e%2e",
    "%252e",
  ],
  ...[
    "-1",
    "0",
    "1e999",
    "1e300",
    "9007199254740993",
    "NaN",
    "Infinity",
    "null",
    "undefined",
    "true",
    "[]",
    "%5b%5d",
    "{}",
    "%7b%22a%22:1%7d",
  ],
  ...[
    "'",
    "%22",
    ";",
    "%3b--",
    "*",
    "__proto__",
    "constructor",
    "toString",
    "x".repeat(5_000),
    "%f0%9f%98%80",
    "😀",
    "msg_00000000000000000000000000",
  ],
];

/** Header values that the Fetch standard lets through. */
export const hostileHeaders: readonly string[] = [
  ...[
    "",
    " ",
    "\t",
    ",",
    ";",
    '"',
    "''",
    "=",
    "*",
    "null",
    "undefined",
    "0",
    "-1",
    "é",
    "ÿ",
    "\u0080",
    "%00",
    "a, b",
    'W/"x"',
    "bytes=0-",
    "Bearer",
    "Bearer ",
    "Basic x",
  ],
  ...[
    "x".repeat(256),
    "x".repeat(20_000),
    "1e999",
    "application/json; charset=utf-16",
    "../..",
    "${jndi:ldap://x}",
    "::1",
    "999.999.999.999",
    "::ffff:1.2.3.4:5",
  ],
];

const hostileText = fc.oneof(fc.string({ unit: "binary", maxLength: 50 }), fc.constantFrom(...hostileParts));

/** Any JSON value, with texts and numbers that are seldom well met. */
export const anyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.object({ key: hostileText, values: [hostileText, fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)], maxDepth: 3 }),
  hostileText,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
