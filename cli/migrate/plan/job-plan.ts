import { isMap, isSeq } from "yaml"
import { memberOf } from "../../../broker/core/policy/plain.ts"
import type { Kind } from "../kinds.ts"
import { keysAt, nodeAt, textAt, type WorkflowFile } from "../workflow/read.ts"
import type { SecretUse } from "../workflow/secret-uses.ts"
import { cloudOffer, type Offer, type OfferWorld, storeOffer } from "./offers.ts"

/** A place that stays as it is, and why: the end of a sentence. */
export interface Left {
  readonly file: string
  readonly line: number
  readonly job: string | null
  readonly secret: string | null
  readonly why: string
}

/** How one use of a secret changes. */
export type Change =
  /** The reference is replaced by an output of the step. */
  | { readonly how: "output"; readonly use: SecretUse; readonly offer: Offer; readonly value: string }
  /** The variable of the whole job is set by the step instead. */
  | { readonly how: "variable"; readonly use: SecretUse; readonly offer: Offer }
  /** The step that logs in is replaced by one that gets credentials. */
  | {
      readonly how: "login"
      readonly use: SecretUse
      readonly offer: Offer
      readonly step: number
      readonly deliver: string | null
    }

export interface JobPlan {
  readonly job: string
  readonly changes: readonly Change[]
  readonly left: readonly Left[]
  readonly notes: readonly string[]
}

/** Values of an AWS session, by the variables that tools read: the names of the action's outputs. */
const AWS_VALUES: Readonly<Record<string, string>> = {
  __proto__: null as never,
  AWS_ACCESS_KEY_ID: "access-key-id",
  AWS_SECRET_ACCESS_KEY: "secret-access-key",
  AWS_SESSION_TOKEN: "session-token",
}

/** The actions that log a job in, the inputs that may be dropped with them, and how the same is delivered. */
interface Login {
  readonly uses: string
  readonly kind: Kind
  readonly inputs: readonly string[]
  readonly deliver: string | null
}

const LOGINS: readonly Login[] = [
  {
    uses: "aws-actions/configure-aws-credentials",
    kind: "aws",
    inputs: ["aws-access-key-id", "aws-secret-access-key", "aws-session-token", "aws-region", "mask-aws-account-id"],
    deliver: null,
  },
  { uses: "google-github-actions/auth", kind: "google", inputs: ["credentials_json", "project_id"], deliver: "files" },
]

/** What changes in one job, and what stays. */
export function planJob(file: WorkflowFile, job: string, uses: readonly SecretUse[], world: OfferWorld): JobPlan {
  const changes: Change[] = []
  const left: Left[] = []
  for (const use of uses) {
    const planned = use.kind === "stays" ? null : planUse(file, job, use, world)
    if (planned === null) continue
    if (typeof planned === "string")
      left.push({ file: use.file, line: use.line, job, secret: use.secret, why: planned })
    else changes.push(planned)
  }
  const region = changes.flatMap((change) => (change.how === "login" ? regionNote(file, job, change.step) : []))
  const notes = new Set([...changes.flatMap(({ offer }) => offer.note ?? []), ...region])
  return { job, changes, left, notes: [...notes] }
}

/** A text: why the place stays as it is. */
function planUse(file: WorkflowFile, job: string, use: SecretUse, world: OfferWorld): Change | string {
  const { secret, way, kind } = use
  if (secret === null) return "it names all secrets, or one by a computed name: write the names out"
  const [, , section, index, group, key] = way
  const login = group === "with" && typeof index === "number" ? loginAt(file, job, index, String(key)) : undefined
  if (login !== undefined) return planLogin(file, job, use, login, world)
  if (kind === "publish" || kind === "variable" || kind === "azure") return reasonOf(cloudOffer(kind, world))
  if (kind === "vault" && group === "with" && /^(?:secretid|password)$/i.test(String(key)))
    return `no grant gives a ${String(key)} of Vault: let the action log in with the input token`
  if (section === "env") return planJobVariable(use, world)
  if (section !== "steps" || typeof index !== "number")
    return "GitHub reads this place before the job's first step, so no step can set it"
  if (group === "env" && kind === "aws") return planKeys(use, String(key), world)
  if (group !== "env" && group !== "with" && group !== "run")
    return `a step's ${String(group)} cannot be changed safely`
  if (kind === "aws" || kind === "google") {
    const uses = textAt(file, "jobs", job, "steps", index, "uses") ?? ""
    if (uses.startsWith("./"))
      return `the action ${uses} logs in with it: let the job get the credentials before, and take the login out of the action`
    return `this is no login that can be replaced: use the step that gets the credentials (${BY_HAND[kind]})`
  }
  if (kind === "github" || kind === "vault") {
    const offer = cloudOffer(kind, world)
    return typeof offer === "string" ? offer : { how: "output", use, offer, value: "token" }
  }
  const offer = storeOffer(secret, secret, world)
  return typeof offer === "string" ? offer : { how: "output", use, offer, value: secret }
}

const BY_HAND: Readonly<Partial<Record<Kind, string>>> = {
  aws: "docs/action.md#environment",
  google: "docs/deliver-files.md#google",
}

