import type { WarningCode } from "../../../analysis/warnings/warning.ts"
import { type WarningReport, warningsOf } from "../../../analysis/warnings/warnings.ts"
import { loadPolicySet, type PolicyInput } from "../../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"

/** An organisation file; `more` stands below its connections, `issuer` below the issuer. */
export const organisation = (more = "", { issuer = "", owners = '{ acme: "9001" }' } = {}): string => `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: ${owners}
${issuer}connections:
  aws: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }
${more}`

/** Whose jobs a policy is about. */
export interface Head {
  readonly repository?: string
  readonly id?: string
  readonly environment?: string
}

/** A policy of acme/shop in no environment, unless told otherwise. Its body begins in line 3, or 4, or 5. */
export function policy(body: string, { repository = "acme/shop", id = "41", environment }: Head = {}): string {
  const whose = repository.includes("*") ? "" : `repository_id: "${id}"\n`
  const where = environment === undefined ? "" : `environment: ${environment}\n`
  return `version: 1\nrepository: ${repository}\n${whose}${where}${body}`
}

/** Rules and a grant that nothing is to be said of, with one more rule. */
export const GRANTS = 'grants:\n  token: { connection: oidc, audience: "https://vault.example.com" }\n'

/** One allow with these conditions, in one line, for a grant that stands below. */
export const allowing = (when: string, head: Head = {}): string =>
  policy(`allow:\n  - name: the rule\n    when: ${when}\n    grants: [token]\n${GRANTS}`, head)

/** One deny with these conditions, beside an allow that is as it should be. */
export const denying = (when: string, head: Head = {}): string =>
  policy(
    `deny:\n  - name: the rule\n    when: ${when}\nallow:\n  - name: main\n    when: { ref: refs/heads/main }\n    grants: [token]\n${GRANTS}`,
    head,
  )

/** A grant of a role, which one allow gives to pushes to main. */
export const roled = (role: string, head: Head = {}, name = "deploy"): string =>
  policy(
    `allow:\n  - name: main\n    when: { ref: refs/heads/main, event_name: push }\n    grants: [${name}]\ngrants:\n  ${name}:\n    connection: aws\n    role: arn:aws:iam::111122223333:role/${role}\n`,
    head,
  )

/** A boundary about all that acme has, which allows roles of this form. */
export const ceiling = (role: string, more = ""): string =>
  organisation(
    `boundaries:\n  - name: all\n    when: { repository_owner_id: "9001" }\n    allow: [{ connection: aws, role: "arn:aws:iam::111122223333:role/${role}" }]\n${more}`,
  )

export type Files = Readonly<Record<string, string>>

const encoder = new TextEncoder()

/** What is said of files beside an organisation file, which may be among them. */
export function checked(files: Files): WarningReport & { readonly files: readonly PolicyInput[] } {
  const all = Object.entries({ "daypass.yaml": organisation(), ...files })
  const inputs = all.map(([path, text]) => ({ path, bytes: encoder.encode(text) }))
  const loaded = loadPolicySet(inputs, PROVIDERS)
  if (!loaded.ok)
    throw new Error(loaded.fault.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n"))
  const report = warningsOf({ set: loaded.value, files: inputs, providers: PROVIDERS })
  return { ...report, files: inputs }
}

/** The places of warnings with this code: `file:line:column`. */
export function placesOf(code: WarningCode, files: Files | string): readonly string[] {
  const { warnings } = checked(typeof files === "string" ? { "p.yaml": files } : files)
  return warnings.filter((one) => one.code === code).map(({ file, line, column }) => `${file}:${line}:${column}`)
}
