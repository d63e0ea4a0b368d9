import { spell } from "../../analysis/used/yaml-edits.ts"

/** What a first connection or grant is made of. */
export type YamlValue = string | boolean | readonly string[] | { readonly [key: string]: string }

/** A value on one line of YAML. */
export function flow(value: YamlValue): string {
  if (typeof value === "string") return scalar(value)
  if (typeof value === "boolean") return String(value)
  if (isList(value)) return `[${value.map(spell).join(", ")}]`
  return `{ ${Object.entries(value)
    .map(([key, text]) => `${spell(key)}: ${spell(text)}`)
    .join(", ")} }`
}

const isList = (value: object): value is readonly string[] => Array.isArray(value)

/** A string on a line of its own, where it may have colons: parsers read them differently only inside of brackets. */
export function scalar(text: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_./:@-]*$/.test(text) && text.includes(":") && !text.endsWith(":")
  return isPlain ? text : spell(text)
}
