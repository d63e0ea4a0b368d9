import { compareTrust, type TrustComparison } from "../../../analysis/trust/compare.ts"
import { readDoor } from "../../../analysis/trust/door.ts"
import type { Expected, GivenSubject, OpenSubjects } from "../../../analysis/trust/model.ts"
import { strangersOf } from "../../../analysis/trust/strangers.ts"
import type { ClaimValue } from "../../../broker/core/identity.ts"
import { identityTokenSubject } from "../../../broker/wire/subject.ts"

export const BROKER = "https://daypass.example.com"
export const ROLE = "arn:aws:iam::111122223333:role/shop-deploy"
export const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"

/** What one policy gives: the grant of `acme/shop` in production, unless a test says otherwise. */
export function subject(changes: Partial<GivenSubject> = {}): GivenSubject {
  const job = {
    issuer: "github",
    unitKind: "repository" as const,
    unitId: "41",
    environment: "production",
    grant: "deploy",
    ...changes,
  }
  return {
    names: ["acme/shop"],
    connection: "prod",
    provider: "aws",
    audiences: ["sts.amazonaws.com"],
    door: ROLE,
    ownerIds: ["9001"],
    place: { file: "shop.yaml", line: 12 },
    ...job,
    subject: identityTokenSubject(job, job.grant),
  }
}

export const SHOP = subject()

export const open = (changes: Partial<OpenSubjects> = {}): OpenSubjects => ({
  connection: "prod",
  provider: "aws",
  why: "pattern",
  issuer: "github",
  unitKind: "repository",
  grant: "deploy",
  unit: "acme/svc-*",
  environment: "production",
  subjects: "github:repository:*:environment:production:grant:deploy",
  ownerIds: ["9001"],
  door: null,
  audiences: ["sts.amazonaws.com"],
  place: null,
  ...changes,
})

/** Compares a document with what the policies give; throws when it is of no known kind. */
export function compared(document: unknown, given: Partial<Expected> = {}): TrustComparison {
  const subjects = given.subjects ?? [SHOP]
  const expected: Expected = {
    issuer: BROKER,
    audiences: (subjects[0] ?? SHOP).audiences,
    door: null,
    others: [],
    open: [],
    strangers: strangersOf(subjects),
    pools: [POOL],
    sendsTags: true,
    ...given,
    subjects,
  }
  const door = readDoor(plain(document), expected, (text) => plain(JSON.parse(text)))
  if (!door.ok) throw new Error(door.fault)
  const { kind, name } = door.value
  return compareTrust(door.value, kind === "aws-role" && name !== null ? { ...expected, door: name } : expected)
}

/** As the strict parser makes them: objects without a prototype. */
export function plain(value: unknown): ClaimValue {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value as ClaimValue
  return Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)])),
  )
}

/** The codes of what is found, without notes. */
export const codesOf = ({ findings }: TrustComparison): readonly string[] => [
  ...new Set(findings.filter(({ severity }) => severity === "finding").map(({ code }) => code)),
]
export const notesOf = ({ findings }: TrustComparison): readonly string[] => [
  ...new Set(findings.filter(({ severity }) => severity === "note").map(({ code }) => code)),
]
