/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/page_style.h"

#include <stddef.h>

/* clang-format off */
#define LIGHT \
    "--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--box:#f6f8fa;--link:#0550ae;" \
    "--good:#116329;--bad:#a40e26;--open:#7d4e00;" \
    "--s0:#0072b2;--s1:#c04a00;--s2:#007a5a;--s3:#a8437f;--s4:#7a6200;--s5:#3a7fb0;--s6:#6b4fa0;--s7:#444c56;" \
    "--heat:#0b4a83;"
#define DARK \
    "--paper:#0f1419;--ink:#e6edf3;--soft:#9fa9b3;--line:#39424d;--box:#19202a;--link:#79b8ff;" \
    "--good:#56d364;--bad:#ff7b72;--open:#e3b341;" \
    "--s0:#56b4e9;--s1:#ff9a4d;--s2:#2fd6a4;--s3:#eba0cd;--s4:#e8d94a;--s5:#9ecbff;--s6:#bfa3ff;--s7:#b1bac4;" \
    "--heat:#79b8ff;"

const char *const page_style[] = {
    ":root{" LIGHT "}\n",
    "@media (prefers-color-scheme:dark){:root{" DARK "}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%}\n",
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n",
    "main{max-width:1160px;margin:0 auto;padding:16px}\n",
    "h1{font-size:1.6rem;line-height:1.25;margin:.5em 0}\n",
    "h2{font-size:1.25rem;margin:2em 0 .5em;padding-top:.5em;border-top:1px solid var(--line)}\n",
    "h3{font-size:1.05rem;margin:1em 0 .3em}\n",
    "h1,h2,h3,p,li,td{overflow-wrap:break-word}p,li{overflow-wrap:anywhere}\n",
    "p{margin:.5em 0;max-width:72ch}\n",
    "a{color:var(--link)}\n",
    "code{font:.9em ui-monospace,monospace;background:var(--box);padding:.1em .3em;border-radius:3px}\n",
    ".soft{color:var(--soft);font-size:.875rem}\n",
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:24px;align-items:start}\n",
    "figure{margin:0;min-width:0;break-inside:avoid}\n",
    "figure svg{display:block;width:100%;height:auto;max-width:620px}\n",
    "svg text{fill:var(--ink);font:13px system-ui,sans-serif}\n",
    "svg .name{fill:var(--soft)}\n",
    ".axis{stroke:var(--ink);fill:none}.grid{stroke:var(--line);fill:none}\n",
    ".guide{stroke:var(--soft);fill:none;stroke-dasharray:2 4}\n",
    ".curve{fill:none;stroke-width:2}.band{stroke:none;opacity:.16}.bar{stroke-width:1.5}\n",
    ".level{fill:none;stroke-width:1.5;stroke-dasharray:7 4}\n",
    ".mark{stroke-width:2}\n",
    ".cell{stroke:var(--paper);fill:var(--heat)}\n",
    "svg .dark{fill:var(--paper)}\n",
#define SERIES(n) \
    ".c" n " .curve,.c" n " .level,.c" n " .bar,.c" n " .open{stroke:var(--s" n ");fill:none}" \
    ".c" n " .mark{stroke:var(--s" n ");fill:var(--s" n ")}.c" n " .band,.c" n " .solid{fill:var(--s" n ")}\n"
    SERIES("0"), SERIES("1"), SERIES("2"), SERIES("3"), SERIES("4"), SERIES("5"), SERIES("6"), SERIES("7"),
    ".open{stroke-width:2}\n",
    "ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0;padding:0;font-size:.875rem}\n",
    "ul.legend li{display:flex;align-items:center;gap:6px;min-width:0}\n",
    "ul.legend svg{flex:none;width:34px;height:14px}\n",
    ".box{overflow-x:auto;max-width:100%;margin:.5em 0}\n",
    "table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}\n",
    "th,td{padding:4px 10px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\n",
    "th{white-space:nowrap;color:var(--soft);font-weight:600}\n",
    "td{max-width:30em}td.words{min-width:13em}td.number{white-space:nowrap}.number{text-align:right}\n",
    "details{margin:.3em 0}summary{cursor:pointer;font-size:.875rem;color:var(--soft)}\n",
    ".verdict{border:1px solid var(--line);border-left:8px solid var(--open);background:var(--box);padding:10px 16px;margin:12px 0;break-inside:avoid}\n",
    ".verdict strong{color:var(--open);font-size:1.15rem}\n",
    ".pass{border-left-color:var(--good)}.pass strong{color:var(--good)}\n",
    ".fail{border-left-color:var(--bad)}.fail strong{color:var(--bad)}\n",
    ".yes{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}\n",
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:.5em 0}\n",
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;min-width:0}\n",
    ".stages{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr));gap:16px}\n",
    ".stages img{display:block;width:100%;height:auto;image-rendering:pixelated;background:#000}\n",
    "@media (max-width:500px){main{padding:12px}dl{grid-template-columns:1fr}dd{margin:0 0 .4em}}\n",
    "@media print{:root{" LIGHT "}html{font-size:9pt}body{font-size:1rem}main{max-width:none;padding:0}"
    ".figures{grid-template-columns:1fr 1fr}h2{break-after:avoid}.box{overflow:visible}"
    "table{font-size:7pt}th{white-space:normal}th,td{padding:3px 5px}td.words{min-width:9em}}\n",
    NULL};
/* clang-format on */
