import { quote } from "../../../broker/core/policy/faults.ts"
import type { Connection } from "../../../broker/core/policy/model.ts"
import { memberOf } from "../../../broker/core/policy/plain.ts"
import { misused } from "../../arguments.ts"
import { vendorGrant } from "../../init/text.ts"
import { fieldFault, type Given, VENDORS, type Vendor } from "../../init/vendors.ts"
import type { MigratedGrant } from "./policy-file.ts"

/** What the user said of grants that no policy has yet, by provider. */
export type Said = ReadonlyMap<string, Given>

/** What only a person knows of a provider's grant. The rest is in the connection. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  aws: ["role"],
  google: ["service_account"],
  github: ["repositories", "permission"],
  vault: ["role"],
}
/** Which connection, where the organisation has several of the provider. */
const CONNECTION = "connection"
const CONNECTION_NAME = /^[a-z][a-z0-9-]{0,63}$/
/** A role of one of several accounts, or with a path. */
const ROLE_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[A-Za-z0-9+=,.@_/-]{1,576}$/

const DRAFTS: ReadonlyMap<string, { readonly vendor: Vendor; readonly asked: readonly string[] }> = new Map(
  Object.values(VENDORS).flatMap((vendor) => {
    const asked = ASKED[vendor.provider]
    return asked === undefined ? [] : [[vendor.provider, { vendor, asked }] as const]
  }),
)

/** `PROVIDER.FIELD=VALUE` of each `--with`. @throws {Misuse} */
export function saidBy(options: readonly string[]): Said {
  const said = new Map<string, Record<string, string>>()
  for (const option of options) {
    const [, provider = "", name = "", value = ""] = /^([^.=]*)\.([^=]*)=(.*)$/s.exec(option) ?? []
    const draft = DRAFTS.get(provider)
    if (draft === undefined || ![...draft.asked, CONNECTION].includes(name)) {
      const known = [...DRAFTS].flatMap(([of, { asked }]) => [...asked, CONNECTION].map((field) => `${of}.${field}=`))
      return misused(`--with ${quote(option)} is not known: give ${known.join(", ")}`)
    }
    const fault = faultOf(draft.vendor, name, value)
    if (fault !== null) return misused(`--with ${provider}.${name} ${fault}`)
    said.set(provider, { ...said.get(provider), [name]: value })
  }
  return said
}

function faultOf({ provider, fields }: Vendor, name: string, value: string): string | null {
  if (name === CONNECTION)
    return CONNECTION_NAME.test(value) ? null : "must be the name of a connection of daypass.yaml"
  const field = fields.find((one) => one.name === name)
  if (field === undefined || (provider === "aws" && ROLE_ARN.test(value))) return null
  const fault = fieldFault(field, value)
  return fault !== null && provider === "aws" ? `${fault}, or its ARN` : fault
}

/** The grant that the user asked for. A text says what is missing: the end of a sentence. */
export function draftedGrant(provider: string, said: Said, all: Iterable<Connection>): MigratedGrant | string {
  const draft = DRAFTS.get(provider)
  if (draft === undefined) return "no grant can take its place"
  const { vendor, asked } = draft
  const given = said.get(provider) ?? {}
  const connection = connectionFor(vendor, given[CONNECTION], [...all])
  if (typeof connection === "string") return connection
  const missing = asked.filter((name) => given[name] === undefined)
  if (missing.length > 0) {
    const options = missing.map((name) => {
      const field = vendor.fields.find((one) => one.name === name)
      return `--with ${provider}.${name}=... (${field?.message ?? name})`
    })
    return `no ${provider} grant of the environment takes its place: let one be drafted with ${options.join(" and ")}`
  }
  const answers = provider === "aws" ? ofConnection(given, connection) : given
  if (typeof answers === "string") return answers
  const { name, fields, ttl } = vendorGrant(vendor, answers, connection.name)
  const role = ROLE_ARN.test(given["role"] ?? "") ? { role: given["role"] ?? "" } : {}
  return { name, connection: connection.name, fields: { ...fields, ...role, ...(ttl !== undefined && { ttl }) } }
}

function connectionFor({ provider, page }: Vendor, named: string | undefined, all: readonly Connection[]) {
  const ours = all.filter((one) => one.provider === provider)
  const [only, ...others] = ours.filter(({ name }) => (named ?? name) === name)
  if (only === undefined)
    return named === undefined
      ? `daypass.yaml has no ${provider} connection: add one, with ${page}, and run this again`
      : `daypass.yaml has no ${provider} connection ${named}`
  return others.length === 0
    ? only
    : `daypass.yaml has several ${provider} connections (${ours.map(({ name }) => name).join(", ")}): choose one with --with ${provider}.${CONNECTION}=...`
}

/** What a connection to AWS knows: the partition, by its region, and the account, where it has only one. */
function ofConnection(given: Given, { name, settings }: Connection): Given | string {
  const accounts = memberOf(settings, "accounts")
  const [account = "", ...others]: readonly string[] = Array.isArray(accounts) ? accounts : []
  if (others.length > 0 && !ROLE_ARN.test(given["role"] ?? ""))
    return `${name} has several accounts: give the whole ARN with --with aws.role=...`
  return { ...given, account, region: String(memberOf(settings, "region")) }
}
