import { expect, it } from "vitest"
import { signInDocument } from "../../../broker/http/sign-in.ts"
import { OPENID_CASE } from "../issuers/families/openid.ts"
import { issuer, listed } from "../issuers/fixture.ts"

it("what a broker publishes names its issuers of people, and nothing of its jobs", () => {
  const staff = OPENID_CASE.config
  expect(signInDocument({ issuers: listed(issuer(), staff) })).toEqual({
    people: [{ name: "staff", url: staff.url, client_id: "daypass-cli" }],
  })
  const { audience: _, ...without } = staff
  expect(signInDocument({ issuers: listed(issuer(), without) })).toEqual({ people: [] })
})
