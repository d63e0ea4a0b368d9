import { factsOf } from "../core/families/families.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { SignInDocument } from "../wire/sign-in.ts"

/** How people sign in: the issuers of people in the organisation file. Nothing of policies, owners or issuers of jobs. */
export const signInDocument = ({ issuers }: Pick<Organisation, "issuers">): SignInDocument => ({
  people: [...issuers.values()].flatMap(({ name, family, url, audience }) =>
    factsOf(family).unit === "person" && audience !== undefined ? [{ name, url, client_id: audience }] : [],
  ),
})
