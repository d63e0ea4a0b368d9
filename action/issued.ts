import { join } from "node:path"
import type { Credential, Value } from "./answer.ts"
import { writeNew } from "./disk/safe-file.ts"
import { RecordMaker, type ValueToRecord } from "./fingerprints/record.ts"
import type { Sweep } from "./inputs.ts"
import { jobFolder, makeJobFolder, removeJobFolder } from "./job-folder.ts"
import { patternsFor } from "./patterns.ts"
import { idTokenEndpoint, saveState } from "./runner.ts"

/**
 * The records of what this step issued. They hold fingerprints, no value, and lie in a folder of their own, so that the files
 * for a command can go before them. The post step finds by them which variables still hold a value of this step, and where
 * values were left behind.
 */
export class IssuedRecords {
  readonly #sweep: Sweep
  readonly #since: number
  #maker: RecordMaker | null = null
  #folder: string | null = null
  #written = 0

  /** `since`: when the step started, in milliseconds since 1970. */
  constructor(sweep: Sweep, since = Date.now()) {
    this.#sweep = sweep
    this.#since = since
  }

  /** Makes the keys of the records, which need no value. */
  prepare(): RecordMaker {
    this.#maker ??= new RecordMaker(idTokenEndpoint()?.requestToken ?? "")
    return this.#maker
  }

  /**
   * Records secret values before they are delivered. `variables`: what the step sets for later steps. Without a sweep, only
   * these are recorded, because the post step empties them.
   */
  record(received: readonly Credential[], variables: ReadonlyMap<string, string>): void {
    const values = received.flatMap(({ grant, values }) =>
      values.filter(({ secret }) => secret).map((value) => this.#toRecord(grant, value, variables)),
    )
    // With a sweep, also those that it cannot look for: it says how many they are.
    const known = values.filter(({ variable }) => variable !== undefined || this.#sweep.mode !== "off")
    if (known.length === 0) return
    this.#write(known)
  }

  /** From now on, values may be in the job's files: the post step looks for them. */
  delivered(): void {
    if (this.#folder === null || this.#sweep.mode === "off") return
    saveState("sweep", this.#sweep.mode)
    if (this.#sweep.paths.length > 0) saveState("sweep-paths", this.#sweep.paths.join("\n"))
  }

  /** Nothing was delivered. */
  drop(): void {
    if (this.#folder !== null) removeJobFolder(this.#folder)
  }

  #write(values: readonly ValueToRecord[]): void {
    const maker = this.prepare()
    if (this.#folder === null) {
      this.#folder = jobFolder()
      // First, so that the post step can remove the folder whenever this process is killed.
      saveState("issued", this.#folder)
      makeJobFolder(this.#folder)
    }
    this.#written++
    const name = this.#written === 1 ? "issued.json" : `issued-${this.#written}.json`
    writeNew(join(this.#folder, name), maker.make(values, this.#since))
  }

  #toRecord(grant: string, value: Value, variables: ReadonlyMap<string, string>): ValueToRecord {
    const { name, env, file } = value
    const isSet = env !== undefined && file === undefined && variables.get(env) === value.value
    const patterns = this.#sweep.mode === "off" ? [] : patternsFor(value.value, file?.encoding === "base64")
    return { grant, name, patterns, ...(isSet && { variable: { name: env, text: value.value } }) }
  }
}
