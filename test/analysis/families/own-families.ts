// Two families of the tests' own, with what the built-in ones may lack: lists, flags, cautions of several claims, units known by
// their name alone.
import { CAUTION_ROWS } from "../../../broker/core/families/cautions.ts"
import type { ClaimFact } from "../../../broker/core/families/claim-fact.ts"
import { FAMILY_FACTS, ISSUER_FAMILIES, UNIT_CLAIMS } from "../../../broker/core/families/families.ts"
import type { FamilyFacts, IdForm } from "../../../broker/core/families/family-facts.ts"

const DIGITS: IdForm = {
  pattern: /^[1-9][0-9]{0,19}$/,
  words: "an id is a text of digits",
  longest: "9".repeat(20),
}

type Row = readonly [string, ClaimFact]
const row = (claim: string, sent: ClaimFact["sent"], tells: ClaimFact["tells"], more: Partial<ClaimFact> = {}): Row => [
  claim,
  { summary: "a claim of the tests", sent, tells, ...more },
]

/** Projects of owners, with ids and paths of several parts. A fork's job has two different ids. */
export const PROJECTS: FamilyFacts = {
  name: "test-projects",
  title: "Test projects",
  unit: "project",
  claims: new Map<string, ClaimFact>([
    row("iss", "always", "unit", { registered: true }),
    row("test_path", "always", "unit"),
    row("test_id", "always", "unit", { form: "digits", samples: ["41000000"] }),
    row("test_group", "always", "unit"),
    row("test_group_id", "always", "unit", { form: "digits" }),
    row("fork_of", "by-some-jobs", "job", { form: "digits" }),
    row("cause", "always", "job", {
      values: new Map([
        ["push", {}],
        ["request", { outsiders: true }],
      ]),
      samples: ["push"],
    }),
    row("shell", "always", "job", {
      type: "boolean",
      values: new Map([
        ["false", {}],
        ["true", { interactive: true }],
      ]),
      samples: ["false"],
    }),
    row("branch", "always", "job", { form: "branch", samples: ["main", "feature"] }),
    row("groups", "by-some-jobs", "job", { type: "texts" }),
    row("extra", "by-some-jobs", "job", { type: "any" }),
    row("stage", "with-environment", "job"),
    ...CAUTION_ROWS,
  ]),
  roles: {
    unitId: "test_id",
    unit: "test_path",
    ownerId: "test_group_id",
    owner: "test_group",
    environment: "stage",
    ref: "branch",
    event: "cause",
  },
  furtherCautions: ({ fork_of: fork, test_id: id, branch }) => [
    ...(fork === undefined || fork === id ? [] : [{ fact: "outsider" as const, why: "it is a fork's" }]),
    ...(typeof branch === "string" && branch.includes(":")
      ? [{ fact: "outsider" as const, why: "it is a fork's branch", claim: "branch", value: branch }]
      : []),
  ],
  unitId: DIGITS,
  ownerId: DIGITS,
  unitName: { pattern: /^[a-z/*-]+$/, words: "a project is written group/name" },
  patterns: true,
  findId: () => "a look at its page",
  maxTokenLifetimeSeconds: 3600,
  jti: "always",
  audience: "job",
}

/** Jobs known by their name alone, of an issuer that owns them, in no environment. */
export const JOBS: FamilyFacts = {
  name: "test-jobs",
  title: "Test jobs",
  unit: "job",
  claims: new Map<string, ClaimFact>([
    row("iss", "always", "unit", { registered: true }),
    row("job_url", "always", "unit"),
    row("parameters", "by-some-jobs", "job", { type: "object" }),
    row("number", "always", "job", { type: "number", samples: ["42"] }),
    ...CAUTION_ROWS,
  ]),
  roles: { unitId: "job_url", runId: "number" },
  unitId: { pattern: /^https:/, words: "a job is its URL", longest: `https://${"j".repeat(99)}` },
  patterns: false,
  findId: () => "a look at its page",
  maxTokenLifetimeSeconds: 3600,
  jti: "never",
  audience: "setting",
}

const OWN = [PROJECTS, JOBS]

/** Lists them beside the built-in ones, until the answer is called. Files of tests share their modules. */
export function listOwnFamilies(): () => void {
  const families = FAMILY_FACTS as Map<string, FamilyFacts>
  const names = ISSUER_FAMILIES as unknown as string[]
  const unitClaims = UNIT_CLAIMS as Set<string>
  const added = OWN.flatMap(({ claims }) => [...claims]).flatMap(([claim, { tells }]) =>
    tells === "unit" && !unitClaims.has(claim) ? [claim] : [],
  )
  for (const facts of OWN) families.set(facts.name, facts)
  for (const claim of added) unitClaims.add(claim)
  names.push(...OWN.map(({ name }) => name))
  return () => {
    for (const { name } of OWN) families.delete(name)
    for (const claim of added) unitClaims.delete(claim)
    names.splice(-OWN.length)
  }
}
