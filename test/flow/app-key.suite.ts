import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { COMPILE_CACHE } from "../support/compile-cache.ts"
import { formsOf, formsOfPem, placesWith } from "./canary.ts"
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
      [
        "was sealed for another deployment",
        async (_: string, pem: string) => seal(pem, "https://else.example.com", kek),
      ],
      [
        "was sealed under another key",
        async (url: string, pem: string) => seal(pem, url, randomBytes(32).toString("base64")),
      ],
      ["is cut off", async (_: string, pem: string) => pem.slice(0, 900)],
    ])("that %s starts no broker: its operator is told why, callers are not, and nobody sees it", async (_, make) => {
      let given = ""
      const refused = await startPolicyWorld(startBroker, {
        kek,
        async appKey(url, { pkcs1 }) {
          given = await make(url, pkcs1)
          return given
        },
      }).then(
        () => "it started",
        (error: Error) => error.message,
      )
      const [answered = "", ...printed] = refused.split("\n")
      expect(answered).toMatch(/did not start/)
      expect(answered).not.toMatch(/GITHUB|GitHub|PEM/)
      expect(printed.join("\n")).toMatch(
        /DAYPASS_GITHUB_APP_KEY cannot be unsealed|GitHub App's private key is not one/,
      )
      expect(placesWith([...formsOfPem(given), ...formsOf(given)], { refused })).toEqual([])
    })
  })
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** What `daypass seal` makes of a key. */
function seal(pem: string, url: string, kek: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"] ?? "", DAYPASS_URL: url, DAYPASS_KEK: kek, ...COMPILE_CACHE }
    const args = [join(ROOT, "cli/bin.js"), "seal"]
    const child = execFile(join(ROOT, "node_modules/.bin/node"), args, { env }, (error, stdout) =>
      error ? reject(error) : resolve(stdout.trim()),
    )
    child.stdin?.end(pem)
  })
}
