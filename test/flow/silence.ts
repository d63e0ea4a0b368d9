import { decodeJwt } from "jose"
import { expect } from "vitest"
import { placesWith } from "./canary.ts"
import type { PolicyWorld } from "./policy-world.ts"

/** Expects that no form of the App's key, of its tokens and of those that it was given stands in anything the broker let out. */
export async function expectSilence(world: PolicyWorld): Promise<void> {
  // The places are the right ones: each tells of the repository that was served.
  await expect
    .poll(async () => placesWith(["acme/site"], await world.everythingSaid()))
    .toEqual(["answers", "output", "audit"])
  expect(world.api.credentials.filter((text) => text.startsWith("ghs_")).length).toBeGreaterThan(0)
  expect(world.api.credentials.filter((text) => decodesAsJwt(text)).length).toBeGreaterThan(0)
  expect(placesWith(world.secretForms(), await world.everythingSaid())).toEqual([])
}

function decodesAsJwt(text: string): boolean {
  try {
    return decodeJwt(text).iss !== undefined
  } catch {
    return false
  }
}
