/** A person at a browser, as far as a provider's pages of plain HTML need one: cookies, redirects and forms. */
export class Person {
  readonly #cookies = new Map<string, string>()

  /**
   * Opens a page and follows its redirects. Resolves to the page at which they end.
   *
   * @param headers that a browser would send with the form
   */
  async open(
    url: string,
    form?: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    let request: { readonly url: URL; readonly body?: URLSearchParams } = {
      url: new URL(url),
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    }
    for (let hops = 0; hops < 12; hops++) {
      const response = await fetch(request.url, {
        method: request.body === undefined ? "GET" : "POST",
        redirect: "manual",
        headers: {
          cookie: [...this.#cookies].map((pair) => pair.join("=")).join("; "),
          accept: "text/html",
          ...(request.body === undefined ? {} : headers),
        },
        ...(request.body === undefined ? {} : { body: request.body }),
      })
      for (const cookie of response.headers.getSetCookie()) {
        const [pair = ""] = cookie.split(";")
        const at = pair.indexOf("=")
        if (pair.slice(at + 1) === "") this.#cookies.delete(pair.slice(0, at))
        else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
      }
      const location = response.headers.get("location")
      if (location === null)
        return { url: request.url, status: response.status, headers: response.headers, text: await response.text() }
      request = { url: new URL(location, request.url) }
    }
    throw new Error("the pages redirect for ever")
  }

  /** Fills in the only form of a page, with what it hides and what the person types. */
  submit(page: Page, typed: Readonly<Record<string, string>> = {}): Promise<Page> {
    const [, action = ""] = /<form[^>]* action="([^"]+)"/.exec(page.text) ?? []
    const hidden = [...page.text.matchAll(/<input[^>]*>/g)].flatMap(([tag]) => {
      const of = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]
      const name = of("name")
      return of("type") === "hidden" && name !== undefined ? [[name, of("value") ?? ""] as const] : []
    })
    if (action === "") throw new Error(`there is no form at ${page.url.pathname}: ${page.text.slice(0, 300)}`)
    return this.open(new URL(action, page.url).href, { ...Object.fromEntries(hidden), ...typed })
  }
}

export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
}
