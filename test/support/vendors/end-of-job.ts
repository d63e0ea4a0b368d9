import type { Finding } from "../vendor.ts"

// What the post step's log says of each grant, whole: of one grant's name another's may be a beginning.

/** That nobody can take back what these grants gave. */
export const expiresOnly = (log: string, ...grants: readonly string[]): Finding => [
  "the log says that nobody can take it back",
  grants.every((grant) => log.includes(`Cannot take back ${grant}, which `)),
]

/** That what these grants gave was taken back. */
export const takenBack = (log: string, ...grants: readonly string[]): Finding => [
  "the log says that it was taken back",
  grants.every((grant) => log.includes(`Took back ${grant}.`)),
]
