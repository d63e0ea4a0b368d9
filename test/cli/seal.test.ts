import { generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { Secret } from "../../broker/core/secret.ts"
import { openAppKey } from "../../broker/signing/app-key.ts"
import { createConnectionSecrets } from "../../broker/signing/connection-secrets.ts"
import { openGitLabToken } from "../../broker/signing/gitlab-token.ts"
import { createSealer } from "../../broker/signing/sealer.ts"
import { cryptography } from "../support/cryptography.ts"
import { runScripted } from "./run-cli.ts"

const KEK = Uint8Array.from({ length: 32 }, (_, index) => index * 5)
const env = { DAYPASS_URL: "https://daypass.example.com", DAYPASS_KEK: Buffer.from(KEK).toString("base64") }
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const PEM = privateKey.export({ type: "pkcs1", format: "pem" }) as string

const openIn = async (deployment: string, sealed: string) =>
  (await openAppKey(new Secret(sealed), await createSealer(new Secret(KEK), deployment, cryptography))).reveal()

describe("daypass seal", () => {
  it("prints what opens in this deployment, and in no other", async () => {
    const { code, out, err } = await runScripted({ env, input: PEM }, "seal")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(await openIn(env.DAYPASS_URL, out)).toBe(PEM.trim())
    await expect(openIn("https://other.example.com", out)).rejects.toMatchObject({ code: "configuration_invalid" })
    expect(out).not.toContain("PRIVATE KEY")
  })

  it("seals for the deployment's own name where it has one", async () => {
    const { out } = await runScripted({ env: { ...env, DAYPASS_DEPLOYMENT: "staging" }, input: PEM }, "seal")
    expect(await openIn("staging", out)).toBe(PEM.trim())
  })

  it.each([
    ["no deployment's key", { env: { ...env, DAYPASS_KEK: "" }, input: PEM }, [], /DAYPASS_KEK/],
    ["no URL", { env: { ...env, DAYPASS_URL: "" }, input: PEM }, [], /DAYPASS_URL/],
    ["a text that is no key", { env, input: "canary" }, [], /is not one private key in PEM/],
    ["a key that is cut", { env, input: PEM.replace(/\n.{40}/, "\n") }, [], /the key /],
    ["far too much", { env, input: `${PEM}${"x".repeat(20_000)}` }, [], /longer than 16 KiB/],
    ["a key among the arguments", { env, input: PEM }, ["canary"], /standard input/],
  ])("refuses %s, and shows none of it", async (_, script, args, message) => {
    const { code, out, err } = await runScripted(script, "seal", ...args)
    expect({ code, out }).toEqual({ code: 2, out: "" })
    expect(err).toMatch(message)
    expect(err).not.toContain("canary")
  })
})

describe("daypass seal --for DAYPASS_GITLAB_TOKEN", () => {
  const open = async (deployment: string, sealed: string) =>
    (await openGitLabToken(new Secret(sealed), await createSealer(new Secret(KEK), deployment, cryptography))).reveal()

  it("seals the access token for the setting of this deployment, and for nothing else", async () => {
    const { code, out, err } = await runScripted(
      { env, input: "glpat-canary\n" },
      "seal",
      "--for",
      "DAYPASS_GITLAB_TOKEN",
    )
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(await open(env.DAYPASS_URL, out)).toBe("glpat-canary")
    await expect(open("https://other.example.com", out)).rejects.toMatchObject({
      code: "configuration_invalid",
      detail: expect.stringContaining("DAYPASS_GITLAB_TOKEN cannot be unsealed"),
    })
    await expect(openIn(env.DAYPASS_URL, out)).rejects.toMatchObject({ code: "configuration_invalid" })
    const other = await runScripted({ env, input: PEM }, "seal")
    await expect(open(env.DAYPASS_URL, other.out)).rejects.toMatchObject({ code: "configuration_invalid" })
  })

  it("is not needed: a token as GitLab shows it is used as it is, dots included", async () => {
    for (const token of ["glpat-abc_DEF-123", "glpat-abc.01.0f1xyz"])
      expect(await open(env.DAYPASS_URL, token)).toBe(token)
  })
})

describe("daypass seal --for", () => {
  const opened = async (deployment: string, name: string, text: string) => {
    const sealer = await createSealer(new Secret(KEK), deployment, cryptography)
    const secrets = createConnectionSecrets((asked) => (asked === name ? new Secret(text) : undefined), sealer)
    return (await secrets.named(name)).reveal()
  }

  it("seals any secret under its name, which opens under no other", async () => {
    const { code, out } = await runScripted({ env, input: "canary\n" }, "seal", "--for", "OP_CONNECT_TOKEN")
    expect(code).toBe(0)
    expect(out).not.toContain("canary")
    expect(await opened(env.DAYPASS_URL, "OP_CONNECT_TOKEN", out)).toBe("canary")
    for (const [url, name] of [
      [env.DAYPASS_URL, "ANOTHER_TOKEN"],
      ["https://other.example.com", "OP_CONNECT_TOKEN"],
    ] as const)
      await expect(opened(url, name, out)).rejects.toMatchObject({ code: "configuration_invalid" })
  })

  it("leaves alone what was never sealed, and says what is missing", async () => {
    expect(await opened("any", "TOKEN", "a.b.c.d.e")).toBe("a.b.c.d.e")
    const none = createConnectionSecrets(() => undefined, await createSealer(new Secret(KEK), "any", cryptography))
    await expect(none.named("TOKEN")).rejects.toMatchObject({
      code: "configuration_invalid",
      detail: expect.stringContaining("TOKEN"),
    })
  })

  it.each([["DAYPASS_KEK"], ["lower"], ["WITH SPACE"]])("takes no name %s", async (name) => {
    const { code, out } = await runScripted({ env, input: "canary" }, "seal", "--for", name)
    expect({ code, out }).toEqual({ code: 2, out: "" })
  })

  it("seals nothing out of nothing", async () => {
    expect((await runScripted({ env, input: " \n" }, "seal", "--for", "TOKEN")).code).toBe(2)
  })
})

describe("the App's key in the settings", () => {
  it("may stand there as it is", async () => {
    expect(await openIn("any", PEM)).toBe(PEM)
  })
})
