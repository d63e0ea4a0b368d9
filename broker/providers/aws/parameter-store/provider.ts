import { invalid } from "../../call.ts"
import { readPlaces } from "../../places.ts"
import { MAX_ENTRIES } from "../../read-grant.ts"
import { storeProvider } from "../../store.ts"
import type { StoredValue } from "../../stored-value.ts"
import { askAll, type Reading } from "../ask.ts"
import { SUBJECT_LIMIT } from "../role-session.ts"
import {
  type Answer,
  type Batch,
  batchesOf,
  buildGetParameters,
  buildGetParametersByPath,
  GET_PARAMETERS,
  GET_PARAMETERS_BY_PATH,
  MAX_PAGES,
  type Page,
  readPage,
  readParameters,
} from "./api.ts"
import { connection, parseLocator } from "./grant.ts"

/** Parameters of AWS Systems Manager Parameter Store, read with a session of a role that trusts the broker. */
export const awsParameterStore = storeProvider({
  name: "aws-parameter-store",
  summary: "parameters of AWS Systems Manager Parameter Store, by name, version or label, and field",
  title: "AWS Parameter Store",
  connection,
  parse: parseLocator,
  audiences: ({ audience }) => ({ ownLogin: [audience] }),
  subjectLimit: () => SUBJECT_LIMIT,
  asks: "job",

  whole: {
    async read({ locator: path }, request, side, io) {
      const { connection } = request
      const reading: Reading<Page, ReturnType<typeof readPage>> = {
        operation: GET_PARAMETERS_BY_PATH,
        input: buildGetParametersByPath,
        read: (response, page) => readPage(side, response, page, connection),
      }
      const members: (readonly [string, StoredValue])[] = []
      let token: string | undefined
      for (let pages = 0; pages < MAX_PAGES; pages++) {
        const [answer] = await askAll(reading, [{ path, token }], { request, side, io })
        members.push(...(answer?.found ?? []))
        token = answer?.next
        // More than a grant may have: the rest would be refused as well.
        if (token === undefined || members.length > MAX_ENTRIES) return members
      }
      throw invalid(side, `for ${path} has more than ${MAX_PAGES} pages`)
    },
  },

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
