import { BrokerError } from "./errors.ts"

/** For the log: our own sentence, or the class of a foreign error. Its message may quote what is stored, or what another side sent. */
export const reasonOf = (error: unknown): string =>
  error instanceof BrokerError ? error.detail : error instanceof Error ? error.name : typeof error
