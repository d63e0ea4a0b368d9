import { hash } from "node:crypto"
import type { Sha256 } from "../../core/audit-chain.ts"

/** workerd's own SHA-256. Measured for a record of 1.2 kB: 5 us, and 20 us in JavaScript. */
export const sha256: Sha256 = (bytes) => hash("sha256", bytes, "buffer")
