import type { Finding } from "../vendor.ts"

// These look for whole sentences of the post step's log: one grant's name can be the beginning of another's.

/** The log says that the credentials of these grants cannot be revoked. */
export const expiresOnly = (log: string, ...grants: readonly string[]): Finding => [
  "the log says that it cannot be revoked",
  grants.every((grant) => log.includes(`Cannot revoke ${grant}. It `)),
]

/** The log says that the credentials of these grants were revoked. */
export const revoked = (log: string, ...grants: readonly string[]): Finding => [
  "the log says that it was revoked",
  grants.every((grant) => log.includes(`Revoked ${grant}.`)),
]