/** The login that a step is, if the input is one that may be dropped with it. */
function loginAt(file: WorkflowFile, job: string, step: number, input: string): Login | undefined {
  const uses = textAt(file, "jobs", job, "steps", step, "uses")
  return LOGINS.find((login) => isAction(uses, login.uses) && login.inputs.includes(input.toLowerCase()))
}

const reasonOf = (offer: Offer | string) => (typeof offer === "string" ? offer : (offer.note ?? ""))

/** A variable of the whole job: only when it is the secret and nothing else. */
function planJobVariable(use: SecretUse, world: OfferWorld): Change | string {
  const { secret, kind, whole, way } = use
  const variable = String(way.at(-1))
  if (!whole) return "the variable is more than the secret: set it in a step"
  if (kind === "google")
    return "a variable cannot hold a login that ends: log in with a step (docs/deliver-files.md#google)"
  if (kind === "aws" && AWS_VALUES[variable] === undefined)
    return "no grant sets this variable: read AWS's own variables"
  if (kind === "vault" && variable !== "VAULT_TOKEN")
    return "a grant of Vault sets VAULT_TOKEN alone: rename the variable"
  if (kind === "github" && variable !== "GH_TOKEN")
    return "set the token in the steps that use it, not for the whole job"
  const isCredential = kind === "aws" || kind === "github" || kind === "vault"
  const offer = isCredential ? cloudOffer(kind, world) : storeOffer(secret ?? "", variable, world)
  return typeof offer === "string" ? offer : { how: "variable", use, offer }
}

/** AWS keys as variables of one step. */
function planKeys(use: SecretUse, variable: string, world: OfferWorld): Change | string {
  const value = AWS_VALUES[variable]
  if (value === undefined || !use.whole) return "no output of a grant has this form: read AWS's own variables"
  const offer = cloudOffer("aws", world)
  return typeof offer === "string" ? offer : { how: "output", use, offer, value }
}

function planLogin(file: WorkflowFile, job: string, use: SecretUse, login: Login, world: OfferWorld): Change | string {
  const step = Number(use.way[3])
  const way = ["jobs", job, "steps", step] as const
  const further = keysAt(file, ...way, "with").find((input) => !login.inputs.includes(input.toLowerCase()))
  if (further !== undefined)
    return `the login has the input ${further}, which the step that gets the credentials has not: change it by hand`
  const odd = keysAt(file, ...way).find((key) => !["name", "id", "if", "uses", "with"].includes(key))
  if (odd !== undefined) return `the step has the key ${odd}: change it by hand`
  const id = textAt(file, ...way, "id")
  if (
    id !== undefined &&
    new RegExp(`steps\\s*(?:\\.|\\[\\s*')\\s*${id.replace(/[^A-Za-z0-9_-]/g, "")}\\b`).test(file.text)
  )
    return `later steps read outputs of the step ${id}: change them by hand`
  const offer = cloudOffer(login.kind, world)
  if (typeof offer === "string") return offer
  const region = textAt(file, ...way, "with", "aws-region")
  const given = memberOf(world.set.organisation.connections.get(offer.connection)?.settings, "region")
  if (region !== undefined && !region.includes("${{") && region !== given)
    return `the login is for the region ${region}, and the grant ${offer.grant} sets ${String(given)}: use a connection of that region`
  return { how: "login", use, offer, step, deliver: login.deliver }
}

function regionNote(file: WorkflowFile, job: string, step: number): readonly string[] {
  const region = textAt(file, "jobs", job, "steps", step, "with", "aws-region")
  return region?.includes("${{") ? ["the region comes from the connection now: check that it is the same"] : []
}

const isAction = (uses: string | undefined, name: string) => (uses?.split("@")[0] ?? "").toLowerCase() === name

/** Why a job cannot be changed at all; null when it can. The end of a sentence. */
export function jobFault(file: WorkflowFile, job: string): string | null {
  if (file.hasAnchors) return "the file has anchors, so one change would change several places: write them out"
  const node = nodeAt(file.document, ["jobs", job])
  const steps = nodeAt(file.document, ["jobs", job, "steps"])
  if (steps === undefined)
    return "it calls another workflow, which has to get the credentials itself: change that one, and give the calling job id-token: write"
  if (!isMap(node) || node.flow || !isSeq(steps) || steps.flow)
    return "it is written in brackets: write one key and one step a line"
  const has = ["jobs", ""].map((where) => keysAt(file, ...(where === "" ? [] : ["jobs", job])).includes("permissions"))
  const all = textAt(file, "jobs", job, "permissions") ?? (has[0] ? undefined : textAt(file, "permissions"))
  if (all === "read-all") return "its permissions are read-all, to which none can be added: list them"
  const [start, end] = node.range ?? [0, 0]
  if (
    !has.includes(true) &&
    /\bgithub\s*\.\s*token\b|\bsecrets\s*\.\s*GITHUB_TOKEN\b/i.test(file.text.slice(start, end))
  )
    return "it uses GITHUB_TOKEN with the permissions of the repository's settings, which an added one would take away: list its permissions first"
  return null
}
