import { isMap, isScalar, LineCounter, parseDocument } from "yaml"
import * as z from "zod"
import { fail, ok, type Result } from "../../../../broker/core/result.ts"
import { textOfUtf8 } from "../../../../broker/core/utf8.ts"
import { patternsOf } from "./regex.ts"

/** Jobs that a trust policy lets in: of one repository and one environment, or of none. */
export interface TrustedJobs {
  readonly owner: string
  readonly name: string
  /** From a subject with ids; null for one without. */
  readonly id: string | null
  readonly environment: string | null
  /** Conditions: claim -> patterns. */
  readonly when: Readonly<Record<string, readonly string[]>>
}

/** A trust policy of octo-sts, carried over. */
export interface TrustPolicy {
  readonly issuer: string
  readonly jobs: readonly TrustedJobs[]
  readonly permissions: Readonly<Record<string, string>>
  /** Null: the repository that has the file. */
  readonly repositories: readonly string[] | null
  readonly notes: readonly string[]
}

/** Where a file cannot be carried over, and why. */
export interface TrustFault {
  /** 1-based. */
  readonly line: number
  readonly message: string
}

const FORM = z.strictObject({
  issuer: z.string().optional(),
  issuer_pattern: z.string().optional(),
  subject: z.string().optional(),
  subject_pattern: z.string().optional(),
  audience: z.string().optional(),
  audience_pattern: z.string().optional(),
  claim_pattern: z.record(z.string(), z.string()).optional(),
  permissions: z.record(z.string().regex(/^[a-z][a-z_]*$/), z.enum(["read", "write", "admin"])),
  repositories: z.array(z.string()).optional(),
})
const MAX_BYTES = 64 * 1024

/**
 * Reads a trust policy, as octo-sts does: strictly, each pattern about the whole value, and all conditions together. Only what a
 * policy can say exactly is carried over.
 */
export function readTrust(bytes: Uint8Array): Result<TrustPolicy, TrustFault> {
  const text = bytes.byteLength > MAX_BYTES ? null : textOfUtf8(bytes)
  if (text === null) return fail({ line: 1, message: "it is not a text in UTF-8 of at most 64 KiB" })
  const lines = new LineCounter()
  const document = parseDocument(text, { version: "1.2", schema: "core", lineCounter: lines, prettyErrors: false })
  const [broken] = document.errors
  if (broken !== undefined) return fail({ line: lines.linePos(broken.pos[0]).line, message: "it is not YAML" })
  const lineOf = (key: string, inner?: string): number => {
    const pair = isMap(document.contents)
      ? document.contents.items.find((one) => isScalar(one.key) && one.key.value === key)
      : undefined
    const below =
      inner !== undefined && isMap(pair?.value)
        ? pair.value.items.find((one) => isScalar(one.key) && one.key.value === inner)
        : undefined
    const node = below?.key ?? pair?.key
    return isScalar(node) && node.range ? lines.linePos(node.range[0]).line : 1
  }
  const parsed = FORM.safeParse(document.toJS({ maxAliasCount: 0 }))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const key = issue?.code === "unrecognized_keys" ? (issue.keys[0] ?? "") : String(issue?.path[0] ?? "")
    const what =
      issue?.code === "unrecognized_keys"
        ? "has no counterpart here"
        : "is missing, or has another form than octo-sts reads"
    return fail({ line: lineOf(key), message: `${JSON.stringify(key)} ${what}` })
  }
  return carryOver(parsed.data, lineOf)
}

