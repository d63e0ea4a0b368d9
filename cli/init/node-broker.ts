import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { isLoopbackHost } from "../../broker/core/url.ts"
import { reasonOf } from "../arguments.ts"
import { defaultKeyFile, keyInFile } from "./deployment-key.ts"
import type { Desk } from "./desk.ts"
import { Refusal } from "./refusal.ts"
import { unitText } from "./unit.ts"

export const UNIT_FILE = "daypass.service"

/** The URL in the folder's own unit; null when there is none. */
export function unitHere(cwd: string): { readonly url: string } | null {
  const file = join(cwd, UNIT_FILE)
  if (!existsSync(file)) return null
  const [, url] = /--url (\S+)/.exec(readFileSync(file, "utf8")) ?? []
  return url === undefined ? null : { url }
}

/**
 * Makes the key of a broker on Node, in a file for its owner alone, and a unit of systemd that reads it. Says the key's file;
 * null for a broker on this machine, which makes a key for development.
 * @throws {Refusal}
 */
export async function prepareNode(url: string, desk: Desk): Promise<string | null> {
  const { io, interview, options, done, left } = desk
  if (isLoopbackHost(new URL(url).hostname)) {
    left(
      `start the broker: daypass serve --policies ${options.dir ?? "policies"} --data data --url ${url} --port ${new URL(url).port || "80"}`,
    )
    return null
  }
  const file = await interview.text(options.key, {
    option: "--key",
    message: "A file for the deployment key, outside of repositories",
    initial: defaultKeyFile(url, io),
    check: (text) => (/[/\\]/.test(text) ? null : "must be a path with a slash"),
  })
  const { made } = await keyInFile(file, io)
  done(`${made ? "made" : "read"} the deployment key in ${file}, which only you can read`)
  const unit = join(io.cwd, UNIT_FILE)
  if (existsSync(unit)) done(`${UNIT_FILE} is there`)
  else {
    try {
      await io.createFile(unit, unitText(url))
    } catch (error) {
      throw new Refusal(`${unit} cannot be written (${reasonOf(error)})`)
    }
    done(`wrote ${UNIT_FILE}`)
  }
  left(`on the broker's machine, as root (docs/run-on-node.md; a container takes the key by docker run --env-file):
  install -D -m 0600 ${file} /etc/daypass/kek
  cp -r ${options.dir ?? "policies"} /etc/daypass/policies
  cp ${UNIT_FILE} /etc/systemd/system/ && systemctl enable --now daypass
Keep a copy of the key's file where you keep such secrets: without the key, what the broker has sealed cannot be opened`)
  return file
}
