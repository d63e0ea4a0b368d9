import { hostOf, iamKey } from "../../analysis/trust/aws.ts"
import type { GivenSubject, OpenSubjects } from "../../analysis/trust/model.ts"
import { ownerIdName } from "../../analysis/trust/name-claims.ts"
import { UNITS, type UnitKind } from "../../broker/core/families/units.ts"
import { counted } from "../format.ts"
import { byDoor, jobWords, poolOf, type Side, sendsTags } from "./side.ts"

/** What each vendor takes, with the names of today as comments. */
export function textLines(sides: readonly Side[], broker: string): readonly string[] {
  const told = sides.filter(({ usesTokens }) => usesTokens)
  const left = sides.filter(({ usesTokens }) => !usesTokens).map(({ connection }) => connection.name)
  return [
    ...told.flatMap((side) => [...sideLines(side, broker), ""]),
    ...(left.length === 0 ? [] : [`No identity token is used by ${left.join(", ")}: nothing has to be trusted there.`]),
    summaryOf(told),
  ]
}

/** How many subjects there are, and how many patterns stand for subjects that the folder does not tell. */
export function summaryOf(sides: readonly Side[]): string {
  const subjects = sides.reduce((sum, side) => sum + side.subjects.length, 0)
  const open = sides.reduce((sum, side) => sum + side.open.length, 0)
  const listed = counted(subjects, "subject")
  return open === 0 ? `${listed}.` : `${listed}, and ${counted(open, "pattern")} whose subjects cannot be listed.`
}

function sideLines(side: Side, broker: string): readonly string[] {
  const { connection, subjects, vendor } = side
  // Where each grant names its own audience, it stands beside the subject.
  const audiences = vendor === "oidc" ? [] : audiencesOf(subjects)
  const head = `== ${connection.name} (provider ${connection.provider})`
  const triple = [`issuer    ${broker}`, ...audiences.map((one) => `audience  ${one}`)]
  return [
    head,
    ...(subjects.length === 0 ? [`issuer    ${broker}`, "No grant has a subject that can be listed."] : triple),
    ...(subjects.length === 0 ? [] : FORMS[vendor](side, broker)),
    ...side.open.flatMap((one) => ["", ...openLines(one)]),
    ...side.unreachable.map(({ grant, subject }) => `# No job can get ${grant}, so nothing trusts ${subject}.`),
  ]
}

type Form = (side: Side, broker: string) => readonly string[]

const FORMS: Readonly<Record<Side["vendor"], Form>> = { aws, azure, google, vault, oidc }

/** A comment for each job. */
const comments = (subjects: readonly GivenSubject[]) => subjects.map((one) => `# ${jobWords(one)}`)

const pretty = (value: unknown) => JSON.stringify(value, null, 2).split("\n")
const listOrOne = (all: readonly string[]) => (all.length === 1 ? all[0] : all)
const subjectsOf = (subjects: readonly GivenSubject[]) => subjects.map(({ subject }) => subject)
const audiencesOf = (subjects: readonly GivenSubject[]) => [...new Set(subjects.flatMap((one) => one.audiences))]

/** The trust policy of each role. */
function aws(side: Side, broker: string): readonly string[] {
  return [...byDoor(side.subjects)].flatMap(([door, those]) => [
    "",
    `# The trust policy of ${door ?? "the role"}`,
    ...comments(those),
    ...pretty(trustPolicyOf(door, those, side, broker)),
  ])
}

/** The trust policy of a role: exactly these subjects may become a session of it. */
export function trustPolicyOf(door: string | null, those: readonly GivenSubject[], side: Side, broker: string): object {
  const [, partition = "aws", account = "ACCOUNT"] = /^arn:([a-z-]+):iam::([0-9]{12}):role\//.exec(door ?? "") ?? []
  const tags = sendsTags(side.connection) ? ["sts:TagSession"] : []
  const statement = {
    Effect: "Allow",
    Principal: { Federated: `arn:${partition}:iam::${account}:oidc-provider/${hostOf(broker)}` },
    Action: listOrOne(["sts:AssumeRoleWithWebIdentity", ...tags]),
    Condition: {
      StringEquals: {
        [iamKey(broker, "aud")]: listOrOne(audiencesOf(those)),
        [iamKey(broker, "sub")]: listOrOne(subjectsOf(those)),
      },
    },
  }
  return { Version: "2012-10-17", Statement: [statement] }
}

/** A federated credential for each subject: Entra compares one exactly. */
function azure({ subjects }: Side, broker: string): readonly string[] {
  return subjects.flatMap((one) => [
    "",
    `# A federated credential of ${one.door ?? "the client"}: az ad app federated-credential create --parameters`,
    ...comments([one]),
    ...pretty(credentialOf(one, broker)),
  ])
}

/** A federated credential, as `az ad app federated-credential create` takes it. */
export const credentialOf = (one: GivenSubject, broker: string): object => ({
  name: credentialName(one),
  issuer: broker,
  subject: one.subject,
  audiences: one.audiences,
})

/** Entra takes 3 to 120 letters, digits and `- _`, and each name once in an application. */
const credentialName = ({ issuer, unitId, environment, grant }: GivenSubject) =>
  `daypass-${issuer}-${unitId}-${environment ?? ""}-${grant}`.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 120)

