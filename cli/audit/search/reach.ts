import { Accesses } from "../../../analysis/evidence/accesses.ts"
import type { FiledRecord } from "../../../analysis/records/record-lines.ts"
import { type Actor, type ActorsUnit, whatActorReaches } from "../../../analysis/who-can/for-actor.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { loadPolicies } from "../../policies.ts"
import { jsonOf } from "../../who-can/json.ts"
import { linesOf } from "../../who-can/print.ts"

/** What a person's runs got, and what they could get today. */
export interface Reach {
  readonly lines: readonly string[]
  readonly json: object
}

/** The most units that the policies are asked about: each costs an analysis. */
const MAX_UNITS = 200

/** Collects what the runs of one person got. */
export class ReachOf {
  readonly #actorId: string
  readonly #set: PolicySet | null
  readonly #accesses = new Accesses()
  readonly #units = new Map<string, ActorsUnit>()
  #actor: string | null = null

  private constructor(actorId: string, set: PolicySet | null) {
    this.#actorId = actorId
    this.#set = set
  }

  /** A sentence instead when the folder cannot be used. */
  static person(actorId: string, folder: unknown): ReachOf | string {
    if (typeof folder !== "string") return new ReachOf(actorId, null)
    const loaded = loadPolicies(folder)
    if (typeof loaded === "string") return loaded
    if (!loaded.result.ok) return `the folder ${folder} has errors: run daypass check ${folder}`
    return new ReachOf(actorId, loaded.result.value)
  }

  add({ record }: FiledRecord): void {
    const { identity } = record
    if (identity === null || identity.actor_id !== this.#actorId) return
    this.#actor = identity.actor ?? this.#actor
    this.#accesses.add(record)
    const { issuer: issuerUrl, unit, unit_id: unitId, owner_id: ownerId } = identity
    this.#units.set(`${issuerUrl}\n${unitId}`, { issuerUrl, unit, unitId, ownerId })
  }

  reach(): Reach {
    const { accesses } = this.#accesses.rows()
    const units = [...this.#units.values()]
    const actor: Actor = { actor: this.#actor, actorId: this.#actorId }
    const found = this.#set && whatActorReaches(this.#set, actor, units.slice(0, MAX_UNITS), { providers: PROVIDERS })
    const who = `${this.#actor ?? "the actor"} (id ${this.#actorId})`
    return {
      lines: [
        accesses.length === 0 ? `The runs of ${who} got nothing.` : `The runs of ${who} got:`,
        ...accesses.map(
          ({ unit, environment, grant, resource, exchanges, last }) =>
            `  ${unit}, ${environment ?? "no environment"}: ${grant}: ${resource}, ${exchanges} times, last ${last}`,
        ),
        ...(found === null || this.#set === null
          ? []
          : [
              "",
              `Jobs of ${units.length === 1 ? "this unit" : `these ${units.length} units`}, started by ${who}, can get today:`,
              ...linesOf({ ...found, unreachable: [] }, this.#set, false),
            ]),
        ...(units.length > MAX_UNITS ? [`Only ${MAX_UNITS} of ${units.length} units were analysed.`] : []),
      ],
      json: {
        actor: this.#actor,
        actor_id: this.#actorId,
        got: accesses,
        ...(found && this.#set && { can_get: jsonOf({ ...found, unreachable: [] }, this.#set) }),
        units: units.length,
        units_analysed: found ? Math.min(units.length, MAX_UNITS) : 0,
      },
    }
  }
}
