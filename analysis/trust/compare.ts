import { isFor } from "./given.ts"
import type { Admission, Door, Expected, GivenSubject, OpenSubjects, TrustCode, TrustFinding } from "./model.ts"
import { idInstead } from "./name-claims.ts"
import { isByName, quoted, strangeSubject, wordsOfName } from "./strange-subject.ts"
import { beyond, fulfils, listed } from "./wild.ts"

/** A comparison of what the other side lets in with what the policies give. */
export interface TrustComparison {
  readonly findings: readonly TrustFinding[]
  /** Whether it is proved that the other side lets in nothing beyond the policies. */
  readonly proved: boolean
  /** The subjects that the document may let in. */
  readonly expected: readonly GivenSubject[]
}

/** GitHub's own issuers, whose tokens every job can get without the broker. */
const GITHUB_ISSUER = /^https:\/\/token\.actions\.githubusercontent\.com(?:\/|$)/

/** Each is compared with each subject. A real document has a few. */
const MAX_WILDCARDS = 500

const wildcardsIn = ({ admissions }: Door): number =>
  admissions
    .flatMap(({ subject, audience }) => [...subject, ...audience])
    .reduce((sum, { patterns }) => sum + patterns.filter((one) => one.literal === null).length, 0)

/** A reader needs no list of thousands; the first ones show the kind. */
const MAX_SAME = 20

/**
 * Says whom a document of the other side lets in beyond what the policies give, and what the policies give that it does not
 * let in.
 */
export function compareTrust(door: Door, given: Expected): TrustComparison {
  const expected = narrowedTo(given)
  if (wildcardsIn(door) > MAX_WILDCARDS) {
    const message = `It has more than ${MAX_WILDCARDS} patterns with wildcards, which are not compared.`
    const tooMany = { severity: "finding", code: "not_understood", place: "the document", message } as const
    return { findings: [tooMany], proved: false, expected: expected.subjects }
  }
  const findings: TrustFinding[] = [...door.findings.filter(({ code }) => code !== "tags_refused" || given.sendsTags)]
  for (const admission of door.admissions) findings.push(...findingsOf(admission, door, expected))
  findings.push(...notLetIn(door, expected))
  const elsewhere = ELSEWHERE[door.kind]
  if (elsewhere !== undefined && door.admissions.length > 0)
    findings.push({ severity: "note", code: "issuer_unknown", place: "the document", message: elsewhere })
  return {
    findings: few(findings),
    proved: findings.every(({ severity }) => severity === "note"),
    expected: expected.subjects,
  }
}

/** What a document of a kind does not say, and where it stands. */
const ELSEWHERE: Readonly<Partial<Record<Door["kind"], string>>> = {
  "vault-role":
    "A role does not say whose tokens it lets in: bound_issuer of the auth method (vault read auth/jwt/config) must be the broker's URL.",
  "google-binding":
    "A binding does not say whose tokens it lets in: the pool's provider decides about issuer and audience. Compare it, too, and every other provider of the pool.",
}

/** What counts as given: without the grants for other roles, clients or accounts. */
function narrowedTo(given: Expected): Expected {
  const { door } = given
  if (door === null) return given
  const isHere = (one: GivenSubject | OpenSubjects) => isFor(door, one)
  return {
    ...given,
    subjects: given.subjects.filter(isHere),
    others: [...given.others, ...given.subjects.filter((one) => !isHere(one))],
    open: given.open.filter(isHere),
  }
}

