import { readConfig } from "../../broker/config/config.ts"
import { quote } from "../../broker/core/policy/faults.ts"
import { misused } from "../arguments.ts"
import { parseRepository } from "../github/names.ts"
import type { GuidedOptions } from "./desk.ts"
import type { Interview } from "./interview.ts"
import { APP_ID, type Field, fieldFault, type Given, VENDORS, type Vendor } from "./vendors.ts"

export type Runtime = "node" | "edge"

export async function askRuntime(interview: Interview, given: string | undefined): Promise<Runtime> {
  const answer = await interview.choose(given, {
    option: "--runtime",
    message: "Where does the broker run",
    choices: [
      { value: "edge", name: "at the edge: a Cloudflare Worker (the paid plan)" },
      { value: "node", name: "on a machine or in a container, with Node" },
    ],
  })
  return answer === "node" ? "node" : "edge"
}

/** The broker's URL in its only spelling: it is the issuer that clouds compare as text. */
export async function askUrl(interview: Interview, given: string | undefined): Promise<string> {
  const answer = await interview.text(given, {
    option: "--broker",
    message: "The broker's public URL, such as https://daypass.YOUR-DOMAIN",
    check: (text) => urlFault(text),
  })
  return new URL(answer).origin
}

function urlFault(text: string): string | null {
  const config = readConfig({ DAYPASS_URL: text })
  if (!config.ok) return config.fault.map(({ message }) => message).join("; ")
  return new URL(config.value.url).pathname === "/" ? null : "must have no path: the broker answers at the host's root"
}

export async function askRepository(interview: Interview, given: string | undefined) {
  const text = await interview.text(given, {
    option: "--repository",
    message: "The repository whose job gets the first credential, as OWNER/REPO",
    check: (answer) => (parseRepository(answer) === null ? "must be OWNER/REPO" : null),
  })
  const repository = parseRepository(text)
  if (repository === null) return misused("--repository must be OWNER/REPO")
  return repository
}

/** The environment of the job; undefined for none. */
export async function askEnvironment(
  interview: Interview,
  given: string | undefined,
  check: (name: string) => boolean,
): Promise<string | undefined> {
  const answer = await interview.text(given ?? (interview.isPossible ? undefined : ""), {
    option: "--environment",
    message: "The environment of the job at GitHub, such as production; - for none",
    initial: "production",
    check: (text) => (["", "-"].includes(text) || check(text) ? null : "must be the name of an environment"),
  })
  return ["", "-"].includes(answer) ? undefined : answer
}

/** The vendor of the first credential, and what it needs to know. */
export async function askVendor(
  interview: Interview,
  options: GuidedOptions,
  repository: string,
): Promise<{ readonly vendor: Vendor; readonly given: Given }> {
  const name = await interview.choose(options.vendor, {
    option: "--vendor",
    message: "Which credential first",
    choices: Object.entries(VENDORS).map(([value, { name }]) => ({ value, name })),
  })
  const vendor = VENDORS[name]
  if (vendor === undefined) return misused("--vendor is not known")
  const said = valuesIn(options.with ?? [], vendor)
  const given: Record<string, string> = {}
  const isLater = ({ name }: Field) =>
    name === APP_ID && !said.has(APP_ID) && (interview.isPossible || options.app === "mint")
  for (const field of vendor.fields.filter((one) => !isLater(one))) {
    const initial = field.initial?.(repository, given)
    // Without a terminal, an offer is what a person who presses Enter would get.
    const answer = said.get(field.name) ?? (interview.isPossible ? undefined : initial)
    given[field.name] = await interview.text(answer, {
      option: `--with ${field.name}=`,
      message: field.message,
      check: (text) => fieldFault(field, text),
      ...(initial === undefined ? {} : { initial }),
    })
  }
  return { vendor, given }
}

/** The id of the App, which init may have made since the other answers were given. */
export async function askAppId(interview: Interview, { fields }: Vendor): Promise<string> {
  const field = fields.find(({ name }) => name === APP_ID)
  if (field === undefined) return misused(`--with ${APP_ID}= is nothing that this vendor needs`)
  return await interview.text(undefined, {
    option: `--with ${APP_ID}=`,
    message: field.message,
    check: (text) => fieldFault(field, text),
  })
}

/** `NAME=VALUE` of each `--with`. */
function valuesIn(options: readonly string[], { fields, provider }: Vendor): ReadonlyMap<string, string> {
  const known = fields.map(({ name }) => name)
  return new Map(
    options.map((option) => {
      const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(option) ?? []
      if (known.includes(name)) return [name, value]
      return misused(`--with ${quote(option)} is nothing that ${provider} needs: give ${known.join("=, ")}=`)
    }),
  )
}
