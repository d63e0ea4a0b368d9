import type { GivenSubject } from "../../analysis/trust/model.ts"
import { byDoor, jobWords, type Side } from "./side.ts"
import { summaryOf } from "./text.ts"

/** A module of examples/terraform: its name, how it takes subjects, and what else it must know of whom to trust. */
interface Module {
  readonly name: string
  /** `list`; `by-name`: a map from names of hosts or identities; `by-subject`: a map to what each subject may read. */
  readonly subjects: "list" | "by-name" | "by-subject"
  readonly takes: readonly ("audience" | "owner_id")[]
}

/** By provider. Vault's module is an example of four kinds of grants, each with its own subject. */
const MODULES: ReadonlyMap<string, Module> = new Map([
  ["aws", { name: "aws", subjects: "list", takes: [] }],
  ["aws-secrets-manager", { name: "aws-stores", subjects: "list", takes: [] }],
  ["aws-parameter-store", { name: "aws-stores", subjects: "list", takes: [] }],
  ["azure", { name: "azure", subjects: "list", takes: ["audience"] }],
  ["azure-key-vault", { name: "azure-key-vault", subjects: "list", takes: ["audience"] }],
  ["google", { name: "google", subjects: "list", takes: ["owner_id"] }],
  ["google-secret-manager", { name: "google-secret-manager", subjects: "by-subject", takes: ["owner_id"] }],
  ["conjur", { name: "conjur", subjects: "by-name", takes: ["audience"] }],
  ["infisical", { name: "infisical", subjects: "by-name", takes: ["audience"] }],
])

/**
 * The inputs of a module for each role, client or account. Only those that say whom to trust: what the grant may do there is
 * the reader's to add. A local value where no module takes them.
 */
export function terraformLines(sides: readonly Side[], broker: string): readonly string[] {
  const told = sides.filter(({ usesTokens }) => usesTokens)
  const labels = new Set<string>()
  return [
    ...told.flatMap(({ connection, subjects }) =>
      [...byDoor(subjects)].flatMap(([door, those]) => {
        const module = MODULES.get(connection.provider)
        const label = labelOf(connection.name, door, labels)
        const about = `# ${connection.name}${door === null ? "" : `: ${door}`}`
        const inputs = inputsOf(module, those, broker)
        if (module === undefined)
          return [about, "locals {", `  ${label} = {`, ...inputs.map((line) => `  ${line}`), "  }", "}", ""]
        const source = `  source     = "./examples/terraform/${module.name}"`
        return [about, `module "${label}" {`, source, ...inputs, "}", ""]
      }),
    ),
    ...told.flatMap(({ open, connection }) =>
      open.map(
        ({ subjects }) =>
          `# ${connection.name} has subjects that cannot be listed: ${subjects}. --format text says more.`,
      ),
    ),
    `# ${summaryOf(told)}`,
  ]
}

function inputsOf(module: Module | undefined, those: readonly GivenSubject[], broker: string): readonly string[] {
  const { subjects, takes }: Pick<Module, "subjects" | "takes"> = module ?? { subjects: "list", takes: ["audience"] }
  const [audience = ""] = those.flatMap(({ audiences }) => audiences)
  const [owner, ...owners] = new Set(those.flatMap(({ ownerIds }) => ownerIds))
  const isOneOwner = owner !== undefined && owners.length === 0
  const names = new Set<string>()
  const member: Readonly<Record<Module["subjects"], (one: GivenSubject) => string>> = {
    list: ({ subject }) => `${text(subject)},`,
    "by-name": (one) => `${text(nameOf(one, names))} = ${text(one.subject)}`,
    "by-subject": ({ subject }) => `${text(subject)} = {}`,
  }
  const [open, close] = subjects === "list" ? ["[", "]"] : ["{", "}"]
  return [
    `  broker_url = ${text(broker)}`,
    ...(takes.includes("audience") ? [`  audience   = ${text(audience)}`] : []),
    ...(takes.includes("owner_id") && isOneOwner ? [`  owner_id   = ${text(owner)}`] : []),
    `  subjects = ${open}`,
    ...those.map((one) => `    ${member[subjects](one)} # ${jobWords(one)}`),
    `  ${close}`,
  ]
}

/** The grant's name; with the repository's id and the environment where it is not the only one. */
function nameOf({ grant, unitId, environment }: GivenSubject, names: Set<string>): string {
  const name = names.has(grant) ? `${grant}-${unitId}-${environment ?? "none"}` : grant
  names.add(name)
  return name
}

/** A text of HCL: JSON's form, without what HCL would fill in. */
const text = (value: string) => JSON.stringify(value).replaceAll("${", "$${").replaceAll("%{", "%%{")

function labelOf(connection: string, door: string | null, labels: Set<string>): string {
  const last = door === null ? "" : `-${door.replace(/@.*$/, "").split("/").at(-1)}`
  const plain = `${connection}${last}`.replace(/[^A-Za-z0-9_-]/g, "-").replace(/^(?![A-Za-z_])/, "_")
  let label = plain
  for (let count = 2; labels.has(label); count++) label = `${plain}-${count}`
  labels.add(label)
  return label
}
