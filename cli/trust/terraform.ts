import { byDoor, jobWords, type Side } from "./side.ts"
import { summaryOf } from "./text.ts"

/** The modules of examples/terraform by provider, and whether they take the connection's audience. */
const MODULES: ReadonlyMap<string, { readonly module: string; readonly takesAudience: boolean }> = new Map([
  ["aws", { module: "aws", takesAudience: false }],
  ["aws-secrets-manager", { module: "aws-stores", takesAudience: false }],
  ["aws-parameter-store", { module: "aws-stores", takesAudience: false }],
  ["azure", { module: "azure", takesAudience: true }],
  ["azure-key-vault", { module: "azure-key-vault", takesAudience: true }],
  ["google", { module: "google", takesAudience: false }],
  ["google-secret-manager", { module: "google-secret-manager", takesAudience: false }],
  ["vault", { module: "vault", takesAudience: true }],
  ["conjur", { module: "conjur", takesAudience: true }],
  ["infisical", { module: "infisical", takesAudience: true }],
])

/**
 * The inputs of a module for each role, client or account. Only those that say whom to trust: what the grant may do there is
 * the reader's to add.
 */
export function terraformLines(sides: readonly Side[], broker: string): readonly string[] {
  const told = sides.filter(({ usesTokens }) => usesTokens)
  const names = new Set<string>()
  return [
    ...told.flatMap(({ connection, subjects }) =>
      [...byDoor(subjects)].flatMap(([door, those]) => {
        const found = MODULES.get(connection.provider)
        const [audience = ""] = those.flatMap(({ audiences }) => audiences)
        const inputs = [
          `  broker_url = ${text(broker)}`,
          ...(found === undefined || found.takesAudience ? [`  audience   = ${text(audience)}`] : []),
          "  subjects = [",
          ...those.map((one) => `    ${text(one.subject)}, # ${jobWords(one)}`),
          "  ]",
        ]
        const label = labelOf(connection.name, door, names)
        const head =
          found === undefined
            ? [
                `# ${connection.name}: there is no module for provider ${connection.provider}`,
                "locals {",
                `  ${label} = {`,
              ]
            : [
                `# ${connection.name}${door === null ? "" : `: ${door}`}`,
                `module "${label}" {`,
                `  source     = "./examples/terraform/${found.module}"`,
              ]
        return found === undefined
          ? [...head, ...inputs.map((line) => `  ${line}`), "  }", "}", ""]
          : [...head, ...inputs, "}", ""]
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

/** A text of HCL: JSON's form, without what HCL would fill in. */
const text = (value: string) => JSON.stringify(value).replaceAll("${", "$${").replaceAll("%{", "%%{")

function labelOf(connection: string, door: string | null, names: Set<string>): string {
  const last = door === null ? "" : `-${door.replace(/@.*$/, "").split("/").at(-1)}`
  const plain = `${connection}${last}`.replace(/[^A-Za-z0-9_-]/g, "-").replace(/^(?![A-Za-z_])/, "_")
  let label = plain
  for (let count = 2; names.has(label); count++) label = `${plain}-${count}`
  names.add(label)
  return label
}
