// The ways in which programs print a secret, and what somebody can decode from what a log still shows.
import fc from "fast-check"
import { isTooCommon } from "../../action/masks.ts"

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const DIGITS = "0123456789"
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

/** What secrets are made of, from PINs to passphrases. */
const ALPHABETS: readonly string[] = [
  `${LETTERS}${DIGITS}${PUNCTUATION} é密🔑`,
  `${LETTERS}${DIGITS}${PUNCTUATION}`,
  `${LETTERS}${DIGITS}+/=`,
  `${LETTERS}${DIGITS}-_`,
  `${DIGITS}abcdef`,
  `${DIGITS}ABCDEF`,
  DIGITS,
  "abcdefghijklmnopqrstuvwxyz ",
  // What shells, JSON, XML, URLs and expressions escape, and little else.
  "'\"\\$`&<>%+!()*ab",
  "äßœÞжщ密钥🔑🗝a",
]

/** A secret of one alphabet. Most have the length of a password or a token, and some that of a key. */
const lengths = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ minLength: 4, maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constant({ minLength: 60, maxLength: 900 }) },
)
export const secrets = fc
  .tuple(fc.constantFrom(...ALPHABETS), lengths)
  .chain(([alphabet, length]) => fc.string({ ...length, unit: fc.constantFrom(...alphabet) }))
  .map((secret) => secret.trim())
  .filter((secret) => secret.length >= 4 && !isTooCommon(secret))

/** What stands around a secret: it moves base64 by every offset. */
export const around = fc.string({ maxLength: 20, unit: fc.constantFrom(..."abcdefgh ijk:lmn=op/") })

export const kinds = fc.constantFrom("text", "lines", "document", "leaf")

export type Framing = (secret: string, before: string, after: string) => string

export const unframed: Framing = (secret, before, after) => `${before}${secret}${after}`

export const FRAMINGS: Readonly<Record<string, Framing>> = {
  __proto__: null as never,
  text: unframed,
  "lines of text": (secret, before, after) => `${before}\n\t${secret}\r\n${after}`,
  base64: (secret) => Buffer.from(secret).toString("base64"),
  "base64 of framed text": (secret, before, after) => Buffer.from(before + secret + after).toString("base64"),
  "base64 as in a header": (secret, before) =>
    `Authorization: Basic ${Buffer.from(`${before}:${secret}`).toString("base64")}`,
  "base64 with a line break": (secret) => Buffer.from(`${secret}\n`).toString("base64"),
  "base64url of framed text": (secret, before, after) => Buffer.from(before + secret + after).toString("base64url"),
  hex: (secret, before, after) => Buffer.from(before + secret + after).toString("hex"),
  "hex in capitals": (secret, before, after) =>
    Buffer.from(before + secret + after)
      .toString("hex")
      .toUpperCase(),
  JSON: (secret, before, after) => JSON.stringify({ [before]: secret, more: [after, secret + after] }),
  "Go's JSON": (secret, before, after) =>
    JSON.stringify([before, secret, after]).replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`),
  "JSON in ASCII": (secret, before, after) =>
    JSON.stringify([before, secret, after]).replace(
      /[^ -~]/g,
      (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "a URL": (secret, before, after) =>
    `https://x.example/?a=${encodeURIComponent(before + secret)}&b=${encodeURIComponent(after)}`,
  "a form": (secret, before, after) => `a=${encodeURIComponent(before + secret + after).replaceAll("%20", "+")}`,
  XML: (secret, before, after) =>
    `<a b="${before}">${secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&apos;")}</a>${after}`,
  "a shell's trace": (secret, before, after) => `+ curl ${before} '${secret.replaceAll("'", "'\\''")}' ${after}`,
  "another shell's trace": (secret, before, after) => `+ curl ${before} '${secret.replaceAll("'", `'"'"'`)}' ${after}`,
  "a shell's export": (secret, before, after) =>
    `declare -x A="${before}${secret.replace(/["$`\\]/g, "\\$&")}${after}"`,
  "an expression": (secret, before, after) => `${before} == '${secret.replaceAll("'", "''")}' ${after}`,
}

export const framingNames = fc.constantFrom(...Object.keys(FRAMINGS))

/** The text of one case: a secret that was delivered in a way, and printed in another. Null for a case that is none. */
export function printedCase({
  secret,
  before,
  after,
  name,
  kind,
}: Readonly<Record<"secret" | "before" | "after" | "name" | "kind", string>>): {
  readonly delivered: string
  readonly printed: string
} | null {
  // Of a document, leaves from six characters are masked by themselves.
  if (secret.length < 6 && kind !== "text" && kind !== "lines") return null
  const delivered = holding(kind, secret)
  const printed = (FRAMINGS[name] ?? unframed)(kind === "leaf" ? secret : delivered, before, after)
  return { delivered, printed }
}

/** What the policy delivers: the secret itself, a document with it as one line, or as a leaf. */
export function holding(kind: string, secret: string): string {
  if (kind === "lines") return `# settings\n${secret}\n}\n`
  return kind === "text" ? secret : JSON.stringify({ user: "app", secret })
}

const DECODERS: readonly ((text: string) => readonly string[])[] = [
  (text) => [text],
  (text) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(text.replace(/[^A-Za-z0-9+/_-]/g, "").slice(skip), "base64").toString()),
  (text) => [0, 1].map((skip) => Buffer.from(text.replace(/[^0-9A-Fa-f]/g, "").slice(skip), "hex").toString()),
  (text) => [
    text
      .replace(/(?:%[0-9A-F]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString())
      .replaceAll("+", " "),
  ],
  (text) => [text.replace(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))],
  (text) => [
    text
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&apos;", "'")
      .replaceAll("&amp;", "&"),
  ],
  (text) => [
    text.replaceAll("'\\''", "'").replaceAll(`'"'"'`, "'"),
    text.replaceAll("''", "'"),
    text.replace(/\\(.)/g, "$1"),
  ],
]

/** Everything that somebody can decode from what the log still shows, between the places that are hidden. */
export function readable(shown: string): string[] {
  return shown.split("***").flatMap((piece) => DECODERS.flatMap((decode) => decode(piece)))
}

/** A part of the secret that can be read: all of a short one, and any six characters of a longer one. */
export function leakIn(shown: string, secret: string): string | null {
  const texts = readable(shown)
  const length = Math.min(6, secret.length)
  for (let at = 0; at + length <= secret.length; at++) {
    const part = secret.slice(at, at + length)
    if (texts.some((text) => text.includes(part))) return part
  }
  return null
}
