import type { Result } from "../result.ts"
import type { PolicyFault, PolicySet } from "./model.ts"
import { duplicateFault, kindOf, type PolicyInput } from "./policy-input.ts"
import { createPolicyLoader } from "./policy-loader.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"
import { parseYaml, type YamlDocument } from "./yaml.ts"

export { ORGANISATION_FILE, type PolicyInput, sortedFaults } from "./policy-input.ts"

/**
 * Checks and compiles a whole folder: all of its faults, of all of its files, or a set without any.
 *
 * `daypass.yaml` at the root is the organisation file; `*.sops.yaml` and its like hold secrets that grants name, encrypted;
 * every other `*.yaml` is a policy. `*.test.yaml` and files with other names are ignored, except for those that somebody
 * surely meant as policies: `*.yml` and `*.YAML`. Pure; never throws. Whoever loads a folder again and again keeps a `createPolicyLoader`, which does again only what changed.
 */
export function loadPolicySet(
  files: readonly PolicyInput[],
  providers: ProviderSchemaTable,
): Result<PolicySet, readonly PolicyFault[]> {
  return createPolicyLoader(providers).load(files)
}

/** What could be parsed of the policies among some files, by path, and every fault in the rest. */
export function parsedFiles(files: readonly PolicyInput[]) {
  const faults: PolicyFault[] = []
  const documents = new Map<string, YamlDocument>()
  const secrets: string[] = []
  for (const input of files) {
    const kind = kindOf(input, faults)
    const { path, bytes } = input
    if (kind === "secrets") secrets.push(path)
    if (kind !== "policy") continue
    if (documents.has(path)) {
      faults.push(duplicateFault(path))
      continue
    }
    const document = parseYaml(path, bytes)
    if (document.ok) documents.set(path, document.value)
    else faults.push(...document.fault)
  }
  return { documents, secrets, faults }
}
