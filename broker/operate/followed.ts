import { BrokerError } from "../core/errors.ts"
import type { Directory } from "../ports/directory.ts"

/** The directory, the index, or another part that follows the ledgers. @throws {BrokerError} `configuration_invalid` without one */
export function followed<Part>(part: Part | undefined): Part {
  if (part !== undefined) return part
  throw new BrokerError("configuration_invalid", UNFOLLOWED)
}

const UNFOLLOWED =
  "This broker does not follow its ledgers, so it has no directory, no search and no checkpoints. At the edge, bind the Durable Object Directory to the name DIRECTORY in wrangler.toml, as the one of this version does."

/** Of a broker that follows no ledgers: units are then known by their ids alone. */
export const NO_DIRECTORY: Directory = {
  async list() {
    throw new BrokerError("ledger_unavailable", "This broker has no directory of its ledgers. Name a unit by its id.")
  },
  entry: async () => null,
}