const MAX_CONDITION_CHARACTERS = 4096

/** The condition of the pool's provider, and the members of IAM bindings. */
function google(side: Side): readonly string[] {
  const { subjects } = side
  const { condition, isListed } = googleConditionOf(side)
  return [
    "",
    "# The provider of the pool: attribute mapping and attribute condition",
    ...(isListed
      ? []
      : ["# Not every subject can be listed, so the condition names the owners, and the members below decide."]),
    GOOGLE_MAPPING,
    condition,
    ...[...byDoor(subjects)].flatMap(([door, those]) => [
      "",
      `# Members: ${door === null ? "in bindings of what the job may use" : `roles/iam.workloadIdentityUser on ${door}`}`,
      ...those.flatMap((one) => [...comments([one]), googleMemberOf(one, side)]),
    ]),
  ]
}

/** The pool's subject is the broker's. */
export const GOOGLE_MAPPING = "google.subject=assertion.sub"

/** The attribute condition of the pool's provider: the subjects, or the owners where not every subject can be listed. */
export function googleConditionOf({ pool }: Side): { readonly condition: string; readonly isListed: boolean } {
  const condition = `assertion.sub in [${subjectsOf(pool.subjects)
    .map((one) => `'${one}'`)
    .join(", ")}]`
  const isListed = pool.open.length === 0 && condition.length <= MAX_CONDITION_CHARACTERS
  return { isListed, condition: isListed ? condition : conditionOnOwners([...pool.subjects, ...pool.open]) }
}

/** The member of an IAM binding that is one subject. */
export const googleMemberOf = ({ subject }: GivenSubject, { connection }: Side): string =>
  `principal://iam.googleapis.com/${poolOf(connection) ?? "POOL"}/subject/${subject}`

/** Lets in the units of some owners. Each kind of unit has a claim of its own for its owner's id. */
function conditionOnOwners(those: readonly (GivenSubject | OpenSubjects)[]): string {
  const byKind = new Map<UnitKind, Set<string>>()
  for (const { unitKind, ownerIds } of those) {
    const known = byKind.get(unitKind) ?? new Set<string>()
    byKind.set(unitKind, known)
    for (const id of ownerIds) known.add(id)
  }
  const conditions = [...byKind].map(([kind, ids]) => {
    const listed = [...ids].map((id) => `'${id}'`).join(", ")
    return `assertion.${ownerIdName(kind)} in [${listed}]`
  })
  // A claim that a token lacks is an error in CEL, which `||` passes over where its other side is true.
  return conditions.join(" || ")
}

/** The payload of each role of the JWT auth method. */
function vault({ subjects }: Side): readonly string[] {
  return [...byDoor(subjects)].flatMap(([door, those]) => [
    "",
    `# The role ${door ?? ""} of the JWT auth method, whose bound_issuer is the issuer`,
    ...comments(those),
    ...pretty(vaultRoleOf(those)),
  ])
}

/** The payload of a role, as `vault write auth/jwt/role/NAME -` takes it. */
export function vaultRoleOf(those: readonly GivenSubject[]): object {
  const all = subjectsOf(those)
  const bound = all.length === 1 ? { bound_subject: all[0] } : { bound_claims: { sub: all } }
  return { role_type: "jwt", user_claim: "sub", bound_audiences: audiencesOf(those), ...bound }
}

/** Other vendors take the subject as it is. */
function oidc({ subjects }: Side): readonly string[] {
  return [...byDoor(subjects)].flatMap(([door, those]) => [
    "",
    ...(door === null ? [] : [`# ${door}`]),
    ...those.flatMap((one) => [
      ...comments([one]),
      ...one.audiences.map((audience) => `audience  ${audience}`),
      `subject   ${one.subject}`,
    ]),
  ])
}

/** Why some subjects cannot be listed, and what to do instead. */
function openLines({ why, grant, unit, unitKind, subjects, place, ownerIds }: OpenSubjects): readonly string[] {
  const at = place === null ? "" : ` (${place.file}:${place.line})`
  const owners = ownerIds.length === 0 ? "" : ` and ${ownerIdName(unitKind)} ${ownerIds.join(" or ")}`
  const { one, many, idKey } = UNITS[unitKind]
  const ids = `demand the claims environment, grant${owners} instead of the subject where the other side compares claims, as Vault and Google do`
  if (why === "pattern")
    return [
      `# The grant ${grant ?? ""} for ${unit ?? ""}${at} has no list of subjects: the folder does not have the ids of these ${many}.`,
      `# ${subjects} covers them, and also ${many} of others. Do not trust it.`,
      `# Write a policy with ${idKey ?? unitKind} for each ${one}, or ${ids}.`,
    ]
  if (why === "own-policies")
    return [
      `# Policies that ${many} keep for themselves can give grants of this connection. They are not in the folder.`,
      `# ${subjects} covers their subjects, and also others. Do not trust it: ask each ${one} for its subject, as daypass explain prints it.`,
    ]
  return [
    `# The grant ${grant ?? ""} for ${unit ?? ""}${at} is too complex to decide, so its subject is not listed: ${subjects}`,
  ]
}
