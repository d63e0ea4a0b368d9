import type { UnusedGrant } from "../../../analysis/evidence/report.ts"
import type { FiledRecord } from "../../../analysis/records/record-lines.ts"
import { Runs } from "../../../analysis/used/runs.ts"
import { unusedGrants, usageOf } from "../../../analysis/used/usage.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { complain, impossible } from "../../arguments.ts"
import { counted } from "../../format.ts"
import { type CliIo, EXIT } from "../../io.ts"
import { loadPolicies } from "../../policies.ts"

/** Finds the grants of a policy folder that no record used. */
export class UnusedIn {
  readonly #set: PolicySet
  readonly #runs: Runs

  private constructor(set: PolicySet) {
    this.#set = set
    this.#runs = new Runs([set], ["event", "ref"])
  }

  /** An exit code instead, after saying why, when the folder cannot be used. */
  static folder(folder: string, io: CliIo): UnusedIn | number {
    const loaded = loadPolicies(folder)
    if (typeof loaded === "string") return impossible(loaded, io)
    if (loaded.result.ok) return new UnusedIn(loaded.result.value)
    complain(`${counted(loaded.result.fault.length, "error")} in ${folder}: run daypass check ${folder}`, io)
    return EXIT.no
  }

  add(record: FiledRecord): void {
    this.#runs.add(record)
  }

  grants(): readonly UnusedGrant[] {
    const usage = usageOf(this.#set, this.#runs)
    return this.#set.policies.flatMap((policy) =>
      unusedGrants(policy, usage).map(({ name, file, line, connection }) => ({
        ...{ file, line, grant: name, connection: connection.name },
      })),
    )
  }
}
