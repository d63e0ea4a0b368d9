import { html as tagged } from "hono/html"
import type { HtmlEscapedString } from "hono/utils/html"
import { visible } from "../core/policy/faults.ts"

/** A piece of a page. Only `html` makes one. */
export type Html = HtmlEscapedString

export type Shown = string | number | Html | null | readonly Shown[]

/**
 * Makes a piece of a page. Every text in it is escaped, and its invisible characters are spelt out: names of branches, reasons
 * and values of claims come from anybody, and U+202E would turn the text around. There is no way to put in text as it is.
 *
 * Templates and not JSX: `npm start` runs these sources on Node, which strips types and knows no JSX.
 */
export const html = (strings: TemplateStringsArray, ...values: readonly Shown[]): Html =>
  // It is a promise only when a value is one.
  tagged(strings, ...values.map(shown)) as Html

function shown(value: Shown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  // A piece is an object here, whatever its type says.
  return typeof value === "string" ? visible(value) : value
}

/** A piece, or nothing. */
export const when = (condition: boolean, piece: () => Html): Html | null => (condition ? piece() : null)

/** A path of the console with a query. Members without a value are left out. */
export function pathOf(path: `/console${string}`, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? "") !== "")
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
