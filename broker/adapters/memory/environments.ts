import type { Environments } from "../../ports/environments.ts"

/** Environments whose host cannot be asked: every demand on their protection stays unmet, for the given reason. */
export const unknownEnvironments = (reason: string): Environments => ({
  protectionOf: async () => ({ known: false, reason }),
})
