import type { Credential, Lease } from "../answer.ts"
import { ActionError } from "../failure.ts"

/** The outputs that every exchange has, whatever is delivered. */
export function leaseOutputs(lease: Lease): ReadonlyMap<string, string> {
  return new Map([
    ["lease", lease.id],
    ["expires-at", lease.expiresAt],
  ])
}

/**
 * `<grant>-<value>` for every value, besides the outputs of the lease; all checked and none set.
 * @throws {ActionError} `delivery_refused` when two values would have one name, which names with dashes can bring about
 */
export function planOutputs(lease: Lease, credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const plan = new Map(leaseOutputs(lease))
  // `steps.id.outputs.NAME` is looked up without regard to case.
  const taken = new Set([...plan.keys()].map((name) => name.toLowerCase()))
  for (const { grant, values } of credentials) {
    for (const { name, value } of values) {
      const output = `${grant}-${name}`
      if (taken.has(output.toLowerCase())) {
        throw new ActionError("delivery_refused", `Two values would both be the output ${output}.`)
      }
      taken.add(output.toLowerCase())
      plan.set(output, value)
    }
  }
  return plan
}
