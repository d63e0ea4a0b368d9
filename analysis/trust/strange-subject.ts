import type { Expected, OpenSubjects, TrustCode, TrustFinding } from "./model.ts"
import { fulfils, wild } from "./wild.ts"

/** Subjects with a repository's name: those of GitHub's own tokens, and an older form of the broker's. */
const BY_NAME = /^(?:repo|repository):[^:/]+\/[^:]+:/

export const isByName = (subject: string): boolean => BY_NAME.test(subject)

/** What a subject is that the compared grants do not give. */
export function strangeSubject(text: string, place: string, given: Expected): TrustFinding {
  const finding = (code: TrustCode, message: string): TrustFinding => ({
    severity: "finding",
    code,
    place,
    message,
    example: text,
  })
  const other = given.others.find(({ subject }) => subject === text)
  if (other !== undefined)
    return finding(
      "subject_of_another_grant",
      `${text} is the subject of the grant ${quoted(other.grant)} through ${other.connection}${other.door === null ? "" : `, for ${other.door}`}: it has no business here.`,
    )
  const open = given.open.find(({ subjects }) => fulfils(text, [{ patterns: [wild(subjects, false)], negated: false }]))
  if (open !== undefined) return finding("subject_unproven", `${text} ${UNPROVEN[open.why]}`)
  if (isByName(text)) return finding("subject_by_name", wordsOfName(text))
  return finding("subject_stale", `${text} is the subject of no grant that a policy gives to a job: remove it.`)
}

/** Why a subject with a name is trusted wrongly. */
export const wordsOfName = (text: string) =>
  `${text} names a repository by its name. After a rename, somebody else can take the name: trust the subjects of the broker, which have ids.`

const UNPROVEN: Readonly<Record<OpenSubjects["why"], string>> = {
  pattern:
    "may be of a repository that a policy with a pattern covers. The folder does not have the repository's id, so this cannot be proved: write a policy for the repository itself.",
  "own-policies":
    "may be given by a policy that a repository keeps for itself. These are not read here, so this cannot be proved.",
  undecided: "may be given by a policy that is too complex to decide, so this cannot be proved.",
}

/** A text of the document, for a sentence. */
export const quoted = (text: string) => JSON.stringify(text.length > 300 ? `${text.slice(0, 299)}…` : text)
