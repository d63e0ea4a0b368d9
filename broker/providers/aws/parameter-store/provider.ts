import { readPlaces } from "../../places.ts"
import { storeProvider } from "../../store.ts"
import { askAll, type Reading } from "../ask.ts"
import { SUBJECT_LIMIT } from "../role-session.ts"
import { type Answer, type Batch, batchesOf, buildGetParameters, GET_PARAMETERS, readParameters } from "./api.ts"
import { connection, parseLocator } from "./grant.ts"

/** Parameters of AWS Systems Manager Parameter Store, read with a session of a role that trusts the broker. */
export const awsParameterStore = storeProvider({
  name: "aws-parameter-store",
  summary: "parameters of AWS Systems Manager Parameter Store, by name, version or label, and field",
  title: "AWS Parameter Store",
  connection,
  parse: parseLocator,
  audiences: ({ audience }) => ({ ownLogin: [audience] }),
  subjectLimit: SUBJECT_LIMIT,
  asks: "job",

  read(wanted, request, side, io) {
    const reading: Reading<Batch, readonly Answer[]> = {
      operation: GET_PARAMETERS,
      input: buildGetParameters,
      read: (response, batch) => readParameters(side, response, { batch, connection: request.connection }),
    }
    return readPlaces(side, wanted, async (places) => {
      const answers = await askAll(reading, batchesOf(places.map(({ place }) => place)), { request, side, io })
      return new Map(answers.flat())
    })
  },
})
