import { factsOf } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { UNITS } from "../../broker/core/families/units.ts"
import type { Claims } from "../../broker/core/identity.ts"
import { parseWith } from "../../broker/core/parse-with.ts"
import type { ApprovalFact } from "../../broker/core/policy/break-glass.ts"
import type { ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import { didYouMean, type FaultCode, fault, type Position, quote } from "../../broker/core/policy/faults.ts"
import type { PolicyInput } from "../../broker/core/policy/load.ts"
import type { Organisation, PolicyFault, PolicySet } from "../../broker/core/policy/model.ts"
import { schemaFaults } from "../../broker/core/policy/schema-faults.ts"
import { parseUsualYaml } from "../../broker/core/policy/usual-yaml.ts"
import { keyPosition, nodeAt, type YamlNode, type YamlPath } from "../../broker/core/policy/yaml.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { type KnownNames, knownNames } from "./known.ts"
import type { Expectation, PolicyTest } from "./model.ts"
import { SAMPLES } from "./samples.ts"
import { type PolicyTestFile, policyTestSchema, type TestJob } from "./schema.ts"
import { followersOf, tokenClaims, unitClaimOf } from "./token-claims.ts"

/** The suffix of files with policy tests. */
const POLICY_TEST_SUFFIX = ".test.yaml"

/**
 * Reads the policy tests of a folder, in the order of their files and lines: all tests, or all faults.
 *
 * Strict: the folder must know everything that a test names, because a test with a misspelled name passes for the wrong
 * reason. `set` is null when the folder does not load; then only the form is checked. Pure; never throws.
 */
export function readPolicyTests(
  files: readonly PolicyInput[],
  set: PolicySet | null,
): Result<readonly PolicyTest[], readonly PolicyFault[]> {
  const faults: PolicyFault[] = []
  const tests: PolicyTest[] = []
  const folder = set === null ? null : { organisation: set.organisation, known: knownNames(set) }
  const ours = files.filter(({ path, refused }) => path.endsWith(POLICY_TEST_SUFFIX) && refused === undefined)
  for (const { path: file, bytes } of [...ours].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const document = parseUsualYaml(file, bytes)
    if (!document.ok) {
      faults.push(...document.fault)
      continue
    }
    const { root, value } = document.value
    const parsed = parseWith(policyTestSchema, value)
    if (parsed.success) tests.push(...new TestFileReader(file, root, folder, faults).read(parsed.data))
    else faults.push(...schemaFaults({ file, root, path: [], schema: policyTestSchema }, parsed.error.issues))
  }
  return faults.length > 0 ? fail(faults) : ok(tests)
}

type TestPart = PolicyTestFile["tests"][number]

interface Folder {
  readonly organisation: Organisation
  readonly known: KnownNames
}

const UNKNOWN_PROTECTION: ProtectionFact = {
  known: false,
  reason: "say in the test how the environment is protected: add environment_protection",
}

const UNKNOWN_APPROVALS: ApprovalFact = {
  known: false,
  reason: "say in the test who approved it: add approvals",
}

const MAX_HINTS = 10

/** Reads a file of the right form, and checks that everything it names exists. */
class TestFileReader {
  readonly #file: string
  readonly #root: YamlNode
  readonly #folder: Folder | null
  readonly #faults: PolicyFault[]
  readonly #said = new Set<string>()
  #hints = 0

  constructor(file: string, root: YamlNode, folder: Folder | null, faults: PolicyFault[]) {
    this.#file = file
    this.#root = root
    this.#folder = folder
    this.#faults = faults
  }

  read({ defaults = {}, tests }: PolicyTestFile): PolicyTest[] {
    this.#checkJob(["defaults"], defaults)
    const lines = new Map<string, number>()
    return tests.flatMap((test, index) => {
      const path = ["tests", index]
      const { line } = this.#at(path)
      const first = lines.get(test.name)
      if (first === undefined) lines.set(test.name, line)
      else {
        const message = `The test in line ${first} has the name ${quote(test.name)} too. Give each test its own name.`
        this.#no([...path, "name"], "value_invalid", message)
      }
      this.#checkJob(path, test)
      const read = this.#test(path, defaults, test)
      return read === null ? [] : [read]
    })
  }

  /** Null when the test has a fault, or when there is no loaded folder to check it against. */
  #test(path: YamlPath, defaults: TestJob, test: TestPart): PolicyTest | null {
    const { sample: sampleName = defaults.sample, grants = defaults.grants } = test
    const named = sampleName === undefined ? undefined : SAMPLES.get(sampleName)
    const facts = factsOf(named?.of.family)
    const { claims: changes, without } = merged(defaults, test, facts)
    if (sampleName === undefined) this.#missing(path, "sample", "the token that the test begins with")
    if (grants === undefined) this.#missing(path, "grants", "the grants that the job asks for")
    const unitClaim = unitClaimOf(facts)
    const { [unitClaim]: unit, [facts.roles.unitId]: id } = changes
    if (unit === undefined && !without.has(unitClaim)) {
      this.#missing(path, unitClaim, `the ${UNITS[facts.unit].one} of the job, under claims`)
    }
    if (this.#folder === null || named === undefined || grants === undefined) return null

    const { known, organisation } = this.#folder
    const issuer = this.#issuer(path, test.issuer ?? defaults.issuer, facts.name, organisation)
    if (issuer === null) return null
    if (unit !== undefined && id === undefined && !without.has(facts.roles.unitId)) {
      const message = known.unitFault(issuer.name, unit)
      const at = test.claims?.[unitClaim] === undefined ? ["defaults"] : path
      if (message !== null) this.#no([...at, "claims", unitClaim], "value_invalid", message)
    }
    if (test.by !== undefined && !known.deciders.has(test.by)) {
      const message = `There is no rule or boundary ${quote(test.by)}.${this.#hint(test.by, known.deciders)}`
      this.#no([...path, "by"], "value_invalid", message)
    }
    const all = tokenClaims(named.of, named.sample, { iss: issuer.url, ...changes }, without, known.ids(issuer.name))
    const ttlSeconds = test.ttl ?? defaults.ttl
    return {
      name: test.name,
      file: this.#file,
      ...this.#at(path),
      issuer: issuer.name,
      claims: all satisfies Claims,
      bound: test.bound ?? defaults.bound ?? true,
      protection: test.environment_protection ?? defaults.environment_protection ?? UNKNOWN_PROTECTION,
      approvals: test.approvals ?? defaults.approvals ?? UNKNOWN_APPROVALS,
      grants,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      expected: expectationOf(test),
    }
  }

  #issuer(path: YamlPath, name: string | undefined, family: string, { issuers }: Organisation) {
    const ofFamily = [...issuers.values()].filter((one) => one.family === family)
    const names = ofFamily.map((one) => one.name)
    const issuer = name === undefined ? ofFamily[0] : issuers.get(name)
    if (name === undefined && ofFamily.length > 1) {
      this.#missing(path, "issuer", `one of ${names.join(", ")}`)
      return null
    }
    if (issuer?.family === family) return issuer
    const known = `The organisation file lists these issuers of ${family}: ${names.join(", ") || "none"}.`
    const wrong = name === undefined ? "This folder has no issuer" : `${quote(name)} is not an issuer`
    const message = `The sample is a token of the family ${family}. ${wrong} of that family. ${known}`
    this.#no([...path, name === undefined ? "sample" : "issuer"], "issuer_unknown", message)
    return null
  }

  /** Checks the keys that a test and the defaults have in common. */
  #checkJob(path: YamlPath, { claims = {}, without = [], grants = [] }: TestJob): void {
    without.forEach((name, index) => {
      if (Object.hasOwn(claims, name)) {
        this.#no([...path, "without", index], "value_invalid", `Both "claims" and "without" name ${name}. Keep one.`)
      }
    })
    grants.forEach((name, index) => {
      if (grants.indexOf(name) === index) return
      this.#no([...path, "grants", index], "value_invalid", `The grant ${name} is asked for twice: keep one.`)
    })
    if (this.#folder === null) return
    const { known } = this.#folder
    const unknown = (name: string, at: YamlPath) => {
      if (known.isClaim(name)) return
      const hint =
        this.#hint(name, known.claims) || " Check that the issuer sends it, and that a rule has a condition on it."
      this.#push(keyPosition(this.#root, at), "key_unknown", `There is no claim ${quote(name)}.${hint}`)
    }
    for (const name of Object.keys(claims)) unknown(name, [...path, "claims", name])
    without.forEach((name, index) => {
      unknown(name, [...path, "without", index])
    })
    grants.forEach((name, index) => {
      if (known.grants.has(name)) return
      const hint = this.#hint(name, known.grants)
      this.#no([...path, "grants", index], "grant_unknown", `No policy defines a grant ${quote(name)}.${hint}`)
    })
  }

  #missing(path: YamlPath, key: string, what: string): void {
    this.#no(path, "key_missing", `The key "${key}" is missing here and in the defaults. Add it: ${what}.`)
  }

  #no(path: YamlPath, code: FaultCode, message: string): void {
    this.#push(this.#at(path), code, message)
  }

  /** Reports a fault only once: a fault of the defaults shows up in every test. */
  #push(at: Position, code: FaultCode, message: string): void {
    const key = `${at.line}:${at.column} ${code} ${message}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.#faults.push(fault(this.#file, at, code, message))
  }

  /** Limited: a folder can know tens of thousands of names, and a file can misspell a thousand. */
  #hint(name: string, known: Iterable<string>): string {
    return this.#hints++ < MAX_HINTS ? didYouMean(name, known) : ""
  }

  #at(path: YamlPath): Position {
    return nodeAt(this.#root, path).at
  }
}

/** A test's own claims and omissions, which override those of the defaults. */
function merged(defaults: TestJob, test: TestJob, facts: FamilyFacts) {
  const own = test.claims ?? {}
  const omitted = new Set(test.without)
  // A test of another unit inherits no ids: the ids decide, so it would still test the first unit.
  for (const name of Object.keys(own)) for (const follower of followersOf(facts, name)) omitted.add(follower)
  const inherited = Object.entries(defaults.claims ?? {}).filter(([name]) => !omitted.has(name))
  const without = [...(defaults.without ?? []).filter((name) => !Object.hasOwn(own, name)), ...(test.without ?? [])]
  return {
    claims: { ...Object.fromEntries(inherited), ...own } as Readonly<Record<string, string>>,
    without: new Set(without),
  }
}

function expectationOf({ expect, code, by, ttl_granted: ttlSeconds }: TestPart): Expectation {
  return {
    outcome: expect,
    ...(code === undefined ? {} : { code }),
    ...(by === undefined ? {} : { by }),
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  }
}
