import { createECDH } from "node:crypto"
import { type JobKey, jobKeyOf } from "../../../action/key.ts"
import type { StoredLogin } from "../../login/stored-login.ts"
import { type Environment, isSet, type Source } from "./source.ts"
import { noToken, upperFirst } from "./token-text.ts"

/**
 * A person who is signed in with `daypass login`, on a machine that is no CI's. It is read once. So a command keeps its
 * person when another one signs in meanwhile, and can end its leases after a logout.
 */
export const LOGIN: Source = {
  name: "login",
  title: "your login",
  // An account of a CI can have a person's login, which no job may use by itself.
  isHere: (environment) => !isSet(environment, "CI"),
  find(environment) {
    let read: Promise<Login> | null = null
    let key: JobKey | null = null
    return {
      canChooseAudience: false,
      renewed: "never",
      withheld: [],
      alreadyUsed:
        "Run `daypass login` again: this login's token was used without its key, which only your login file has.",
      async next() {
        read ??= readLogin(environment)
        const login = await read
        key = login.key
        return login.token
      },
      key() {
        if (key === null) throw new Error("unreachable: a call takes its token before its key")
        return key
      },
    }
  },
  missing: () => noToken("Nobody is signed in.", "Run `daypass login`."),
}

interface Login {
  readonly token: string
  readonly key: JobKey
}

/** The code for it is loaded for people alone. */
async function readLogin(env: Environment): Promise<Login> {
  const { storedLogin } = await import("../../login/stored-login.ts")
  const login = storedLogin({ env, now: () => new Date() })
  if (!login.ok) throw noToken(`${upperFirst(login.fault)}.`, ELSEWHERE)
  const key = keyOf(login.value.key)
  if (key === null)
    throw noToken("The key of your login cannot be used.", "Run `daypass logout`, then `daypass login`.")
  return { token: login.value.token, key }
}

/** The key of a login; null when it is no key pair on P-256. */
function keyOf({ kty, crv, x, y, d }: StoredLogin["key"]): JobKey | null {
  if (kty !== "EC" || crv !== "P-256" || typeof d !== "string") return null
  const pair = createECDH("prime256v1")
  try {
    pair.setPrivateKey(Buffer.from(d, "base64url"))
  } catch {
    return null
  }
  const key = jobKeyOf(pair)
  return key.publicJwk.x === x && key.publicJwk.y === y ? key : null
}

const ELSEWHERE =
  "In a job of a CI that Daypass does not know, name the file of its ID token with --token-file, or the variable with --token-variable."