function carryOver(
  trust: z.infer<typeof FORM>,
  lineOf: (key: string, inner?: string) => number,
): Result<TrustPolicy, TrustFault> {
  const no = (key: string, message: string, inner?: string) => fail({ line: lineOf(key, inner), message })
  const either = (exact: "issuer" | "subject", pattern: "issuer_pattern" | "subject_pattern") => {
    const [text, regex] = [trust[exact], trust[pattern]]
    if ((text === undefined) === (regex === undefined))
      return no(exact, `octo-sts wants ${exact} or ${pattern}, and one of them alone`)
    if (text !== undefined) return ok([text.replaceAll("*", "\\*")])
    const patterns = patternsOf(regex ?? "")
    return patterns.ok ? patterns : no(pattern, `${pattern} ${patterns.fault}`)
  }
  const issuers = either("issuer", "issuer_pattern")
  if (!issuers.ok) return issuers
  const [issuer = "", another] = issuers.value
  if (another !== undefined || issuer.includes("*"))
    return no("issuer_pattern", "issuer_pattern matches more than one issuer: name one")
  const subjects = either("subject", "subject_pattern")
  if (!subjects.ok) return subjects
  const key = trust.subject === undefined ? "subject_pattern" : "subject"

  const claims = new Map<string, readonly string[]>()
  for (const [claim, regex] of Object.entries(trust.claim_pattern ?? {})) {
    const patterns = patternsOf(regex)
    if (!patterns.ok) return no("claim_pattern", `claim_pattern ${claim} ${patterns.fault}`, claim)
    if (!/^[a-z][a-z0-9_]*$/.test(claim)) return no("claim_pattern", "claim_pattern names what is no claim", claim)
    if (claim === "sub" || claim === "aud")
      return no("claim_pattern", `claim_pattern ${claim} is about the token, not the job`, claim)
    claims.set(claim, patterns.value)
  }
  const jobs = new Map<string, TrustedJobs & { when: Record<string, readonly string[]> }>()
  for (const subject of subjects.value) {
    const read = jobsOfSubject(subject)
    if (typeof read === "string") return no(key, `${key} ${read}`)
    const [claim, patterns] = read.condition ?? []
    if (claim !== undefined && claims.has(claim))
      return no("claim_pattern", `claim_pattern ${claim} and ${key} both say what ${claim} is: say it once`, claim)
    // Their tokens have another subject, which this one does not match, and a ref all the same.
    if (claim === "ref" && claims.get("event_name")?.some((event) => event.includes("*") || event === "pull_request"))
      return no(
        "claim_pattern",
        `${key} is about a ref, and event_name also lets in pull requests: name the events`,
        "event_name",
      )
    const place = JSON.stringify([read.owner, read.name, read.environment, claim])
    const known = jobs.get(place)
    const all = [...(known?.when[claim ?? ""] ?? []), ...(patterns ?? [])]
    const { condition: _, ...unit } = read
    jobs.set(place, { ...unit, when: { ...(claim !== undefined && { [claim]: all }), ...Object.fromEntries(claims) } })
  }
  const notes =
    trust.audience === undefined && trust.audience_pattern === undefined
      ? []
      : ["the token's audience is always the broker's here, so the condition on it is not carried over"]
  return ok({
    issuer,
    jobs: [...jobs.values()],
    permissions: trust.permissions,
    repositories: trust.repositories ?? null,
    notes,
  })
}

type SubjectJobs = Pick<TrustedJobs, "owner" | "name" | "id" | "environment"> & {
  readonly condition: readonly [claim: string, patterns: readonly string[]] | null
}

/** What a pattern for GitHub's `sub` says of the job. A text says why it cannot be carried over. */
function jobsOfSubject(pattern: string): SubjectJobs | string {
  const [, owner, name, id, rest = ""] =
    /^repo:([A-Za-z0-9_-]+)(?:@[0-9]+)?\/([A-Za-z0-9._-]+)(?:@([0-9]+))?:(.+)$/.exec(pattern) ?? []
  if (owner === undefined || name === undefined)
    return "does not name one repository of GitHub (repo:OWNER/REPO:...): a policy here is about one, by its id"
  const unit = { owner, name, id: id ?? null }
  const [, ref] = /^ref:(.+)$/.exec(rest) ?? []
  if (ref !== undefined) return { ...unit, environment: null, condition: ["ref", [ref]] }
  const [, environment] = /^environment:([^*%\\]+)$/.exec(rest) ?? []
  if (environment !== undefined) return { ...unit, environment, condition: null }
  if (rest === "pull_request") return { ...unit, environment: null, condition: ["event_name", ["pull_request"]] }
  return "does not say whether it means a ref, one environment or pull requests (ref:..., environment:NAME, pull_request): write a policy for each"
}
