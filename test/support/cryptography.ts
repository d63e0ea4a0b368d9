import { webCryptography } from "../../broker/adapters/web/cryptography.ts"

/** The cryptography of the runtime's own broker: the tests of the pure rooms run on Node and in workerd. */
export const cryptography =
  navigator.userAgent === "Cloudflare-Workers"
    ? webCryptography
    : (await import("../../broker/adapters/node/cryptography.ts")).nodeCryptography
