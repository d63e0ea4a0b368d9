import type { Environments } from "../../ports/environments.ts"

/** Environments that nobody can be asked about: every demand on their protection stays unmet, for the same reason. */
export const unknownEnvironments = (reason: string): Environments => ({
  protectionOf: async () => ({ known: false, reason }),
})
