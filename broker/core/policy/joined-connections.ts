import { fault } from "./faults.ts"
import type { ConnectionReading, PolicyFault } from "./model.ts"
import { nodeAt, type YamlNode } from "./yaml.ts"

/**
 * Gives each connection what it needs of the others that it names. While another connection has faults, only these are
 * reported: the one that is missing may be the one with the fault.
 */
export function joinConnections(
  file: string,
  root: YamlNode,
  readings: Map<string, ConnectionReading>,
  faults: PolicyFault[],
): void {
  const others = new Map(
    [...readings].flatMap(([name, { connection }]) => (connection === null ? [] : [[name, connection] as const])),
  )
  const areComplete = others.size === readings.size
  for (const [name, { provider, connection }] of readings) {
    const joined = connection === null ? undefined : provider?.join?.(connection.settings, others)
    if (joined === undefined || connection === null) continue
    if (joined.ok) readings.set(name, { provider, connection: { ...connection, settings: joined.value } })
    else if (areComplete) {
      const { at, message } = joined.fault
      faults.push(fault(file, nodeAt(root, ["connections", name, ...at]).at, "value_invalid", message))
      readings.set(name, { provider, connection: null })
    }
  }
}
