/** Whether SOPS was configured to encrypt the value under these keys; null when that cannot be determined. */
export type KeyRule = (keys: readonly string[]) => boolean | null

/** The default of SOPS. */
const DEFAULT_SUFFIX = "_unencrypted"

const RULES = [
  "unencrypted_suffix",
  "encrypted_suffix",
  "unencrypted_regex",
  "encrypted_regex",
  "unencrypted_comment_regex",
  "encrypted_comment_regex",
] as const

/**
 * The rule in a file's own settings. It decides which unencrypted values are intended and which are a mistake.
 *
 * Never runs a regular expression from the file: its author decides its cost, and Go's expressions differ from
 * JavaScript's. Only lists of words are understood, with or without anchors, such as `^(data|stringData)$`. Rules about
 * comments are not understood.
 */
export function keyRuleOf(settings: Readonly<Record<string, unknown>>): KeyRule {
  const stated = RULES.flatMap((name) => {
    const text = settings[name]
    return typeof text === "string" && text !== "" ? [{ name, text }] : []
  })
  const [rule = { name: "unencrypted_suffix", text: DEFAULT_SUFFIX }, another] = stated
  if (another !== undefined || rule.name.includes("comment")) return () => null
  const fits = rule.name.endsWith("_suffix") ? (key: string) => key.endsWith(rule.text) : wordsOf(rule.text)
  if (fits === null) return () => null
  const encryptsWhatFits = rule.name.startsWith("encrypted")
  return (keys) => keys.some(fits) === encryptsWhatFits
}

/**
 * Whether a file declares an unencrypted value as public, with a rule that names what must stay unencrypted. A rule that
 * names what must be encrypted does not count: somebody may have forgotten to name this value.
 */
export function isSaidPublic(keys: readonly string[], settings: Readonly<Record<string, unknown>>): boolean {
  const namesSecrets = settings["encrypted_suffix"] !== undefined || settings["encrypted_regex"] !== undefined
  return !namesSecrets && keyRuleOf(settings)(keys) === false
}

const WORDS = /^(\^)?(?:\(([A-Za-z0-9_|-]+)\)|([A-Za-z0-9_-]+))(\$)?$/

/** A matcher for a list of words; null for any other expression. */
function wordsOf(expression: string): ((key: string) => boolean) | null {
  const match = WORDS.exec(expression)
  const words = (match?.[2] ?? match?.[3] ?? "").split("|")
  if (match === null || words.includes("")) return alternativesOf(expression)
  const [, starts, , , ends] = match
  return (key) =>
    words.some((word) => {
      if (starts !== undefined && ends !== undefined) return key === word
      if (starts !== undefined) return key.startsWith(word)
      return ends !== undefined ? key.endsWith(word) : key.includes(word)
    })
}

/** `password|^token$`: anchors bind more tightly than the bar. */
function alternativesOf(expression: string): ((key: string) => boolean) | null {
  const parts = expression.split("|")
  if (parts.length < 2 || /[()]/.test(expression)) return null
  const matchers = parts.map(wordsOf)
  return matchers.every((matches) => matches !== null) ? (key) => matchers.some((matches) => matches?.(key)) : null
}
