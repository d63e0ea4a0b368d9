import { randomBytes } from "node:crypto"
import { armor, Encrypter } from "age-encryption"
import { SHOP } from "../../broker/providers/sops/recorded.ts"

/** The key that the values of `SHOP` are encrypted with, as its age key opens it. */
export const DATA_KEY = Buffer.from("+MIcF0Y/DeWRywN9oIX/Z9QVtCvZFkprvNKSiClG3Xw=", "base64")

/** `SHOP` with other keys than its own: members of SOPS's metadata, which its MAC does not cover. */
export function shopFor(keys: object): string {
  const members = Object.entries(keys).map(([name, value]) => `    ${name}: ${JSON.stringify(value)}\n`)
  const text = SHOP.replace(/ {4}age:\n[\s\S]*?(?= {4}lastmodified:)/, members.join(""))
  if (text === SHOP) throw new Error("nothing was replaced")
  return text
}

/** `SHOP`'s own key, encrypted for its age key. */
const SHOP_ENC = /enc: \|\n([\s\S]*?-----END AGE ENCRYPTED FILE-----\n)/
  .exec(SHOP)?.[1]
  ?.replaceAll(/^ +/gm, "") as string

/** The entry of `SHOP`'s own age key. */
export const AGE_ENTRY = {
  recipient: /recipient: (age1\S+)/.exec(SHOP)?.[1] ?? "",
  enc: SHOP_ENC,
}

/** Bytes for a recipient of age, in its armour. */
export async function ageEncrypted(recipient: string, bytes: Uint8Array): Promise<string> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return armor.encode(await encrypter.encrypt(bytes))
}

/** Shares of a secret, any `threshold` of which join to it, as HashiCorp's `shamir` makes them: by its definition, with tables. */
export function split(secret: Uint8Array, threshold: number, count: number): readonly Uint8Array[] {
  const polynomials = Array.from(secret, (byte) => [byte, ...randomBytes(threshold - 1)])
  return Array.from({ length: count }, (_, index) => {
    const at = index * 3 + 1
    return Uint8Array.from([
      ...polynomials.map((all) => all.reduceRight((sum, part) => product(sum, at) ^ part, 0)),
      at,
    ])
  })
}

/** Powers of 3, which generates the field, and their logarithms. */
const POWERS = Array.from({ length: 255 }, () => 0)
const LOGARITHMS = new Map<number, number>()
for (let exponent = 0, power = 1; exponent < 255; exponent++) {
  POWERS[exponent] = power
  LOGARITHMS.set(power, exponent)
  const doubled = (power << 1) ^ (power & 0x80 ? 0x11b : 0)
  power = doubled ^ power
}

const product = (a: number, b: number): number =>
  a === 0 || b === 0 ? 0 : (POWERS[((LOGARITHMS.get(a) ?? 0) + (LOGARITHMS.get(b) ?? 0)) % 255] ?? 0)
