// What main saved comes back as these variables. A post step of a step that saved nothing loads nothing.
if (Object.keys(process.env).some((name) => name.startsWith("STATE_"))) {
  import("./revoke.ts").then(
    ({ revoke }) => revoke(),
    () => console.log(`::warning title=Daypass::${UNREADABLE}`),
  )
}

const UNREADABLE =
  "The post step did nothing, because it cannot read one of the action's files on this runner. The broker ends the lease when its time is over. Let nothing clean the runner's folder `_actions` while a job runs."
