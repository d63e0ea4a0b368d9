import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import packageJson from "../package.json" with { type: "json" }

/** What Cloudflare's form says beside each value: https://developers.cloudflare.com/workers/platform/deploy-buttons/ */
const BINDINGS = {
  DAYPASS_KEK: {
    description:
      "The deployment key: the output of `openssl rand -base64 32`. Keep a copy in your secret store: what the broker has sealed cannot be opened without it.",
  },
  DAYPASS_URL: {
    description:
      "The address of this Worker: https://NAME.SUBDOMAIN.workers.dev, with the name that you give it here. It is the issuer that clouds will trust.",
  },
  POLICIES: { description: "The namespace of your policies. `daypass push` publishes them." },
} as const

/**
 * Turns the unpacked Worker of a release into what the Deploy to Cloudflare button clones. The form asks for values of
 * `wrangler.toml` and of `.dev.vars.example`, and cannot ask for a domain: so the Worker is at `workers.dev`. Cloudflare makes the
 * KV namespace, because it has no id here. A broker that keeps the example's URL serves nothing.
 */
export async function layOutButton(folder: string): Promise<void> {
  const file = join(folder, "wrangler.toml")
  const changes: readonly (readonly [RegExp, string])[] = [
    [
      /^# Deploys the Worker.*\n(?:# .*\n)*?#\n/,
      "# The Worker of a release, for the Deploy to Cloudflare button: docs/run-at-the-edge.md\n#\n",
    ],
    [/^# workers_dev is off.*\nroutes = .*\nworkers_dev = false$/m, "workers_dev = true"],
    [/^id = "<.*>"\n/m, ""],
  ]
  let text = await readFile(file, "utf8")
  for (const [place, value] of changes) {
    if (!place.test(text)) throw new Error(`release/wrangler.toml has no ${place.source}`)
    text = text.replace(place, () => value)
  }
  await writeFile(file, text)
  await writeFile(join(folder, ".dev.vars.example"), "DAYPASS_KEK=\n")
  const manifest = {
    name: "daypass-broker",
    private: true,
    scripts: { deploy: "wrangler deploy" },
    devDependencies: { wrangler: packageJson.devDependencies.wrangler },
    cloudflare: { bindings: BINDINGS },
  }
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`)
}
