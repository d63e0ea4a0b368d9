import { rmSync } from "node:fs"
import { type Credential, readLease } from "../action/answer.ts"
import { receive } from "../action/deliver/receive.ts"
import { replaceFile } from "../action/disk/safe-file.ts"
import { forLog } from "../action/escape.ts"
import { exchangeForAnswer } from "../action/exchange.ts"
import { ActionError, toFailure } from "../action/failure.ts"
import { type Inputs, invalid } from "../action/inputs.ts"
import { StepLeases } from "../action/lease.ts"
import { startDeadline } from "../action/retry.ts"
import { revokeLeases } from "../action/run/leases.ts"
import { info, warn } from "../action/runner.ts"
import { misused } from "./arguments.ts"
import { useCaller, withBroker } from "./exec/caller.ts"
import { startClient } from "./exec/host.ts"
import { endLeases } from "./exec/leases.ts"
import { type Options, readClientOptions, readTokenOptions } from "./exec/options.ts"
import { report } from "./exec/report.ts"
import { Signals } from "./exec/signals.ts"
import { type Arguments, type CliIo, EXIT } from "./io.ts"

/** `daypass token`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  if (given.options["refresh"] === true && given.options["out"] === undefined) return misused("--refresh needs --out")
  startClient(io)
  try {
    await give(given.options, io)
    return EXIT.ok
  } catch (thrown) {
    report(thrown)
    return thrown instanceof ActionError && thrown.code === "input_invalid" ? EXIT.usage : EXIT.no
  }
}

async function give(options: Options, io: CliIo): Promise<void> {
  const inputs = readClientOptions(withBroker(options), io.env)
  if (inputs.grants.length > 1) throw invalid("grants", "names several grants; this command gives one")
  readTokenOptions(options)
  const out = options["out"]
  if (out === "") throw invalid("out", "is empty")
  const signals = options["refresh"] === true ? new Signals() : null
  await useCaller(options, io)
  const leases = new StepLeases(inputs)
  const next = () => exchangeSecret(inputs, options, leases)
  try {
    const secret = await next()
    if (typeof out !== "string") return io.out(secret.bytes.toString("utf8"))
    replaceFile(out, secret.bytes)
    if (signals !== null) await keepFresh(out, secret, { signals, inputs, leases, next })
  } catch (thrown) {
    await endLeases(leases, inputs)
    throw thrown
  }
}

interface SecretValue {
  readonly bytes: Buffer
  /** In milliseconds since 1970; null when it does not end. */
  readonly endsAt: number | null
}

async function exchangeSecret(inputs: Inputs, options: Options, leases: StepLeases): Promise<SecretValue> {
  const answer = await exchangeForAnswer(inputs, leases, startDeadline(inputs.timeoutMs))
  leases.confirm(readLease(answer))
  const [credential] = await receive(answer, inputs.grants)
  if (credential === undefined) throw new Error("unreachable: exactly one credential was read")
  const { expiresAt, grant } = credential
  info(`Got ${grant}${expiresAt === null ? "" : `, until ${expiresAt}`}.`)
  return { bytes: secretOf(credential, options["value"]), endsAt: expiresAt === null ? null : Date.parse(expiresAt) }
}

/** @throws {ActionError} `input_invalid`. It names values, and quotes none. */
function secretOf({ grant, values }: Credential, wanted: string | boolean | undefined): Buffer {
  const secrets = values.filter(({ secret }) => secret)
  const named = typeof wanted === "string" ? values.filter(({ name }) => name === wanted) : secrets
  const [only, second] = named
  if (only === undefined || second !== undefined) {
    const names = (typeof wanted === "string" ? values : secrets).map(({ name }) => name).join(", ") || "no secret"
    throw invalid("value", `must name one value of ${grant}, which has ${forLog(names)}`)
  }
  return Buffer.from(only.value, only.file?.encoding ?? "utf8")
}

/** Of a secret's life. The rest of it is for tries that fail, and for programs that have read the file. */
const RENEW_AFTER_SHARE = 2 / 3
const RETRY_MS = 10_000
const REVOKE_WITHIN_MS = 10_000

interface Fresh {
  readonly signals: Signals
  readonly inputs: Inputs
  readonly leases: StepLeases
  readonly next: () => Promise<SecretValue>
}

/** Replaces the file until a signal comes. Earlier leases stay until then: a program may have read the old secret a moment ago. */
async function keepFresh(path: string, first: SecretValue, { signals, inputs, leases, next }: Fresh): Promise<void> {
  let waitMs = pauseFor(first)
  let said: ActionError | null = null
  while (!(await isOverWithin(waitMs, signals))) {
    try {
      const secret = await next()
      replaceFile(path, secret.bytes)
      waitMs = pauseFor(secret)
    } catch (thrown) {
      const failure = toFailure(thrown)
      // A source of tokens throws the same failure again for what does not change.
      if (failure !== said) warn(`The file could not be renewed yet: ${forLog(failure.message)}`)
      said = failure
      waitMs = RETRY_MS
    }
  }
  rmSync(path, { force: true })
  await revokeLeases(leases.all, leases, inputs, startDeadline(REVOKE_WITHIN_MS))
}

/** The longest that a timer of Node waits. */
const LONGEST_MS = 2 ** 31 - 1

const pauseFor = ({ endsAt }: SecretValue) =>
  endsAt === null ? LONGEST_MS : Math.min(LONGEST_MS, Math.max(1_000, (endsAt - Date.now()) * RENEW_AFTER_SHARE))

/** True when a signal came before the time was over. The timer keeps this process alive, and goes with the signal. */
function isOverWithin(milliseconds: number, { first }: Signals): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds)
    void first.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
