import type { ClaimValue } from "../../broker/core/identity.ts"
import { isObject, textsOf } from "./json.ts"
import { isNameClaim } from "./name-claims.ts"
import { type Demand, inAnyCase, literal, type Wild, wildOf } from "./wild.ts"

/** What the conditions of a statement say of the tokens of one issuer. */
export interface StatementConditions {
  readonly subject: readonly Demand[]
  readonly audience: readonly Demand[]
  /** Conditions that are not evaluated: `StringEquals aws:SourceVpc`. */
  readonly unread: readonly string[]
  /** Of these, the session tags that a name is in. */
  readonly names: readonly string[]
  /** No token of this issuer can fulfil them. */
  readonly isNever: boolean
}

/** The operators that compare texts, in small letters: how they read a text, and whether they ask for the opposite. */
const OPERATORS: ReadonlyMap<string, { readonly read: (text: string) => Wild | null; readonly negated: boolean }> =
  new Map([
    ["stringequals", { read: exact, negated: false }],
    ["stringnotequals", { read: exact, negated: true }],
    ["stringequalsignorecase", { read: ignoringCase, negated: false }],
    ["stringnotequalsignorecase", { read: ignoringCase, negated: true }],
    ["stringlike", { read: like, negated: false }],
    ["stringnotlike", { read: like, negated: true }],
  ])

/**
 * Reads a `Condition` block for the tokens of one issuer; null when it has another form than IAM's.
 *
 * IAM's rules (IAM User Guide, "Condition operators", "Condition", "Multivalued context keys"): all keys and operators must
 * be true, and one of a key's values is enough, or none for a negated operator. Names of keys ignore case. A missing key
 * makes a condition false, but true with a negated operator, with `IfExists` and with `ForAllValues`. Every token of an
 * issuer has `sub` and `aud` under that issuer's name, and no key under another issuer's name.
 */
export function conditionsOf(block: ClaimValue | undefined, issuer: string): StatementConditions | null {
  const [subject, audience, unread, names]: [Demand[], Demand[], string[], string[]] = [[], [], [], []]
  let isNever = false
  if (block === undefined) return { subject, audience, unread, names, isNever }
  if (!isObject(block)) return null
  const seen = new Set<string>()
  const own = `${issuer.replace(/^https?:\/\//, "").toLowerCase()}:`
  for (const [operator, keys] of Object.entries(block)) {
    if (!isObject(keys)) return null
    const [, set = "", word = "", suffix = ""] =
      /^(?:(forallvalues|foranyvalue):)?(.*?)(ifexists)?$/.exec(operator.toLowerCase()) ?? []
    for (const [name, value] of Object.entries(keys)) {
      const texts = textsOf(value)
      if (texts === null) return null
      const key = name.toLowerCase()
      // In two spellings, it is not documented which one counts.
      const pair = JSON.stringify([operator.toLowerCase(), key])
      if (seen.has(pair)) return null
      seen.add(pair)
      const about = key === `${own}sub` ? subject : key === `${own}aud` ? audience : null
      const isForeign =
        about === null && /^[a-z0-9-]+(?:\.[a-z0-9-]+)+[^:]*(?::[0-9]+[^:]*)?:(?:sub|aud|azp|amr|oaud)$/.test(key)
      const tag = /^aws:(?:request|principal)tag\/(.+)$/.exec(key)?.[1]
      if (tag !== undefined && isNameClaim(tag)) names.push(tag)
      const test = OPERATORS.get(word)
      if (word === "null" && set === "" && (about !== null || isForeign)) {
        // `true` wants the key to be missing, `false` to be there.
        const wanted = about === null ? "true" : "false"
        if (!texts.some((text) => text.toLowerCase() === wanted)) isNever = true
      } else if (isForeign) {
        const isTrueIfMissing = suffix !== "" || set === "forallvalues" || test?.negated === true
        if (test !== undefined && !isTrueIfMissing) isNever = true
        else
          unread.push(`${operator} ${name}${isTrueIfMissing ? " (a key of another issuer: it restricts nothing)" : ""}`)
      } else if (about === null || test === undefined) unread.push(`${operator} ${name}`)
      else {
        const patterns = texts.map(test.read)
        if (patterns.includes(null)) unread.push(`${operator} ${name}`)
        else about.push({ patterns: patterns.flatMap((one) => one ?? []), negated: test.negated })
      }
    }
  }
  return { subject, audience, unread, names, isNever }
}

/**
 * The characters of a text, with what is escaped marked as such: a star, a question mark or a dollar sign, alone in a
 * variable. Null for a text with another variable, whose value only AWS knows.
 */
function charactersOf(text: string): readonly { readonly unit: string; readonly isEscaped: boolean }[] | null {
  const found: { unit: string; isEscaped: boolean }[] = []
  for (const [index, part] of text.split(/(\$\{[^}]*\}?)/).entries()) {
    const isVariable = index % 2 === 1
    const escaped = isVariable ? /^\$\{([*?$])\}$/.exec(part)?.[1] : undefined
    if (escaped !== undefined) found.push({ unit: escaped, isEscaped: true })
    else if (isVariable) return null
    else for (let at = 0; at < part.length; at++) found.push({ unit: part.charAt(at), isEscaped: false })
  }
  return found
}

function plain(text: string): string | null {
  return (
    charactersOf(text)
      ?.map(({ unit }) => unit)
      .join("") ?? null
  )
}

function exact(text: string): Wild | null {
  const read = plain(text)
  return read === null ? null : literal(read)
}

function ignoringCase(text: string): Wild | null {
  const read = plain(text)
  return read === null ? null : inAnyCase(read)
}

function like(text: string): Wild | null {
  const read = charactersOf(text)
  if (read === null) return null
  return wildOf(
    text,
    read.map(({ unit, isEscaped }) =>
      isEscaped ? unit.charCodeAt(0) : unit === "*" ? "many" : unit === "?" ? "one" : unit.charCodeAt(0),
    ),
  )
}
