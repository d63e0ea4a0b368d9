import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { OWN_FILE, ownPolicy } from "./ceiling-policies.ts"
import { type PolicyWorldOptions, startPolicyWorld } from "./policy-world.ts"
import { expectSilence } from "./silence.ts"
import type { StartBroker } from "./world.ts"

/** Every form in which an operator may give the key of the broker's GitHub App. */
export function appKeySuite(runtime: string, startBroker: StartBroker): void {
  describe(`the App's key on ${runtime}`, () => {
    const kek = randomBytes(32).toString("base64")
    const forms: readonly [string, PolicyWorldOptions][] = [
      ["in PKCS#8", { appKey: (_, { pkcs8 }) => pkcs8 }],
      ["with its line breaks written out", { appKey: (_, { pkcs1 }) => pkcs1.replaceAll("\n", "\\n") }],
      ["in PKCS#1, sealed", { kek, appKey: (url, { pkcs1 }) => seal(pkcs1, url, kek) }],
      ["in PKCS#8, sealed", { kek, appKey: (url, { pkcs8 }) => seal(pkcs8, url, kek) }],
    ]
    it.each(forms)("%s reads a repository's own policy, and is let out in no form", async (_, options) => {
      const world = await startPolicyWorld(startBroker, options)
      try {
        world.repositories.site.push({ [OWN_FILE]: ownPolicy("site") })
        expect((await world.exchange(await world.token("site"), "own")).status).toBe(200)
        expect((await world.explain(await world.token("site"), "own")).trace?.policies).toEqual([OWN_FILE])
        await expectSilence(world)
      } finally {
        await world.close()
      }
    })

    it.each([
      ["was sealed for another deployment", "https://another.example.com", kek],
      ["was sealed under another key", null, randomBytes(32).toString("base64")],
    ])("that %s starts no broker, and is not shown", async (_, elsewhere, sealedUnder) => {
      let sealed = ""
      const refused = await startPolicyWorld(startBroker, {
        kek,
        async appKey(url, { pkcs1 }) {
          sealed = await seal(pkcs1, elsewhere ?? url, sealedUnder)
          return sealed
        },
      }).then(
        () => "it started",
        (error: Error) => error.message,
      )
      expect(refused).toMatch(/did not start/)
      expect(refused).not.toContain(sealed)
    })
  })
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** What `daypass seal` makes of a key. */
function seal(pem: string, url: string, kek: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"] ?? "", DAYPASS_URL: url, DAYPASS_KEK: kek }
    const args = [join(ROOT, "cli/bin.js"), "seal"]
    const child = execFile(join(ROOT, "node_modules/.bin/node"), args, { env }, (error, stdout) =>
      error ? reject(error) : resolve(stdout.trim()),
    )
    child.stdin?.end(pem)
  })
}
