/** A file as its text, as the bundler behind the tests gives it. */
declare module "*?raw" {
  const text: string
  export default text
}
