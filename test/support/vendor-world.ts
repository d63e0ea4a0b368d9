import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Vendor } from "./vendor.ts"
import { VENDORS } from "./vendors/index.ts"

// The repository that gets something of every vendor: acme/tools, whose jobs all run in `production`.

export const TOOLS = { repository: "acme/tools", repository_id: "42", repository_owner_id: "9001" }

/** The claims of a job of acme/tools, from main. */
export const toolsJob = (runId: string) => ({
  ...TOOLS,
  ref: "refs/heads/main",
  run_id: runId,
  environment: "production",
  actor: "octocat",
})

/** The `sub` of the broker's identity tokens for one of its grants. */
const toolsSubject = (grant: string) => `github:repository:${TOOLS.repository_id}:environment:production:grant:${grant}`

/** Starts every vendor's stand-in. Each is given to `ends` as soon as it runs. */
export async function startVendors(ends: AsyncDisposableStack): Promise<readonly Vendor[]> {
  return await Promise.all(
    Object.entries(VENDORS).map(async ([name, start]) => {
      const vendor = await start()
      ends.defer(() => vendor.close())
      if (vendor.name !== name) throw new Error(`${name} calls itself ${vendor.name}`)
      return vendor
    }),
  )
}

/** Their connections as lines of an organisation file, below `connections:`. JSON is YAML. */
export const connectionLines = (vendors: readonly Pick<Vendor, "connections">[]): string =>
  vendors
    .flatMap(({ connections }) =>
      Object.entries(connections).map(([name, one]) => `  ${name}: ${JSON.stringify(one)}\n`),
    )
    .join("")

/** Writes the policy of acme/tools, and the files that it names: from main, everything that a vendor has to give. */
export function writeToolsPolicy(folder: string, vendors: readonly Pick<Vendor, "grants" | "files">[]): void {
  const grants = vendors.flatMap((vendor) => Object.entries(vendor.grants))
  for (const [path, text] of vendors.flatMap(({ files = {} }) => Object.entries(files))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  mkdirSync(join(folder, "acme/tools"), { recursive: true })
  writeFileSync(
    join(folder, "acme/tools/production.yaml"),
    `version: 1
issuer: github
repository: ${TOOLS.repository}
repository_id: "${TOOLS.repository_id}"
environment: production
allow:
  - name: from main
    when: { ref: refs/heads/main }
    grants: ${JSON.stringify(grants.map(([name]) => name))}
grants:
${grants.map(([name, grant]) => `  ${name}: ${JSON.stringify(grant)}\n`).join("")}`,
  )
}

/** Writes a whole folder of policies: the organisation file, and the policy of acme/tools. */
export function writeToolsFolder(
  folder: string,
  issuer: string,
  vendors: readonly Pick<Vendor, "connections" | "grants" | "files">[],
): void {
  mkdirSync(folder)
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${issuer}", owners: { acme: "9001" } }
connections:
${connectionLines(vendors)}`,
  )
  writeToolsPolicy(folder, vendors)
}

/** The operator's secrets, for the broker's settings. */
export const vendorSecrets = (vendors: readonly Pick<Vendor, "secrets">[]): Readonly<Record<string, string>> =>
  Object.assign({}, ...vendors.map(({ secrets }) => secrets))

/** Has every vendor trust the broker. */
export async function trustBroker(vendors: readonly Pick<Vendor, "trust">[], issuer: string): Promise<void> {
  await Promise.all(vendors.map((vendor) => vendor.trust({ issuer, subject: toolsSubject })))
}
