import type { PolicyInput } from "../../broker/core/policy/load.ts"
import type { Finding } from "../format.ts"
import { titleOf } from "./kinds.ts"
import { literalsIn, unsilenced } from "./literals.ts"

const BETWEEN_FILES = "\n\n"

/**
 * Finds literals that look like secrets in the files of a policy folder. A secret belongs in the broker's settings, and a
 * file names it as env:NAME. A finding says the kind and the place, and never shows the secret: a pull request's log can be
 * public.
 *
 * Uses @secretlint's recommended rules and a few of ours. Comments are searched too: readers of the file see them.
 */
export async function findSecretLiterals(inputs: readonly PolicyInput[]): Promise<readonly Finding[]> {
  const texts = inputs.map(({ bytes }) => new TextDecoder().decode(bytes))
  // One run over all files: the linter keeps marks of every run and searches all of them, which takes minutes for 10,000 files.
  const text = unsilenced(texts.join(BETWEEN_FILES))
  const sorted = await literalsIn({ text, path: "policies.yaml" })
  let start = 0
  return inputs.flatMap(({ path }, index) => {
    const text = texts[index] ?? ""
    const end = start + text.length
    const own = sorted.filter(({ at }) => at >= start && at < end)
    const findings = own.map(({ rule, at }) => findingAt(path, text, at - start, titleOf(rule)))
    start = end + BETWEEN_FILES.length
    // Two rules may match the same text.
    return findings.filter((one, place) => place === 0 || one.line !== findings[place - 1]?.line)
  })
}

function findingAt(file: string, text: string, at: number, rule: string): Finding {
  const before = text.slice(0, at)
  const line = before.split("\n").length
  const column = at - before.lastIndexOf("\n")
  const message = `This looks like a secret (${rule}). Everyone who can read the file can use it. Revoke it where it was issued, store a new one in the broker's settings, and write env:NAME here.`
  return { severity: "error", code: "secret_literal", file, line, column, message }
}
