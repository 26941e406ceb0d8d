/** The look of the report: one column, light or dark as the reader's system is, from a phone to a wide screen, and on paper. */
export const STYLE = `:root{color-scheme:light dark;--ink:#1c2128;--soft:#57606a;--line:#d5dae1;--track:#eef1f5;--bar:#1f6fb2;--area:#1f6fb226;--bad:#b3401f;--good:#1a7f4b;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9da7b3;--line:#363d47;--track:#222831;--bar:#5aa6e6;--area:#5aa6e633;--bad:#f0876a;--good:#56c68b;--paper:#14181d}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}
h1{font-size:1.5rem;line-height:1.25;margin:.1rem 0 1rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2.5rem 0 .6rem}h3{font-size:1rem;margin:1.4rem 0 .4rem}
.kicker,.soft{color:var(--soft)}.kicker{margin:0}p{margin:.3rem 0}.good{color:var(--good)}.bad{color:var(--bad)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:.9rem 1.5rem;margin:0}dt{color:var(--soft);font-size:.85rem}dd{margin:0;overflow-wrap:anywhere}
.bars{display:grid;grid-template-columns:max-content 1fr max-content;gap:.3rem .9rem;align-items:center}.bars>.what{overflow-wrap:anywhere}
.track{position:relative;height:.95rem;background:var(--track);border-radius:3px;overflow:hidden}.track i{position:absolute;top:0;bottom:0;min-width:2px;background:var(--bar);border-radius:2px}
.track i.failed{background:repeating-linear-gradient(135deg,var(--bad) 0 4px,transparent 4px 7px),var(--track)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.scale{display:flex;justify-content:space-between;color:var(--soft);font-size:.85rem;font-variant-numeric:tabular-nums;gap:.6rem}.scale span{white-space:nowrap}
.plot svg{display:block;width:100%;height:9rem;border-bottom:1px solid var(--line);border-left:1px solid var(--line)}
.plot path{vector-effect:non-scaling-stroke}.curve{fill:none;stroke:var(--bar);stroke-width:1.5}.area{fill:var(--area)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th{color:var(--soft);font-weight:600;font-size:.85rem}
th,td{text-align:left;padding:.35rem 1rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}th:last-child,td:last-child{padding-right:0}th.n,td.n{text-align:right}
td.name{overflow-wrap:anywhere;min-width:9rem}
@media(max-width:36rem){body{font-size:14px}main{padding:1rem .9rem 2rem}.bars{gap:.3rem .5rem;font-size:.85rem}.bars>.what{max-width:8rem;line-height:1.25}td.name{min-width:7rem}th,td{padding-right:.6rem}h2{margin-top:2rem}dl{grid-template-columns:1fr 1fr}}
@media print{main{max-width:none}h2{break-after:avoid}.track i{print-color-adjust:exact}}`;
