/** What a first connection or grant is made of. */
export type YamlValue = string | boolean | readonly string[] | { readonly [key: string]: string }

/** A value on one line of YAML. */
export function flow(value: YamlValue): string {
  if (typeof value === "string") return scalar(value)
  if (typeof value === "boolean") return String(value)
  if (isList(value)) return `[${value.map(inFlow).join(", ")}]`
  return `{ ${Object.entries(value)
    .map(([key, text]) => `${inFlow(key)}: ${inFlow(text)}`)
    .join(", ")} }`
}

const isList = (value: object): value is readonly string[] => Array.isArray(value)

/** A string in YAML: plain if no parser can read it as another type, otherwise in quotes. */
export function scalar(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9_./:@-]*$/.test(text) && !text.endsWith(":")
  return plain && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text)
}

/** Inside of brackets, a colon in a plain string is read differently by different parsers. */
export const inFlow = (text: string) => (text.includes(":") ? JSON.stringify(text) : scalar(text))
