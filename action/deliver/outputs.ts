import type { Credential, Lease } from "../answer.ts"
import { deliveryRefused } from "../failure.ts"

/** The outputs of every exchange, independent of the delivery. */
export function leaseOutputs(lease: Lease): ReadonlyMap<string, string> {
  return new Map([
    ["lease", lease.id],
    ["expires-at", lease.expiresAt],
  ])
}

/**
 * Checks the outputs and returns them: the lease's, and `<grant>-<value>` for every value. Sets none.
 * @throws {ActionError} `delivery_refused` when two values have the same output name: `a` + `b-c` and `a-b` + `c`
 */
export function planOutputs(lease: Lease, credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const plan = new Map(leaseOutputs(lease))
  // GitHub ignores case in `steps.id.outputs.NAME`.
  const taken = new Set([...plan.keys()].map((name) => name.toLowerCase()))
  for (const { grant, values } of credentials) {
    for (const { name, value } of values) {
      const output = `${grant}-${name}`
      if (taken.has(output.toLowerCase())) {
        throw deliveryRefused(`Two values have the same output name: ${output}.`)
      }
      taken.add(output.toLowerCase())
      plan.set(output, value)
    }
  }
  return plan
}
