/** Whether SOPS was told to encrypt the value below these keys; null where we cannot tell. */
export type KeyRule = (keys: readonly string[]) => boolean | null

/** As SOPS has it when nobody says otherwise. */
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
 * The rule that a file's own settings state, by which a value that lies there in the clear is told from one that should not.
 *
 * Never runs a regular expression of the file's: what it costs is its author's choice, and Go's are not JavaScript's. Of
 * expressions only lists of words are understood, with or without anchors, as `^(data|stringData)$`; and none of comments.
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
 * Whether a file says of a value in the clear that it is not secret: by a rule that names what is not to be encrypted. One
 * that names what is says nothing of a value that somebody forgot to name.
 */
export function isSaidPublic(keys: readonly string[], settings: Readonly<Record<string, unknown>>): boolean {
  const namesSecrets = settings["encrypted_suffix"] !== undefined || settings["encrypted_regex"] !== undefined
  return !namesSecrets && keyRuleOf(settings)(keys) === false
}

const WORDS = /^(\^)?(?:\(([A-Za-z0-9_|-]+)\)|([A-Za-z0-9_-]+))(\$)?$/

/** What a list of words matches; null for any other expression. */
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

/** `password|^token$`: anchors bind closer than the bar. */
function alternativesOf(expression: string): ((key: string) => boolean) | null {
  const parts = expression.split("|")
  if (parts.length < 2 || /[()]/.test(expression)) return null
  const matchers = parts.map(wordsOf)
  return matchers.every((matches) => matches !== null) ? (key) => matchers.some((matches) => matches?.(key)) : null
}
