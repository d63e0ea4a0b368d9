import { parseCompactJws } from "../../broker/issuers/compact-jws.ts"
import { complain, impossible, misused } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { expiryOf } from "../subject-token.ts"
import { openBrowser } from "./browser.ts"
import { signInByCode } from "./code-flow.ts"
import { signInByDevice } from "./device-flow.ts"
import { LoginError, loginError } from "./login-error.ts"
import { openLoopback } from "./loopback.ts"
import { findProvider, type Provider } from "./provider.ts"
import { prepareSignIn, type SignIn } from "./sign-in.ts"
import { keepLogin } from "./stored-login.ts"
import { namesOf, personIn } from "./who.ts"

/** What a login does outside of `CliIo`. Tests pass their own. */
export interface LoginWorld {
  open(address: string): void
  sleep(ms: number): Promise<void>
}

const WORLD: LoginWorld = {
  open: openBrowser,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

/** `daypass login`. */
export async function run(given: Arguments, io: CliIo, world: LoginWorld = WORLD): Promise<number> {
  const text = (name: string) => (typeof given.options[name] === "string" ? { [name]: given.options[name] } : {})
  const scope = text("scope")["scope"]
  const port = portOf(text("port")["port"])
  if (port === null) return misused("--port must be a number from 1 to 65535")
  const wrong = scope === undefined ? null : faultOfScope(scope)
  if (wrong !== null) return misused(wrong)
  const { "client-id": clientId } = text("client-id")
  const named = {
    ...text("broker"),
    ...text("provider"),
    ...text("issuer"),
    ...(clientId === undefined ? {} : { clientId }),
  }
  const provider = await findProvider(named, io)
  if (!provider.ok) return impossible(provider.fault, io)

  try {
    const secret = io.env["DAYPASS_CLIENT_SECRET"]
    const signIn = await prepareSignIn(provider.value, io.http, { scope, secret })
    const token =
      given.options["device"] === true
        ? await onOtherDevice(signIn, io, world)
        : await inBrowser(signIn, port, given.options["no-browser"] === true, io, world)
    await finish(token, provider.value, io)
    return EXIT.ok
  } catch (error) {
    complain(loginError(error).message, io)
    return EXIT.no
  }
}

function portOf(text: string | undefined): number | null {
  if (text === undefined) return 0
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : null
}

/** A refresh token would outlive the login. */
function faultOfScope(scope: string): string | null {
  const scopes = scope.split(" ")
  if (!scopes.includes("openid")) return "--scope must contain openid: without it, there is no ID token"
  return scopes.includes("offline_access")
    ? "--scope must not contain offline_access: a login ends with its token"
    : null
}

async function inBrowser(
  signIn: SignIn,
  port: number,
  isPrinted: boolean,
  io: CliIo,
  world: LoginWorld,
): Promise<string> {
  const loopback = await openLoopback(port)
  try {
    return await signInByCode(signIn, loopback, {
      show(address) {
        io.err(`Sign in in your browser. If it does not open, open this address yourself:\n${inert(address)}`)
        if (!isPrinted) world.open(address)
      },
    })
  } finally {
    loopback.close()
  }
}

const onOtherDevice = (signIn: SignIn, io: CliIo, { sleep }: LoginWorld): Promise<string> =>
  signInByDevice(signIn, {
    say(address, code) {
      io.err(
        `Open this address on any device:\n${inert(address)}\nand type this code, if you started this login: ${inert(code)}`,
      )
    },
    sleep,
  })

/** Looks at the token as the broker will, so that a wrong setting is found now and not in the first exchange. */
async function finish(token: string, { url, clientId, broker }: Provider, io: CliIo): Promise<void> {
  const jws = parseCompactJws(token)
  if (!jws.ok) throw new LoginError(`no broker can read the provider's ID token: it ${jws.fault}`)
  const { payload } = jws.value
  const person = personIn(payload, url, clientId)
  if (!person.ok) throw new LoginError(`no broker takes the provider's ID token: in it, ${person.fault}`)
  const expiresAt = expiryOf(payload)
  if (payload["iss"] !== url || expiresAt === null) {
    throw new LoginError("the ID token spells its issuer in another way: name the issuer as its tokens do")
  }
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])
  const key = await crypto.subtle.exportKey("jwk", pair.privateKey)
  const file = keepLogin({ issuer: url, clientId, broker, token, key }, io)
  io.out(inert(`Signed in as ${namesOf(person.value)} until ${expiresAt.toISOString()}.`))
  io.err(inert(`The login is kept in ${file} until then. daypass logout deletes it.`))
}
