import type { PolicyInput } from "../broker/core/policy/load.ts"
import type { Finding } from "./format.ts"

/** What a text looks like that nobody should find in a file, by the name of the rule that finds it; where, from its start. */
interface Literal {
  readonly rule: string
  readonly at: number
}

/** Beside @secretlint's rules: what connections of ours have for secrets and those do not know. */
const OWN_RULES: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ["private key", /-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY-----/g],
  ["age identity", /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{10,}/g],
  ["JSON Web Token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g],
  ["Vault or OpenBao token", /\bhv[sbr]\.[A-Za-z0-9_-]{24,}/g],
  ["Doppler token", /\bdp\.(?:pt|st|ct|sa|scim|audit|said)\.[A-Za-z0-9._-]{20,}/g],
]

const BETWEEN_FILES = "\n\n"

/**
 * Finds literals that look like secrets in the files of a policy folder: a secret belongs into the broker's settings, and a
 * file names it as env:NAME. The finding says which kind and where, and never shows it: a pull request's log is public.
 *
 * By @secretlint's recommended rules and a few of ours. Comments count: whoever reads the file reads them.
 */
export async function findSecretLiterals(inputs: readonly PolicyInput[]): Promise<readonly Finding[]> {
  const texts = inputs.map(({ bytes }) => new TextDecoder().decode(bytes))
  // As one text: the linter keeps marks of every run and looks through all of them, which takes minutes for 10,000 files.
  const literals = [...(await byRecommendedRules(texts.join(BETWEEN_FILES))), ...byOwnRules(texts.join(BETWEEN_FILES))]
  const sorted = literals.sort((a, b) => a.at - b.at)
  let start = 0
  return inputs.flatMap(({ path }, index) => {
    const text = texts[index] ?? ""
    const end = start + text.length
    const own = sorted.filter(({ at }) => at >= start && at < end)
    const findings = own.map(({ rule, at }) => findingAt(path, text, at - start, rule))
    start = end + BETWEEN_FILES.length
    // Two rules may know one text.
    return findings.filter((one, place) => place === 0 || one.line !== findings[place - 1]?.line)
  })
}

function findingAt(file: string, text: string, at: number, rule: string): Finding {
  const before = text.slice(0, at)
  const line = before.split("\n").length
  const column = at - before.lastIndexOf("\n")
  const message = `This looks like a secret (${rule}), and whoever reads the file has it: withdraw it where it is from, give its successor to the broker as a setting, and name that here as env:NAME.`
  return { severity: "error", code: "secret_literal", file, line, column, message }
}

/**
 * The linter's own comments would silence it, for all files behind them: whoever writes a secret into a file could write that
 * beside it. A text of the same length stands in for their word, so that places stay what they are.
 */
const unsilenced = (text: string) => text.replace(/secretlint/gi, "secretl1nt")

async function byRecommendedRules(content: string): Promise<readonly Literal[]> {
  const { lintSource } = await import("@secretlint/core")
  const { creator } = await import("@secretlint/secretlint-rule-preset-recommend")
  const { messages } = await lintSource({
    source: { content: unsilenced(content), filePath: "policies.yaml", ext: ".yaml", contentType: "text" },
    options: { noPhysicFilePath: true, maskSecrets: true, config: { rules: [{ id: "recommended", rule: creator }] } },
  })
  return messages.map(({ range, messageId, ruleId }) => ({
    rule: `${ruleId.replace(/^.*secretlint-rule-/, "")} ${messageId}`.toLowerCase(),
    at: range[0],
  }))
}

const byOwnRules = (text: string): readonly Literal[] =>
  OWN_RULES.flatMap(([rule, pattern]) => [...text.matchAll(pattern)].map(({ index }) => ({ rule, at: index })))
