import type { PublicJwk } from "../wire/exchange.ts"

/** The text whose SHA-256 in base64url is a key's thumbprint: its required members in lexicographic order (RFC 7638, section 3). */
export const thumbprintText = ({ crv, kty, x, y }: PublicJwk): string => JSON.stringify({ crv, kty, x, y })
