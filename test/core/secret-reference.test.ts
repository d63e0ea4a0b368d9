import { describe, expect, it } from "vitest"
import { readConfig } from "../../broker/config/config.ts"
import { nameOf, secretReference } from "../../broker/core/secret-reference.ts"

describe("a connection's secret", () => {
  it.each(["env:OP_CONNECT_TOKEN", "env:A", "env:AGE_KEY_2", "env:PATH_TO_NOWHERE", "env:AWSOME_TOKEN"])(
    "may be named %s",
    (text) => {
      expect(secretReference.parse(text)).toBe(text)
      expect(nameOf(secretReference.parse(text))).toBe(text.slice(4))
    },
  )

  it.each([
    "env:DAYPASS_KEK",
    "env:DAYPASS_GITHUB_APP_KEY",
    "env:AWS_SECRET_ACCESS_KEY",
    "env:GITHUB_TOKEN",
    "env:IDENTITY_HEADER",
    "env:MSI_SECRET",
    "env:WEBSITE_AUTH_ENCRYPTION_KEY",
    "env:PATH",
    "env:",
    "env:a",
    "env:A B",
    "OP_CONNECT_TOKEN",
    "ghs_canary",
  ])("is never %s, and the fault does not repeat it", (text) => {
    const parsed = secretReference.safeParse(text)
    expect(parsed.success).toBe(false)
    expect(parsed.error?.issues[0]?.message).not.toContain("canary")
  })

  it("is looked up among the settings that are texts, and never among the broker's own", () => {
    const env = { DAYPASS_URL: "https://d.example", DAYPASS_KEK: undefined, TOKEN: " t\n", EMPTY: " ", LEDGER: {} }
    const config = readConfig(env)
    if (!config.ok) throw new Error("the settings are usable")
    const found = (name: string) => config.value.connectionSecret(name)?.reveal()
    expect(["TOKEN", "EMPTY", "LEDGER", "DAYPASS_URL", "constructor", "NOWHERE"].map(found)).toEqual([
      "t",
      ...Array(5).fill(undefined),
    ])
  })
})
