import { Refusal } from "./refusal.ts"

/** What a deployment's wrangler.toml says besides what the release says. */
export interface EdgeSettings {
  readonly worker: string
  /** The release's module, as a path from the file's folder. */
  readonly main: string
  readonly account: string
  readonly url: string
  readonly namespace: string
  /** Empty for none. */
  readonly jurisdiction: string
}

/** The first words of a file that init wrote. */
const MARK = "# The broker's Worker, written by daypass init."

/** What is read from an existing file. */
export interface WrittenSettings {
  readonly worker: string
  readonly url: string
  readonly account: string | undefined
}

/**
 * The release's `wrangler.toml` with a deployment's own values. Everything else, above all the flags and the objects, comes from
 * the release, so that it is said in one place.
 * @throws {Refusal} when the text is not that of a release
 */
export function filledIn(release: string, settings: EdgeSettings): string {
  const { worker, main, account, url, namespace, jurisdiction } = settings
  const { host } = new URL(url)
  const isWorkersDev = host.endsWith(".workers.dev")
  const changes: readonly (readonly [RegExp, string])[] = [
    [/^# Deploys the Worker.*\n(?:# .*\n)*?#\n/m, `${MARK} A newer release: docs/upgrade.md\n#\n`],
    [/^name = "daypass"$/m, `name = ${quoted(worker)}\naccount_id = ${quoted(account)}`],
    [/^main = .*$/m, `main = ${quoted(main)}`],
    // A Worker that is also reachable at workers.dev could be called around the rules of the zone.
    [
      /^# workers_dev is off.*\nroutes = .*\nworkers_dev = false$/m,
      isWorkersDev
        ? "workers_dev = true"
        : `# workers_dev is off, because requests to that address pass by the rules of your zone.\nroutes = [{ pattern = ${quoted(host)}, custom_domain = true }]\nworkers_dev = false`,
    ],
    [/^DAYPASS_URL = .*$/m, `DAYPASS_URL = ${quoted(url)}`],
    [
      /^# DAYPASS_JURISDICTION = .*$/m,
      jurisdiction === "" ? "# None." : `DAYPASS_JURISDICTION = ${quoted(jurisdiction)}`,
    ],
    [/^id = "<.*>"$/m, `id = ${quoted(namespace)}`],
  ]
  return changes.reduce((text, [place, value]) => {
    if (text.match(new RegExp(place, "gm"))?.length !== 1)
      throw new Refusal(
        "the wrangler.toml of the Worker's folder is not that of this version: use the same release for both",
      )
    return text.replace(place, () => value)
  }, release)
}

/** Reads a file that init wrote; null when it is another one. */
export function writtenIn(text: string): WrittenSettings | null {
  const value = (name: string) => new RegExp(`^${name} = ("(?:[^"\\\\]|\\\\.)*")$`, "m").exec(text)?.[1]
  const [worker, url, account] = [value("name"), value("DAYPASS_URL"), value("account_id")]
  if (!text.startsWith(MARK) || worker === undefined || url === undefined) return null
  return {
    worker: JSON.parse(worker),
    url: JSON.parse(url),
    account: account === undefined ? undefined : JSON.parse(account),
  }
}

/** A basic string of TOML, which escapes as JSON does. */
const quoted = (text: string) => JSON.stringify(text)
