import type { ProviderCase, Reply } from "../case.ts"
import {
  answer,
  done,
  errors,
  exactly,
  itself,
  loggedIn,
  mayRevokeItself,
  minted,
  request,
  revocable,
} from "./recorded.ts"

const taking = (
  name: string,
  replies: readonly Reply[],
  expected: NonNullable<ProviderCase["revoke"]>["expect"],
): ProviderCase => ({
  name,
  ...request,
  replies: [loggedIn(), mayRevokeItself, itself, minted()],
  expect: revocable,
  revoke: { replies, expect: expected },
})

const denial = errors(403, "1 error occurred:\n\t* permission denied\n\n")
export const revokeCases: readonly ProviderCase[] = [
  taking(
    "takes a token that is gone for revoked, in Vault's words",
    [errors(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")],
    "revoked",
  ),
  taking("takes a token that is gone for revoked, in OpenBao's words", [exactly(403, "permission denied")], "revoked"),
  taking("leaves the lease to the token where policies do not let it revoke one", [denial, done], "revoked"),
  taking(
    "takes back again after a sealed Vault",
    [errors(503, "Vault is sealed"), done, errors(500, "internal error"), done],
    "revoked",
  ),
  taking("keeps the token of a lease that its engine cannot take back now", [errors(400, "failed to revoke entry")], {
    code: "provider_unavailable",
    detailHolds: "lease",
  }),
  taking("does not take a policy's refusal for a token that is gone", [done, denial], {
    code: "provider_denied",
    detailHolds: "policy default",
  }),
  taking("does not take another refusal for one", [done, errors(400, "batch tokens cannot be revoked")], {
    code: "provider_denied",
  }),
  {
    name: "does not take the bare refusal of a token that is bound to addresses for one that is gone",
    ...request,
    replies: [loggedIn(), mayRevokeItself, answer({ data: { bound_cidrs: ["192.0.2.0/24"] } }), minted()],
    expect: revocable,
    revoke: {
      replies: [exactly(403, "permission denied"), exactly(403, "permission denied")],
      expect: { code: "provider_denied" },
    },
  },
]
