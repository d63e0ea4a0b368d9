import type { CommandDeclaration } from "../commands/declaration.ts"
import { GROUPS } from "../commands/groups.ts"

/** What can stand in a place: one of some words, a path, or something that only the user knows. */
export type Values = readonly string[] | "folder" | "file" | null

/** By the word that help shows for it. */
export function valuesOf(name: string, choices?: readonly string[]): Values {
  if (choices) return choices
  if (/^(?:DIR|OLD|NEW)$/.test(name)) return "folder"
  return /(?:^|\|)(?:FILE|PATH|NOTE|DIR)(?:\||$)/.test(name) ? "file" : null
}

/** What can be the first word: a command, a group, or help. */
export function firstWords(commands: readonly CommandDeclaration[]): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  for (const { name, summary } of commands) {
    const [first = ""] = name.split(" ")
    words.set(first, GROUPS[first] ?? summary)
  }
  return words.set("help", "say more about a command")
}

/** The second words of each group. */
export function groupsOf(
  commands: readonly CommandDeclaration[],
): ReadonlyMap<string, readonly { readonly word: string; readonly summary: string }[]> {
  const groups = new Map<string, { readonly word: string; readonly summary: string }[]>()
  for (const { name, summary } of commands) {
    const [group = "", word] = name.split(" ")
    if (word !== undefined) groups.set(group, [...(groups.get(group) ?? []), { word, summary }])
  }
  return groups
}
