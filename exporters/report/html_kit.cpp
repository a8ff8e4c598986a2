// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/html_kit.hpp"

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::report::html {
namespace {

// Colours have a contrast of at least 4.5 to 1 against their background, light and dark.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --back: #fff; --text: #1a1a1a; --line: #8886; --mild: #5c5c5c; --critical: #b3261e; --warning: #8a4b00; --info: #0b57b0; --good: #1e6b25; }
@media (prefers-color-scheme: dark) { :root { --back: #161616; --text: #e8e8e8; --mild: #b0b0b0; --critical: #ff8a80; --warning: #ffb74d; --info: #90caf9; --good: #a5d6a7; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; background: var(--back); color: var(--text); overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line); padding-top: 1rem; } h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
a { color: var(--info); } a:focus-visible, button:focus-visible, summary:focus-visible, input:focus-visible, select:focus-visible, pre:focus-visible { outline: 3px solid var(--info); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--mild); } th button { all: unset; cursor: pointer; text-decoration: underline dotted; } .number { text-align: right; white-space: nowrap; }
.tag { border: 1px solid currentColor; border-radius: .3rem; padding: 0 .4rem; font-size: .85rem; white-space: nowrap; }
.critical, .refused, .failed, .unknown { color: var(--critical); } .warning, .dropped { color: var(--warning); } .info, .translated, .planned { color: var(--info); } .migrated, .kept, .skipped { color: var(--good); } .mild, .irrelevant, .unsettled { color: var(--mild); }
.verdict { font-size: 1.15rem; font-weight: 600; margin: .25rem 0 1rem; } ul.plain { list-style: none; padding: 0; } ul.plain > li { border-left: 4px solid currentColor; padding: .1rem 0 .1rem .75rem; margin: .6rem 0; } li > * { color: var(--text); } li > .tag { color: inherit; }
th, td { overflow-wrap: break-word; } td code { overflow-wrap: anywhere; } li strong { font-weight: 500; }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { white-space: pre-wrap; border: 1px solid var(--line); padding: .75rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .15rem 1rem; } dt { color: var(--mild); } dd { margin: 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin: .75rem 0; } form label { display: flex; gap: .4rem; align-items: center; } input, select { font: inherit; padding: .2rem .4rem; max-width: 100%; }
.picture { display: flex; flex-wrap: wrap; gap: 1rem 2rem; } figure { margin: 0; } figcaption { color: var(--mild); font-weight: 600; } svg { max-width: 100%; height: auto; } svg text { font: 11px ui-monospace, monospace; fill: var(--text); } svg .head { font-weight: 600; } svg rect, svg path { fill: none; stroke: var(--mild); } svg .board { fill: #8882; }
[hidden] { display: none !important; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } thead { position: absolute; left: -9999px; } table, tbody { display: block; } th, td { overflow-wrap: anywhere; } tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); } td, tbody th { display: block; border: 0; padding: .05rem 0; } .number { text-align: left; } }
@media print { body { max-width: none; font-size: 11pt; } form, nav, details { display: none; } h2 { break-after: avoid; } tr, li { break-inside: avoid; } }
)";

// Sorts the table of machines by a column, and shows those that match. Without it everything is there all the same.
constexpr std::string_view kScript = R"(
(function () {
  var table = document.getElementById("machines");
  if (!table) return;
  var body = table.tBodies[0], rows = Array.from(body.rows);
  var word = document.getElementById("word"), result = document.getElementById("result"), shown = document.getElementById("shown");
  document.getElementById("choose").hidden = false;
  function choose() {
    var text = word.value.toLowerCase(), left = 0;
    rows.forEach(function (row) {
      var fits = (!result.value || row.dataset.status === result.value) && row.textContent.toLowerCase().indexOf(text) >= 0;
      row.hidden = !fits;
      left += fits;
    });
    shown.textContent = left + " of " + rows.length;
  }
  word.addEventListener("input", choose);
  result.addEventListener("change", choose);
  Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      Array.from(table.tHead.rows[0].cells).forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) { var cell = row.cells[column]; return cell.dataset.key || cell.textContent; };
      rows.sort(function (a, b) { return (up ? 1 : -1) * key(a).localeCompare(key(b), undefined, { numeric: true }); });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
  choose();
})();
)";

}  // namespace

std::string_view style() { return kStyle; }
std::string_view script() { return kScript; }

std::string escaped(std::string_view text) { return xml::escaped_content(text::printable(text)); }

std::string tag(std::string_view word) {
  return "<span class=\"tag " + std::string(word) + "\">" + std::string(word) + "</span>";
}

std::string cell(std::string_view content) { return "<td>" + std::string(content) + "</td>"; }
std::string number_cell(std::string_view content) { return "<td class=\"number\">" + std::string(content) + "</td>"; }
std::string code(std::string_view content) { return "<code>" + escaped(content) + "</code>"; }

std::string table_head(std::initializer_list<std::string_view> headings, std::string_view attributes) {
  std::string out = "<table" + std::string(attributes) + "><thead><tr>";
  for (const std::string_view heading : headings) {
    const bool number = heading.starts_with('#');
    out += std::string("<th scope=\"col\"") + (number ? " class=\"number\">" : ">") +
           std::string(heading.substr(number ? 1 : 0)) + "</th>";
  }
  return out + "</tr></thead><tbody>\n";
}

}  // namespace ferry::report::html
