import type { Result } from "../result.ts"
import type { PolicyFault, PolicySet } from "./model.ts"
import { duplicateFault, kindOf, type PolicyInput } from "./policy-input.ts"
import { createPolicyLoader } from "./policy-loader.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"
import { parseYaml, type YamlDocument } from "./yaml.ts"

export { ORGANISATION_FILE, type PolicyInput, sortedFaults } from "./policy-input.ts"

/**
 * Checks and compiles a whole folder. Returns every fault of every file, or a policy set that has none.
 *
 * `daypass.yaml` at the root is the organisation file. `*.sops.yaml` and similar names hold encrypted secrets that grants
 * name. Every other `*.yaml` is a policy. `*.test.yaml` and other names are ignored, but `*.yml` and `*.YAML` are faults,
 * because their authors surely meant them as policies. Pure; never throws. To load the same folder repeatedly, keep a
 * `createPolicyLoader`: it repeats only the work for changed files.
 */
export function loadPolicySet(
  files: readonly PolicyInput[],
  providers: ProviderSchemaTable,
): Result<PolicySet, readonly PolicyFault[]> {
  return createPolicyLoader(providers).load(files)
}

/** The policies among some files that could be parsed, by path, and every fault in the others. */
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
