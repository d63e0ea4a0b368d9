import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { isLoopbackHost } from "../../broker/core/url.ts"
import { reasonOf } from "../arguments.ts"
import { defaultKeyFile, keyInFile } from "./deployment-key.ts"
import type { Desk } from "./desk.ts"
import { Refusal } from "./refusal.ts"
import { KEY_MARK, unitText } from "./unit.ts"

const UNIT_FILE = "daypass.service"

/** What the folder's own unit says; null when there is none. */
export function unitHere(cwd: string): { readonly url: string; readonly keyFile: string } | null {
  const file = join(cwd, UNIT_FILE)
  if (!existsSync(file)) return null
  const text = readFileSync(file, "utf8")
  const [, url] = /--url (\S+)/.exec(text) ?? []
  const keyFile = text
    .split("\n")
    .find((line) => line.startsWith(KEY_MARK))
    ?.slice(KEY_MARK.length)
  if (url !== undefined && keyFile !== undefined) return { url, keyFile }
  throw new Refusal(
    `${file} is not one that init wrote, and init never overwrites a file: run it in a folder of its own`,
  )
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
  const unit = unitHere(io.cwd)
  if (unit !== null) return await keyOf(unit.keyFile, desk)
  const file = await interview.text(options.key, {
    option: "--key",
    message: "A file for the deployment key, outside of repositories",
    initial: defaultKeyFile(url, io),
    check: (text) => (/^[ -~]*[/\\][ -~]*$/.test(text) ? null : "must be a path with a slash"),
  })
  const { made } = await keyInFile(file, io)
  done(`${made ? "made" : "read"} the deployment key in ${file}, which only you can read`)
  try {
    await io.createFile(join(io.cwd, UNIT_FILE), unitText(url, resolve(io.cwd, file)))
  } catch (error) {
    throw new Refusal(`${UNIT_FILE} cannot be written (${reasonOf(error)})`)
  }
  done(`wrote ${UNIT_FILE}`)
  left(`on the broker's machine, as root (docs/run-on-node.md; a container takes the key by docker run --env-file):
  install -D -m 0600 ${file} /etc/daypass/kek
  cp -r ${options.dir ?? "policies"} /etc/daypass/policies
  cp ${UNIT_FILE} /etc/systemd/system/ && systemctl enable --now daypass
Keep a copy of the key's file where you keep such secrets: without the key, what the broker has sealed cannot be opened`)
  return file
}

/** The key of before. Never a new one: the broker may run with the old one by now. */
async function keyOf(file: string, { io, options, done }: Desk): Promise<string | null> {
  if (options.key !== undefined && resolve(io.cwd, options.key) !== file)
    throw new Refusal(`${UNIT_FILE} names the deployment key ${file}, and --key another file: leave --key out`)
  if (!existsSync(file)) {
    done(`the deployment key is no longer in ${file}: the broker's machine has it`)
    return null
  }
  await keyInFile(file, io)
  done(`${UNIT_FILE} is there, with the deployment key in ${file}`)
  return file
}
