import { readPlaces } from "../../places.ts"
import { storeProvider } from "../../store.ts"
import { askAll, type Reading } from "../ask.ts"
import { SUBJECT_LIMIT } from "../role-session.ts"
import { type Answer, buildGetSecretValue, GET_SECRET_VALUE, readSecretValue } from "./api.ts"
import { connection, type Place, parseLocator } from "./grant.ts"

/** Secrets of AWS Secrets Manager, read with a session of a role that trusts the broker. */
export const awsSecretsManager = storeProvider({
  name: "aws-secrets-manager",
  summary: "secrets of AWS Secrets Manager, by name, version and field",
  title: "AWS Secrets Manager",
  connection,
  parse: parseLocator,
  audiences: ({ audience }) => ({ ownLogin: [audience] }),
  subjectLimit: () => SUBJECT_LIMIT,
  asks: "job",

  read(wanted, request, side, io) {
    const reading: Reading<Place, Answer> = {
      operation: GET_SECRET_VALUE,
      input: buildGetSecretValue,
      read: (response, place) => readSecretValue(side, response, { place, connection: request.connection }),
    }
    // All fields of a secret come from one answer, and so from the same version.
    return readPlaces(side, wanted, async (places) => {
      const answers = await askAll(
        reading,
        places.map(({ place }) => place),
        { request, side, io },
      )
      return new Map(answers)
    })
  },
})
