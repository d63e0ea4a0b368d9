import { createHash } from "node:crypto"
import { expect, it } from "vitest"
import { fingerprintsOf, isAwsKeyId } from "../../broker/core/leaked-value.ts"

const ID = "ASIAIOSFODNN7EXAMPLE".replace(/[018]/g, "A")
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

it("a leaked value is compared by its hash, and by the AWS key ids in it", () => {
  expect(isAwsKeyId(ID)).toBe(true)
  for (const other of [`${ID}A`, ` ${ID}`, ID.toLowerCase(), ID.slice(1), ""]) expect(isAwsKeyId(other)).toBe(false)
  expect(fingerprintsOf(ID)).toEqual([ID])
  expect(fingerprintsOf("ghs_token")).toEqual([sha256("ghs_token")])
  const session = `${ID}\nsecret/${"x".repeat(40)}\n${ID}`
  expect(fingerprintsOf(session)).toEqual([sha256(session), ID])
})
