import * as z from "zod"
import type { Hit } from "../hit.ts"
import { nameBefore } from "../hit.ts"

/** Longer is no name and no path, and may be anything. */
const text = z.string().max(4_096)
const ruleName = z.string().min(1).max(256)
const position = z
  .number()
  .int()
  .positive()
  .max(2 ** 31)
const commit = z.string().regex(/^[0-9a-f]{40,64}$/)
/** What a scanner leaves empty or 0 when it does not know it. */
const optional = <Shape extends z.ZodType>(shape: Shape) => shape.optional().catch(undefined)

type HitOfReport = z.ZodType<readonly Hit[]>

const shown = (path: string) => path.replaceAll("\\", "/").replace(/^file:\/\//, "")

/** A file can be called by its secret. */
const without = (secret: string, path: string) => (secret === "" ? path : path.replaceAll(secret, () => "[secret]"))

/** What `gitleaks ... --report-format json` writes: version 8. Its `Secret` and `Match` go no further than this file. */
export const GITLEAKS: HitOfReport = z.array(
  z
    .object({
      RuleID: ruleName,
      File: text,
      StartLine: optional(position),
      StartColumn: optional(position),
      Commit: optional(commit),
      Match: z.string().optional(),
      Secret: z.string().optional(),
    })
    .transform(({ RuleID, File, StartLine, StartColumn, Commit, Match = "", Secret = "" }) =>
      hit(
        RuleID,
        without(Secret, File),
        StartLine,
        StartColumn,
        Commit,
        // With --redact, and for what was decoded, a match has another text than the secret: then its end can be a part of one.
        Secret !== "" && Match.includes(Secret) ? nameBefore(Match.split(Secret, 1)[0] ?? "") : null,
      ),
    ),
)

const place = z.object({
  file: optional(text),
  line: optional(position),
  commit: optional(commit),
  link: optional(text),
})

/** One line of what `trufflehog ... --json` prints: version 3. */
const TRUFFLEHOG_LINE = z
  .object({
    DetectorName: ruleName,
    Raw: z.string().optional(),
    SourceMetadata: z.object({ Data: z.record(z.string(), place).nullish() }).nullish(),
  })
  .transform(({ DetectorName, SourceMetadata, Raw = "" }) => {
    const [{ file, line, commit: since, link } = {}] = Object.values(SourceMetadata?.Data ?? {}) as [
      z.infer<typeof place>?,
    ]
    return hit(DetectorName, without(Raw, file ?? link ?? ""), line, undefined, since)
  })

/** The lines, of which those of its log are left out. */
export const TRUFFLEHOG: HitOfReport = z.preprocess(
  (lines) => (Array.isArray(lines) ? lines.filter((line) => !isOfLog(line)) : lines),
  z.array(TRUFFLEHOG_LINE),
)

const isOfLog = (line: unknown): boolean =>
  typeof line === "object" && line !== null && "level" in line && "msg" in line && !("DetectorName" in line)

const location = z.object({
  physicalLocation: z
    .object({
      artifactLocation: z.object({ uri: text.optional() }).optional(),
      region: z.object({ startLine: optional(position), startColumn: optional(position) }).optional(),
    })
    .optional(),
})

const result = z.object({
  ruleId: ruleName.optional(),
  rule: z.object({ id: ruleName.optional() }).optional(),
  locations: z.array(location).optional(),
  suppressions: z.array(z.object({ status: z.string().optional() })).nullish(),
  partialFingerprints: z.object({ commitSha: optional(commit) }).optional(),
})

/** SARIF 2.1.0 (OASIS), sections 3.27 and 3.28. What somebody has suppressed there (3.27.23) is none. */
export const SARIF: HitOfReport = z
  .object({ version: z.literal("2.1.0"), runs: z.array(z.object({ results: z.array(result).nullish() })) })
  .transform(({ runs }) =>
    runs
      .flatMap(({ results }) => results ?? [])
      .filter(isOpen)
      .map(hitOfResult),
  )

const isOpen = ({ suppressions }: z.infer<typeof result>) =>
  !(suppressions ?? []).some(({ status = "accepted" }) => status === "accepted")

function hitOfResult({ ruleId, rule, locations, partialFingerprints }: z.infer<typeof result>): Hit {
  const { artifactLocation, region } = locations?.[0]?.physicalLocation ?? {}
  const name = ruleId ?? rule?.id ?? "no rule"
  return hit(
    name,
    decoded(artifactLocation?.uri ?? ""),
    region?.startLine,
    region?.startColumn,
    partialFingerprints?.commitSha,
  )
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri)
  } catch {
    return uri
  }
}

function hit(
  rule: string,
  path: string,
  line?: number,
  column?: number,
  since?: string,
  name: string | null = null,
): Hit {
  return {
    rule,
    path: path === "" ? "(no file)" : shown(path),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
    ...(since !== undefined && { commit: since }),
    ...(name !== null && { name }),
  }
}
