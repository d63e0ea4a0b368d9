import type { KeyCache, KeysReport } from "../../broker/wire/keys.ts"

type Key = KeysReport["keys"][number]

const STATES: Readonly<Record<Key["state"], string>> = {
  next: "is published",
  active: "signs",
  retiring: "does not sign any more",
  gone: "is gone",
}

const ENTERS: Readonly<Record<Key["state"], string>> = {
  next: "is published",
  active: "signs from",
  retiring: "signs until",
  gone: "leaves the key set at",
}

/** `KID: signs since TIME; signs until TIME`. */
export function keyLine({ kid, state, created_at, activated_at, next, sealed_under }: Key): string {
  const since = activated_at ?? created_at
  const parts = [
    `${kid}: ${STATES[state]}${state === "retiring" ? "" : ` since ${since}`}`,
    ...(next ? [`${ENTERS[next.state]} ${next.at}`] : []),
    ...(sealed_under === "previous" ? ["sealed under DAYPASS_KEK_PREVIOUS"] : []),
    ...(sealed_under === "other" ? ["sealed under a key that the broker does not have"] : []),
  ]
  return parts.join("; ")
}

const CACHES: Readonly<Record<KeyCache, string>> = {
  none: "reads the keys for each login: knows a new key at once, and takes no token of an old one",
  minutes:
    "reads the keys every few minutes: may take tokens of an old key, and refuse those of a new one, for that long",
  "until-unknown":
    "reads the keys when a token names one that it does not have: takes tokens of an old key until the first one of the new key",
  untold: "its maker does not say how long it keeps the keys: count on a day",
}

/** Who verifies the broker's tokens, grouped by how long they go on with a key set. */
export function verifierLines(verifiers: KeysReport["verifiers"]): readonly string[] {
  if (verifiers.length === 0) return ["No connection has the broker's tokens verified."]
  const caches = (Object.keys(CACHES) as KeyCache[]).filter((cache) => verifiers.some((one) => one.cache === cache))
  return caches.map((cache) => {
    const names = verifiers.filter((one) => one.cache === cache).map(({ connection }) => connection)
    return `  ${names.join(", ")}: ${CACHES[cache]}`
  })
}

/** How a setting is sealed again: the broker cannot do it, because settings are not in its storage. */
export const sealAgain = (name: string): string => {
  if (name === "DAYPASS_GITHUB_APP_KEY") return "daypass seal < app.private-key.pem"
  return `daypass seal --for ${name} < secret`
}
