/**
 * The stylesheet of all pages. Colours have a contrast of at least 4.5 to 1 in both schemes (WCAG 2.2, 1.4.3), and nothing is
 * told by colour alone.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --paper: #fff; --ink: #1a2026; --soft: #545f6b; --line: #d9dee3;
  --link: #0b57a4; --good: #1b6e45; --bad: #b3261e; --warn: #8a5300;
  --good-ground: #e5f3eb; --bad-ground: #fbe9e7; --warn-ground: #fcf1de; --bar-good: #4c9a73; --bar-bad: #cf4a41;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161a; --paper: #1a2026; --ink: #e4e9ee; --soft: #a3afbb; --line: #333d47;
    --link: #80bcf5; --good: #7fd0a5; --bad: #ff9f96; --warn: #efbe70;
    --good-ground: #17311f; --bad-ground: #3b1d1b; --warn-ground: #352811; --bar-good: #3f8f69; --bar-bad: #d65f57;
  }
}
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible,
textarea:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .25rem .75rem; }
.top { background: var(--paper); border-bottom: 1px solid var(--line); }
.top > div, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.5rem; }
.top > div { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.75rem; min-height: 3.5rem; }
.name { font-weight: 650; color: var(--ink); text-decoration: none; }
.name .soft { font-weight: 400; margin-left: .25rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .75rem 0; color: var(--soft); text-decoration: none; border-bottom: 3px solid transparent; border-top: 3px solid transparent; }
nav a:hover { color: var(--ink); }
nav a[aria-current] { color: var(--ink); border-bottom-color: var(--link); }
.who { margin-left: auto; display: flex; align-items: center; gap: .75rem; color: var(--soft); font-size: .87rem; }
.who form { margin: 0; }
main { padding-top: 1.75rem; padding-bottom: 3rem; }
footer { color: var(--soft); font-size: .87rem; padding-bottom: 2rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .35rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.07rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0; max-width: 46rem; }
.soft { color: var(--soft); }
.lead { color: var(--soft); margin-bottom: 1.25rem; }
code, .mono { font: .87rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .9rem; margin: 0; padding: 0; list-style: none; }
.tile { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: .85rem 1rem; }
.tile h2, .tile h3 { margin: 0; font-size: .87rem; font-weight: 500; color: var(--soft); }
.tile .figure { color: var(--ink); font-size: 1.5rem; font-weight: 600; line-height: 1.3; margin: .1rem 0; }
.tile p { margin: 0; font-size: .87rem; color: var(--soft); overflow-wrap: anywhere; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.15rem; margin: 0 0 1rem; }
.card > :first-child { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.note { border-left: 4px solid var(--warn); background: var(--warn-ground); border-radius: .25rem; padding: .6rem .9rem; margin: 0 0 1rem; max-width: none; }
.note.bad { border-color: var(--bad); background: var(--bad-ground); }
.note.good { border-color: var(--good); background: var(--good-ground); }
.note p { max-width: none; margin: .1rem 0; }
.tag { display: inline-block; border-radius: .25rem; padding: .05rem .45rem; font-size: .8rem; font-weight: 600; white-space: nowrap; background: var(--ground); border: 1px solid var(--line); }
.tag.good { color: var(--good); background: var(--good-ground); border-color: transparent; }
.tag.bad { color: var(--bad); background: var(--bad-ground); border-color: transparent; }
.tag.warn { color: var(--warn); background: var(--warn-ground); border-color: transparent; }
.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem; border-bottom: 1px solid var(--line); }
tr:last-child > td, tr:last-child > th { border-bottom: 0; }
thead th { font-size: .83rem; font-weight: 550; color: var(--soft); white-space: nowrap; }
tbody th { font-weight: 500; min-width: 7.5rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
label { display: block; font-size: .87rem; color: var(--soft); }
input, select, textarea { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid #7c8894; border-radius: .35rem; padding: .4rem .6rem; width: 100%; }
input, select { height: 2.4rem; }
textarea { font: .87rem/1.45 ui-monospace, Menlo, Consolas, monospace; min-height: 7rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: .75rem 1rem; align-items: end; }
.command { max-width: none; }
.wide { grid-column: 1 / -1; }
.fields + details { margin-top: .75rem; }
.inside h3 { margin-top: .4rem; }
.acts { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; margin-top: .9rem; }
.acts.low { align-items: end; }
.acts.low > div { width: 24rem; }
p + .card, p + .scroll, .card + .scroll { margin-top: .9rem; }
#verdict { margin-top: .9rem; }
#verdict:empty { display: none; }
button, .button { font: inherit; font-weight: 550; cursor: pointer; display: inline-block; border: 1px solid var(--link); border-radius: .35rem; padding: .42rem 1rem; background: var(--link); color: var(--paper); text-decoration: none; }
button.plain, .button.plain { background: transparent; color: var(--link); }
button.quiet { border: 0; background: none; color: var(--link); padding: .25rem 0; text-decoration: underline; font-weight: 400; }
button.danger { background: var(--bad); border-color: var(--bad); }
button:disabled { opacity: .6; cursor: default; }
details > summary { cursor: pointer; color: var(--link); width: fit-content; }
details[open] > summary { margin-bottom: .5rem; }
.records { list-style: none; margin: 0 0 1rem; padding: 0; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; }
.records > li { border-bottom: 1px solid var(--line); }
.records > li:last-child { border-bottom: 0; }
.records details > summary { width: auto; display: grid; grid-template-columns: 11.5rem 9rem minmax(0, 1fr) minmax(0, 1.5fr); align-items: baseline; gap: 0 1rem; padding: .55rem 1rem; color: var(--ink); list-style: none; }
.records summary::-webkit-details-marker { display: none; }
.records summary > span:first-child::before { content: "\\25B8" / ""; color: var(--soft); display: inline-block; width: 1rem; }
.records [open] > summary > span:first-child::before { content: "\\25BE" / ""; }
.records summary:hover { background: var(--ground); }
.records summary > span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.records .inside { padding: .3rem 1rem 1.1rem 2rem; }
.trace { list-style: none; padding: 0; margin: .5rem 0; }
.trace li { margin: .2rem 0; }
.trace .trace { padding-left: 1.4rem; margin: .1rem 0 .4rem; }
.mark { display: inline-block; width: 1.4rem; font-weight: 700; }
.mark.good { color: var(--good); }
.mark.bad { color: var(--bad); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg .good { fill: var(--bar-good); }
svg .bad { fill: var(--bar-bad); }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .edge { stroke: var(--soft); stroke-width: 1.4; fill: none; opacity: .65; }
svg .box { fill: var(--ground); stroke: var(--line); }
svg .box.key { stroke: var(--link); stroke-width: 1.5; }
svg .label { fill: var(--ink); font-size: 13px; }
svg .head { font-size: 12px; font-weight: 600; }
svg a .label { fill: var(--link); }
.legend { display: flex; gap: 1.25rem; font-size: .87rem; color: var(--soft); margin: .3rem 0; }
.legend span::before { content: ""; display: inline-block; width: .75rem; height: .75rem; border-radius: .15rem; margin-right: .4rem; vertical-align: -.07rem; background: var(--bar-good); }
.legend span + span::before { background: var(--bar-bad); }
.picture { min-width: 46rem; padding: .75rem; }
progress { width: 100%; accent-color: var(--link); }
.narrow { max-width: 30rem; margin: 4rem auto; }
@media (max-width: 48rem) {
  .records details > summary { grid-template-columns: 1fr 1fr; }
  .who { margin-left: 0; padding-bottom: .5rem; }
  .top > div, main, footer { padding-left: 1rem; padding-right: 1rem; }
}
@media (prefers-reduced-motion: no-preference) { a, button { transition: color .1s, background-color .1s; } }
`