function findingsOf(admission: Admission, door: Door, given: Expected): readonly TrustFinding[] {
  const { place, issuer, subject, unread, names } = admission
  const found: TrustFinding[] = []
  const say = (code: TrustCode, message: string, example?: string, severity: TrustFinding["severity"] = "finding") =>
    found.push({ severity, code, place, message, ...(example === undefined ? {} : { example }) })
  if (issuer !== null && issuer !== given.issuer) {
    if (GITHUB_ISSUER.test(issuer))
      say(
        "issuer_other",
        `It trusts GitHub's own issuer ${issuer} directly, beside the broker: jobs that this lets in need no policy, and are not recorded. Remove it.`,
      )
    else
      say(
        "issuer_other",
        `It trusts the issuer ${quoted(issuer)}, and not the broker ${given.issuer}: remove it, or correct the URL.`,
      )
    for (const text of listed(subject) ?? []) if (isByName(text)) say("subject_by_name", wordsOfName(text), text)
    return found
  }
  const hint =
    unread.length === 0
      ? ""
      : ` Conditions that are not evaluated here may let in less: ${unread.slice(0, 5).join("; ")}.`
  if (door.kind !== "google-binding") found.push(...audienceFindings(admission, given))
  const known = new Set(given.subjects.map((one) => one.subject))
  if (subject.length === 0) {
    say("subject_missing", `${MISSING[door.kind]}${hint}`, given.strangers[0])
  } else {
    const texts = listed(subject)
    if (texts !== null) for (const text of texts) if (!known.has(text)) found.push(strangeSubject(text, place, given))
    if (texts === null) {
      const example = beyond(subject, known, given.strangers)
      const sources = subject
        .filter(({ negated }) => !negated)
        .flatMap(({ patterns }) => patterns.map(({ source }) => source))
      const what =
        sources.length === 0
          ? "It only excludes some subjects, and lets in all others"
          : `${quoted(sources[0] ?? "")} also matches subjects that no policy gives`
      if (example === "unknown")
        say(
          "subject_wildcard",
          `Its patterns are too complex to compare, so it cannot be proved whom they let in.${hint}`,
        )
      else if (example !== null)
        say(
          "subject_wildcard",
          `${what}, such as ${quoted(example.text)}: name each subject in full.${hint}`,
          example.text,
        )
    }
  }
  const exact = !found.some(({ severity }) => severity === "finding")
  for (const claim of names) {
    say(
      "condition_on_name",
      `It has a condition on ${claim}, which is a name. After a rename, somebody else can take the name: use the subject, or ${idInstead(claim)}.`,
      undefined,
      exact ? "note" : "finding",
    )
  }
  const others = unread.filter((one) => !names.some((claim) => one.includes(claim)))
  if (exact && others.length > 0)
    say(
      "condition_unread",
      `These conditions are not evaluated here. They can only let in less: ${others.slice(0, 5).join("; ")}.`,
      undefined,
      "note",
    )
  return found
}

const MISSING: Readonly<Record<Door["kind"], string>> = {
  "aws-role": "It has no condition on sub: every grant of every repository that uses the broker can assume the role.",
  "vault-role":
    "It has no bound_subject: every grant of every repository that uses the broker can log in with the role.",
  "azure-credential": "It has no subject: it cannot be proved whom it lets in.",
  "google-provider":
    "It has no condition on the subject: every grant of every repository that uses the broker can log in to the pool, and only the IAM bindings decide what it gets. Compare them, too.",
  "google-binding":
    "It lets in principals by something else than their subject: more grants than those of the policies can have it.",
  "google-pool":
    "Provider and bindings let in principals by something else than their subject: more grants than those of the policies can have it.",
}

function audienceFindings({ place, audience }: Admission, given: Expected): readonly TrustFinding[] {
  const known = new Set(given.audiences)
  if (audience.length === 0) {
    const names = [...known].map(quoted).join(" or ")
    const message = `It has no condition on the audience: a token that the broker signed for another service is let in. Demand ${names || "the connection's audience"}.`
    return [{ severity: "finding", code: "audience_missing", place, message }]
  }
  const example = beyond(audience, known, ["https://another.example.com"])
  if (example === null) return []
  if (example === "unknown")
    return [
      {
        severity: "finding",
        code: "audience_beyond",
        place,
        message: "Its patterns of audiences are too complex to compare.",
      },
    ]
  const message = `It lets in the audience ${quoted(example.text)}, which is not the connection's: a token that the broker signed for another service could be used here.`
  return [{ severity: "finding", code: "audience_beyond", place, message, example: example.text }]
}

/** What the policies give and the document does not let in. */
function notLetIn({ admissions, kind }: Door, given: Expected): readonly TrustFinding[] {
  const place = "the policies"
  return given.subjects.flatMap((one): readonly TrustFinding[] => {
    const wanted = one.audiences.filter(
      (audience) =>
        !admissions.some(
          (admission) =>
            (admission.issuer === null || admission.issuer === given.issuer) &&
            fulfils(one.subject, admission.subject) &&
            (kind === "google-binding" || fulfils(audience, admission.audience)),
        ),
    )
    if (wanted.length === 0) return []
    const message = `${one.subject} is given by a policy (${one.place.file}:${one.place.line}), and is not let in${wanted.length < one.audiences.length || kind === "google-binding" ? "" : ` with the audience ${wanted.join(" or ")}`}.`
    return [{ severity: "note", code: "not_let_in", place, message, example: one.subject }]
  })
}

/** The first findings of each kind, and how many more there are. */
function few(findings: readonly TrustFinding[]): readonly TrustFinding[] {
  const shown = new Map<string, number>()
  const kept: TrustFinding[] = []
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.code}`
    const count = (shown.get(key) ?? 0) + 1
    shown.set(key, count)
    if (count <= MAX_SAME) kept.push(finding)
  }
  for (const [key, count] of shown) {
    if (count <= MAX_SAME) continue
    const [severity, code] = key.split(" ") as [TrustFinding["severity"], TrustCode]
    kept.push({ severity, code, place: "the document", message: `There are ${count - MAX_SAME} more of this kind.` })
  }
  return kept
}
