import { literalsIn, unsilenced } from "../secrets/literals.ts"
import type { Hit } from "./hit.ts"
import type { Searched } from "./scan-secrets.ts"

/** Stands for a secret in a name. */
const SECRET = "[secret]"

/**
 * The same result, without secrets in its names. A file, an entry of an archive or a variable can be called by a token, and what is
 * printed stays in logs.
 */
export async function withoutSecretNames(searched: Searched): Promise<Searched> {
  const { hits, unread } = searched
  const words = new Set([
    ...hits.flatMap(({ path, entry, name, rule }) => [
      path,
      rule,
      ...(entry === undefined ? [] : [entry]),
      ...(name === undefined ? [] : [name]),
    ]),
    ...unread.map(({ path }) => path),
  ])
  const clean = await cleaned([...words])
  const of = (word: string) => clean.get(word) ?? word
  return {
    ...searched,
    hits: hits.map(
      ({ name, ...hit }): Hit => ({
        ...hit,
        rule: of(hit.rule),
        path: of(hit.path),
        ...(hit.entry !== undefined && { entry: of(hit.entry) }),
        // A part of a name is no name.
        ...(name !== undefined && of(name) === name && { name }),
      }),
    ),
    unread: unread.map(({ path, reason }) => ({ path: of(path), reason })),
  }
}

/** Only those that have a secret in them. All are searched at once, because each search takes milliseconds to begin. */
async function cleaned(words: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const clean = new Map<string, string>()
  if (words.length === 0) return clean
  const literals = await literalsIn({ text: unsilenced(words.join("\n")), path: "names" })
  let start = 0
  for (const word of words) {
    const end = start + word.length
    // From the last one on, so that the places of the others stay.
    for (const literal of literals.filter(({ at, end: last }) => at < end && last > start).reverse()) {
      const text = clean.get(word) ?? word
      clean.set(word, text.slice(0, Math.max(0, literal.at - start)) + SECRET + text.slice(literal.end - start))
    }
    start = end + 1
  }
  return clean
}
