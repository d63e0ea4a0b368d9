/** Header fields, by their names in lower case. `Headers` of fetch are some, and so is a map. */
export type Fields = Pick<Headers, "has"> & { set(name: string, value: string): unknown }

/** An answer, before a server sends it. */
export interface Answer {
  readonly status: number
  readonly headers: Map<string, string>
  readonly body: string
}

export const jsonAnswer = (body: object): Answer => ({
  status: 200,
  headers: new Map([["content-type", "application/json"]]),
  body: JSON.stringify(body),
})

/** The answer in the form of fetch. */
export const asResponse = ({ status, headers, body }: Answer): Response =>
  new Response(body, { status, headers: [...headers] })
