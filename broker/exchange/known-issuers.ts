import * as z from "zod"
import type { IssuerConfig, IssuerKeys, Organisation } from "../core/policy/model.ts"
import type { KnownIssuers } from "../ports/known-issuers.ts"
import type { Marks } from "../ports/marks.ts"

const MARK = "issuers"

const stored = z.array(
  z.object({
    name: z.string(),
    family: z.string(),
    url: z.string(),
    owners: z.array(z.tuple([z.string(), z.string()])),
    maxTokenLifetimeSeconds: z.number().optional(),
    audience: z.string().optional(),
    otherAudiences: z.array(z.string()).optional(),
    keys: z.custom<IssuerKeys>((keys) => typeof keys === "object" && keys !== null && "by" in keys).optional(),
    claims: z.record(z.string(), z.string()).optional(),
  }),
)

/** Known issuers in the deployment's marks. One instance writes each version of the policies at most once. */
export function createKnownIssuers(marks: Marks): KnownIssuers {
  let remembered: string | null = null
  return {
    async remember(version, issuers) {
      if (version === remembered) return
      remembered = version
      await marks.write(MARK, written(issuers)).catch(() => {
        remembered = null
      })
    },
    async recall() {
      const text = await marks.read(MARK).catch(() => null)
      return text === null ? null : read(text)
    },
  }
}

const written = (issuers: Organisation["issuers"]): string =>
  JSON.stringify(
    [...issuers.values()].map(
      ({ name, family, url, owners, maxTokenLifetimeSeconds, audience, otherAudiences, keys, claims }) => ({
        name,
        family,
        url,
        owners: [...owners],
        maxTokenLifetimeSeconds,
        audience,
        otherAudiences,
        keys,
        claims,
      }),
    ),
  )

function read(text: string): Organisation["issuers"] {
  const issuers = stored.parse(JSON.parse(text)).map(
    ({ name, family, url, owners, ...optional }): IssuerConfig => ({
      name,
      family,
      url,
      owners: new Map(owners),
      // A revocation reads no policies.
      repositoryPolicies: false,
      ...(optional as Pick<IssuerConfig, keyof typeof optional>),
    }),
  )
  return new Map(issuers.map((issuer) => [issuer.name, issuer]))
}
