import type { IdForm } from "./family-facts.ts"

/** An id in decimal digits. No leading zero: an id must have only one spelling, because ids are compared as text. */
export const DIGITS: IdForm = {
  pattern: /^[1-9][0-9]{0,19}$/,
  words: 'an id is a text of digits, such as "41"',
  longest: "9".repeat(20),
}

/** The source of a UUID's pattern (RFC 9562), in lower case: ids are compared as text. */
export const UUID_SOURCE = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

const LONGEST_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

export const UUID: IdForm = {
  pattern: new RegExp(`^${UUID_SOURCE}$`),
  words: 'an id is a UUID in lower case, such as "0184990a-4782-42b5-afc1-16715b10b1a0"',
  longest: LONGEST_UUID,
}

/** Bitbucket's spelling. The braces belong to the id, so that it has only one. */
export const BRACED_UUID: IdForm = {
  pattern: new RegExp(`^\\{${UUID_SOURCE}\\}$`),
  words:
    'an id is a UUID in lower case, in braces and in quotes, as Bitbucket shows it: "{2e9e429c-7b8b-404f-8648-8c40c27c9ebd}"',
  longest: `{${LONGEST_UUID}}`,
}
