/** Multiplies in GF(2^8) with AES's polynomial. Without branches and tables, so its time tells nothing of the secret. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) {
    product ^= -((b >> bit) & 1) & a
    a = ((a << 1) ^ (-(a >> 7) & 0x11b)) & 0xff
  }
  return product
}

/** The inverse in GF(2^8): the 254th power, because every element's 255th is 1. */
function inverse(a: number): number {
  let power = 1
  for (let step = 0; step < 254; step++) power = times(power, a)
  return power
}

/**
 * Joins shares of a secret that SOPS split among key groups. A share has a byte for each byte of the secret, and its own
 * coordinate at the end (the form of HashiCorp Vault's `shamir` package). Null for shares that cannot be of one secret.
 *
 * Wrong shares give a wrong secret, and nothing here notices: the MAC of the file does.
 */
export function joinShares(shares: readonly Uint8Array[]): Uint8Array<ArrayBuffer> | null {
  const length = (shares[0]?.length ?? 0) - 1
  const coordinates = shares.map((share) => share[length] ?? 0)
  const isUsable =
    length > 0 &&
    shares.every((share) => share.length === length + 1) &&
    new Set(coordinates).size === shares.length &&
    !coordinates.includes(0)
  if (!isUsable) return null
  // Lagrange's polynomials at 0. Subtraction is the same as addition here.
  const weights = coordinates.map((own) =>
    coordinates.reduce(
      (weight, other) => (other === own ? weight : times(weight, times(other, inverse(other ^ own)))),
      1,
    ),
  )
  return Uint8Array.from({ length }, (_, at) =>
    shares.reduce((sum, share, index) => sum ^ times(share[at] ?? 0, weights[index] ?? 0), 0),
  )
}
