import { parseArgs } from "node:util"
import { type Config, isLocal, isLocalAddress, readConfig } from "../config/config.ts"
import { readStorePlace, type StorePlace } from "./node-store.ts"
import { isPackagedNode, PACKAGED_NODE } from "./packaged-node.ts"

/** What a broker on Node was started with. */
export interface NodeOptions {
  readonly settings: Config
  readonly place: StorePlace
  /** The folder of the policies. */
  readonly policies: string
  readonly port: number
  readonly host: string
}

/** Prints why the broker does not start, and ends the process. Exit code 2 means wrong options or settings, 1 anything else. */
export function refuseToStart(lines: readonly string[], code: 1 | 2): never {
  process.stderr.write(`${lines.join("\n")}\n`)
  process.exit(code)
}

/** Reads these arguments and the environment. Ends the process, with a sentence, when the broker cannot run with them. */
export function readNodeOptions(args: readonly string[]): NodeOptions {
  const { policies, url, data, store, host, ...given } = parsed(args)
  const port = /^[0-9]{1,5}$/.test(given.port) ? Number(given.port) : Number.NaN
  if (!policies) return misused("--policies is required.")
  const place = readStorePlace({ data, store, env: process.env })
  if (!place.ok) return misused(place.fault)
  if (!(port <= 65_535)) return misused("--port must be a number from 0 to 65535.")

  const config = readConfig({ ...process.env, ...(url === undefined ? {} : { DAYPASS_URL: url }) })
  if (!config.ok) {
    const faults = config.fault.map(({ setting, message }) => `  ${setting}: ${message}`)
    return refuseToStart(["The broker's settings are invalid:", ...faults], 2)
  }
  const fault = faultOf(config.value, place.value, host)
  if (fault !== null) return refuseToStart([fault], 2)
  return { settings: config.value, place: place.value, policies, port, host }
}

function parsed(args: readonly string[]) {
  try {
    const options = {
      policies: { type: "string" },
      url: { type: "string" },
      data: { type: "string" },
      store: { type: "string" },
      port: { type: "string", default: "8787" },
      host: { type: "string", default: "127.0.0.1" },
    } as const
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    return misused(error instanceof Error ? error.message : "unknown option")
  }
}

/** The command line has the help: `serve` is one of its commands. */
const misused = (fault: string): never => refuseToStart([fault, "See daypass serve --help."], 2)

/** Why a broker on Node cannot run with these settings; null: it can. */
function faultOf(settings: Config, place: StorePlace, host: string): string | null {
  if (settings.onlyPublishedPolicies || settings.policyPublishers.length > 0 || settings.jurisdiction !== "") {
    return "DAYPASS_POLICIES, DAYPASS_POLICY_PUBLISHER, DAYPASS_JURISDICTION: remove them, they are for the edge. On Node, policies come from the folder that --policies names, and its data is where --data or --store says."
  }
  const onlyHere = isLocal(settings) && isLocalAddress(host)
  if (!settings.kek && !onlyHere) {
    return "DAYPASS_KEK is not set. A broker with a public URL, or one that other machines can reach, needs it. Make a key with: openssl rand -base64 32"
  }
  if (!settings.kek && place.kind === "database") {
    return "DAYPASS_KEK is not set. All brokers of a database need the same. Make it with: openssl rand -base64 32"
  }
  return !onlyHere && isPackagedNode(process.execPath) ? PACKAGED_NODE : null
}
