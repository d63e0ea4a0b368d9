import { BrokerError } from "../../core/errors.ts"
import type { Identity } from "../../core/identity.ts"
import type { Organisation, Policy, PolicyFault } from "../../core/policy/model.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import type { Result } from "../../core/result.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Log } from "../../ports/log.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import { loadRepositoryPolicies } from "./own-policy-files.ts"
import { type Kept, STALE_MS } from "./repository-readings.ts"
import { timeOf, wallTime } from "./sentences.ts"

/** The policies from a repository's own files. */
export interface OwnPolicies {
  readonly policies: readonly Policy[]
  /** Git's hash of their folder. */
  readonly treeSha: string
  readonly notes: readonly string[]
}

type Files = Extract<Kept, { readonly outcome: "files" }>

/** Files as read, with the time when GitHub last confirmed them (on `Clock.elapsed()`). */
interface Confirmed {
  readonly kept: Files
  readonly confirmedAt: number
}

/** Files that were checked against one organisation file. */
interface Checked {
  readonly kept: Files
  readonly organisation: Organisation
  readonly result: Result<readonly Policy[], readonly PolicyFault[]>
}

interface Memory {
  readonly checked: Checked
  /** The last files without a fault, with their policies. */
  readonly good: (Confirmed & { readonly checked: Checked }) | null
}

const MAX_REPOSITORIES = 5_000
/** The limit for the text of policies. The compiled form takes several times as much. */
const MAX_BYTES = 8 * 1024 * 1024
const FAULTS_SHOWN = 3

/**
 * Checks repositories' own files, once for each version of the files and of the organisation file.
 *
 * Files with faults do not load. Then the last good files stay in force, until ten minutes after GitHub last confirmed
 * them. They are always checked against the current organisation file, so a connection that was removed there is gone
 * immediately.
 */
export function createOwnPolicies(providers: ProviderSchemaTable, log: Log, clock: Clock) {
  const memories = createBoundedCache<Memory>(MAX_REPOSITORIES, MAX_BYTES)

  function check(kept: Files, identity: Identity, organisation: Organisation, before: Checked | undefined): Checked {
    const isSame = before?.kept.files === kept.files && before.kept.fullName === kept.fullName
    if (before && isSame && before.organisation === organisation) return before
    const host = { issuer: identity.issuer, repository: kept.fullName, repositoryId: identity.unitId }
    return { kept, organisation, result: loadRepositoryPolicies(kept.files, host, organisation, providers) }
  }

  return {
    /** @throws {BrokerError} `policy_invalid` when the files have faults, and there are no recent good ones */
    of(confirmed: Confirmed, identity: Identity, organisation: Organisation): OwnPolicies {
      const key = keyOf(identity)
      const before = memories.get(key)
      const { kept } = confirmed
      const checked = check(kept, identity, organisation, before?.checked)
      if (checked !== before?.checked) logOutcome(checked, log)
      if (checked.result.ok) {
        memories.set(key, { checked, good: { ...confirmed, checked } }, weightOf(kept))
        return { policies: checked.result.value, treeSha: kept.treeSha, notes: [] }
      }
      const good = before?.good && clock.elapsed() - before.good.confirmedAt < STALE_MS ? before.good : null
      const again = good && check(good.kept, identity, organisation, good.checked)
      memories.set(
        key,
        { checked, good: good && again ? { ...good, checked: again } : null },
        weightOf(kept) + (good ? weightOf(good.kept) : 0),
      )
      if (!good || !again?.result.ok) throw invalid(kept, checked.result.fault)
      const notes = [noteOn(good, checked.result.fault, clock)]
      return { policies: again.result.value, treeSha: good.kept.treeSha, notes }
    },
    /** Forgets the last good files. */
    forget(identity: Identity): void {
      memories.delete(keyOf(identity))
    },
  }
}

const keyOf = ({ issuer, issuerUrl, unitId, ownerId }: Identity) => JSON.stringify([issuer, issuerUrl, unitId, ownerId])

function logOutcome({ kept, result }: Checked, log: Log): void {
  const what = `${kept.fullName}'s own, version ${kept.treeSha}`
  if (result.ok) log({ event: "policies.loaded", detail: `${result.value.length} policies, ${what}` })
  else log({ event: "policies.refused", detail: `${result.fault.length} faults in ${what}` })
}

const placeOf = ({ file, line, column }: PolicyFault) => `${file}:${line}:${column}`

function noteOn({ confirmedAt }: Confirmed, faults: readonly PolicyFault[], clock: Clock): string {
  const [first] = faults
  const where = first ? ` The first of ${faults.length} faults is at ${placeOf(first)}.` : ""
  const [from, until] = [confirmedAt, confirmedAt + STALE_MS].map((moment) => timeOf(wallTime(moment, clock)))
  return `The repository's own policies have faults now. The version of ${from} stays in force until ${until}.${where}`
}

function invalid({ fullName }: Files, faults: readonly PolicyFault[]): BrokerError {
  const shown = faults.slice(0, FAULTS_SHOWN).map((fault) => `${placeOf(fault)}: ${fault.message}`)
  const more = faults.length > shown.length ? ` And ${faults.length - shown.length} more.` : ""
  const text = `The policies in the repository ${fullName} have faults, and its jobs get nothing until they are corrected. ${shown.join(" ")}${more}`
  return new BrokerError("policy_invalid", text)
}

const weightOf = ({ files }: Files) => files.reduce((sum, { bytes }) => sum + bytes.length, 0)
