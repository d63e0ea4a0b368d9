import { expect, it } from "vitest"
import type { PolicySource } from "../../broker/ports/policy-source.ts"
import { job } from "../core/job.ts"

/** What every source of policies promises. `open` gives one over a folder with one policy of repository 41. */
export function policySourceSuite(open: () => Promise<PolicySource>): void {
  it("gives a snapshot with the organisation and the policies of one repository", async () => {
    const snapshot = await (await open()).snapshot()
    expect([...snapshot.organisation.issuers.keys()]).toEqual(["github"])
    expect((await snapshot.policiesOf(job())).policies.map(({ target }) => target)).toEqual([
      { kind: "unit", id: "41" },
    ])
  })

  it("answers with no policies for a repository, an issuer or a name that has none", async () => {
    const snapshot = await (await open()).snapshot()
    expect((await snapshot.policiesOf({ ...job(), unitId: "42" })).policies).toEqual([])
    expect((await snapshot.policiesOf({ ...job(), issuer: "other", unitId: "41" })).policies).toEqual([])
    expect((await snapshot.policiesOf({ ...job(), issuer: "constructor", unitId: "__proto__" })).policies).toEqual([])
  })

  it("says what is in force, and by the snapshot's own version", async () => {
    const source = await open()
    const { version } = await source.snapshot()
    expect(source.status()).toEqual({ version, policies: 1, loaded_at: expect.stringMatching(/^\d{4}-.*Z$/) })
    expect(version).toMatch(/^[0-9a-f]{64}$/)
  })
}
